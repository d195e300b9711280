"""The values of a column counted for a plot, in bounded time and memory: all of them, or a sample of its batches."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Final

import numpy as np

from jobs.column.transform import Array
from jobs.column.types import get_type
from jobs.dataset.dataset import Dataset
from jobs.dataset.head import clock
from porcelain.board.tables.batches import TEXTS, UNREAD, Plain, bytes_of, open_slice
from porcelain.board.tables.cells import text_of
from porcelain.board.tables.comparisons import as_float
from porcelain.board.tables.finding import IsLate
from porcelain.looking.histogram import Bins, make_bins
from porcelain.views.plain import View, plain

TOP: Final = 10
# what is known of the values that were seen fits into a few megabytes; those that come later are only numbered
_MOST_VALUES: Final = 100_000
_MOST_BYTES: Final = 16 << 20
# a longer value counts as what it begins with
LONGEST_VALUE: Final = 200
_BINNED: Final = frozenset({"int64", "int32", "float64", "float32", "number", "date", "datetime", "time"})
# a column of more slices is read in so many of them, spread over all
_MOST_SLICES: Final = 256
# where the ends of a column are infinite, the finite ones are looked for in so many batches that hold infinite values
_LOOKED_BATCHES: Final = 32


def count_column(dataset: Dataset, name: str, is_late: IsLate) -> View:
    """Return how the values of a column are distributed.

    Returns
    -------
    dict
        "rows" in all and those "read", how many were "none", "nan" and "infinite", "bins" from "low" to "high" with
        their "count", or else the most frequent "values" with theirs and how many are "distinct": None when there are
        too many to say; "even": whether all bins are equally wide.
    """
    column = dataset.head.columns[name]
    found: View = {"name": name, "type": column.type, "rows": sum(dataset.head.lines), "read": 0}
    found |= {
        "none": 0,
        "nan": 0,
        "infinite": 0,
        "bins": None,
        "values": None,
        "distinct": None,
        "even": True,
    }
    column_type = get_type(column.type).base
    if column_type == UNREAD or not found["rows"]:
        return found
    with ExitStack() as stack:
        batches = _Batches(dataset, name, stack)
        bins = _bins_of(column_type, column.min, column.max, batches)
        counting = _Top(column_type) if bins is None else _Binning(bins)
        for values in batches:
            found["read"] += len(values)
            found["none"] += 0 if values.none is None else int(np.count_nonzero(values.none))
            counting.add(values)
            if is_late():
                break
        return found | counting.to_view()


class _Batches:
    """The batches of a column, in an order in which those that come first are spread over all of it."""

    def __init__(self, dataset: Dataset, name: str, stack: ExitStack) -> None:
        self._name = name
        filled = [number for number, lines in enumerate(dataset.head.lines) if lines]
        chosen = filled[:: -(-len(filled) // _MOST_SLICES)]
        parts = [stack.enter_context(open_slice(dataset, number, [name])) for number in chosen]
        self._spans = [(part, start, stop) for part in parts for start, stop in part.spans]

    def __iter__(self) -> Iterator[Any]:
        for place in _spread(len(self._spans)):
            part, start, stop = self._spans[place]
            yield part.values(self._name, start, stop)

    def ends(self) -> Iterator[Any]:
        """Yield the smallest and largest values of batches, and the finite ones of some that hold others."""
        looked = 0
        for place in _spread(len(self._spans)):
            part, start, stop = self._spans[place]
            bounds = [value for value in part.bounds(self._name, start) if value is not None]
            yield from bounds
            if looked < _LOOKED_BATCHES and None in map(_finite, bounds):
                looked += 1
                numbers = _numbers(part.values(self._name, start, stop))
                finite = numbers[np.isfinite(numbers)]
                yield from (finite.min().item(), finite.max().item()) if len(finite) else ()

    def first(self) -> Any:
        """Return the values of one batch."""
        return next(iter(self))


def _spread(count: int) -> Iterator[int]:
    """Yield the numbers below `count` so that the first of them are spread over all: with the bits of 0, 1, 2 reversed.

    >>> list(_spread(6))
    [0, 4, 2, 1, 5, 3]
    """
    bits = (count - 1).bit_length()
    numbers = (int(f"{number:0{bits}b}"[::-1], 2) if bits else 0 for number in range(1 << bits))
    return (number for number in numbers if number < count)


# ---- bins


def _bins_of(column_type: str, low: Any, high: Any, batches: _Batches) -> Bins | None:
    """Return bins for the values of a column, or None when these are rather counted one by one."""
    if column_type not in _BINNED or low is None or high is None:
        return None
    if column_type in ("float64", "float32", "number"):
        ends = [end for end in map(_finite, (low, high)) if end is not None]
        if len(ends) < 2:
            ends = [end for end in map(_finite, batches.ends()) if end is not None]
        if not ends:
            return None
        low, high = min(ends), max(ends)
        # what would not fit into a float has no width
        if not math.isfinite(float(high) - float(low)):
            return None
    if clock(low) == clock(high):
        return None
    are_whole = column_type in ("int64", "int32", "date")
    if column_type == "number":
        are_whole = isinstance(low, int) and isinstance(high, int) and batches.first().array.dtype.kind == "i"
    return make_bins(column_type, low, high, None, integral=are_whole)


def _finite(value: Any) -> Any:
    """Return a number that a float can hold, or None."""
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


class _Binning:
    """Counts numbers in bins."""

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._counts: Array = np.zeros(len(bins.edges) - 1, np.int64)
        self._nan = self._infinite = 0

    def add(self, values: Any) -> None:
        """Count the values of a batch."""
        numbers = _numbers(values)
        if numbers.dtype.kind == "f":
            nan, infinite = np.isnan(numbers), np.isinf(numbers)
            self._nan += int(np.count_nonzero(nan))
            self._infinite += int(np.count_nonzero(infinite))
            # there may be larger ones in batches whose finite ends nobody looked for
            numbers = np.clip(numbers[~(nan | infinite)], self._bins.edges[0], self._bins.edges[-1])
        self._counts += self._bins.count(numbers)

    def to_view(self) -> View:
        """Return what was counted."""
        bounds = [self._bins.bounds(number) for number in range(len(self._counts))]
        bins = [
            {"low": plain(low), "high": plain(high), "count": count}
            for (low, high), count in zip(bounds, self._counts.tolist(), strict=True)
        ]
        return {"bins": bins, "even": self._bins.even, "nan": self._nan, "infinite": self._infinite}


def _numbers(values: Any) -> Array:
    """Return the values that are not None as numbers."""
    found: Array = values.array if isinstance(values, Plain) else values.clock
    if values.none is not None:
        found = found[~values.none]
    if found.dtype.kind in "mM":
        return found.view(np.int64)
    return np.array(list(map(as_float, found.tolist())), np.float64) if found.dtype == object else found


# ---- the most frequent values


class _Top:
    """Counts values by what they are."""

    def __init__(self, column_type: str) -> None:
        self._type = column_type
        self._counts: Counter[Any] = Counter()
        self._bytes = self._nan = 0
        self._is_full = False

    def add(self, values: Any) -> None:
        """Count the values of a batch."""
        counts = self._counts
        counted = Counter(self._keys(values))
        if not self._is_full:
            counts.update(counted)
            self._bytes += sum(map(len, counted)) if self._type in TEXTS else 0
            self._is_full = len(counts) > _MOST_VALUES or self._bytes > _MOST_BYTES
        else:
            for key in counts.keys() & counted.keys():
                counts[key] += counted[key]

    def _keys(self, values: Any) -> Iterable[Any]:
        if self._type in TEXTS:
            rows = slice(None) if values.none is None else ~values.none
            return (text[:LONGEST_VALUE] for text in bytes_of(values, rows))
        present = [value for value in values.tolist() if value is not None]
        sound = [value for value in present if value == value]  # noqa: PLR0124
        self._nan += len(present) - len(sound)
        return sound

    def to_view(self) -> View:
        """Return what was counted."""
        top = self._counts.most_common(TOP)
        values = [{"value": text_of(key), "count": count} for key, count in top]
        return {"values": values, "nan": self._nan, "distinct": None if self._is_full else len(self._counts)}
