"""How much memory and time one job may take; no part of what makes a job the same."""

import re
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from jobs.errors import UsageError

Number = TypeVar("Number", int, float)

_UNITS: Final = "KMGT"
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhd])*(?:\d+(?:\.\d+)?[smhd]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may take; None is no limit.

    Attributes
    ----------
    max_rss : int or None
        Bytes of memory, of all its processes together; what several of them share counts once.
    timeout : float or None
        Seconds, of which those do not count that it waits for subjobs.
    """

    max_rss: int | None = None
    timeout: float | None = None

    def within(self, other: Self) -> "Limits":
        """Return of each limit the smaller one."""
        return Limits(_smaller(self.max_rss, other.max_rss), _smaller(self.timeout, other.timeout))


NO_LIMITS: Final = Limits()


def _smaller(first: Number | None, second: Number | None) -> Number | None:
    return min((each for each in (first, second) if each is not None), default=None)


def parse_bytes(given: object) -> int:
    """Return the bytes of a size such as "4G", "500M" or 1_000_000; the units are powers of 1024.

    >>> parse_bytes("1.5G"), parse_bytes("64 KiB")
    (1610612736, 65536)
    """
    match = _SIZE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match:
        number, unit = match.groups()
        power = _UNITS.index(unit.upper()) + 1 if unit else 0
        size = round(float(number) * (1 << 10 * power))
    else:
        size = given if isinstance(given, int) and not isinstance(given, bool) else 0
    if size < 1:
        raise UsageError(f"{given!r} is no amount of memory", hint="write it as '4G' or '500M'")
    return size


def parse_seconds(given: object) -> float:
    """Return the seconds of a time such as "1h", "90s", "1h30m" or 90.

    >>> parse_seconds("1h30m"), parse_seconds(2.5)
    (5400.0, 2.5)
    """
    seconds = 0.0
    if isinstance(given, str) and _TIME.fullmatch(given.strip()):
        parts = re.findall(r"([\d.]+)([smhd]?)", given.lower())
        seconds = sum(float(number) * _SECONDS[unit or "s"] for number, unit in parts)
    elif isinstance(given, int | float) and not isinstance(given, bool):
        seconds = float(given)
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{given!r} is no length of time", hint="write it as '1h' or '90s'")
    return seconds


def size_in_words(size: int) -> str:
    """Return a size as people read it.

    >>> size_in_words(1_610_612_736), size_in_words(900)
    ('1.5 GiB', '900 B')
    """
    value, unit = float(size), ""
    for larger in _UNITS:
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.3g} {unit}iB" if unit else f"{size} B"


def time_in_words(seconds: float) -> str:
    """Return a length of time as people read it.

    >>> time_in_words(5400), time_in_words(0.5), time_in_words(86400)
    ('1h30m', '0.5s', '1d')
    """
    rest, words = seconds, ""
    for unit, worth in reversed(_SECONDS.items()):
        if worth > 1 and rest >= worth:
            words += f"{int(rest // worth)}{unit}"
            rest %= worth
    return f"{words}{rest:.3g}s" if rest or not words else words
