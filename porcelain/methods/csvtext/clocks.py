"""Dates and times as text, many at once, as `str` writes them.

Notes
-----
Source: https://howardhinnant.github.io/date_algorithms.html, "civil_from_days": years that begin in March have their
odd day at the end.
"""

import datetime
from typing import Final

import numpy as np

from jobs.column.packed import Spans
from jobs.column.transform import Array, Ints, Mask
from jobs.column.words import Bytes, windows
from porcelain.methods.csvtext.digits import zero_padded

_MARCH_0000: Final = 719_468  # days from there to 1970
_DAYS_OF_400_YEARS: Final = 146_097
_DAYS_TO_JANUARY: Final = 306
_DAY: Final = 86_400_000_000
_SECOND: Final = 1_000_000

# a row of text: 2013-12-31 23:59:59.123456+00:00
_ROW: Final = 40
_DATE_BYTES: Final = 10
_TIME_AT, _SECONDS_AT, _FRACTION_AT = 11, 17, 19
_UTC: Final = np.frombuffer(b"+00:00", "V6")


def _table(texts: list[str]) -> Array:
    data = "".join(texts).encode()
    return np.frombuffer(data, f"V{len(data) // len(texts)}")


_FIRST_OF_MARCH: Final = datetime.date(1999, 3, 1)  # the next February has 29 days
_DATES: Final = _table([f"{_FIRST_OF_MARCH + datetime.timedelta(day):-%m-%d }" for day in range(366)])
_MINUTES: Final = _table([f"{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60)])
_SECONDS: Final = _table([f"{second:02}" for second in range(60)])


def dates(days: Ints) -> Spans:
    """Return the texts of dates, given as days since 1970."""
    text = _rows(len(days))
    _write_dates(text, days)
    starts = np.arange(len(days)) * _ROW
    return Spans(text, starts, starts + _DATE_BYTES)


def datetimes(microseconds: Ints, are_utc: Mask) -> Spans:
    """Return the texts of datetimes, given as microseconds since 1970, which are in UTC or in no zone."""
    days = microseconds // _DAY
    text = _rows(len(days))
    _write_dates(text, days)
    ends = _write_times(text, microseconds - days * _DAY, are_utc)
    return Spans(text, np.arange(len(days)) * _ROW, ends)


def times(microseconds: Ints, are_utc: Mask) -> Spans:
    """Return the texts of times, given as microseconds since midnight, which are in UTC or in no zone."""
    text = _rows(len(microseconds))
    ends = _write_times(text, microseconds, are_utc)
    return Spans(text, np.arange(len(microseconds)) * _ROW + _TIME_AT, ends)


def _rows(count: int) -> Bytes:
    return np.zeros(count * _ROW, np.uint8)


def _write_dates(text: Bytes, days: Ints) -> None:
    since = days + _MARCH_0000
    cycles = since // _DAYS_OF_400_YEARS
    day = since - cycles * _DAYS_OF_400_YEARS
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    year += 400 * cycles + (day >= _DAYS_TO_JANUARY)
    windows(text, 4, step=_ROW)[...] = zero_padded(year.view(np.uint64), 4).view("V4")[:, 0]
    windows(text, 7, start=4, step=_ROW)[...] = _DATES[day]


def _write_times(text: Bytes, microseconds: Ints, are_utc: Mask) -> Ints:
    """Write times into rows of text; return where they end."""
    seconds = microseconds // _SECOND
    fractions = microseconds - seconds * _SECOND
    minutes = seconds // 60
    windows(text, 6, start=_TIME_AT, step=_ROW)[...] = _MINUTES[minutes]
    windows(text, 2, start=_SECONDS_AT, step=_ROW)[...] = _SECONDS[seconds - minutes * 60]
    ends = np.arange(len(seconds)) * _ROW + _FRACTION_AT
    if fractions.any():
        # the digits of a million more are a point's place and six digits
        digits = zero_padded((fractions + _SECOND).view(np.uint64), 8)
        digits[:, 1] = ord(".")
        windows(text, 7, start=_FRACTION_AT, step=_ROW)[...] = windows(digits.reshape(-1), 7, start=1, step=8)
        ends += 7 * (fractions != 0)
    if are_utc.any():
        windows(text, len(_UTC[0].tobytes()))[ends[are_utc]] = _UTC
        ends += 6 * are_utc
    return ends
