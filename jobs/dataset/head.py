"""The nodes of a dataset: a small head that says what it is, and one column node for each column."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from itertools import chain, islice
from math import isnan
from typing import Any, ClassVar, Final, NamedTuple, Self

from cas.formats.canonical import Json, tag, untag
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.column.bounds import checked_bounds
from jobs.nodes.fields import as_bool, as_int, as_list, as_map, as_oid, as_text, text_or_none

# every 64th head of a chain names the 64 before it, so a chain of n is known after n / 64 + 63 heads
EARLIER: Final = 64


class ColumnSlice(NamedTuple):
    """One slice of a column: its blob, rows, and raw size in bytes."""

    blob: ObjectId
    lines: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ColumnNode:
    """The values of one column.

    Attributes
    ----------
    type : str
        Name of the column type that is read back, never a "parsed:" one.
    none_support : bool
        Whether None may be among the values.
    min, max : object
        Smallest and largest value, or None when there is none or the type tracks none.
    slices : tuple of ColumnSlice
        By slice number.
    """

    KIND: ClassVar[str] = "column"
    FORMAT: ClassVar[int] = 1

    type: str
    none_support: bool
    min: Any
    max: Any
    slices: tuple[ColumnSlice, ...]

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {
            "type": self.type,
            "none_support": self.none_support,
            "min": tag(self.min),
            "max": tag(self.max),
            "slices": [[*part] for part in self.slices],
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        low, high = checked_bounds(as_text(body["type"]), untag(body["min"]), untag(body["max"]))
        return cls(
            type=as_text(body["type"]),
            none_support=as_bool(body["none_support"]),
            min=low,
            max=high,
            slices=tuple(map(_column_slice, as_list(body["slices"]))),
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return (part.blob for part in self.slices)

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        return ()


@dataclass(frozen=True, slots=True)
class DatasetColumn:
    """What a head says of one column, so that its node is read only when its values are.

    Attributes
    ----------
    name, type : str
        The column's name, and the name of its type.
    none_support : bool
        Whether None may be among the values.
    min, max : object
        Smallest and largest value, or None when there is none or the type tracks none.
    node : ObjectId
        The column node; columns with the same node hold the same values.
    """

    name: str
    type: str
    none_support: bool
    min: Any
    max: Any
    node: ObjectId

    @classmethod
    def of(cls, name: str, column: ColumnNode, node: ObjectId) -> Self:
        """Return the entry of a column node."""
        return cls(name, column.type, column.none_support, column.min, column.max, node)

    def to_json(self) -> dict[str, Json]:
        """Return the entry as JSON."""
        return {
            "name": self.name,
            "type": self.type,
            "none_support": self.none_support,
            "min": tag(self.min),
            "max": tag(self.max),
            "node": self.node,
        }

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the entry that `to_json` gave."""
        fields = as_map(body)
        low, high = checked_bounds(as_text(fields["type"]), untag(fields["min"]), untag(fields["max"]))
        return cls(
            name=as_text(fields["name"]),
            type=as_text(fields["type"]),
            none_support=as_bool(fields["none_support"]),
            min=low,
            max=high,
            node=as_oid(fields["node"]),
        )


class DatasetRef(NamedTuple):
    """Another dataset: its head, and its name in the job that holds it."""

    node: ObjectId
    name: str


@dataclass(frozen=True, slots=True)
class DatasetHead:
    """What a dataset is: equal datasets have the same head everywhere.

    Attributes
    ----------
    columns : mapping of str to DatasetColumn
        By name, in the order in which they were added; those of a parent first.
    lines : tuple of int
        Rows of each slice.
    hashlabel : str or None
        The column whose value decides the slice.
    filename, caption : str or None
        Where the rows came from, and what to call them.
    previous : DatasetRef or None
        The dataset before it in its chain.
    parents : tuple of DatasetRef
        The datasets whose columns it extends.
    depth : int
        Datasets before it in its chain.
    earlier : tuple of DatasetRef
        The 64 before it, newest first, when `depth` is a multiple of 64; else empty.
    """

    KIND: ClassVar[str] = "dataset"
    FORMAT: ClassVar[int] = 1

    columns: Mapping[str, DatasetColumn]
    lines: tuple[int, ...]
    hashlabel: str | None = None
    filename: str | None = None
    caption: str | None = None
    previous: DatasetRef | None = None
    parents: tuple[DatasetRef, ...] = ()
    depth: int = 0
    earlier: tuple[DatasetRef, ...] = ()

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {
            "columns": [column.to_json() for column in self.columns.values()],
            "lines": list(self.lines),
            "hashlabel": self.hashlabel,
            "filename": self.filename,
            "caption": self.caption,
            "previous": None if self.previous is None else [*self.previous],
            "parents": [[*parent] for parent in self.parents],
            "depth": self.depth,
            "earlier": [[*ref] for ref in self.earlier],
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        columns = [DatasetColumn.from_json(column) for column in as_list(body["columns"])]
        head = cls(
            columns={column.name: column for column in columns},
            lines=tuple(map(_count, as_list(body["lines"]))),
            hashlabel=text_or_none(body["hashlabel"]),
            filename=text_or_none(body["filename"]),
            caption=text_or_none(body["caption"]),
            previous=None if body["previous"] is None else _dataset_ref(body["previous"]),
            parents=tuple(map(_dataset_ref, as_list(body["parents"]))),
            depth=_count(body["depth"]),
            earlier=tuple(map(_dataset_ref, as_list(body["earlier"]))),
        )
        if len(head.columns) != len(columns):
            raise ValueError("two columns of one name")
        if head.hashlabel is not None and head.hashlabel not in head.columns:
            raise ValueError(f"hashed on '{head.hashlabel}', which is no column")
        _check_chain(head)
        return head

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return ()

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        yield from (column.node for column in self.columns.values())
        if self.previous is not None:
            yield self.previous.node
        yield from (ref.node for ref in chain(self.parents, self.earlier))


class ChainPlace(NamedTuple):
    """Where a dataset stands in its chain: the fields of its head that say so."""

    previous: DatasetRef | None
    depth: int
    earlier: tuple[DatasetRef, ...]


def place_after(store: Store, previous: DatasetRef | None) -> ChainPlace:
    """Return the place in the chain of a dataset that comes after `previous`.

    Costs one head, and one time in 64 the 64 heads before.
    """
    if previous is None:
        return ChainPlace(None, 0, ())
    head = get_head(store, previous)
    depth = head.depth + 1
    earlier: tuple[DatasetRef, ...] = ()
    if depth % EARLIER == 0:
        before = walk_previous(head, lambda ref: get_head(store, ref))
        earlier = tuple(islice(chain([previous], before), EARLIER))
    return ChainPlace(previous, depth, earlier)


def walk_previous(head: DatasetHead, read: Callable[[DatasetRef], DatasetHead]) -> Iterator[DatasetRef]:
    """Yield the datasets before `head`, newest first, as `walk_groups` finds them."""
    return chain.from_iterable(walk_groups(head, read))


def walk_groups(
    head: DatasetHead, read: Callable[[DatasetRef], DatasetHead]
) -> Iterator[tuple[DatasetRef, ...]]:
    """Yield the datasets before `head`, newest first, as many together as one head names.

    Parameters
    ----------
    read : callable
        Gives the head of the dataset that was yielded last, at the end of its group.
    """
    while head.previous is not None:
        refs = head.earlier or (head.previous,)
        yield refs
        head = read(refs[-1])


def get_head(store: Store, ref: DatasetRef) -> DatasetHead:
    """Return the head that `ref` names."""
    return get_node(store, ref.node, DatasetHead)


def smallest(values: Iterable[Any]) -> Any:
    """Return the smallest of the values that are not None, and None without any; nan only when all are."""
    known = _sound(values)
    return min(known, key=clock) if known else None


def largest(values: Iterable[Any]) -> Any:
    """Return the largest of the values that are not None, and None without any; nan only when all are."""
    known = _sound(values)
    return max(known, key=clock) if known else None


def clock(value: Any) -> Any:
    """Return a datetime or time without its zone, so that naive ones and those in UTC compare; else `value`."""
    return value.replace(tzinfo=None) if isinstance(value, (datetime, time)) else value


def _sound(values: Iterable[Any]) -> list[Any]:
    known = [value for value in values if value is not None]
    return [value for value in known if not _is_nan(value)] or known[:1]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def _check_chain(head: DatasetHead) -> None:
    if (head.depth == 0) != (head.previous is None):
        raise ValueError("depth and previous say different things")
    if len(head.earlier) != (EARLIER if head.depth and head.depth % EARLIER == 0 else 0):
        raise ValueError(f"{len(head.earlier)} earlier datasets at depth {head.depth}")
    if head.earlier and head.earlier[0] != head.previous:
        raise ValueError("earlier datasets that do not begin with the previous one")


def _column_slice(body: Json) -> ColumnSlice:
    blob, lines, size = as_list(body)
    return ColumnSlice(as_oid(blob), _count(lines), _count(size))


def _dataset_ref(body: Json) -> DatasetRef:
    node, name = as_list(body)
    return DatasetRef(as_oid(node), as_text(name))


def _count(value: Json) -> int:
    number = as_int(value)
    if number < 0:
        raise ValueError(f"a count of {number}")
    return number
