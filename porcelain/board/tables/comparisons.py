"""What must hold of a value, tested of whole batches."""

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.transform import Mask
from porcelain.board.tables.batches import bytes_of

EPOCH: Final = datetime.datetime(1970, 1, 1)
MICRO: Final = datetime.timedelta(microseconds=1)
_INT64: Final = 1 << 63


class Condition(Protocol):
    """What must hold of a value."""

    def may_hold(self, low: Any, high: Any) -> bool:
        """Return whether it may hold of a value between these two; None: nothing is known."""

    def test(self, values: Any) -> Mask:
        """Return for which of the values of a batch it holds."""


# ---- None


@dataclass(frozen=True, slots=True)
class IsNone:
    """It is None, or is not."""

    wanted: bool

    def may_hold(self, low: Any, high: Any) -> bool:  # noqa: ARG002
        """Return True: the bounds say nothing of None."""
        return True

    def test(self, values: Any) -> Mask:
        """Return for which of the values it holds."""
        if values.none is None:
            return np.full(len(values), not self.wanted)
        none: Mask = values.none
        return none if self.wanted else ~none


def _without_none(found: Mask, values: Any) -> Mask:
    return found if values.none is None else found & ~values.none


# ---- numbers, days and moments: whole ones as intervals


@dataclass(frozen=True, slots=True)
class Interval:
    """It compares so with an interval of whole numbers, days or microseconds: "2013-01" is all of a month.

    Attributes
    ----------
    start, stop : int
        The first that is in it, and the first behind it.
    """

    sign: str
    start: int
    stop: int

    def may_hold(self, low: Any, high: Any) -> bool:
        """Return whether it may hold of a value between these two."""
        if low is None or high is None or self.sign == "!=":
            return True
        first, last = as_whole(low), as_whole(high)
        return not (
            (self.sign in ("=", ">=") and last < self.start)
            or (self.sign == ">" and last < self.stop)
            or (self.sign in ("=", "<=") and first >= self.stop)
            or (self.sign == "<" and first >= self.start)
        )

    def test(self, values: Any) -> Mask:
        """Return for which of the values it holds."""
        array = values.codes >> 2 if isinstance(values, Moments) else values.array
        if array.dtype.kind in "mM":
            array = array.view(np.int64)
        return _without_none(self._compare(array), values)

    def _compare(self, array: Any) -> Mask:
        found: Mask
        if self.sign in ("<", ">="):
            found = _below(array, self.start)
            return found if self.sign == "<" else ~found
        if self.sign in ("<=", ">"):
            found = _below(array, self.stop)
            return found if self.sign == "<=" else ~found
        found = ~_below(array, self.start) & _below(array, self.stop)
        return found if self.sign == "=" else ~found


def _below(array: Any, end: int) -> Mask:
    # numpy 1 refuses an integer that the array cannot hold
    if not -_INT64 <= end < _INT64:
        return np.full(len(array), end > 0)
    below: Mask = array < np.int64(end)
    return below


def as_whole(value: Any) -> int:
    """Return a whole number, or the days since 1970 of a date, or the microseconds of a moment."""
    if isinstance(value, datetime.datetime):
        return (value.replace(tzinfo=None) - EPOCH) // MICRO
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days
    if isinstance(value, datetime.time):
        return (datetime.datetime.combine(EPOCH, value.replace(tzinfo=None)) - EPOCH) // MICRO
    return int(value)


def compare_whole(sign: str, number: float) -> Interval:
    """Return the condition that a whole number compares so with any finite number."""
    # nothing is equal to what lies between two whole numbers
    return Interval(sign, math.ceil(number), math.floor(number) + 1)


# ---- other numbers


@dataclass(frozen=True, slots=True)
class Number:
    """It compares so with a number."""

    sign: str
    operand: Any

    def may_hold(self, low: Any, high: Any) -> bool:
        """Return whether it may hold of a value between these two."""
        if low is None or high is None or self.sign == "!=" or self.operand != self.operand:
            return True
        return not (
            (self.sign in ("=", ">=") and high < self.operand)
            or (self.sign == ">" and high <= self.operand)
            or (self.sign in ("=", "<=") and low > self.operand)
            or (self.sign == "<" and low >= self.operand)
        )

    def test(self, values: Any) -> Mask:
        """Return for which of the values it holds."""
        array = values.array
        if array.dtype.kind == "i" and _is_finite(self.operand):
            return compare_whole(self.sign, self.operand).test(values)
        if array.dtype.kind in "iO":
            found = [value is not None and _holds(self.sign, value, self.operand) for value in array.tolist()]
            return _without_none(np.array(found, np.bool_), values)
        if self.operand != self.operand:
            return _without_none(np.isnan(array) == (self.sign == "="), values)
        # as float or complex: numpy 1 refuses integers that int64 cannot hold
        compared: Mask = _COMPARE[self.sign](array, as_float(self.operand))
        return _without_none(compared, values)


def as_float(number: Any) -> Any:
    """Return a number as a float or complex, infinite when it is too large for one."""
    try:
        return number + 0.0
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _is_finite(operand: float) -> bool:
    return isinstance(operand, int) or math.isfinite(operand)


def _holds(sign: str, value: Any, operand: Any) -> bool:
    if operand != operand:  # noqa: PLR0124
        return bool(value != value) == (sign == "=")  # noqa: PLR0124
    return bool(_COMPARE[sign](value, operand))


_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": lambda value, operand: value == operand,
    "!=": lambda value, operand: value != operand,
    "<": lambda value, operand: value < operand,
    "<=": lambda value, operand: value <= operand,
    ">": lambda value, operand: value > operand,
    ">=": lambda value, operand: value >= operand,
}


# ---- texts


@dataclass(frozen=True, slots=True)
class Text:
    """It compares so with a text, holds it ("~") or begins with it ("^"), whatever the case.

    Regular expressions are not offered: one that backtracks cannot be stopped.
    """

    sign: str
    operand: bytes

    def may_hold(self, low: Any, high: Any) -> bool:  # noqa: ARG002
        """Return True: texts have no bounds."""
        return True

    def test(self, values: PackedTexts) -> Mask:
        """Return for which of the values it holds."""
        return _without_none(self._found(values), values)

    def _found(self, values: PackedTexts) -> Mask:
        if self.sign in ("=", "!="):
            found = values.spans.equal(self.operand)
        elif self.sign in ("~", "!~", "^"):
            found = _holding(values, self.operand, only_at_start=self.sign == "^")
        else:
            # UTF-8 has the order of the characters
            compare = _COMPARE[self.sign]
            rows = bytes_of(values, slice(None))
            found = np.fromiter((compare(text, self.operand) for text in rows), np.bool_, len(rows))
        return ~found if self.sign in ("!=", "!~") else found


def _holding(values: PackedTexts, part: bytes, *, only_at_start: bool) -> Mask:
    if not part:
        return np.ones(len(values), np.bool_)
    joined = values.data.tobytes()
    if part.isascii():
        # in front of the first text too stands a newline, as it does in front of the others
        return _holding_ascii(values, b"\n" + joined.lower(), part.lower(), only_at_start=only_at_start)
    # lower() changes the length of some other characters
    wanted = part.decode("utf-8", "surrogateescape").lower()
    if wanted not in joined.decode("utf-8", "surrogateescape").lower():
        return np.zeros(len(values), np.bool_)
    test = str.startswith if only_at_start else str.__contains__
    texts = (text.decode("utf-8", "surrogateescape").lower() for text in bytes_of(values, slice(None)))
    return np.fromiter((test(text, wanted) for text in texts), np.bool_, len(values))


def _holding_ascii(values: PackedTexts, joined: bytes, part: bytes, *, only_at_start: bool) -> Mask:
    """Return which texts hold a part, or begin with it: all of them are looked through as one."""
    found = np.zeros(len(values), np.bool_)
    offsets, before = values.offsets, b"\n" if only_at_start else b""
    at = joined.find(before + part, 1 - len(before))
    while at >= 0:
        start = at + len(before) - 1
        row = int(np.searchsorted(offsets, start, "right")) - 1
        begin, end = int(offsets[row]), int(offsets[row + 1])
        # what begins in one text and ends in the next is in neither
        is_found = start + len(part) < end and (start == begin or not only_at_start)
        found[row] |= is_found
        at = joined.find(before + part, end + 1 - len(before) if is_found else at + 1)
    return found
