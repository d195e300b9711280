"""Values of columns counted: numbers and times in bins, other values by how many there are of each."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from jobs.column.transform import Array
from jobs.dataset.dataset import Dataset
from jobs.dataset.head import clock, largest, smallest
from jobs.errors import DatasetError
from porcelain.looking.processes import part_by_part
from porcelain.methods.valuetexts import json_text

Part: TypeAlias = tuple[Dataset, int]

_TIMES: Final = frozenset({"date", "datetime", "time"})
_WHOLE: Final = frozenset({"int64", "int32", "date"})
_BINNED: Final = _TIMES | _WHOLE | {"float64", "float32", "number"}
_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_INT64_END: Final = 1 << 63
# how many bins there may be by default, the best first
_USUAL: Final = (20, 21, 19, 22, 18, 23, 17, 24, 16, 25, 15, 14, 13)


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins between the smallest and the largest value of a column.

    Attributes
    ----------
    column_type : str
        The column's type.
    edges : tuple of int or float
        Where each bin starts, and where the last ends, as numbers.
    integral : bool
        Values are whole numbers or days, and a bin ends with the last one below the next edge.
    """

    column_type: str
    edges: tuple[float, ...]
    integral: bool

    @property
    def even(self) -> bool:
        """Whether all bins are equally wide."""
        widths = {stop - start for start, stop in zip(self.edges, self.edges[1:], strict=False)}
        return not self.integral or len(widths) == 1

    def bounds(self, number: int) -> tuple[Any, Any]:
        """Return the smallest value of a bin, and the largest or, unless they are whole, the one that ends it."""
        last = self.edges[number + 1] - self.integral
        return _as_value(self.column_type, self.edges[number]), _as_value(self.column_type, last)

    def count(self, values: Array) -> Array:
        """Return how many of the numbers are in each bin."""
        # the last bin holds the largest value too
        found = np.searchsorted(np.array(self.edges[:-1]), values, "right") - 1
        return np.bincount(found, minlength=len(self.edges) - 1)


class Binned(NamedTuple):
    """How many values are in each bin, and how many are None or nan and in none."""

    bins: Bins
    counts: list[int]
    nones: int
    nans: int


class Top(NamedTuple):
    """The most frequent values, each with its number, and how many different ones there are."""

    values: list[tuple[tuple[Any, ...], int]]
    distinct: int


def count_top(parts: Sequence[Part], names: Sequence[str], limit: int, processes: int) -> Top:
    """Return the most frequent values, of several columns combinations; the first seen go first among equals."""
    total: Counter[tuple[Any, ...]] = Counter()
    for counted in part_by_part(partial(_count_values, list(names)), parts, processes):
        for key, rows in counted.items():
            total[tuple(map(_one_nan, key))] += rows
    return Top(total.most_common(limit or None), len(total))


def sort_values(top: Top) -> Top:
    """Return the values in their own order, if they have one; nan and None come last."""
    try:
        return top._replace(values=sorted(top.values, key=lambda pair: [_place(value) for value in pair[0]]))
    except TypeError:
        return top


def _place(value: Any) -> tuple[bool, bool, Any]:
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None, is_nan, None if value is None or is_nan else clock(value)


def count_bins(parts: Sequence[Part], name: str, limit: int | None, processes: int) -> Binned | None:
    """Return the values of a column in bins, about 20 by default; None when its values have no bins.

    Raises
    ------
    DatasetError
        When a value is infinite, or an integer that no float is as large as.
    """
    columns = [dataset.columns[name] for dataset, _ in parts]
    low, high = smallest(column.min for column in columns), largest(column.max for column in columns)
    types = {column.type for column in columns}
    if not types <= _BINNED or (types & _TIMES and len(types) > 1):
        return None
    # the smallest is nan when all are
    if low is None or low != low or clock(low) == clock(high):  # noqa: PLR0124
        return None
    _check_finite(name, low, high)
    bins = make_bins(columns[0].type, low, high, limit, integral=_are_whole(parts, name, processes))
    counts = np.zeros(len(bins.edges) - 1, np.int64)
    nones = nans = 0
    for part in part_by_part(partial(_count_part, name, bins), parts, processes):
        counts += part[0]
        nones, nans = nones + part[1], nans + part[2]
    return Binned(bins, counts.tolist(), nones, nans)


def _check_finite(name: str, low: Any, high: Any) -> None:
    try:
        are_infinite = any(math.isinf(end) for end in (low, high) if isinstance(end, int | float))
    except OverflowError:
        raise _no_bin(name, "integers that are too large for a float") from None
    if are_infinite:
        raise _no_bin(name, "infinite values")


def _no_bin(name: str, what: str) -> DatasetError:
    return DatasetError(
        f"column '{name}' holds {what}, which are in no bin", hint="'acc hist -t' counts values instead"
    )


def make_bins(column_type: str, low: Any, high: Any, limit: int | None, *, integral: bool) -> Bins:
    """Return the bins of a column with these smallest and largest values.

    Parameters
    ----------
    limit
        How many; by default so many that they are equally wide, or as wide as few digits can say.
    """
    if column_type not in _TIMES and not integral:
        return Bins(column_type, _float_edges(float(low), float(high), limit), integral)
    first, last = _as_number(low), _as_number(high)
    # of whole numbers and days the last bin ends behind the largest
    end = last + integral
    if limit is None:
        limit = _usual_number(end - first, column_type)
    number = min(limit, end - first)
    return Bins(column_type, tuple(first + i * (end - first) // number for i in range(number + 1)), integral)


def _float_edges(low: float, high: float, limit: int | None) -> tuple[float, ...]:
    def width(number: int) -> float:
        # the difference of the two may be more than a float holds
        return high / number - low / number

    number = limit or min(_USUAL, key=lambda number: len(repr(width(number))))
    return (*(low + i * width(number) for i in range(number)), high)


def _usual_number(span: int, column_type: str) -> int:
    if column_type in ("datetime", "time"):
        return min(_USUAL, key=lambda number: len(str(timedelta(microseconds=span / number))))
    return next((number for number in _USUAL if span % number == 0), _USUAL[0])


# ---- values as numbers


def _as_number(value: Any) -> int:
    """Return a whole number: days or microseconds since 1970, or since midnight, for times."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
    if isinstance(value, date):
        return (value - _EPOCH.date()).days
    if isinstance(value, time):
        return (datetime.combine(_EPOCH, clock(value)) - _EPOCH) // _MICROSECOND
    return int(value)


def _as_value(column_type: str, number: float) -> Any:
    """Return what `_as_number` made a number of."""
    if column_type == "date":
        return _EPOCH.date() + timedelta(days=number)
    if column_type not in _TIMES:
        return number
    moment = _EPOCH + timedelta(microseconds=number)
    return moment if column_type == "datetime" else moment.time()


def _numbers(values: Array) -> tuple[Array, int]:
    """Return the values of a batch as numbers, without None, and how many are None."""
    # asked of what it has: numpy.ma takes 40 ms to import
    if hasattr(values, "mask"):
        kept = np.asarray(values)[~values.mask]
    elif values.dtype == object:
        whole = [value for value in values.tolist() if value is not None]
        kept = np.array(whole) if _all_int64(whole) else np.array(whole, float)
    else:
        kept = values
    found = kept.view(np.int64) if kept.dtype.kind in "mM" else kept
    return found, len(values) - len(found)


def _all_int64(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int) and -_INT64_END <= value < _INT64_END for value in values)


# ---- a part


def _count_part(name: str, bins: Bins, part: Part) -> Iterator[tuple[Array, int, int]]:
    dataset, sliceno = part
    counts: Array = np.zeros(len(bins.edges) - 1, np.int64)
    nones = nans = 0
    for batch in dataset.arrays(sliceno, name):
        numbers, missing = _numbers(batch[name])
        sound = numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers
        counts += bins.count(sound)
        nones, nans = nones + missing, nans + len(numbers) - len(sound)
    yield counts, nones, nans


def _are_whole(parts: Sequence[Part], name: str, processes: int) -> bool:
    """Return whether all values are whole numbers or days; a column of type number has to be read for that."""
    unsure = [part for part in parts if part[0].columns[name].type == "number"]
    if any(part[0].columns[name].type not in _WHOLE | {"number"} for part in parts):
        return False
    return all(part_by_part(partial(_is_whole, name), unsure, processes))


def _is_whole(name: str, part: Part) -> Iterator[bool]:
    dataset, sliceno = part
    yield all(_numbers(batch[name])[0].dtype.kind == "i" for batch in dataset.arrays(sliceno, name))


def _count_values(names: Sequence[str], part: Part) -> Iterator[Counter[tuple[Any, ...]]]:
    dataset, sliceno = part
    places = [place for place, name in enumerate(names) if dataset.columns[name].type == "json"]
    rows: Iterable[tuple[Any, ...]] = dataset.iterate(sliceno, names)
    if places:
        # lists and dicts are counted as their text
        rows = (
            tuple(json_text(value) if place in places else value for place, value in enumerate(row))
            for row in rows
        )
    yield Counter(rows)


def _one_nan(value: Any) -> Any:
    """Return the value; every nan as the same object, for they are not equal to each other."""
    return math.nan if isinstance(value, float) and math.isnan(value) else value
