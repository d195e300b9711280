"""Iterate over the rows of datasets as Python values: by slice, filtered, translated, within a range."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, compress, islice
from operator import index, itemgetter
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from jobs.dataset.ahead import Ahead, Part
from jobs.dataset.arrays import (
    Bounds,
    Cursor,
    Readable,
    aligned,
    check_column,
    chosen_columns,
    chosen_slices,
    opened,
)
from jobs.dataset.callbacks import Callbacks, SkipDataset, SkipSlice, Stop
from jobs.dataset.reading import ROUNDROBIN, Reading, RowFunction, SliceChoice
from jobs.dataset.rowstatus import RowStatus
from jobs.errors import DatasetError

# rows of a round-robin that are looked at together
_ROUND_ROWS: Final = 4096

# a value for each column, in pieces of rows
Pieces: TypeAlias = Iterator[Sequence[Sequence[Any]]]


def iterate(
    datasets: Sequence[Readable],
    sliceno: SliceChoice,
    columns: str | Iterable[str] | None,
    reading: Reading,
) -> Iterator[Any]:
    """Return an iterator over the rows of `datasets`, one after another.

    Parameters
    ----------
    datasets
        What to read, in this order.
    sliceno
        A slice, None for all of them one after another, or "roundrobin" for one row of each in turn.
    columns
        A name for bare values; several for tuples in that order; None for tuples of all, sorted by name.
    reading
        Which rows, and how.

    Raises
    ------
    DatasetError
        At once, for what cannot be asked of these datasets.
    """
    unknown = reading.keys() - Reading.__annotations__.keys()
    if unknown:
        raise TypeError(f"iterate takes no argument '{min(unknown)}'")
    if not datasets:
        return iter(())
    names = chosen_columns(datasets[0], columns)
    for dataset in datasets:
        _check_dataset(dataset, sliceno, names, reading)
    shape = _RowShape(names, reading, bare=isinstance(columns, str) and bool(columns))
    visits = _chosen_visits(datasets, sliceno, reading)
    callbacks = Callbacks(reading.get("pre_callback"), reading.get("post_callback"))
    if not reading.get("status_reporting", True):
        return chain.from_iterable(_row_pieces(visits, shape, callbacks))
    return chain.from_iterable(_reported_pieces(visits, shape, callbacks))


def _check_dataset(dataset: Readable, sliceno: SliceChoice, names: Sequence[str], reading: Reading) -> None:
    if sliceno != ROUNDROBIN:
        chosen_slices(dataset, sliceno)
    for name in chain(names, reading.get("range") or ()):
        check_column(dataset, name)
    wanted = reading.get("hashlabel")
    if _is_rehashed(dataset, reading):
        assert wanted is not None
        check_column(dataset, wanted)
        if sliceno == ROUNDROBIN:
            raise DatasetError("'rehash' does not go with \"roundrobin\"")
    elif wanted is not None and dataset.head.hashlabel != wanted:
        raise DatasetError(
            f"dataset '{dataset.spec}' is not hashed on '{wanted}'",
            hint=f"it is hashed on '{dataset.head.hashlabel}'" if dataset.head.hashlabel is not None else "",
        )


def _is_rehashed(dataset: Readable, reading: Reading) -> bool:
    """Return whether the rows of a slice have to be looked for in all slices."""
    wanted = reading.get("hashlabel")
    if reading.get("rehash") and wanted is None:
        raise DatasetError("'rehash' needs a hashlabel")
    return bool(reading.get("rehash")) and dataset.head.hashlabel != wanted


# ---- which rows


class _Visit(NamedTuple):
    """Rows of a dataset that are read together: of one slice, of all in turn, or those of all that hash to one."""

    dataset: Readable
    sliceno: int | Literal["roundrobin"]
    rows: range
    hashlabel: str | None = None


def _chosen_visits(
    datasets: Iterable[Readable], sliceno: SliceChoice, reading: Reading
) -> list[tuple[Readable, list[_Visit]]]:
    """Return the datasets that have rows to give, each with what is to be read of it."""
    found = [(dataset, _all_visits(dataset, sliceno, reading)) for dataset in datasets]
    bounds = _bounds(reading)
    if bounds is not None:
        name, within = bounds
        found = [each for each in found if _may_hold(each[0], name, within)]
    part = reading.get("slice")
    if part is None:
        return found
    if bounds is not None or reading.get("filters") is not None or reading.get("rehash"):
        raise DatasetError("'slice' goes neither with 'range' nor with 'filters' nor with 'rehash'")
    total = sum(len(visit.rows) for _, visits in found for visit in visits)
    return _sliced(found, _row_numbers(part, total))


def _all_visits(dataset: Readable, sliceno: SliceChoice, reading: Reading) -> list[_Visit]:
    lines = dataset.head.lines
    if sliceno == "roundrobin":
        return [_Visit(dataset, ROUNDROBIN, range(sum(lines)))]
    # of all slices the rows are the same however they are spread
    if sliceno is not None and _is_rehashed(dataset, reading):
        return [_Visit(dataset, index(sliceno), range(sum(lines)), reading.get("hashlabel"))]
    return [_Visit(dataset, number, range(lines[number])) for number in chosen_slices(dataset, sliceno)]


def _bounds(reading: Reading) -> tuple[str, Bounds] | None:
    asked = reading.get("range")
    if not asked:
        return None
    if len(asked) != 1:
        raise DatasetError("'range' is of one column", hint="'filters' takes several")
    ((name, (low, high)),) = asked.items()
    return name, Bounds(low, high)


def _may_hold(dataset: Readable, name: str, within: Bounds) -> bool:
    column = dataset.head.columns[name]
    return within.may_hold(column.min, column.max)


def _row_numbers(part: "int | slice", total: int) -> range:
    """Return the numbers of the rows that `slice` asks for, of `total`; raise when it asks for others."""
    asked = part if isinstance(part, slice) else slice(index(part), None)
    if asked.step is not None and asked.step <= 0:
        raise DatasetError("rows cannot be read backwards", hint="the step of 'slice' is positive")
    for end in (asked.start, asked.stop):
        if end is not None and not -total <= end <= total:
            raise DatasetError(f"no row {end}, there are {total}")
    return range(total)[asked]


def _sliced(found: list[tuple[Readable, list[_Visit]]], rows: range) -> list[tuple[Readable, list[_Visit]]]:
    """Return the visits with only those of their rows that are in `rows`, which counts through all of them."""
    chosen = []
    start = 0
    for dataset, visits in found:
        parts = []
        for visit in visits:
            stop = start + len(visit.rows)
            first = max(rows.start + -(-(start - rows.start) // rows.step) * rows.step, rows.start)
            mine = range(first - start, min(rows.stop, stop) - start, rows.step)
            if mine:
                parts.append(visit._replace(rows=mine))
            start = stop
        if parts:
            chosen.append((dataset, parts))
    return chosen


# ---- the rows


def _reported_pieces(
    found: Sequence[tuple[Readable, Sequence[_Visit]]], shape: "_RowShape", callbacks: Callbacks
) -> Iterator[Iterable[Any]]:
    """Yield the rows in pieces, as `_row_pieces` does, and say meanwhile which row is reached."""
    shape.status = RowStatus(sum(len(visit.rows) for _, visits in found for visit in visits))
    with shape.status:
        yield from _row_pieces(found, shape, callbacks)


def _row_pieces(
    found: Iterable[tuple[Readable, Sequence[_Visit]]], shape: "_RowShape", callbacks: Callbacks
) -> Iterator[Iterable[Any]]:
    """Yield the rows in pieces, with the callbacks between them."""
    found = [*found]
    ahead = Ahead([visit for _, visits in found for visit in visits], shape.part)
    firsts = accumulate((len(visits) for _, visits in found), initial=0)
    try:
        for (dataset, visits), first in zip(found, firsts, strict=False):
            try:
                callbacks.begin(dataset)
                for number, visit in enumerate(visits, first):
                    try:
                        callbacks.begin_slice(dataset, visit.sliceno)
                    except SkipSlice:
                        continue
                    ahead.reach(number, dataset.store)
                    yield from shape.rows(visit)
                    callbacks.end_slice(dataset, visit.sliceno)
            except (SkipSlice, SkipDataset):
                continue
            callbacks.end(dataset)
    except Stop:
        return


class _RowShape:
    """Makes rows of columns: bare values or tuples, within the range, translated and filtered.

    Attributes
    ----------
    status : RowStatus or None
        Who is told which rows are read.
    """

    def __init__(self, names: Sequence[str], reading: Reading, *, bare: bool) -> None:
        self._names = list(names)
        self._bare = bare
        self.status: RowStatus | None = None
        self._translate = reading.get("translators")
        self._filter = reading.get("filters")
        self._range = None if reading.get("sloppy_range") else _bounds(reading)
        for what in (self._translate, self._filter):
            if isinstance(what, Mapping):
                self._check_known(what)

    def _check_known(self, by_column: Mapping[str, object]) -> None:
        for name in by_column:
            if name not in self._names:
                raise DatasetError(f"column '{name}' is translated or filtered and not read")

    def part(self, visit: _Visit) -> Part:
        """Return the columns that are read of a visit."""
        names = [*self._names, *([] if self._range is None else [self._range[0]])]
        if visit.hashlabel is not None:
            return Part(visit.dataset, None, [*names, visit.hashlabel])
        return Part(visit.dataset, None if visit.sliceno == ROUNDROBIN else int(visit.sliceno), names)

    def rows(self, visit: _Visit) -> Iterator[Iterable[Any]]:
        """Yield the rows of a visit, in pieces."""
        pieces = _read_pieces(visit, self._names, self._range)
        if self.status is None:
            for values in pieces:
                yield self._filtered(self._joined(values))
            return
        is_part = self._range is not None or visit.hashlabel is not None
        self.status.visit(visit.dataset, visit.sliceno, None if is_part else visit.rows)
        by_first = isinstance(self._translate, Mapping)
        for columns in self.status.cut(pieces, by_first=by_first):
            yield self._filtered(self._joined(columns))

    def _joined(self, columns: Sequence[Iterable[Any]]) -> Iterable[Any]:
        translate = self._translate
        if isinstance(translate, Mapping):
            columns = [
                map(_function(translate[name]), values) if name in translate else values
                for name, values in zip(self._names, columns, strict=True)
            ]
        rows = columns[0] if self._bare else zip(*columns, strict=True)
        return map(translate, rows) if callable(translate) else rows

    def _filtered(self, rows: Iterable[Any]) -> Iterable[Any]:
        if callable(self._filter):
            return filter(self._filter, rows)
        for name, test in (self._filter or {}).items():
            rows = filter(test, rows) if self._bare else _filter_by(self._names.index(name), test, rows)
        return rows


def _function(translator: RowFunction | Mapping[Any, Any]) -> RowFunction:
    return translator.get if isinstance(translator, Mapping) else translator


def _filter_by(place: int, test: RowFunction | None, rows: Iterable[Any]) -> Iterable[Any]:
    if test is None:
        return filter(itemgetter(place), rows)
    return (row for row in rows if test(row[place]))


def _read_pieces(visit: _Visit, names: Sequence[str], within: tuple[str, Bounds] | None) -> Pieces:
    """Yield the values of the named columns, a list for each, of the rows that are wanted."""
    pieces: Pieces
    ranged = [] if within is None else [within[0]]
    if visit.sliceno == "roundrobin":
        pieces = _round_pieces(visit, [*names, *ranged])
    elif visit.hashlabel is not None:
        pieces = _rehashed_pieces(visit.dataset, visit.sliceno, visit.hashlabel, [*names, *ranged], within)
    else:
        pieces = _slice_pieces(visit.dataset, visit.sliceno, visit.rows, [*names, *ranged], within)
    if within is None:
        return pieces
    return _pieces_within(pieces, within[1].test())


def _slice_pieces(
    dataset: Readable, sliceno: int, rows: range, names: Sequence[str], within: tuple[str, Bounds] | None
) -> Pieces:
    with opened(dataset, sliceno, names) as readers:
        if not readers:
            return
        spans: Iterable[range] = [range(rows.start, rows.stop)]
        if within is not None:
            spans = within[1].spans(readers[-1])
        pieces = aligned([Cursor(reader, reader.sequence) for reader in readers], spans)
        if rows.step == 1:
            yield from pieces
            return
        skipped = 0
        for columns in pieces:
            count = len(columns[0])
            yield [values[skipped :: rows.step] for values in columns]
            skipped = (skipped - count) % rows.step


def _rehashed_pieces(
    dataset: Readable, sliceno: int, hashlabel: str, names: Sequence[str], within: tuple[str, Bounds] | None
) -> Pieces:
    """Yield those rows of all slices whose value in `hashlabel` would put them into this one."""
    from jobs.column.spread import slices_of

    lines, kind = dataset.head.lines, dataset.head.columns[hashlabel].type
    for number, rows in enumerate(lines):
        # the column of the range stays the last
        for deciding, *columns in _slice_pieces(dataset, number, range(rows), [hashlabel, *names], within):
            here = (slices_of(deciding, kind, len(lines)) == sliceno).tolist()
            yield [list(compress(values, here)) for values in columns]


def _pieces_within(pieces: Pieces, test: Callable[[Any], bool]) -> Pieces:
    """Yield the rows whose value in the last column passes, without that column."""
    for *columns, deciding in pieces:
        keep = list(map(test, deciding))
        yield columns if all(keep) else [list(compress(values, keep)) for values in columns]


def _round_pieces(visit: _Visit, names: Sequence[str]) -> Pieces:
    """Yield the rows of all slices, one of each in turn as long as it has any."""
    dataset, rows = visit.dataset, visit.rows
    lines = dataset.head.lines
    columns = []
    for name in names:
        parts = [_column_values(dataset, number, name) for number in range(len(lines))]
        columns.append(islice(_in_turn(parts, lines), rows.start, rows.stop, rows.step))
    while columns and (piece := [list(islice(values, _ROUND_ROWS)) for values in columns])[0]:
        yield piece


def _column_values(dataset: Readable, sliceno: int, name: str) -> Iterator[Any]:
    pieces = _slice_pieces(dataset, sliceno, range(dataset.head.lines[sliceno]), [name], None)
    return chain.from_iterable(columns[0] for columns in pieces)


def _in_turn(parts: Sequence[Iterator[Any]], lines: Sequence[int]) -> Iterator[Any]:
    """Return an iterator that takes one of each part in turn; `lines` says how many each has."""
    return chain.from_iterable(_rounds(parts, lines))


def _rounds(parts: Sequence[Iterator[Any]], lines: Sequence[int]) -> Iterator[Iterator[Any]]:
    done = 0
    for until in sorted({*lines}):
        going = [part for part, count in zip(parts, lines, strict=True) if count > done]
        yield chain.from_iterable(islice(zip(*going, strict=False), until - done))
        done = until
