"""Floats to bytes and back: as decimals, as fractions, in planes, or as they are, as the values alone decide.

Notes
-----
Source: docs/reference/formats/column.md, "Floats".
"""

import math
import struct
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from jobs.column.transform import (
    SAMPLE_RUNS,
    WORTH_CHOOSING,
    Array,
    Cursor,
    Ints,
    Look,
    Mask,
    decode_ints,
    encode_ints,
    join_planes,
    pad,
    split_planes,
    take_sample,
)

_FLOATS_HEAD: Final = struct.Struct("<BBHI")  # how, decimals, divisor, count
_RAW, _PLANES, _DECIMAL, _FRACTION = 0, 1, 2, 3
_POWERS_OF_TEN: Final = np.array([float(10**power) for power in range(11)])
# up to these a float holds every integer; beyond, some number of decimals would fit any float32
_EXACT_INTS: Final = {4: float(1 << 24), 8: float(1 << 53)}
_DIVISORS: Final = np.arange(2.0, 1 << 12)
# fractions take at most five bytes of eight, or nothing is gained
_LARGEST_NUMERATOR: Final = float(1 << 40)
_MOST_MISFITS: Final = SAMPLE_RUNS // 16


def canonical_floats(values: Array) -> Array:
    """Return float `values` with every nan as the one canonical nan; copies only when there is a nan."""
    nans = np.isnan(values)
    if nans.any():
        values = values.copy()
        values[nans] = np.nan
    return values


def encode_floats(values: Array) -> bytes:
    """Return the part that holds `values`: (n,) float64 or float32, n at most 2^17.

    Floats that are decimal numbers of few digits are stored as integers and a power of ten, which takes half the bytes
    and a third of the time to compress; fractions of one divisor, as means and rates are, in the same way; others as
    they are, or in planes when most of them differ.
    """
    count = len(values)
    if count < WORTH_CHOOSING:
        return _FLOATS_HEAD.pack(_RAW, 0, 0, count) + pad(values.tobytes())
    some = values[np.arange(SAMPLE_RUNS) * (count // SAMPLE_RUNS)]
    decimals = _find_decimals(some)
    if decimals is not None:
        multiples = _Multiples.of(values, _POWERS_OF_TEN[decimals], _EXACT_INTS[values.itemsize])
        if multiples.are_exact:
            return _FLOATS_HEAD.pack(_DECIMAL, decimals, 0, count) + multiples.encode(values)
    divisor = _find_divisor(some)
    if divisor is not None:
        multiples = _Multiples.of(values, float(divisor), _LARGEST_NUMERATOR)
        if multiples.are_exact:
            return _FLOATS_HEAD.pack(_FRACTION, 0, divisor, count) + multiples.encode(values)
    if Look(take_sample(_float_bits(values))).is_varied:
        return _FLOATS_HEAD.pack(_PLANES, 0, 0, count) + pad(split_planes(values, values.itemsize))
    return _FLOATS_HEAD.pack(_RAW, 0, 0, count) + pad(values.tobytes())


def decode_floats(cursor: Cursor, dtype: npt.DTypeLike) -> Array:
    """Return the (n,) floats of the next part; `dtype` is that which was encoded."""
    how, decimals, divisor, count = _FLOATS_HEAD.unpack(cursor.take(_FLOATS_HEAD.size))
    size = np.dtype(dtype).itemsize
    if how == _RAW:
        return np.frombuffer(cursor.take_padded(count * size), dtype)
    if how == _PLANES:
        return join_planes(cursor.take_padded(count * size), size, size).view(dtype)
    if how == _DECIMAL:
        units = float(_POWERS_OF_TEN[decimals])
    elif how == _FRACTION and divisor:
        units = float(divisor)
    else:
        raise ValueError(f"floats are stored in a way that is not known: {how}")
    values: Array = (decode_ints(cursor) / units).astype(dtype, copy=False)
    places = decode_ints(cursor)
    values[places] = np.frombuffer(cursor.take_padded(len(places) * size), dtype)
    return values


def _float_bits(values: Array) -> Ints:
    bits: Ints = values.view(np.int64 if values.itemsize == 8 else np.int32)
    return bits


class _Multiples(NamedTuple):
    """Floats as integers: how many parts of a unit each is.

    Attributes
    ----------
    ints : (n,) int64
        Those integers.
    exact : (n,) bool
        Which of them give back their float bit for bit.
    """

    ints: Ints
    exact: Mask

    @classmethod
    def of(cls, values: Array, parts: float, limit: float) -> Self:
        """Return `values` as integers below `limit` in size, of a unit that is cut into `parts`."""
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.rint(values.astype(np.float64) * parts)
            scaled[~(np.abs(scaled) < limit)] = 0.0
            ints = scaled.astype(np.int64)
            exact = _float_bits((ints / parts).astype(values.dtype)) == _float_bits(values)
        return cls(ints, exact)

    @property
    def are_exact(self) -> bool:
        """Whether at most one in 16 is an exception."""
        return 16 * int(np.count_nonzero(~self.exact)) <= len(self.ints)

    def encode(self, values: Array) -> bytes:
        """Return the body: the integers, and those of `values` that are exceptions."""
        places = np.flatnonzero(~self.exact)
        # an exception takes the place of some other value, so that it widens nothing
        self.ints[places] = self.ints[np.argmax(self.exact)]
        return encode_ints(self.ints) + encode_ints(places.astype(np.int64)) + pad(values[places].tobytes())


def _find_decimals(some: Array) -> int | None:
    """Return the fewest decimals that 15 of 16 in a sample have at most."""
    limit = _EXACT_INTS[some.itemsize]
    for decimals, power in enumerate(_POWERS_OF_TEN):
        if 16 * np.count_nonzero(_Multiples.of(some, power, limit).exact) >= 15 * len(some):
            return decimals
    return None


def _find_divisor(some: Array) -> int | None:
    """Return the divisor, below 4,096, of which 15 of 16 float64 in a sample are fractions."""
    if some.itemsize != 8:
        return None
    divisor, misfits = 1, 0
    for value in some.tolist():
        if _is_fraction(value, divisor):
            continue
        other = math.lcm(divisor, _smallest_divisor(value))
        if divisor < other <= _DIVISORS[-1]:
            divisor = other
        else:
            misfits += 1
            if misfits > _MOST_MISFITS:
                return None
    return divisor


def _is_fraction(value: float, divisor: int) -> bool:
    if not abs(value) < _LARGEST_NUMERATOR:
        return False
    numerator = round(value * divisor)
    return abs(numerator) < _LARGEST_NUMERATOR and numerator / divisor == value


def _smallest_divisor(value: float) -> int:
    """Return the smallest number above 1 of which `value` is a fraction, 1 when there is none."""
    with np.errstate(invalid="ignore", over="ignore"):
        numerators = np.rint(value * _DIVISORS)
        fits = (numerators / _DIVISORS == value) & (np.abs(numerators) < _LARGEST_NUMERATOR)
    return int(_DIVISORS[np.argmax(fits)]) if fits.any() else 1
