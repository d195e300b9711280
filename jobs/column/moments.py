"""Datetimes or times of many rows with time zone and fold, without a Python object for each of them."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from jobs.column.packed import concatenate_masks
from jobs.column.transform import Array, Ints, Mask
from jobs.column.types import UTC

UTC_FLAG, FOLD_FLAG = 1, 2
_FLAG_BITS: Final = 2
_EPOCH_UTC: Final = datetime.datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moments:
    """Datetimes or times as an immutable array.

    Attributes
    ----------
    codes : (n,) int64
        Microseconds of the clock (since 1970, or midnight) * 4, + 1 if in UTC, + 2 if the fold is 1. So naive and UTC
        come in the order of the clock, and where the clock is equal the flags decide.
    none : (n,) bool or None
        Which of them are None, with any code; None when none is.
    with_day : bool
        Whether they are datetimes.
    """

    codes: Ints
    none: Mask | None
    with_day: bool

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> "Moments":
        return Moments(self.codes[rows], None if self.none is None else self.none[rows], self.with_day)

    @property
    def clock(self) -> Array:
        """Datetime64[us], or timedelta64[us] since midnight; without time zone and fold, and of None any."""
        return (self.codes >> _FLAG_BITS).view("M8[us]" if self.with_day else "m8[us]")

    @property
    def are_utc(self) -> Mask:
        """Which of them are in UTC; the others are naive."""
        return (self.codes & UTC_FLAG).astype(np.bool_)

    def present(self) -> "Moments":
        """Return those that are not None."""
        return self if self.none is None else Moments(self.codes[~self.none], None, self.with_day)

    def tolist(self) -> list[Any]:
        """Return them as datetime or time, and None."""
        if self.none is None:
            return _values_of(self.codes, with_day=self.with_day)
        rows = np.full(len(self), None, np.object_)
        rows[~self.none] = _values_of(self.codes[~self.none], with_day=self.with_day)
        return list(rows.tolist())


def concatenate(parts: Sequence[Moments]) -> Moments:
    """Return the moments of several arrays, at least one, in this order."""
    none = concatenate_masks([part.none for part in parts], map(len, parts))
    return Moments(np.concatenate([part.codes for part in parts]), none, parts[0].with_day)


def _values_of(codes: Ints, *, with_day: bool) -> list[Any]:
    flags, clock = codes & (UTC_FLAG | FOLD_FLAG), codes >> _FLAG_BITS
    if with_day and (flags == UTC_FLAG).all():
        # a third of the time of replacing the time zone of each
        return list(map(_EPOCH_UTC.__add__, clock.view("m8[us]").tolist()))
    values: list[Any] = clock.view("M8[us]").tolist()
    if not with_day:
        values = [each.time() for each in values]
    if not flags.any():
        return values
    return [
        each.replace(tzinfo=UTC if flag & UTC_FLAG else None, fold=flag >> 1) if flag else each
        for each, flag in zip(values, flags.tolist(), strict=True)
    ]
