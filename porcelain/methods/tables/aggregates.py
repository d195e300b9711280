"""What is computed of a column over the rows of a group, in parts that can be put together in any number.

An aggregate makes of each row a part of one row (`start`), of the parts of a group one part (`reduce`), and of the last
part the result (`finish`). None is skipped: what nothing is left of is None, and its count 0.
"""

from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from jobs.column.transform import Array
from jobs.errors import ColumnError
from porcelain.methods.tables.vectors import KEY_TYPES, NUMBERS, Groups, Vector

# arrays with a row for each row, or each group
Part: TypeAlias = tuple[Array, ...]

FUNCTIONS: Final = ("count", "sum", "min", "max", "mean")

_LOW_BITS: Final = 32
_LOW: Final = (1 << _LOW_BITS) - 1
_EXACT_FLOAT: Final = 1 << 53


class Result(NamedTuple):
    """A column that was aggregated: its type, and a row for each group."""

    type: str
    vector: Vector


class Aggregate(Protocol):
    """One function of one column."""

    def start(self, vector: Vector) -> Part:
        """Return a part for each row."""

    def reduce(self, part: Part, groups: Groups) -> Part:
        """Return a part for each group."""

    def finish(self, part: Part) -> Result:
        """Return the result of each group."""


def make_aggregate(function: str, column_type: str, told: str) -> Aggregate:
    """Return a function of a column of that type, named `told` in messages; raise `ColumnError` when there is none."""
    if function == "count":
        return Count()
    if function in ("min", "max"):
        if column_type in KEY_TYPES:
            return Extreme(column_type, largest=function == "max")
    elif column_type in NUMBERS:
        mean = function == "mean"
        if column_type == "number":
            return NumberSum(told, mean=mean)
        return FloatSum(mean=mean) if column_type.startswith("float") else IntSum(mean=mean)
    raise ColumnError(f"{told} is {column_type}, of which there is no {function}")


class Count:
    """How many rows are not None."""

    def start(self, vector: Vector) -> Part:
        """Return 1 for each value, 0 for None."""
        return ((~vector.none).astype(np.int64),)

    def reduce(self, part: Part, groups: Groups) -> Part:
        """Return the count of each group."""
        return (_add(part[0], groups),)

    def finish(self, part: Part) -> Result:
        """Return the counts."""
        return Result("int64", Vector(part[0], np.zeros(len(part[0]), np.bool_)))


class IntSum:
    """Sum or mean of integers and bools, exact: high and low 32 bits are added apart; how many there are."""

    def __init__(self, *, mean: bool) -> None:
        self._mean = mean

    def start(self, vector: Vector) -> Part:
        """Return high bits, low bits and 1 for each value, zeros for None."""
        values = np.where(vector.none, 0, vector.values).astype(np.int64)
        return values >> _LOW_BITS, values & _LOW, (~vector.none).astype(np.int64)

    def reduce(self, part: Part, groups: Groups) -> Part:
        """Return the sums of each group."""
        high, low, count = (_add(each, groups) for each in part)
        return high + (low >> _LOW_BITS), low & _LOW, count

    def finish(self, part: Part) -> Result:
        """Return int64, or number when a sum is larger; means are float64."""
        high, low, count = part
        if ((high >= -(1 << 31)) & (high < 1 << 31)).all():
            sums, kind = (high << _LOW_BITS) + low, "int64"
        else:
            sums, kind = high.astype(object) * (1 << _LOW_BITS) + low.astype(object), "number"
        return _mean_of(sums, count) if self._mean else Result(kind, Vector(sums, count == 0))


class FloatSum:
    """Sum or mean of floats, in 64 bits; how many there are."""

    def __init__(self, *, mean: bool) -> None:
        self._mean = mean

    def start(self, vector: Vector) -> Part:
        """Return the float and 1 for each value, zeros for None."""
        return np.where(vector.none, 0.0, vector.values).astype(np.float64), (~vector.none).astype(np.int64)

    def reduce(self, part: Part, groups: Groups) -> Part:
        """Return the sums of each group."""
        with np.errstate(invalid="ignore", over="ignore"):
            return _add(part[0], groups), _add(part[1], groups)

    def finish(self, part: Part) -> Result:
        """Return float64."""
        sums, count = part
        if self._mean:
            return _mean_of(sums, count)
        return Result("float64", Vector(sums, count == 0))


class NumberSum:
    """Sum or mean of numbers, as Python adds them; how many there are."""

    def __init__(self, told: str, *, mean: bool) -> None:
        self._told, self._mean = told, mean

    def start(self, vector: Vector) -> Part:
        """Return the number and 1 for each value, zeros for None."""
        numbers = np.fromiter(vector.values.tolist(), object, len(vector))  # no integers of a fixed width
        return np.where(vector.none, 0, numbers), (~vector.none).astype(np.int64)

    def reduce(self, part: Part, groups: Groups) -> Part:
        """Return the sums of each group."""
        try:
            return _add(part[0], groups), _add(part[1], groups)
        except OverflowError:
            raise ColumnError(
                f"{self._told} has an integer that is too large to be added to a float"
            ) from None

    def finish(self, part: Part) -> Result:
        """Return number; means are float64."""
        sums, count = part
        if not self._mean:
            return Result("number", Vector(sums, count == 0))
        try:
            return _mean_of(sums, count)
        except OverflowError:
            raise ColumnError(f"{self._told} has a mean that is too large for float64") from None


class Extreme:
    """Smallest or largest value; nan only when there is nothing else."""

    def __init__(self, column_type: str, *, largest: bool) -> None:
        self._type, self._largest = column_type, largest

    def start(self, vector: Vector) -> Part:
        """Return values, and which are None."""
        # of 0.0 and -0.0 either may come out
        values = vector.values + 0.0 if vector.values.dtype.kind == "f" else vector.values
        return values.astype(object) if self._type == "number" else values, vector.none

    def reduce(self, part: Part, groups: Groups) -> Part:
        """Return the smallest or largest value of each group."""
        values, none = part
        sizes = np.diff(groups.starts, append=len(groups.order))
        numbers = np.repeat(np.arange(len(sizes)), sizes)
        there = ~none[groups.order]
        rows, numbers = groups.order[there], numbers[there]
        found, starts = np.unique(numbers, return_index=True)
        extremes = np.zeros(len(sizes), values.dtype)
        extremes[found] = self._pick(values[rows], starts)
        without = np.ones(len(sizes), np.bool_)
        without[found] = False
        return extremes, without

    def _pick(self, values: Array, starts: Array) -> Array:
        if not len(values):
            return values
        of_objects, of_floats, of_others = _LARGEST if self._largest else _SMALLEST
        function = {"O": of_objects, "f": of_floats}.get(values.dtype.kind, of_others)
        picked: Array = function.reduceat(values, starts)
        return picked

    def finish(self, part: Part) -> Result:
        """Return a column of the same type."""
        return Result(self._type, Vector(*part))


def _add(values: Array, groups: Groups) -> Array:
    """Return the sum of each group, added in the order of rows."""
    if not len(values):
        return values
    sums: Array = np.add.reduceat(values[groups.order], groups.starts)
    return sums


def _mean_of(sums: Array, count: Array) -> Result:
    """Return sums / count, as near as a float can be."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if _divides_well(sums):
            means = sums / count
        else:
            means = np.fromiter(map(_divide, sums.tolist(), count.tolist()), np.float64, len(sums))
    return Result("float64", Vector(means, count == 0))


def _divides_well(sums: Array) -> bool:
    """Return whether numpy divides as Python does, who rounds but once."""
    if sums.dtype == np.int64:
        return bool(((sums > -_EXACT_FLOAT) & (sums < _EXACT_FLOAT)).all())
    return sums.dtype == np.float64


def _divide(number: float, count: int) -> float:
    return number / count if count else 0.0


def _smaller(one: Any, other: Any) -> Any:
    return other if other < one or one != one else one  # noqa: PLR0124 - true for nan alone


def _larger(one: Any, other: Any) -> Any:
    return other if other > one or one != one else one  # noqa: PLR0124 - true for nan alone


# of objects, of floats, of others
_SMALLEST: Final[tuple[Any, Any, Any]] = (np.frompyfunc(_smaller, 2, 1), np.fmin, np.minimum)
_LARGEST: Final[tuple[Any, Any, Any]] = (np.frompyfunc(_larger, 2, 1), np.fmax, np.maximum)
