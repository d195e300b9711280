"""The functions that write one row: they check all of it, then keep its values column by column."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any, Final, TypeAlias

from jobs.column.types import UTC
from jobs.dataset.declaration import DeclaredColumn
from jobs.errors import DatasetError

# rows that are handed to the column writers together: enough to make the handing over cheap, few enough to stay in
# the processor's cache
CHUNK_ROWS: Final = 4096
# a value of that size is not kept together with thousands of its like: what is kept is delivered before it
LARGE_BYTES: Final = 1 << 13

Pending: TypeAlias = Sequence[list[Any]]


class Target:
    """Where rows are kept until there are enough of them to be delivered.

    Parameters
    ----------
    width
        Number of columns.
    deliver
        Given one list a column; takes out what it needs, since the lists are used again.
    rows
        How many are enough.
    """

    def __init__(self, width: int, deliver: Callable[[Pending], None], rows: int = CHUNK_ROWS) -> None:
        self.pending: list[list[Any]] = [[] for _ in range(width)]
        self.rows = rows
        self._deliver = deliver

    def flush(self) -> None:
        """Deliver the rows that are kept."""
        if self.pending[0]:
            self._deliver(self.pending)
            for values in self.pending:
                values.clear()

    def close(self) -> None:
        """Deliver the rows that are kept; one that comes later raises."""
        self.flush()
        self._deliver = _refuse_late
        # full at once, so that the next row is delivered, that is refused, when it is written
        self.pending[0] += [None] * self.rows


class RowWriter:
    """The functions that write one row, made for the columns of one dataset when they are first asked for.

    A row with a value that its column refuses raises and leaves no trace.

    Parameters
    ----------
    columns
        In the order of the arguments of `write`; at least one.
    target
        Where rows go.
    belongs : callable, optional
        Returns whether a row is kept, given its value in one column; it may raise.
    by : int, optional
        The number of that column.
    """

    def __init__(
        self,
        columns: Sequence[DeclaredColumn],
        target: Target,
        belongs: Callable[[object], bool] | None = None,
        by: int | None = None,
    ) -> None:
        self._columns = columns
        self._target = target
        self._belongs = belongs
        self._by = by
        self._names = frozenset(column.name for column in columns)

    @cached_property
    def write(self) -> Callable[..., None]:
        """Writes a row given as arguments."""
        return self._make("def function({arguments}):")

    @cached_property
    def write_list(self) -> Callable[[Sequence[Any]], None]:
        """Writes a row given as a sequence."""
        return self._make(
            "def function(row):",
            "    try: {arguments}= row",
            "    except ValueError: refuse(row)",
        )

    def write_dict(self, row: Mapping[str, Any]) -> None:
        """Write a row given as a mapping of column name to value."""
        if row.keys() != self._names:
            lacking = ", ".join(f"'{name}'" for name in sorted(self._names - row.keys()))
            unknown = ", ".join(f"'{name}'" for name in sorted(row.keys() - self._names))
            said = [lacking and f"lacks {lacking}", unknown and f"has unknown {unknown}"]
            raise DatasetError(f"a row that {' and '.join(filter(None, said))}")
        self.write(*[row[column.name] for column in self._columns])

    @property
    def lines_kept(self) -> int:
        """The number of rows that are not delivered yet."""
        return len(self._target.pending[0])

    def flush(self) -> None:
        """Deliver all rows that are kept."""
        self._target.flush()

    def close(self) -> None:
        """Deliver all rows that are kept; one that comes later raises."""
        self._target.close()

    def _make(self, *head: str) -> Callable[..., None]:
        # Made as source, like the methods of a dataclass: with the usual checks inline a row of four values costs
        # 0.3 us, with a call for each value 0.45, and all values are seen before the first is kept.
        width = range(len(self._columns))
        arguments = "".join(f"v{i}, " for i in width)
        body = []
        for i, column in enumerate(self._columns):
            body += _conversion(f"v{i}", f"convert{i}", column, hashed=i == self._by)
        if self._belongs is not None:
            body += [f"if not belongs(v{self._by}): return"]
        body += [f"add{i}(v{i})" for i in width]
        body += [f"if len(first) >= {self._target.rows}: flush()"]
        source = [line.format(arguments=arguments) for line in head] + [f"    {line}" for line in body]
        names = _names(self._columns, self._target) | {"belongs": self._belongs}
        exec(_compile("\n".join(source)), names)
        made: Callable[..., None] = names["function"]
        return made


# 0.1 ms for each column; many datasets of one job have the same
@lru_cache(maxsize=64)
def _compile(source: str) -> CodeType:
    return compile(source, "<rows>", "exec")


# a value for which this holds is kept as it is; all others are converted
_AS_IT_IS: Final = {
    "number": "type({v}) is float or type({v}) is int and -0x8000000000000000 <= {v} <= 0x7fffffffffffffff",
    "int64": "type({v}) is int and -0x8000000000000000 <= {v} <= 0x7fffffffffffffff",
    "int32": "type({v}) is int and -0x80000000 <= {v} <= 0x7fffffff",
    "float64": "type({v}) is float",
    "float32": "type({v}) is float and -3.4e38 <= {v} <= 3.4e38",
    "complex64": "type({v}) is complex",
    "bool": "{v} is True or {v} is False",
    "date": "type({v}) is date",
    "datetime": "type({v}) is datetime and ({v}.tzinfo is None or {v}.tzinfo is UTC)",
    "time": "type({v}) is time and ({v}.tzinfo is None or {v}.tzinfo is UTC)",
    "bytes": "type({v}) is bytes and len({v}) < LARGE",
    "ascii": "type({v}) is str and len({v}) < LARGE and {v}.isascii()",
    "unicode": "type({v}) is str and len({v}) < LARGE and ({v}.isascii() or {v}.encode())",
}
_OF_ANY_SIZE: Final = frozenset({"bytes", "ascii", "unicode", "json", "pickle"})


def _names(columns: Sequence[DeclaredColumn], target: Target) -> dict[str, Any]:
    """Return what the functions find by name beside their arguments."""
    names: dict[str, Any] = {"date": datetime.date, "datetime": datetime.datetime, "time": datetime.time}
    names |= {"UTC": UTC, "LARGE": LARGE_BYTES, "refuse": _refuse(len(columns))}
    for number, (column, values) in enumerate(zip(columns, target.pending, strict=True)):
        names[f"add{number}"] = values.append
        names[f"convert{number}"] = _converter(column, target)
    names["first"], names["flush"] = target.pending[0], target.flush
    return names


def _converter(column: DeclaredColumn, target: Target) -> Callable[[Any], Any]:
    convert = column.converter()
    if column.column_type.base not in _OF_ANY_SIZE:
        return convert

    def convert_sized(value: Any) -> Any:
        kept = convert(value)
        if kept is not None and len(kept) >= LARGE_BYTES:
            target.flush()
        return kept

    return convert_sized


def _conversion(value: str, convert: str, column: DeclaredColumn, *, hashed: bool) -> list[str]:
    """Return the lines that make of a value what is kept of it."""
    converted = f"{value} = {convert}({value})"
    same = _AS_IT_IS.get(column.type)  # not for "parsed:" types, which convert every value
    # a float32 is rounded with many others, but its slice is that of the rounded value
    if same is None or (hashed and column.type == "float32"):
        return [converted]
    none = f"{value} is None or " if column.none_support else ""
    line = f"if not ({none}{same.format(v=value)}): {converted}"
    if column.type == "unicode":
        return ["try:", f"    {line}", "except UnicodeEncodeError:", f"    {converted}"]
    return [line]


def _refuse(width: int) -> Callable[[Sequence[Any]], None]:
    def refuse(row: Sequence[Any]) -> None:
        raise DatasetError(f"a row of {len(row)} values, where there are {width} columns")

    return refuse


def _refuse_late(_: Pending) -> None:
    raise DatasetError("a row for a dataset that is finished", hint="this function wrote to it before it was")
