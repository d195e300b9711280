"""Dates and times out of text, by a format of % codes."""

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from jobs.column.digits import read_decimals
from jobs.column.packed import Spans
from jobs.column.timelayout import Layout
from jobs.column.timesteps import MONTHS, PIVOT, read_steps
from jobs.column.transform import Ints, Mask

_KNOWN: Final = 1 << 15
_SHORT_BYTES: Final = 64
_DAY_SECONDS: Final = 86_400
_DAY_MICROSECONDS: Final = 86_400_000_000
# of the codes of instants
_PER_DAY: Final[Mapping[str, int]] = MappingProxyType({"s": _DAY_SECONDS, "J": 1000 * _DAY_SECONDS})
_EPOCH_DAY: Final = datetime.date(1970, 1, 1).toordinal()
# the day before 1900-01-01; after the 60th day spreadsheets are one ahead: their February of 1900 had a 29th
_SERIAL_DAY: Final = datetime.date(1899, 12, 31).toordinal()
_NO_ROW: Final = (0,) * 7
# no field of a moment is larger; wide ones may be beyond 64 bits
_LARGEST: Final = 999_999


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
    century = parts.century if parts.century is not None else 20 - (year >= PIVOT)
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
    parts.month = MONTHS.index(text.lower()) + 1


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
        steps = list(read_steps(text))
        self._codes = [step.code for step in steps if step.code in _SETTERS]
        pattern = b"".join(step.pattern() for step in steps)
        self._match = re.compile(pattern if ignore_rest else pattern + rb"\Z", re.DOTALL).match
        self._layout = Layout(steps, ignore_rest=ignore_rest) if Layout.fits(steps) else None
        self._per_day = _PER_DAY.get(steps[0].code) if len(steps) == 1 else None
        # dates repeat: a hit is 30 times quicker than reading one
        self._read_known = lru_cache(_KNOWN)(self._read_one)
        self.absolute = bool({"s", "J"}.intersection(self._codes))

    def read(self, texts: Spans) -> "Moments":
        """Return what texts say."""
        if self._layout is not None:
            moments = _moments_of(*self._layout.read(texts))
        elif self._per_day is not None:
            moments = _moments_since_epoch(texts, self._per_day)
        else:
            nothing = np.zeros(len(texts.starts), np.int64)
            moments = Moments(nothing, nothing.copy(), np.zeros(len(nothing), np.bool_))
        self._read_others(texts, moments)
        return moments

    def _read_others(self, texts: Spans, moments: "Moments") -> None:
        """Fill in what is not good yet."""
        places = np.flatnonzero(~moments.good)
        if not len(places):
            return
        read = [
            self._read_known(text) if len(text) <= _SHORT_BYTES else self._read_one(text)
            for text in texts.where(places).tolist()
        ]
        rows = np.array([row or _NO_ROW for row in read], np.int64)
        found = np.array([row is not None for row in read], np.bool_)
        others = _moments_of(dict(zip("YmdHMSf", rows.T, strict=True)), found)
        for values, more in zip(moments, others, strict=True):
            values[places] = more

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
        row = parts.row()
        return row if max(row) <= _LARGEST else None


class Moments(NamedTuple):
    """What texts say.

    Attributes
    ----------
    days : (n,) int64
        Days since 1970-01-01.
    microseconds : (n,) int64
        Since midnight.
    good : (n,) bool
        Which texts are right; of others both numbers are 0.
    """

    days: Ints
    microseconds: Ints
    good: Mask


@cache
def _first_days() -> Ints:
    """Return the first day of each month from January of the year 1 to that of 10000."""
    months = np.arange("0001-01", "10000-02", dtype="M8[M]")
    return months.astype("M8[D]").astype(np.int64)


def _moments_of(fields: Mapping[str, Any], good: Mask) -> Moments:
    """Return the moments that fields say; one that is not there is that of 1970-01-01 00:00."""
    year, month, day = fields.get("Y", 1970), fields.get("m", 1), fields.get("d", 1)
    hour, minute, second = fields.get("H", 0), fields.get("M", 0), fields.get("S", 0)
    good = good & (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    firsts = _first_days()
    place = np.where(good, year * 12 + (month - 13), 0)
    first = firsts[place]
    good &= first + day <= firsts[place + 1]
    microseconds = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fields.get("f", 0)
    return Moments((first + (day - 1)) * good, microseconds * good, good)


def _moments_since_epoch(texts: Spans, per_day: int) -> Moments:
    """Return the moments of integers since 1970-01-01, so many of them a day, and which texts are such."""
    numbers, good = read_decimals(texts).ints()
    days, rest = np.divmod(numbers, per_day)
    good &= (days >= _first_days()[0]) & (days < _first_days()[-1])
    return Moments(days * good, rest * (_DAY_MICROSECONDS // per_day) * good, good)
