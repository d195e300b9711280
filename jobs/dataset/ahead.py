"""Column slices that are about to be read: what is only at a remote comes in few requests, ahead of the reading."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from cas.oid import ObjectId
from cas.store import Store
from jobs.dataset.head import ColumnNode, DatasetHead

Visit = TypeVar("Visit")

# so much is brought at a time: enough for a remote to be busy, and little to have brought in vain
_CHUNK_BYTES: Final = 64 << 20
# columns that are no longer than this in all slices come whole: other slices are read at the same time, or next
_WHOLE_BYTES: Final = 8 << 20


class Columns(Protocol):
    """A dataset, as far as its column slices go."""

    @property
    def store(self) -> Store:
        """Where its objects are."""

    @property
    def head(self) -> DatasetHead:
        """Its head."""

    def get_column_node(self, name: str) -> ColumnNode:
        """Return the node of one of its columns."""


class Part(NamedTuple):
    """Columns of a dataset that are read together, by name: of one slice, or of all (None)."""

    dataset: Columns
    sliceno: int | None
    names: Sequence[str]


class Ahead(Generic[Visit]):
    """Brings what is read in parts, one after another.

    Parameters
    ----------
    visits
        What makes each part, in the order in which they are read.
    part_of
        Gives the part; asked only where something may have to be brought.
    """

    def __init__(self, visits: Sequence[Visit], part_of: Callable[[Visit], Part]) -> None:
        self._visits = visits
        self._part_of = part_of
        self._brought = 0

    def reach(self, number: int, store: Store) -> None:
        """Have what the part with that number holds in `store`, and some of what comes behind it."""
        if number >= self._brought:
            store.bring(self._chunk(number))

    def _chunk(self, number: int) -> Iterator[ObjectId]:
        # a store that has all it needs asks for none of this
        size = 0
        while number < len(self._visits) and size < _CHUNK_BYTES:
            for blob, length in _blobs(self._part_of(self._visits[number])):
                size += length
                yield blob
            number += 1
            self._brought = number


def bring_slice(dataset: Columns, sliceno: int, names: Iterable[str]) -> None:
    """Have columns of one slice here, which are read at once."""
    dataset.store.bring(blob for blob, _ in _blobs(Part(dataset, sliceno, [*names])))


def _blobs(part: Part) -> Iterator[tuple[ObjectId, int]]:
    """Yield the blobs of a part, and how long they are in bytes."""
    columns = [part.dataset.get_column_node(name) for name in dict.fromkeys(part.names)]
    whole = sum(piece.bytes for column in columns for piece in column.slices) <= _WHOLE_BYTES
    for column in columns:
        chosen = column.slices if whole or part.sliceno is None else [column.slices[part.sliceno]]
        yield from ((piece.blob, piece.bytes) for piece in chosen)
