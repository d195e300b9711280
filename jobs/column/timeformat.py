"""Dates and times out of text, by a format of % codes.

Notes
-----
%Y year, %y year in the century (69 to 99 are of the 20th, others of the 21st), %C century, %m month, %b month
as jan, feb ..., %d day, %e days since 1899-12-30 as spreadsheets count them, with a fraction; %H hour, %I
hour of 1 to 12, %p am or pm, %M minute, %S second, %f fraction of a second; %s seconds, %J milliseconds since 1970;
"%." a character but white space, "% " one of white space, "%%" a %. A number after the % is the largest width.
"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.errors import ColumnError

Ints: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]

CODES: Final = "YyCmbdeHIpMSfsJ. %"
_MONTHS: Final = tuple(b"jan feb mar apr may jun jul aug sep oct nov dec".split())
_DIGITS: Final = MappingProxyType({"Y": 4, "y": 2, "C": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2})
_DIRECTIVE: Final = re.compile(r"%(\d*)(.)|(\s+)|([^%\s]+)|%", re.DOTALL)
_LARGEST_WIDTH: Final = 64
_KNOWN: Final = 1 << 15
_SHORT_BYTES: Final = 64
_PIVOT: Final = 69  # of years in two digits: what POSIX says of %y
_DAY_SECONDS: Final = 86_400
_EPOCH_DAY: Final = datetime.date(1970, 1, 1).toordinal()
# the day before 1900-01-01; after the 60th day spreadsheets are one ahead: their February of 1900 had a 29th
_SERIAL_DAY: Final = datetime.date(1899, 12, 31).toordinal()
_ZERO: Final = np.uint8(ord("0"))
_BLANKS: Final = np.frombuffer(b" \t\n\v\f\r", np.uint8)


class _Step(NamedTuple):
    """A part of a format: a code with its width (0: not given), literal text ("x"), or white space ("~")."""

    code: str
    width: int
    text: bytes = b""

    def pattern(self) -> bytes:
        """Return what the part matches, as a regular expression with one group if it is a field."""
        if self.code in _DIGITS:
            return b"(" + _number(self.width or _DIGITS[self.code]) + b")"
        if self.code == "f":
            # more digits than a microsecond has are only skipped when a width asks for them
            return b"(\\d{1,%d}+)" % (self.width or 6)
        times = b"{%d}" % (self.width or 1)
        fixed = {
            "x": re.escape(self.text),
            "~": rb"\s*+",
            ".": rb"\S" + times,
            " ": rb"\s" + times,
            "%": b"%" + times,
        }
        return fixed.get(self.code) or _OTHER_FIELDS[self.code]


def _number(width: int) -> bytes:
    """Match digits with blanks before them, together no more than `width`, and never give one back."""
    padded = [rb"\s{%d}\d{1,%d}+" % (blanks, width - blanks) for blanks in range(1, width)]
    return b"(?>" + b"|".join([b"\\d{1,%d}+" % width, *padded]) + b")"


_OTHER_FIELDS: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "b": b"((?i:" + b"|".join(_MONTHS) + b"))",
        "p": b"((?i:am|pm))",
        "s": rb"([+-]?\d++)",
        "J": rb"([+-]?\d++)",
        "e": rb"([+-]?\d++(?:\.\d++)?+)",
    }
)


def _steps(text: str) -> Iterator[_Step]:
    """Yield the parts of a format; raise `ColumnError` for a code that is none."""
    for match in _DIRECTIVE.finditer(text):
        width, code, blank, literal = match.groups()
        if code is not None and code in CODES:
            if int(width or 0) > _LARGEST_WIDTH:
                raise ColumnError(f"'%{width}{code}' in a time format is wider than {_LARGEST_WIDTH}")
            yield _Step(code, int(width or 0))
        elif blank:
            yield _Step("~", 0)
        elif literal:
            yield _Step("x", 0, literal.encode())
        else:
            raise ColumnError(
                f"no code '{match[0]}' in a time format",
                hint="there are %" + " %".join(CODES),
            )


# ---- one text at a time


@dataclass(slots=True)
class _Parts:
    """What the fields of one text have said so far."""

    year: int = 1970
    month: int = 1
    day: int = 1
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    century: int | None = None
    afternoon: bool | None = None

    def row(self) -> tuple[int, ...]:
        """Return the seven numbers from year to microsecond."""
        hour = self.hour
        if self.afternoon is not None:
            hour = hour % 12 + 12 * self.afternoon if hour < 24 else hour
        return self.year, self.month, self.day, hour, self.minute, self.second, self.microsecond


def _set_year(parts: _Parts, text: bytes) -> None:
    parts.year = int(text)
    parts.century = parts.year // 100


def _set_short_year(parts: _Parts, text: bytes) -> None:
    year = int(text)
    century = parts.century if parts.century is not None else 20 - (year >= _PIVOT)
    parts.year = 100 * century + year


def _set_century(parts: _Parts, text: bytes) -> None:
    parts.century = int(text)
    parts.year = 100 * parts.century + parts.year % 100


def _set_short_hour(parts: _Parts, text: bytes) -> None:
    hour = int(text)
    if not 1 <= hour <= 12:
        raise ValueError("no hour")
    parts.hour = hour


def _set_seconds(parts: _Parts, seconds: int) -> None:
    day, second = divmod(seconds, _DAY_SECONDS)
    date = datetime.date.fromordinal(_EPOCH_DAY + day)
    parts.year, parts.month, parts.day = date.year, date.month, date.day
    parts.hour, parts.minute, parts.second = second // 3600, second // 60 % 60, second % 60
    parts.microsecond = 0


def _set_milliseconds(parts: _Parts, text: bytes) -> None:
    seconds, rest = divmod(int(text), 1000)
    _set_seconds(parts, seconds)
    parts.microsecond = 1000 * rest


def _set_serial_day(parts: _Parts, text: bytes) -> None:
    serial = float(text)
    day = int(serial // 1)
    # a day never rounds up into the next one
    seconds = min(round((serial - day) * _DAY_SECONDS), _DAY_SECONDS - 1)
    _set_seconds(parts, (day - (day > 60) + _SERIAL_DAY - _EPOCH_DAY) * _DAY_SECONDS + seconds)


def _set_month_name(parts: _Parts, text: bytes) -> None:
    parts.month = _MONTHS.index(text.lower()) + 1


def _set_half(parts: _Parts, text: bytes) -> None:
    parts.afternoon = text.lower() == b"pm"


def _set_fraction(parts: _Parts, text: bytes) -> None:
    parts.microsecond = int(text[:6].ljust(6, b"0"))


def _set(field: str) -> Callable[[_Parts, bytes], None]:
    def setter(parts: _Parts, text: bytes) -> None:
        setattr(parts, field, int(text))

    return setter


_SETTERS: Final[Mapping[str, Callable[[_Parts, bytes], None]]] = MappingProxyType(
    {
        "Y": _set_year,
        "y": _set_short_year,
        "C": _set_century,
        "m": _set("month"),
        "b": _set_month_name,
        "d": _set("day"),
        "e": _set_serial_day,
        "H": _set("hour"),
        "I": _set_short_hour,
        "p": _set_half,
        "M": _set("minute"),
        "S": _set("second"),
        "f": _set_fraction,
        "s": lambda parts, text: _set_seconds(parts, int(text)),
        "J": _set_milliseconds,
    }
)


# ---- many texts at once


class _Layout:
    """A format whose fields stand at the same places in every text that has them at full width.

    Reads such texts all at once; what it does not accept may still be right, and is then read one by one.
    """

    def __init__(self, steps: Sequence[_Step], *, ignore_rest: bool) -> None:
        self._steps = steps
        self._ignore_rest = ignore_rest
        self._size = sum(_fixed_width(step) for step in steps)

    @staticmethod
    def fits(steps: Sequence[_Step]) -> bool:
        """Return whether all of a format's parts can be read so."""
        codes = [step.code for step in steps]
        fields = [code for code in codes if code not in "x~"]
        return (
            0 < len(fields) == len(set(fields))
            and set(fields) <= set("YymbdHMSf")
            and not {"Y", "y"} <= set(fields)
            and not any(step.width for step in steps)
            # the one field of any length can only be the last part
            and "f" not in codes[:-1]
        )

    def read(self, texts: Sequence[bytes]) -> tuple[dict[str, Ints], Mask]:
        """Return the fields of all texts, and which of these texts have them all at full width."""
        table = np.array(texts, f"S{self._size + 1}").view(np.uint8).reshape(len(texts), self._size + 1)
        chars = np.ascontiguousarray(table.T)
        good = np.ones(len(texts), np.bool_)
        fields: dict[str, Ints] = {}
        at = 0
        for step in self._steps:
            here = chars[at : at + _fixed_width(step)]
            if step.code == "x":
                good &= (here == np.frombuffer(step.text, np.uint8)[:, np.newaxis]).all(axis=0)
            elif step.code == "~":
                good &= np.isin(here[0], _BLANKS)
            else:
                field, read = _READERS.get(step.code, (step.code, _read_digits))
                fields[field] = read(here, good)
            at += len(here)
        if not self._ignore_rest:
            good &= chars[-1] == 0
        return fields, good


def _fixed_width(step: _Step) -> int:
    return {"x": len(step.text), "~": 1, "b": 3, "f": 6}.get(step.code) or _DIGITS[step.code]


def _read_digits(chars: Bytes, good: Mask) -> Ints:
    number = np.zeros(chars.shape[1], np.int64)
    for digit in chars - _ZERO:
        good &= digit < 10
        number = number * 10 + digit
    return number


def _read_short_year(chars: Bytes, good: Mask) -> Ints:
    year = _read_digits(chars, good)
    return year + np.where(year >= _PIVOT, 1900, 2000)


def _read_fraction(chars: Bytes, good: Mask) -> Ints:
    """Return microseconds of one to six digits with nothing after them."""
    number = np.zeros(chars.shape[1], np.int64)
    before = np.ones(chars.shape[1], np.bool_)
    for place, digit in enumerate(chars - _ZERO):
        there = digit < 10
        ended = (chars[place] == 0) & (place > 0)
        good &= there & before | ended
        number = number * 10 + np.where(there, digit, 0)
        before = there
    return number


def _read_month(chars: Bytes, good: Mask) -> Ints:
    lower = (chars | 0x20).astype(np.int64)
    word = lower[0] << 16 | lower[1] << 8 | lower[2]
    number = np.zeros(len(word), np.int64)
    for place, month in enumerate(_MONTHS):
        number[word == int.from_bytes(month, "big")] = place + 1
    good &= number > 0
    return number


_READERS: Final[Mapping[str, tuple[str, Callable[[Bytes, Mask], Ints]]]] = MappingProxyType(
    {"y": ("Y", _read_short_year), "b": ("m", _read_month), "f": ("f", _read_fraction)}
)


# ---- both together


class TimeFormat:
    """A format of % codes, which turns text into moments.

    White space in a format matches any, also none; everything that is no code matches itself. Fields may have
    blanks in place of leading zeros. What a text does not say is 1970-01-01 00:00.

    Parameters
    ----------
    text
        The format, as "%Y-%m-%d %H:%M:%S".
    ignore_rest
        Whether text may go on after what the format wants.

    Attributes
    ----------
    absolute : bool
        Whether the text names an instant (seconds since 1970), whatever the time zone.
    """

    def __init__(self, text: str, *, ignore_rest: bool = False) -> None:
        steps = list(_steps(text))
        self._codes = [step.code for step in steps if step.code in _SETTERS]
        pattern = b"".join(step.pattern() for step in steps)
        self._match = re.compile(pattern if ignore_rest else pattern + rb"\Z", re.DOTALL).match
        self._layout = _Layout(steps, ignore_rest=ignore_rest) if _Layout.fits(steps) else None
        # dates repeat: a hit is 30 times quicker than reading one
        self._read_known = lru_cache(_KNOWN)(self._read_one)
        self.absolute = bool({"s", "J"}.intersection(self._codes))

    def moments(self, texts: Sequence[bytes]) -> tuple[npt.NDArray[np.datetime64], Mask]:
        """Return the moments as datetime64[us], and which of them are right."""
        rows = np.repeat(np.array(_Parts().row())[:, np.newaxis], len(texts), axis=1)
        good = np.zeros(len(texts), np.bool_)
        # numpy drops zeros at the end of a text
        if self._layout is not None and b"\0" not in b"".join(texts):
            fields, good = self._layout.read(texts)
            for code, values in fields.items():
                rows["YmdHMSf".index(code)] = values
        self._read_others(texts, rows, good)
        return _moments(rows, good)

    def _read_others(self, texts: Sequence[bytes], rows: Ints, good: Mask) -> None:
        """Fill in what is not good yet."""
        places = np.flatnonzero(~good)
        read = [
            self._read_known(text) if len(text) <= _SHORT_BYTES else self._read_one(text)
            for text in map(texts.__getitem__, places.tolist())
        ]
        found = np.array([row is not None for row in read], np.bool_)
        if found.any():
            rows[:, places[found]] = np.array([row for row in read if row is not None]).T
            good[places[found]] = True

    def _read_one(self, text: bytes) -> tuple[int, ...] | None:
        match = self._match(text)
        if match is None:
            return None
        parts = _Parts()
        try:
            for code, field in zip(self._codes, match.groups(), strict=True):
                _SETTERS[code](parts, field)
        except (ValueError, OverflowError):
            return None
        return parts.row()


def _moments(rows: Ints, good: Mask) -> tuple[npt.NDArray[np.datetime64], Mask]:
    """Return the moments of (7, n) numbers from year to microsecond, and which of the good ones exist."""
    year, month, day, hour, minute, second, microsecond = rows
    good = good & (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("M8[M]")
    days = months.astype("M8[D]").astype(np.int64)
    good &= day <= (months + np.timedelta64(1, "M")).astype("M8[D]").astype(np.int64) - days
    seconds = (days + day - 1) * _DAY_SECONDS + hour * 3600 + minute * 60 + second
    moments: Any = np.where(good, seconds * 1_000_000 + microsecond, 0).astype("M8[us]")
    return moments, good
