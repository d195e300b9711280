"""Codecs of the types whose values have a fixed width: numbers, bools, dates and times.

Their bodies are numpy arrays.
"""

import datetime
import operator
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from jobs.column.floats import canonical_floats, decode_floats, encode_floats
from jobs.column.moments import FOLD_FLAG, UTC_FLAG, Moments
from jobs.column.transform import Array, Cursor, Mask, decode_bits, decode_ints, encode_bits, encode_ints
from jobs.column.types import UTC

Bounds: TypeAlias = tuple[Any, Any]

_EPOCH_ORDINAL: Final = datetime.date(1970, 1, 1).toordinal()
_DAY_MICROSECONDS: Final = 86_400_000_000
_GET_ZONE, _GET_FOLD = operator.attrgetter("tzinfo"), operator.attrgetter("fold")
# dates are looked up in tables of so many, or a few times that, when they lie close enough together
_BLOCK_DAYS: Final = 1 << 11
_FIRST_DAY, _END_DAY = np.datetime64("0001-01-01"), np.datetime64("10000-01-01")


def numbers(body: Array) -> Sequence[Any]:
    """Return numbers as Python values.

    Ints and floats as a view, which makes each when it is read: who drops one before he reads the next needs no memory
    for more, and half the time of making a list.
    """
    if body.dtype.kind in "if" and body.dtype.isnative:
        return body.data
    return body.tolist()  # type: ignore[no-any-return] # a list, as the array has one dimension


class IntCodec:
    """int64 and int32: bodies of int64."""

    def __init__(self, dtype: str) -> None:
        self._dtype = np.dtype(dtype)
        self._info = np.iinfo(self._dtype)

    def gather(self, values: list[Any]) -> Array:
        """Return the body of ints."""
        return self._fit(np.fromiter(values, np.int64, len(values)))

    def take(self, values: Array) -> Array:
        """Return the body of an array of integers or bools."""
        if values.dtype.kind not in "iub":
            raise TypeError
        return self._fit(values)

    def _fit(self, values: Array) -> Array:
        if len(values) and not (self._info.min <= int(values.min()) and int(values.max()) <= self._info.max):
            raise OverflowError
        return values.astype(np.int64, copy=False)

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        return encode_ints(body)

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        return decode_ints(data)

    def values(self, body: Array) -> Sequence[Any]:
        """Return ints."""
        return numbers(body)

    def array(self, body: Array) -> Array:
        """Return an array of the type's own width."""
        return body.astype(self._dtype, copy=False)

    def bounds(self, body: Array) -> Bounds:
        """Return the smallest and the largest int."""
        return int(body.min()), int(body.max())


class FloatCodec:
    """float64 and float32: bodies of that type, every nan the same."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)

    def gather(self, values: list[Any]) -> Array:
        """Return the body of floats."""
        # as an argument list, which takes half the time of `np.array`
        return self.take(np.frombuffer(struct.pack(f"={len(values)}d", *values)))

    def take(self, values: Array) -> Array:
        """Return the body of an array of floats, integers or bools."""
        if values.dtype.kind not in "fiub":
            raise TypeError
        # by way of float64, as a Python int goes, also where rounding twice is not rounding once
        floats = values.astype(np.float64, copy=False)
        with np.errstate(over="ignore"):
            rounded = floats.astype(self.dtype, copy=False)
        if rounded is not floats and (np.isinf(rounded) & ~np.isinf(floats)).any():
            raise OverflowError
        return canonical_floats(rounded)

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        return encode_floats(body)

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        return decode_floats(data, self.dtype)

    def values(self, body: Array) -> Sequence[Any]:
        """Return floats."""
        return numbers(body)

    def array(self, body: Array) -> Array:
        """Return the body itself."""
        return body

    def bounds(self, body: Array) -> Bounds:
        """Return the smallest and the largest float; nan only when there is nothing else."""
        nans = np.isnan(body)
        known = body[~nans] if nans.any() else body
        if not len(known):
            return float("nan"), float("nan")
        # + 0.0 makes one zero of the two: which of them comes out as smallest depends on the machine
        return float(known.min()) + 0.0, float(known.max()) + 0.0


class ComplexCodec:
    """complex64 and complex32: stored as floats, real and imaginary parts in turn."""

    def __init__(self, dtype: str, parts: str) -> None:
        self._dtype, self._floats = np.dtype(dtype), FloatCodec(parts)

    def gather(self, values: list[Any]) -> Array:
        """Return the body of complex numbers."""
        return self.take(np.array(values, np.complex128))

    def take(self, values: Array) -> Array:
        """Return the body of an array of any numbers."""
        if values.dtype.kind not in "cfiub":
            raise TypeError
        numbers = np.ascontiguousarray(values.astype(np.complex128, copy=False))
        return self._floats.take(numbers.view(np.float64)).view(self._dtype)

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        return encode_floats(np.ascontiguousarray(body).view(self._floats.dtype))

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        return self._floats.decode(data).view(self._dtype)

    def values(self, body: Array) -> list[Any]:
        """Return complex numbers."""
        return body.tolist()  # type: ignore[no-any-return] # a list, as the array has one dimension

    def array(self, body: Array) -> Array:
        """Return the body itself."""
        return body

    def bounds(self, body: Array) -> Bounds:  # noqa: ARG002 - complex numbers have no order
        """Return None twice."""
        return None, None


class BoolCodec:
    """bool: stored as a bitmap."""

    def gather(self, values: list[Any]) -> Array:
        """Return the body of bools."""
        return np.frombuffer(bytes(values), np.bool_)

    def take(self, values: Array) -> Array:
        """Return the body of an array of bools, or of integers that are 0 and 1."""
        if values.dtype.kind not in "iub":
            raise TypeError
        if values.dtype.kind != "b" and not ((values == 0) | (values == 1)).all():
            raise OverflowError
        return values.astype(np.bool_, copy=False)

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        return encode_bits(body)

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        return decode_bits(data)

    def values(self, body: Array) -> list[Any]:
        """Return bools."""
        return body.tolist()  # type: ignore[no-any-return] # a list, as the array has one dimension

    def array(self, body: Array) -> Array:
        """Return the body itself."""
        return body

    def bounds(self, body: Array) -> Bounds:
        """Return whether all are true, and whether any is."""
        return bool(body.all()), bool(body.any())


class DateCodec:
    """date: days since 1970-01-01; bodies of datetime64[D]."""

    def gather(self, values: list[Any]) -> Array:
        """Return the body of dates."""
        # numpy's own way goes by text and takes 20 times as long
        ordinals = np.fromiter(map(datetime.date.toordinal, values), np.int64, len(values))
        return (ordinals - _EPOCH_ORDINAL).view("M8[D]")

    def take(self, values: Array) -> Array:
        """Return the body of an array of datetime64; what is finer than a day is cut off."""
        if values.dtype.kind != "M":
            raise TypeError
        return _check_years(_in_unit(values, "M8[D]"))

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        return encode_ints(body.view(np.int64))

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        return _check_years(decode_ints(data).view("M8[D]"))

    def values(self, body: Array) -> list[Any]:
        """Return dates."""
        if not len(body):
            return []
        days = body.view(np.int64)
        start = int(days.min()) // _BLOCK_DAYS * _BLOCK_DAYS
        blocks = (int(days.max()) - start) // _BLOCK_DAYS + 1
        if blocks * _BLOCK_DAYS > len(body):
            return body.tolist()  # type: ignore[no-any-return] # a list, as the array has one dimension
        return _dates(start, blocks)[days - start].tolist()  # type: ignore[no-any-return]

    def array(self, body: Array) -> Array:
        """Return datetime64[D]."""
        return body

    def bounds(self, body: Array) -> Bounds:
        """Return the first and the last date."""
        days = body.view(np.int64)
        low, high = np.array([days.min(), days.max()]).view(body.dtype).tolist()
        return low, high


@lru_cache(maxsize=4)  # 3 MB each at most
def _dates(start: int, blocks: int) -> Array:
    """Return the dates of some days as objects: to look one up takes a seventh of the time of making it."""
    return np.arange(start, start + blocks * _BLOCK_DAYS).view("M8[D]").astype(object)


def _in_unit(values: Array, dtype: str) -> Array:
    """Return datetime64 or timedelta64 in another unit; raise OverflowError where numpy would wrap around."""
    made: Array = values.astype(dtype)
    if np.can_cast(values.dtype, made.dtype) and (made.astype(values.dtype) != values).any():
        raise OverflowError("too far away for microseconds, or for days")
    return made


def _check_years(values: Array) -> Array:
    """Return datetime64 `values`; raise OverflowError when one is beyond the years 1 to 9999, or NaT."""
    if len(values):
        # as integers: numpy finds the smallest and largest of these 10 times as fast
        numbers = values.view(np.int64)
        low, high = (np.array(bound, values.dtype).view(np.int64) for bound in (_FIRST_DAY, _END_DAY))
        if numbers.min() < low or numbers.max() >= high:
            raise OverflowError("a year beyond 1 to 9999")
    return values


class MomentCodec:
    """datetime and time: microseconds, and whether the value is in UTC, and its fold; bodies are codes of `Moments`."""

    def __init__(self, *, with_day: bool) -> None:
        self._with_day = with_day

    def gather(self, values: list[Any]) -> Array:
        """Return the body of naive and UTC values; raise ValueError for other time zones."""
        zones = set(map(_GET_ZONE, values))
        if not zones <= {None, UTC}:
            raise ValueError
        days = [each.toordinal() - _EPOCH_ORDINAL for each in values] if self._with_day else [0] * len(values)
        # numpy's own way goes by text and takes 4 times as long
        moments = [
            ((((day * 24 + each.hour) * 60 + each.minute) * 60 + each.second) * 1_000_000 + each.microsecond)
            * 4
            for day, each in zip(days, values, strict=True)
        ]
        body = np.fromiter(moments, np.int64, len(values))
        if UTC in zones:
            body += (
                np.fromiter((each.tzinfo is not None for each in values), np.int64, len(values)) * UTC_FLAG
            )
        if any(map(_GET_FOLD, values)):
            body += np.fromiter(map(_GET_FOLD, values), np.int64, len(values)) * FOLD_FLAG
        return body

    def take(self, values: Array) -> Array:
        """Return the body of an array of datetime64, or of timedelta64 since midnight, as naive values.

        Raises ValueError for what is finer than a microsecond.
        """
        if values.dtype.kind != ("M" if self._with_day else "m"):
            raise TypeError
        rounded = _in_unit(values, "M8[us]" if self._with_day else "m8[us]")
        if (rounded != values).any():
            raise ValueError
        moments = rounded.view(np.int64)
        self._check(moments)
        return moments * 4

    def _check(self, moments: Array) -> None:
        """Raise OverflowError for microseconds that are beyond the years 1 to 9999, or beyond one day."""
        if self._with_day:
            _check_years(moments.view("M8[us]"))
        elif ((moments < 0) | (moments >= _DAY_MICROSECONDS)).any():
            raise OverflowError("a time beyond one day")

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        return encode_ints(body >> 2) + encode_ints(body & 3)

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        moments, flags = decode_ints(data), decode_ints(data)
        if len(moments) != len(flags):
            raise ValueError(f"{len(flags)} time zones of {len(moments)} times")
        self._check(moments)
        return moments * 4 + (flags & 3)

    def take_moments(self, moments: Moments) -> Array:
        """Return the body of moments, none of which is None; raise TypeError when they are of the other type."""
        if moments.with_day != self._with_day:
            raise TypeError
        self._check(moments.clock.view(np.int64))
        return moments.codes

    def moments(self, body: Array, mask: Mask | None) -> Moments:
        """Return the rows of a decoded batch, zero where a row is None."""
        if mask is None:
            return Moments(body, None, self._with_day)
        codes = np.zeros(len(mask), np.int64)
        codes[~mask] = body
        return Moments(codes, mask, self._with_day)

    def values(self, body: Array) -> list[Any]:
        """Return datetimes or times."""
        return Moments(body, None, self._with_day).tolist()

    def array(self, body: Array) -> Array:
        """Return datetime64[us], or timedelta64[us] since midnight; without time zone and fold."""
        return Moments(body, None, self._with_day).clock

    def bounds(self, body: Array) -> Bounds:
        """Return the first and the last by the clock."""
        low, high = self.values(np.array([body.min(), body.max()]))
        return low, high
