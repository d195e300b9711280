"""What rows are asked for: a small grammar of conditions on one column."""

import calendar
import datetime
import re
from collections.abc import Callable
from typing import Final

from porcelain.board.page import WrongQuestion
from porcelain.board.tables.batches import TEXTS, UNREAD
from porcelain.board.tables.comparisons import (
    EPOCH,
    MICRO,
    Condition,
    Interval,
    IsNone,
    Number,
    Text,
    compare_whole,
)

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
_STEPS: Final = {
    "day": datetime.timedelta(days=1),
    "hour": datetime.timedelta(hours=1),
    "minute": datetime.timedelta(minutes=1),
    "second": datetime.timedelta(seconds=1),
}
_ORDERED: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


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
        raise _wrong(term, column_type, f"'{operand}' is no such value") from None


def _wrong(term: str, column_type: str, what: str) -> WrongQuestion:
    return WrongQuestion(f"'{term}' is no condition on values of type {column_type}: {what}", hint=GRAMMAR)


# ---- the operands of each type


def _parse_whole(sign: str, operand: str) -> Condition:
    return compare_whole(sign, _number(operand))


def _parse_moment(column_type: str) -> "Callable[[str, str], Condition]":
    def parse_moment(sign: str, operand: str) -> Condition:
        match = _MOMENT[column_type].fullmatch(operand)
        if match is None or not operand.isascii():
            raise ValueError
        start, length = _interval_of({key: value for key, value in match.groupdict().items() if value})
        unit = _STEPS["day"] if column_type == "date" else MICRO
        return Interval(sign, start // unit, (start + length) // unit)

    return parse_moment


def _interval_of(parts: dict[str, str]) -> tuple[datetime.timedelta, datetime.timedelta]:
    """Return when the first moment is that a date or time says, since 1970, and how long what it says lasts."""
    year, month, day, hour, minute, second = (
        int(parts.get(key, default))
        for key, default in zip(_PARTS, ("1970", "1", "1", "0", "0", "0"), strict=True)
    )
    micros = int(parts.get("micro", "").ljust(6, "0"))
    start = datetime.datetime(year, month, day, hour, minute, second, micros) - EPOCH
    if "micro" in parts:
        return start, MICRO
    for finest in ("second", "minute", "hour", "day"):
        if finest in parts:
            return start, _STEPS[finest]
    if "month" in parts:
        return start, datetime.timedelta(days=calendar.monthrange(year, month)[1])
    return start, datetime.timedelta(days=365 + calendar.isleap(year))


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
