"""What rows are asked for: a small grammar of conditions on one column, and tests of whole batches."""

import calendar
import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.transform import Mask
from porcelain.board.page import WrongQuestion
from porcelain.board.tables.batches import TEXTS, UNREAD, bytes_of

GRAMMAR: Final = (
    "= 5, != 5, < 5, <= 5, > 5, >= 5; of texts also ~ part, !~ part and ^ start, whatever the case; none, not none; "
    "several with 'and' between; a text in double quotes may hold anything"
)
_LONGEST: Final = 1_000
_AND: Final = re.compile(r'\s+and\s+(?=(?:[^"]*"[^"]*")*[^"]*\Z)', re.IGNORECASE)
_TERM: Final = re.compile(r"(!=|<=|>=|=|<|>|!~|~|\^)?\s*(.*)", re.DOTALL)
_DATE: Final = r"(?P<year>\d{4})(?:-(?P<month>\d\d?)(?:-(?P<day>\d\d?))?)?"
_TIME: Final = r"(?P<hour>\d\d?)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<micro>\d{1,6}))?)?)?"
_MOMENT: Final = {
    "date": re.compile(_DATE),
    "time": re.compile(_TIME + r"(?:Z|\+00:00)?"),
    "datetime": re.compile(rf"{_DATE}(?:[ T]{_TIME})?(?:Z|\+00:00)?"),
}
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
_EPOCH: Final = datetime.datetime(1970, 1, 1)
_MICRO: Final = datetime.timedelta(microseconds=1)
_STEPS: Final = {
    "day": datetime.timedelta(days=1),
    "hour": datetime.timedelta(hours=1),
    "minute": datetime.timedelta(minutes=1),
    "second": datetime.timedelta(seconds=1),
}
_INT64: Final = 1 << 63
_ORDERED: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


class Condition(Protocol):
    """What must hold of a value."""

    def may_hold(self, low: Any, high: Any) -> bool:
        """Return whether it may hold of a value between these two; None: nothing is known."""

    def test(self, values: Any) -> Mask:
        """Return for which of the values of a batch it holds."""


def parse(text: str, column_type: str) -> list[Condition]:
    """Return the conditions that a text states of a column, all of which must hold.

    Raises
    ------
    WrongQuestion
        When it states none, or one that no value of the column can be asked for.

    Examples
    --------
    >>> parse(">= 10 and < 20", "int32")
    [Interval(sign='>=', start=10, stop=11), Interval(sign='<', start=20, stop=21)]
    """
    if column_type == UNREAD:
        raise WrongQuestion("a column of pickles cannot be asked for anything: the board does not load them")
    if len(text) > _LONGEST:
        raise WrongQuestion(f"a condition of more than {_LONGEST} characters")
    return [_parse_term(term.strip(), column_type) for term in _AND.split(text.strip())]


def _parse_term(term: str, column_type: str) -> Condition:
    lowered = term.lower()
    if lowered in ("none", "= none", "=none"):
        return IsNone(wanted=True)
    if lowered in ("not none", "!= none", "!=none"):
        return IsNone(wanted=False)
    match = _TERM.fullmatch(term)
    assert match is not None, "anything is an operand"
    sign, operand = match[1], match[2].strip()
    if len(operand) > 1 and operand[0] == operand[-1] == '"':
        operand = operand[1:-1]
    elif not operand:
        raise _wrong(term, column_type, "nothing to compare with")
    if column_type in TEXTS:
        return Text(sign or "~", operand.encode("utf-8", "surrogateescape"))
    sign = sign or "="
    if sign not in _ORDERED or (column_type in _UNORDERED and sign not in ("=", "!=")):
        raise _wrong(term, column_type, f"'{sign}' does not go with it")
    try:
        return _PARSERS[column_type](sign, operand)
    except (ValueError, OverflowError):
        raise _wrong(term, column_type, f"'{operand}' is none") from None


def _wrong(term: str, column_type: str, what: str) -> WrongQuestion:
    return WrongQuestion(f"'{term}' is no condition on values of type {column_type}: {what}", hint=GRAMMAR)


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
        return (value.replace(tzinfo=None) - _EPOCH) // _MICRO
    if isinstance(value, datetime.date):
        return (value - _EPOCH.date()).days
    if isinstance(value, datetime.time):
        return (datetime.datetime.combine(_EPOCH, value.replace(tzinfo=None)) - _EPOCH) // _MICRO
    return int(value)


def _parse_whole(sign: str, operand: str) -> Condition:
    return _whole(sign, _number(operand))


def _whole(sign: str, number: float) -> Interval:
    # nothing is equal to what lies between two whole numbers; the infinite raise
    return Interval(sign, math.ceil(number), math.floor(number) + 1)


def _parse_moment(column_type: str) -> "Callable[[str, str], Condition]":
    def parse_moment(sign: str, operand: str) -> Condition:
        match = _MOMENT[column_type].fullmatch(operand)
        if match is None or not operand.isascii():
            raise ValueError
        start, length = _interval_of({key: value for key, value in match.groupdict().items() if value})
        unit = _STEPS["day"] if column_type == "date" else _MICRO
        return Interval(sign, start // unit, (start + length) // unit)

    return parse_moment


def _interval_of(parts: dict[str, str]) -> tuple[datetime.timedelta, datetime.timedelta]:
    """Return when the first moment is that a date or time says, since 1970, and how long what it says lasts."""
    year, month, day, hour, minute, second = (
        int(parts.get(key, default))
        for key, default in zip(_PARTS, ("1970", "1", "1", "0", "0", "0"), strict=True)
    )
    micros = int(parts.get("micro", "").ljust(6, "0"))
    start = datetime.datetime(year, month, day, hour, minute, second, micros) - _EPOCH
    if "micro" in parts:
        return start, _MICRO
    for finest in ("second", "minute", "hour", "day"):
        if finest in parts:
            return start, _STEPS[finest]
    if "month" in parts:
        return start, datetime.timedelta(days=calendar.monthrange(year, month)[1])
    return start, datetime.timedelta(days=365 + calendar.isleap(year))


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
            return _whole(self.sign, self.operand).test(values)
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


def _number(operand: str) -> int | float:
    text = operand.replace(",", "").replace("_", "")
    try:
        return int(text)
    except ValueError:
        return float(text)


def _parse_float(sign: str, operand: str) -> Condition:
    return Number(sign, _checked(sign, float(_number(operand))))


def _parse_number(sign: str, operand: str) -> Condition:
    return Number(sign, _checked(sign, _number(operand)))


def _checked(sign: str, number: float) -> float:
    if number != number and sign not in ("=", "!="):  # noqa: PLR0124
        raise ValueError
    return number


def _parse_complex(sign: str, operand: str) -> Condition:
    return Number(sign, complex(operand.replace(" ", "")))


def _parse_bool(sign: str, operand: str) -> Condition:
    words = {"true": 1, "1": 1, "yes": 1, "false": 0, "0": 0, "no": 0}
    if operand.lower() not in words:
        raise ValueError
    number = words[operand.lower()]
    return Interval(sign, number, number + 1)


_PARSERS: Final[dict[str, Callable[[str, str], Condition]]] = {
    "int64": _parse_whole,
    "int32": _parse_whole,
    "number": _parse_number,
    "float64": _parse_float,
    "float32": _parse_float,
    "complex64": _parse_complex,
    "complex32": _parse_complex,
    "bool": _parse_bool,
    "date": _parse_moment("date"),
    "datetime": _parse_moment("datetime"),
    "time": _parse_moment("time"),
}
_UNORDERED: Final = frozenset({"bool", "complex64", "complex32"})


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
