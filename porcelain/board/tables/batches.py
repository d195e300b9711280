"""Column slices read here and there: only batches that are asked for are decoded, and only rows that are become values.

Pickles are never loaded: a board looks at what others made, and they could run code.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple, Protocol, Self, TypeAlias

from jobs.column.packed import PackedTexts
from jobs.column.slice import SliceReader
from jobs.column.transform import Array, Mask
from jobs.column.types import get_type
from jobs.dataset.arrays import opened
from jobs.dataset.dataset import Dataset

TEXTS: Final = frozenset({"bytes", "ascii", "unicode", "json"})
_MOMENTS: Final = frozenset({"datetime", "time"})
UNREAD: Final = "pickle"

Bounds: TypeAlias = tuple[Any, Any]


class Values(Protocol):
    """Values of one column, of rows that follow each other: `Plain`, `PackedTexts` or `Moments`."""

    @property
    def none(self) -> Mask | None:
        """Which of them are None; None when none is."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any) -> Self: ...

    def tolist(self) -> list[Any]:
        """Return them as Python values; a json value as its text."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Values of a type that numpy has.

    Attributes
    ----------
    array : (n,) ndarray
        With any value where it is None.
    none : (n,) bool or None
        Which of them are None.
    """

    array: Array
    none: Mask | None

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: Any) -> "Plain":
        return Plain(self.array[rows], None if self.none is None else self.none[rows])

    def tolist(self) -> list[Any]:
        """Return them as Python values."""
        values: list[Any] = self.array.tolist()
        if self.none is not None:
            for row in self.none.nonzero()[0].tolist():
                values[row] = None
        return values


class _Batch(NamedTuple):
    """Where a batch lies among the rows of its slice."""

    start: int
    stop: int
    number: int


class OpenSlice:
    """Some columns of a slice that can be read anywhere; the last batch of each is kept decoded.

    Parameters
    ----------
    readers
        By column name.
    types
        Of each column.

    Attributes
    ----------
    spans : list of (int, int)
        First row and end of runs of rows, each within one batch of every column.
    """

    def __init__(self, lines: int, readers: Mapping[str, SliceReader], types: Mapping[str, str]) -> None:
        self._readers = readers
        self._types = types
        self._decoded: dict[str, tuple[_Batch, Any]] = {}
        edges = {0, lines}
        for reader in readers.values():
            edges.update(_edges(reader))
        ordered = sorted(edges)
        self.spans = [*pairwise(ordered)]

    def has(self, name: str) -> bool:
        """Return whether a column is open."""
        return name in self._readers

    def bounds(self, name: str, row: int) -> Bounds:
        """Return the smallest and largest value of the batch that holds a row, as far as they are known."""
        info = self._readers[name].batches[self._find(name, row).number]
        return info.min, info.max

    def values(self, name: str, start: int, stop: int) -> Values:
        """Return the values of rows that lie within one batch."""
        known = self._decoded.get(name)
        if known is None or not known[0].start <= start < known[0].stop:
            batch = self._find(name, start)
            known = batch, _decode(self._readers[name], self._types[name], batch.number)
            self._decoded[name] = known
        batch, values = known
        found: Values = (
            values if (start, stop) == batch[:2] else values[start - batch.start : stop - batch.start]
        )
        return found

    def _find(self, name: str, row: int) -> _Batch:
        start = 0
        for number, batch in enumerate(self._readers[name].batches):
            if row < start + batch.rows:
                return _Batch(start, start + batch.rows, number)
            start += batch.rows
        raise AssertionError(f"no row {row} of {start}")


@contextmanager
def open_slice(dataset: Dataset, sliceno: int, names: Iterable[str]) -> Iterator[OpenSlice]:
    """Open columns of a slice, which the dataset has and none of which is of pickles, to the end of the block."""
    chosen = list(dict.fromkeys(names))
    with opened(dataset, sliceno, chosen) as readers:
        types = {name: get_type(dataset.head.columns[name].type).base for name in chosen}
        yield OpenSlice(dataset.head.lines[sliceno], dict(zip(chosen, readers, strict=True)), types)


def _edges(reader: SliceReader) -> Iterator[int]:
    end = 0
    for batch in reader.batches:
        end += batch.rows
        yield end


def _decode(reader: SliceReader, column_type: str, batch: int) -> Any:
    assert column_type != UNREAD, "pickles are not read"
    if column_type in TEXTS:
        return reader.packed(batch)
    if column_type in _MOMENTS:
        return reader.moments(batch)
    return Plain(*reader.array(batch))


def bytes_of(texts: PackedTexts, rows: Any) -> list[bytes]:
    """Return some of the texts as the bytes that they are."""
    return texts.spans.where(rows).tolist()


def read_rows(
    dataset: Dataset, sliceno: int, names: Sequence[str], numbers: Sequence[int]
) -> Iterator[tuple[int, list[Any]]]:
    """Yield rows of a slice by their numbers, which rise, each with its number."""
    if not names:
        yield from ((number, []) for number in numbers)
        return
    with open_slice(dataset, sliceno, names) as part:
        wanted = iter(numbers)
        number = next(wanted, None)
        for start, stop in part.spans:
            here = []
            while number is not None and number < stop:
                here.append(number)
                number = next(wanted, None)
            if here:
                rows = [each - start for each in here]
                columns = [_values_at(part.values(name, start, stop), rows) for name in names]
                yield from zip(here, map(list, zip(*columns, strict=True)), strict=True)


def _values_at(values: Values, rows: list[int]) -> list[Any]:
    # a run is cut out, which copies nothing
    chosen: Any = slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows
    return values[chosen].tolist()
