"""The columns of a slice in batches, aligned to the smallest: as Python lists and as numpy arrays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from operator import index
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from cas.store import Store
from jobs.dataset.ahead import bring_slice
from jobs.dataset.head import ColumnNode, DatasetHead, clock
from jobs.errors import DatasetError

if TYPE_CHECKING:
    import numpy.typing as npt

    from jobs.column.slice import SliceReader

    Array: TypeAlias = npt.NDArray[Any]

Values = TypeVar("Values")


class Described(Protocol):
    """A dataset, as far as its head says what it is."""

    @property
    def spec(self) -> str:
        """Its name in messages, as "dev-12/default"."""

    @property
    def head(self) -> DatasetHead:
        """Its head."""


class Readable(Described, Protocol):
    """A dataset, as far as those who read its rows need to know."""

    @property
    def store(self) -> Store:
        """Where its objects are."""

    def get_column_node(self, name: str) -> ColumnNode:
        """Return the node of one of its columns."""

    def check_trust(self) -> None:
        """Raise `NotTrusted` when pickles in it may not be loaded."""


# ---- which columns, which slices


def chosen_columns(dataset: Readable, columns: str | Iterable[str] | None) -> list[str]:
    """Return the names of the columns that were asked for, all in sorted order when none were; checked."""
    if not columns:
        return sorted(dataset.head.columns)
    names = [columns] if isinstance(columns, str) else list(columns)
    for name in names:
        check_column(dataset, name)
    return names


def check_column(dataset: Described, name: str) -> None:
    """Raise `DatasetError` when the dataset has no column of that name."""
    known = dataset.head.columns
    if name not in known:
        close = get_close_matches(str(name), known, n=3) or sorted(known)[:8]
        raise DatasetError(
            f"dataset '{dataset.spec}' has no column '{name}'",
            hint="it has " + ", ".join(close) if close else "",
        )


def chosen_slices(dataset: Readable, sliceno: int | None) -> Sequence[int]:
    """Return the numbers of the slices that were asked for, checked; None is all of them."""
    slices = len(dataset.head.lines)
    if sliceno is None:
        return range(slices)
    number = index(sliceno)
    if not 0 <= number < slices:
        raise DatasetError(f"dataset '{dataset.spec}' has no slice {number}", hint=f"it has {slices} slices")
    return (number,)


# ---- one column, read forward


@contextmanager
def opened(dataset: Readable, sliceno: int, names: Iterable[str]) -> "Iterator[list[SliceReader]]":
    """Give a reader for each named column of a slice, and close them at the end of the block."""
    from jobs.column.slice import SliceReader
    from jobs.column.types import get_type

    chosen = [*names]
    bring_slice(dataset, sliceno, chosen)
    with ExitStack() as stack:
        readers = []
        for name in chosen:
            column = dataset.get_column_node(name)
            if get_type(column.type).base == "pickle":
                dataset.check_trust()
            part = column.slices[sliceno]
            stream = stack.enter_context(dataset.store.open(part.blob))
            reader = SliceReader(stream, column.type, none_support=column.none_support)
            if not reader.lines == part.lines == dataset.head.lines[sliceno]:
                raise DatasetError(
                    f"column '{name}' of dataset '{dataset.spec}' has {reader.lines} lines in slice {sliceno}, "
                    f"not {dataset.head.lines[sliceno]}"
                )
            readers.append(reader)
        yield readers


class Cursor(Generic[Values]):
    """Reads a column slice forward; a batch that is skipped whole is never decoded.

    Parameters
    ----------
    reader : SliceReader
        The column slice.
    decode : callable
        Gives all rows of a batch as something that can be cut: a list, an array.
    """

    def __init__(self, reader: "SliceReader", decode: Callable[[int], Values]) -> None:
        self._sizes = [batch.rows for batch in reader.batches]
        self._decode = decode
        self._batch = 0
        self._at = 0
        self._values: Any = None

    @property
    def ready(self) -> int:
        """Rows left in the batch that comes next."""
        return self._sizes[self._batch] - self._at

    def take(self, rows: int) -> Values:
        """Return the next rows, at most `ready` of them."""
        if self._values is None:
            self._values = self._decode(self._batch)
        whole = rows == self._sizes[self._batch]
        taken: Values = self._values if whole else self._values[self._at : self._at + rows]
        self._advance(rows)
        return taken

    def skip(self, rows: int) -> None:
        """Go past any number of rows."""
        while rows:
            step = min(rows, self.ready)
            self._advance(step)
            rows -= step

    def _advance(self, rows: int) -> None:
        self._at += rows
        if self._at == self._sizes[self._batch]:
            self._batch, self._at, self._values = self._batch + 1, 0, None


def aligned(cursors: Sequence[Cursor[Values]], spans: Iterable[range]) -> Iterator[list[Values]]:
    """Yield the rows of all cursors in pieces of equal length, each within one batch of every column.

    Parameters
    ----------
    cursors
        At least one; all of equally many rows.
    spans
        Which rows, in rising order.
    """
    at = 0
    for span in spans:
        for cursor in cursors:
            cursor.skip(span.start - at)
        at = span.start
        while at < span.stop:
            rows = min(span.stop - at, *(cursor.ready for cursor in cursors))
            yield [cursor.take(rows) for cursor in cursors]
            at += rows


# ---- values between bounds


@dataclass(frozen=True, slots=True)
class Bounds:
    """A half-open range of values; None as `low` or `high` is no bound there. No range holds None."""

    low: Any
    high: Any

    def may_hold(self, smallest: Any, largest: Any) -> bool:
        """Return whether a value may lie within, of values between these two (None: nothing is known)."""
        if self.low is not None and largest is not None and clock(largest) < clock(self.low):
            return False
        return not (self.high is not None and smallest is not None and clock(smallest) >= clock(self.high))

    def test(self) -> Callable[[Any], bool]:
        """Return a function that says whether a value lies within."""
        low, high = clock(self.low), clock(self.high)
        if low is None and high is None:
            return lambda value: value is not None
        if low is None:
            return lambda value: value is not None and clock(value) < high
        if high is None:
            return lambda value: value is not None and clock(value) >= low
        return lambda value: value is not None and low <= clock(value) < high

    def spans(self, reader: "SliceReader") -> Iterator[range]:
        """Yield the rows of each batch that may hold such a value."""
        start = 0
        for batch in reader.batches:
            if self.may_hold(batch.min, batch.max):
                yield range(start, start + batch.rows)
            start += batch.rows


# ---- as numpy arrays


def arrays(
    dataset: Readable, sliceno: int | None, columns: str | Iterable[str] | None = None
) -> "Iterator[dict[str, Array]]":
    """Yield the columns of a slice as numpy arrays, a batch of rows at a time.

    Parameters
    ----------
    dataset
        What to read.
    sliceno
        Which slice; None for all, one after another.
    columns
        Which columns; None for all.

    Yields
    ------
    dict of str to ndarray
        By column name, of equal length, at most 65,536 rows. Text, bytes, json and pickle are arrays of objects
        with None where there is none; other columns with None support are masked arrays.
    """
    names = list(dict.fromkeys(chosen_columns(dataset, columns)))
    slices = chosen_slices(dataset, sliceno)
    return (batch for number in slices for batch in _arrays_of_slice(dataset, number, names))


def _arrays_of_slice(dataset: Readable, sliceno: int, names: Sequence[str]) -> "Iterator[dict[str, Array]]":
    if not names:
        return
    with opened(dataset, sliceno, names) as readers:
        decoders = [
            _array_decoder(reader, none_support=dataset.head.columns[name].none_support)
            for name, reader in zip(names, readers, strict=True)
        ]
        cursors = [Cursor(*pair) for pair in zip(readers, decoders, strict=True)]
        for pieces in aligned(cursors, [range(dataset.head.lines[sliceno])]):
            yield dict(zip(names, pieces, strict=True))


def _array_decoder(reader: "SliceReader", *, none_support: bool) -> "Callable[[int], Array]":
    import numpy as np

    def decode(batch: int) -> "Array":
        values, mask = reader.array(batch)
        if not none_support:
            return values
        if values.dtype != object:
            return np.ma.MaskedArray(values, mask=np.zeros(len(values), bool) if mask is None else mask)
        if mask is not None:
            values[mask] = None
        return values

    return decode
