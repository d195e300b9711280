"""Two outcomes side by side: which option, file, dataset, column, slice and row differ, bytes first, then values."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.comparison.firstbyte import find_split, lines_at
from jobs.comparison.sameness import Difference, Unreadable, find_difference, read_json, read_pickle, show
from jobs.nodes.fields import as_map
from jobs.nodes.outcome import FileEntry, Outcome
from jobs.nodes.references import from_structure
from jobs.nodes.values import PICKLE_PROTOCOL

if TYPE_CHECKING:
    from jobs.column.slice import SliceReader
    from jobs.dataset.head import ColumnNode, DatasetHead

Kind: TypeAlias = Literal["method", "slices", "option", "input", "file", "dataset", "column"]

SAME_VALUE: Final = "same value, other bytes"
SAME_VALUES: Final = "same values, other bytes"
UNFINISHED: Final = "other bytes, too many to look through here"
# both values are in memory, at several times their size in a file
_VALUE_BYTES: Final = 64 << 20
# equal lists of these hold the same values; of others 1 == 1.0 and 0.0 == -0.0
_PLAIN_TYPES: Final = frozenset({"int64", "int32", "bool", "date", "bytes", "ascii", "unicode"})


@dataclass(frozen=True, slots=True)
class OutcomeDifference:
    """One thing that differs between two outcomes.

    Attributes
    ----------
    kind : str
        What differs: "method", "slices", "option", "input" (a dataset or job), "file", "dataset", "column".
    name : str
        Of the option, input, file or dataset; "" where there is only one.
    what : str
        How it differs, in words.
    column : str
        The column, or "".
    sliceno, row : int or None
        Where in a column the first row that differs is: its slice, and its number there, counted from 0.
    before, after : str
        What each has there, cut for people; "" when that says nothing.
    same_value : bool
        Whether only bytes differ, and what they stand for is the same.
    """

    kind: Kind
    name: str
    what: str
    column: str = ""
    sliceno: int | None = None
    row: int | None = None
    before: str = ""
    after: str = ""
    same_value: bool = False


class Patience(NamedTuple):
    """How much may be read; of what is not read to its end only `UNFINISHED` is said.

    Attributes
    ----------
    is_late : callable
        Asked again and again; once it returns True no more is read.
    value_bytes : int
        Pickles and JSON files that are larger are compared as bytes.
    """

    is_late: Callable[[], bool]
    value_bytes: int


ENDLESS: Final = Patience(lambda: False, _VALUE_BYTES)


def compare_outcomes(
    store: Store, before: Outcome, after: Outcome, patience: Patience = ENDLESS
) -> list[OutcomeDifference]:
    """Return what differs between two outcomes; nothing when they are equal.

    Columns are read a batch at a time, files a piece at a time; only small pickles and JSON files are read whole.
    """
    if dumps(before.to_body()) == dumps(after.to_body()):
        return []
    differences = [*_compare_inputs(before, after)]
    differences += _compare_files(store, before.files, after.files, patience)
    if before.datasets != after.datasets or [*before.datasets] != [*after.datasets]:
        differences += _compare_datasets(store, before.datasets, after.datasets, patience)
    return differences


# ---- what they were given


def _compare_inputs(before: Outcome, after: Outcome) -> Iterator[OutcomeDifference]:
    if before.method != after.method:
        yield OutcomeDifference("method", "", "another method", before=before.method, after=after.method)
    if before.slices != after.slices:
        yield OutcomeDifference(
            "slices", "", "another number of slices", before=str(before.slices), after=str(after.slices)
        )
    yield from _compare_group("option", before.inputs.options, after.inputs.options)
    yield from _compare_group("input", before.inputs.datasets, after.inputs.datasets)
    yield from _compare_group("input", before.inputs.jobs, after.inputs.jobs)


def _compare_group(
    kind: Kind, before: Mapping[str, Json], after: Mapping[str, Json]
) -> Iterator[OutcomeDifference]:
    for name in _both(before, after):
        if name not in after:
            yield OutcomeDifference(kind, name, "missing", before=_in_words(before[name]))
        elif name not in before:
            yield OutcomeDifference(kind, name, "new", after=_in_words(after[name]))
        elif dumps(before[name]) != dumps(after[name]):
            value, now = (from_structure(side[name], _Reference) for side in (before, after))
            found = find_difference(value, now) or Difference("", show(value), show(now))
            yield OutcomeDifference(kind, name, _where(found), before=found.before, after=found.after)


def _where(found: Difference) -> str:
    return f"another value at {found.place}" if found.place else "another value"


class _Reference:
    """A job, dataset or file in an option, as people read it."""

    def __init__(self, tag: str, content: Json) -> None:
        self._tag = tag.removeprefix("$")
        self._content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reference) and dumps(self._content) == dumps(other._content)

    def __hash__(self) -> int:
        return hash(dumps(self._content))

    def __repr__(self) -> str:
        if isinstance(self._content, str):
            return f"{self._tag} {self._content[:12]}"
        fields = as_map(self._content)
        blobs = fields.get("blobs")
        content = fields.get("content") or fields.get("node") or (blobs[0] if isinstance(blobs, list) else "")
        return f"{self._tag} '{fields.get('name')}' {str(content)[:12]}"


def _in_words(structure: Json) -> str:
    return show(from_structure(structure, _Reference))


def _both(before: Iterable[str], after: Iterable[str]) -> list[str]:
    return sorted({*before, *after})


# ---- files


def _compare_files(
    store: Store, before: Mapping[str, FileEntry], after: Mapping[str, FileEntry], patience: Patience
) -> Iterator[OutcomeDifference]:
    for name in _both(before, after):
        if name not in after:
            yield OutcomeDifference("file", name, "missing")
        elif name not in before:
            yield OutcomeDifference("file", name, "new")
        elif before[name] != after[name]:
            yield _compare_file(store, name, (before[name], after[name]), patience)


def _compare_file(
    store: Store, name: str, entries: tuple[FileEntry, FileEntry], patience: Patience
) -> OutcomeDifference:
    before, after = entries
    if patience.is_late():
        return OutcomeDifference("file", name, UNFINISHED)
    if max(before.size, after.size) <= patience.value_bytes:
        read = read_json if name.endswith(".json") else read_pickle
        try:
            found = find_difference(read(store.get(before.blob)), read(store.get(after.blob)))
        except Unreadable:
            pass
        else:
            if found is None:
                return OutcomeDifference("file", name, SAME_VALUE, same_value=True)
            return OutcomeDifference("file", name, _where(found), before=found.before, after=found.after)
    with store.open(before.blob) as one, store.open(after.blob) as other:
        split = find_split(one, other, patience.is_late)
        if split is None:
            return OutcomeDifference("file", name, UNFINISHED)
        shown = lines_at(one, other, split)
    what = f"byte {split.at} differs" + (f", in line {split.line}" if shown[0] or shown[1] else "")
    if before.size != after.size:
        what = f"{after.size} bytes, was {before.size}; {what}"
    return OutcomeDifference("file", name, what, before=shown[0], after=shown[1])


# ---- datasets


def _compare_datasets(
    store: Store, before: Mapping[str, ObjectId], after: Mapping[str, ObjectId], patience: Patience
) -> Iterator[OutcomeDifference]:
    from jobs.dataset.head import DatasetHead

    for name in _both(before, after):
        if name not in after:
            yield OutcomeDifference("dataset", name, "missing")
        elif name not in before:
            yield OutcomeDifference("dataset", name, "new")
        elif before[name] != after[name]:
            old, new = (get_node(store, side[name], DatasetHead) for side in (before, after))
            yield from _compare_heads(store, name, (old, new), patience)
    if [*before] != [*after] and {*before} == {*after}:
        yield OutcomeDifference(
            "dataset", "", "finished in another order", before=", ".join(before), after=", ".join(after)
        )


def _compare_heads(
    store: Store, name: str, heads: "tuple[DatasetHead, DatasetHead]", patience: Patience
) -> Iterator[OutcomeDifference]:
    before, after = heads
    facts = {
        "another hashlabel": (before.hashlabel, after.hashlabel),
        "another filename": (before.filename, after.filename),
        "another caption": (before.caption, after.caption),
        "another previous dataset": (before.previous, after.previous),
        "other parents": (before.parents, after.parents),
        "other lines per slice": (before.lines, after.lines),
    }
    for what, (old, new) in facts.items():
        if old != new:
            yield OutcomeDifference("dataset", name, what, before=_fact(old), after=_fact(new))
    yield from _compare_columns(store, name, before, after, patience)


def _fact(value: Any) -> str:
    from jobs.dataset.head import DatasetRef

    if isinstance(value, DatasetRef):
        return f"'{value.name}' {value.node[:12]}"
    if isinstance(value, tuple):
        return ", ".join(_fact(each) for each in value) or "none"
    return "none" if value is None else str(value)


def _compare_columns(
    store: Store, dataset: str, before: "DatasetHead", after: "DatasetHead", patience: Patience
) -> Iterator[OutcomeDifference]:
    from jobs.dataset.head import ColumnNode

    for name in _both(before.columns, after.columns):
        if name not in after.columns:
            yield OutcomeDifference("column", dataset, "missing", name)
        elif name not in before.columns:
            yield OutcomeDifference("column", dataset, "new", name)
        elif before.columns[name] != after.columns[name]:
            one, other = (get_node(store, head.columns[name].node, ColumnNode) for head in (before, after))
            yield from _compare_column(store, _Column(dataset, name), (one, other), patience)
    if [*before.columns] != [*after.columns] and {*before.columns} == {*after.columns}:
        old, new = (", ".join(head.columns) for head in (before, after))
        yield OutcomeDifference("dataset", dataset, "columns in another order", before=old, after=new)


class _Column(NamedTuple):
    """Which column."""

    dataset: str
    name: str

    def differs(self, what: str, before: object, after: object) -> OutcomeDifference:
        """Return that it differs in what its node says."""
        return OutcomeDifference(
            "column", self.dataset, what, self.name, before=str(before), after=str(after)
        )


def _compare_column(
    store: Store, column: _Column, nodes: "tuple[ColumnNode, ColumnNode]", patience: Patience
) -> Iterator[OutcomeDifference]:
    before, after = nodes
    if before.type != after.type:
        yield column.differs("another type", before.type, after.type)
        return
    if before.none_support != after.none_support:
        yield column.differs("another none_support", before.none_support, after.none_support)
    for what in ("min", "max"):
        old, new = getattr(before, what), getattr(after, what)
        if find_difference(old, new) is not None:
            yield column.differs(f"another {what}", show(old), show(new))
    yield from _compare_slices(store, column, nodes, patience)


def _compare_slices(
    store: Store, column: _Column, nodes: "tuple[ColumnNode, ColumnNode]", patience: Patience
) -> Iterator[OutcomeDifference]:
    """Yield the first row that differs, or that no row does and the bytes do all the same."""
    before, after = nodes
    differing = [
        sliceno
        for sliceno, (old, new) in enumerate(zip(before.slices, after.slices, strict=False))
        if old.blob != new.blob
    ]
    for sliceno in differing:
        found = None if patience.is_late() else _first_row(store, nodes, sliceno, patience)
        if found is None and patience.is_late():
            yield OutcomeDifference("column", column.dataset, UNFINISHED, column.name)
            return
        if found is not None:
            what = f"slice {sliceno}, row {found.row} differs"
            yield OutcomeDifference(
                "column", column.dataset, what, column.name, sliceno, found.row, found.before, found.after
            )
            return
    if differing and all(before.slices[at].lines == after.slices[at].lines for at in differing):
        yield OutcomeDifference(
            "column", column.dataset, SAME_VALUES, column.name, differing[0], same_value=True
        )


class _Row(NamedTuple):
    """A row that differs, and both values."""

    row: int
    before: str
    after: str


def _first_row(
    store: Store, nodes: "tuple[ColumnNode, ColumnNode]", sliceno: int, patience: Patience
) -> _Row | None:
    """Return the first row of a slice that differs, of those that both have; None also when it gets late."""
    from jobs.column.slice import SliceReader
    from jobs.dataset.arrays import Cursor, aligned

    with ExitStack() as stack:
        cursors = []
        for node in nodes:
            stream = stack.enter_context(store.open(node.slices[sliceno].blob))
            reader = SliceReader(stream, node.type, none_support=node.none_support)
            cursors.append(Cursor(reader, _decoder(reader, node.type)))
        lines = min(node.slices[sliceno].lines for node in nodes)
        start = 0
        for old, new in aligned(cursors, [range(lines)]):
            if not _are_equal(nodes[0].type, old, new):
                found = _first_in(nodes[0].type, old, new)
                if found is not None:
                    return found._replace(row=start + found.row)
            start += len(old)
            if patience.is_late():
                break
    return None


def _decoder(reader: "SliceReader", column_type: str) -> Any:
    if column_type == "pickle":
        # a pickle's class may not be there to import
        return lambda number: reader.packed(number).tolist()
    return reader.values


def _are_equal(column_type: str, old: list[Any], new: list[Any]) -> bool:
    """Return whether the rows of two batches are surely the same, in a tenth of the time that a look at each takes."""
    if column_type in _PLAIN_TYPES:
        return old == new
    return pickle.dumps(old, PICKLE_PROTOCOL) == pickle.dumps(new, PICKLE_PROTOCOL)


def _first_in(column_type: str, old: list[Any], new: list[Any]) -> _Row | None:
    for row, (one, other) in enumerate(zip(old, new, strict=True)):
        if column_type == "pickle":
            if one == other:
                continue
            one, other = _unpickled(one), _unpickled(other)  # noqa: PLW2901 - read only where bytes differ
        found = find_difference(one, other)
        if found is not None:
            return _Row(row, *found[1:])
    return None


def _unpickled(data: bytes) -> object:
    try:
        return read_pickle(data)
    except Unreadable:
        return data
