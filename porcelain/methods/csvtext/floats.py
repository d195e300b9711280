"""Floats as text, many at once: the fewest digits that are read back as the same float, as `repr` writes them.

Notes
-----
A float in [1e-4, 1e16) times the power of ten that makes 17 digits of it is held exactly, as the sum of two floats
(Dekker, "A floating-point technique for extending the available precision", 1971). The nearest integer of 15, 16 or 17
digits is the answer, the first of them that lies nearer than half of what is between two floats there. Of those
with 15 digits or fewer no other can be so near; of those with 16 or 17 the nearest is what `repr` gives. None of 16
digits or fewer lies half way between two floats below 1e16: with a point in it, that takes 54 bits times a power of 5.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Ints
from jobs.column.words import Bytes, windows
from porcelain.methods.csvtext.digits import Naturals, overlaid, signed, zero_padded

Floats = npt.NDArray[np.float64]

# within these `repr` uses no exponent
_LEAST: Final = 1e-4
_LIMIT: Final = 1e16
_EDGES: Final = np.array([float(f"1e{power}") for power in range(-3, 16)])
_MOST_PLACES: Final = 20
# exact up to 10 ** 22
_POWERS: Final = np.array([float(f"1e{power}") for power in range(_MOST_PLACES + 1)])
_SPLITTER: Final = 2.0**27 + 1
# how a row of text lies: a sign and 16 digits, a point, 20 digits
_WHOLE_DIGITS: Final = 16
_POINT_AT: Final = 1 + _WHOLE_DIGITS
_ROW: Final = 40
_POINT: Final = ord(".")


def floats(values: Floats) -> Spans:
    """Return what `repr` makes of each of `values`."""
    magnitudes = np.abs(values)
    plain = ((magnitudes >= _LEAST) & (magnitudes < _LIMIT)) | (magnitudes == 0)
    if plain.all():
        return signed(_plain(magnitudes), np.signbit(values))
    texts = signed(_plain(np.where(plain, magnitudes, 0.0)), np.signbit(values) & plain)
    others = PackedTexts.of(list(map(repr, values[~plain].tolist())), are_bytes=False)
    return overlaid(texts, ~plain, others.spans)


def _plain(values: Floats) -> Spans:
    """Return the texts of 0 and of floats in [1e-4, 1e16)."""
    places = _MOST_PLACES - _EDGES.searchsorted(values, side="right")
    digits = _shortest(values, places)
    points = np.arange(len(values)) * _ROW + _POINT_AT
    starts = points - np.maximum(_WHOLE_DIGITS + 1 - places, 1)
    ends = points + 1 + np.maximum(places - _trailing_zeros(digits), 1)
    return Spans(_with_point(digits, places), starts, ends)


# ---- digits


class _Exact(NamedTuple):
    """Numbers as the sum of `whole` and `part`, which is in [0, 1)."""

    whole: Ints
    part: Floats


def _shortest(values: Floats, places: Ints) -> Naturals:
    """Return the digits of each, as integers of 17 digits that have `places` of them behind the point."""
    scales = _POWERS[places]
    exact = _product(values, scales)
    reach = np.spacing(values) * 0.5 * scales
    digits15, distance15 = _rounded(exact, 100)
    digits16, distance16 = _rounded(exact, 10)
    digits17, _ = _rounded(exact, 1)
    digits = np.where(distance16 < reach, digits16, digits17)
    return np.where(distance15 < reach, digits15, digits).view(np.uint64)


def _product(values: Floats, scales: Floats) -> _Exact:
    high = values * scales
    (value_high, value_low), (scale_high, scale_low) = _split(values), _split(scales)
    low = value_high * scale_high - high
    low += value_high * scale_low
    low += value_low * scale_high
    low += value_low * scale_low
    # `high` has 17 digits, so it is an integer; `low` is no multiple of anything smaller than 2 ** -47
    below = np.floor(low)
    return _Exact(high.astype(np.int64) + below.astype(np.int64), low - below)


def _split(values: Floats) -> tuple[Floats, Floats]:
    """Return halves of 26 bits, whose products with other such halves are exact."""
    scaled = values * _SPLITTER
    high = scaled - (scaled - values)
    return high, values - high


def _rounded(exact: _Exact, unit: int) -> tuple[Ints, Floats]:
    """Return the nearest multiples of `unit`, the even one where two are, and how far away they are."""
    quotients = exact.whole // unit
    rest = (exact.whole - quotients * unit) + exact.part
    up = (rest > unit / 2) | ((rest == unit / 2) & (quotients & 1 == 1))
    return (quotients + up) * unit, np.where(up, unit - rest, rest)


def _trailing_zeros(digits: Naturals) -> Ints:
    zeros = np.zeros(len(digits), np.int64)
    for step in (16, 8, 4, 2, 1):
        unit = np.uint64(10**step)
        quotients = digits // unit
        are_zeros = quotients * unit == digits
        digits = np.where(are_zeros, quotients, digits)
        zeros += step * are_zeros
    return zeros


# ---- text


def _with_point(digits: Naturals, places: Ints) -> Bytes:
    """Return rows of `_ROW` bytes with the digits around a point; what else is in them has no meaning."""
    padded = zero_padded(digits, _MOST_PLACES + 1)
    # what is copied may begin before the first row, or end behind the last
    slack = np.zeros(_MOST_PLACES, np.uint8)
    source = np.concatenate([slack, padded.reshape(-1), slack])
    points = np.arange(1, len(digits) + 1) * padded.shape[1] - places + len(slack)
    text = np.full(len(digits) * _ROW, _POINT, np.uint8)
    whole = windows(text, _WHOLE_DIGITS, start=_POINT_AT - _WHOLE_DIGITS, step=_ROW)
    whole[...] = windows(source, _WHOLE_DIGITS)[points - _WHOLE_DIGITS]
    fraction = windows(text, _MOST_PLACES, start=_POINT_AT + 1, step=_ROW)
    fraction[...] = windows(source, _MOST_PLACES)[points]
    return text
