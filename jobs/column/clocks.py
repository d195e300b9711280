"""Dates, times and datetimes out of text: by a format, in a time zone."""

import datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from jobs.column.kernel import Kernel, Parsed, Wish, join_masks, objects
from jobs.column.packed import Spans
from jobs.column.timeformat import TimeFormat
from jobs.column.transform import Mask
from jobs.column.types import UTC
from jobs.errors import ColumnError

Instants: TypeAlias = npt.NDArray[np.datetime64]

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MICROSECONDS: Final = 86_400_000_000


def make_dates(wish: Wish) -> Kernel:
    """Make dates of what a format says."""
    form = _time_format(wish)

    def kernel(texts: Spans) -> Parsed:
        moments = form.read(texts)
        return moments.days.view("M8[D]"), join_masks(None, ~moments.good)

    return kernel


def make_times(wish: Wish) -> Kernel:
    """Make times, as timedelta64[us] since midnight, of what a format says."""
    form = _time_format(wish)

    def kernel(texts: Spans) -> Parsed:
        moments = form.read(texts)
        return moments.microseconds.view("m8[us]"), join_masks(None, ~moments.good)

    return kernel


def make_datetimes(wish: Wish) -> Kernel:
    """Make datetimes of what a format says; of those in a time zone datetimes in UTC, which are objects."""
    form = _time_format(wish)
    # an instant is in no zone
    zone = None if wish.timezone is None else get_zone("UTC" if form.absolute else wish.timezone)

    def kernel(texts: Spans) -> Parsed:
        days, microseconds, good = form.read(texts)
        moments = (days * _DAY_MICROSECONDS + microseconds).view("M8[us]")
        if zone is None:
            return moments, join_masks(None, ~good)
        instants, there = _to_utc(moments, zone)
        since_epoch: list[datetime.timedelta] = instants.view("m8[us]").tolist()
        # a third of the time of replacing the time zone of each
        return objects(list(map(_EPOCH.__add__, since_epoch))), join_masks(None, ~(good & there))

    return kernel


def _time_format(wish: Wish) -> TimeFormat:
    if wish.argument is None:
        raise ColumnError(f"no format in conversion '{wish.name}'", hint="such as 'date:%Y-%m-%d'")
    return TimeFormat(wish.argument, ignore_rest=wish.ignore_rest)


def get_zone(name: str) -> datetime.tzinfo:
    """Return the time zone of that name in the tz database."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ColumnError(
            f"no time zone '{name}'",
            hint="names are like 'Europe/Stockholm'; 'pip install tzdata' brings them",
        ) from None


def _to_utc(moments: Instants, zone: datetime.tzinfo) -> tuple[Instants, Mask]:
    """Return what the clocks of UTC show when those of `zone` show `moments`, and which of these are dates.

    Of a moment that a zone has twice, the first is meant; one that it skips counts on from before the gap.
    """
    if zone is UTC:
        return moments, np.ones(len(moments), np.bool_)
    days, places = np.unique(moments.astype("M8[D]"), return_inverse=True)
    begins, ends = (
        np.array([_offset(day, zone) for day in (days.astype("M8[us]") + rest).tolist()], "m8[us]")
        for rest in (np.timedelta64(0, "us"), np.timedelta64(86_400_000_000 - 1, "us"))
    )
    offsets = begins[places]
    # no zone has ever changed its clocks and changed them back within a day
    for place in np.flatnonzero((begins != ends)[places]).tolist():
        offsets[place] = _offset(moments[place].item(), zone)
    instants = moments - offsets
    there = (instants >= np.datetime64("0001-01-01")) & (instants < np.datetime64("10000-01-01"))
    instants[~there] = 0
    return instants, there


def _offset(moment: datetime.datetime, zone: datetime.tzinfo) -> datetime.timedelta:
    return moment.replace(tzinfo=zone).utcoffset() or datetime.timedelta()
