"""Which slice a value belongs to, so that equal values of a hashlabel meet in one slice.

Numbers that are equal belong to one slice whatever their type, so do texts and byte strings of the same bytes, and
naive and UTC datetimes of the same clock. None, 0, "", b"" and False belong to slice 0.

Notes
-----
Source: docs/reference/formats/column.md, "Which slice a value belongs to".
"""

import datetime
import math
import operator
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.crc import crc32_of
from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.transform import Array
from jobs.column.types import ColumnType, get_type
from jobs.errors import ColumnError

Hashes: TypeAlias = npt.NDArray[np.uint64]

_MASK: Final = (1 << 64) - 1
_FIRST_FACTOR, _SECOND_FACTOR = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_INT64_START, _INT64_END = -(1 << 63), 1 << 63
_FLOAT64, _BITS64 = struct.Struct("<d"), struct.Struct("<Q")
_NAN_BITS: Final = 0x7FF8000000000000
_EPOCH_ORDINAL: Final = datetime.date(1970, 1, 1).toordinal()


def slice_of(value: object, slices: int) -> int:
    """Return the slice, of `slices`, that `value` belongs to; `value` is as its column gives it back.

    >>> slice_of(7, 4) == slice_of(7.0, 4) == slice_of(7 + 0j, 4)
    True
    """
    return hash_of(value) % slices


def slices_of(
    values: Array | Sequence[Any] | PackedTexts | Moments, column_type: str, slices: int
) -> npt.NDArray[np.int64]:
    """Return the slice that each of `values` belongs to when a column of that type holds them.

    Parameters
    ----------
    values : (n,) array, sequence, PackedTexts or Moments
        As `SliceWriter` takes them: what it takes with `extend_array`, or Python values and None.
    column_type : str
        Decides what the values become: a float32 is rounded before it is looked at.
    slices : int
        The number of slices.

    Returns
    -------
    (n,) int64
    """
    of = get_type(column_type)
    if isinstance(values, PackedTexts):
        hashes = _hash_packed(values) if not of.parsed else _hash_list(values.tolist(), of)
    elif isinstance(values, Moments):
        hashes = _hash_moments(values) if of.base in ("datetime", "time") else _hash_list(values.tolist(), of)
    elif isinstance(values, np.ndarray) and values.dtype.kind in "biufcMm" and not of.parsed:
        hashes = _hash_array(values, of)
    else:
        hashes = _hash_list(values.tolist() if isinstance(values, np.ndarray) else values, of)
    return (hashes % np.uint64(slices)).astype(np.int64)


# ---- one value


def hash_of(value: Any) -> int:
    """Return the hash of one value: 64 bits, 0 for None and all that is zero or empty."""
    hasher = _HASHERS.get(type(value))
    if hasher is not None:
        return hasher(value)
    if hasattr(value, "item") and type(value).__module__ == "numpy":
        return hash_of(value.item())
    for kind, hasher in _HASHERS.items():
        if isinstance(value, kind):
            return hasher(value)
    raise ColumnError(
        f"a '{type(value).__name__}' belongs to no slice", hint="a hashlabel holds numbers, texts or dates"
    )


def _mix(bits: int) -> int:
    """Return 64 bits that all depend on all of `bits`; 0 for 0."""
    bits = ((bits ^ (bits >> 30)) * _FIRST_FACTOR) & _MASK
    bits = ((bits ^ (bits >> 27)) * _SECOND_FACTOR) & _MASK
    return bits ^ (bits >> 31)


def _hash_int(value: int) -> int:
    if _INT64_START <= value < _INT64_END:
        return _mix(value & _MASK)
    try:
        number = float(value)
    except OverflowError:
        number = 0.0
    if number == value:
        return _mix(_bits_of(number))
    return _hash_bytes(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


def _hash_float(value: float) -> int:
    if math.isnan(value):
        return _mix(_NAN_BITS)
    if _INT64_START <= value < _INT64_END and value == int(value):
        return _mix(int(value) & _MASK)
    return _mix(_bits_of(value))


def _bits_of(value: float) -> int:
    bits: int = _BITS64.unpack(_FLOAT64.pack(value))[0]
    return bits


def _hash_complex(value: complex) -> int:
    if value.imag == 0:
        return _hash_float(value.real)
    return _mix(_hash_float(value.real) ^ _mix((_hash_float(value.imag) + 1) & _MASK))


def _hash_bytes(value: bytes) -> int:
    return _mix(zlib.crc32(value))


def _hash_date(value: datetime.date) -> int:
    return _mix((value.toordinal() - _EPOCH_ORDINAL) & _MASK)


def _hash_time(value: datetime.time) -> int:
    return _mix(_clock(value))


def _hash_datetime(value: datetime.datetime) -> int:
    return _mix(((value.toordinal() - _EPOCH_ORDINAL) * 86_400_000_000 + _clock(value)) & _MASK)


def _clock(value: datetime.time | datetime.datetime) -> int:
    """Return the microseconds since midnight."""
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


# subclasses stand before what they derive from
_HASHERS: Final[dict[type, Callable[[Any], int]]] = {
    type(None): lambda _: 0,
    bool: int,
    int: _hash_int,
    float: _hash_float,
    complex: _hash_complex,
    str: lambda value: _mix(zlib.crc32(value.encode())),
    bytes: _hash_bytes,
    datetime.datetime: _hash_datetime,
    datetime.date: _hash_date,
    datetime.time: _hash_time,
}


# ---- many values


def _mix_all(bits: Hashes) -> Hashes:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(_FIRST_FACTOR)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(_SECOND_FACTOR)
    return bits ^ (bits >> np.uint64(31))


def _hash_array(values: Array, of: ColumnType) -> Hashes:
    """Return the hashes of an array, as those of the values that a column makes of it."""
    if values.dtype.kind in "Mm":
        hashes = _mix_all(values.astype(of.dtype).view(np.uint64))
        hashes[np.isnat(values)] = 0
        return hashes
    if of.base != "number":
        # what is too large is refused when it is written
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(of.dtype)
    if values.dtype.kind == "b":
        return values.astype(np.uint64)
    if values.dtype.kind == "c":
        return _hash_complexes(values.astype(np.complex128, copy=False))
    if values.dtype.kind == "f":
        return _hash_floats(values.astype(np.float64, copy=False))
    return (
        _hash_large(values)
        if values.dtype.kind == "u" and values.dtype.itemsize == 8
        else _mix_all(values.astype(np.int64).view(np.uint64))
    )


def _hash_floats(values: npt.NDArray[np.float64]) -> Hashes:
    bits = np.where(np.isnan(values), np.uint64(_NAN_BITS), values.view(np.uint64))
    integral = (values >= _INT64_START) & (values < _INT64_END) & (values == np.floor(values))
    bits[integral] = values[integral].astype(np.int64).view(np.uint64)
    return _mix_all(bits)


def _hash_complexes(values: npt.NDArray[np.complex128]) -> Hashes:
    real, imaginary = _hash_floats(values.real.copy()), _hash_floats(values.imag.copy())
    return np.where(values.imag == 0, real, _mix_all(real ^ _mix_all(imaginary + np.uint64(1))))


def _hash_large(values: Array) -> Hashes:
    return np.fromiter(map(_hash_int, values.tolist()), np.uint64, len(values))


def _hash_packed(texts: PackedTexts) -> Hashes:
    # a text belongs where its bytes do
    return _mix_all(crc32_of(texts).astype(np.uint64))


def _hash_moments(moments: Moments) -> Hashes:
    # time zone and fold do not count
    hashes = _mix_all(moments.clock.view(np.uint64))
    if moments.none is not None:
        hashes[moments.none] = 0
    return hashes


def _hash_list(values: Sequence[Any], of: ColumnType) -> Hashes:
    present = [value for value in values if value is not None]
    kinds = set(map(type, present))
    if not kinds <= set(of.exact):
        present = list(map(of.check, present))
        kinds = set(map(type, present))
    try:
        hashes = _hash_checked(present, kinds, of)
    except (OverflowError, UnicodeEncodeError):
        # one by one, so that the error names the value
        hashes = _hash_checked(list(map(of.check, present)), kinds, of)
    if len(present) == len(values):
        return hashes
    spread = np.zeros(len(values), np.uint64)
    spread[[value is not None for value in values]] = hashes
    return spread


def _hash_checked(values: list[Any], kinds: set[type], of: ColumnType) -> Hashes:
    if of.dtype is not None and of.dtype[1] in "bifc":
        return _hash_array(np.array(values, of.dtype), of)
    if kinds in ({str}, {bytes}):
        data = map(str.encode, values) if kinds == {str} else values
        return _mix_all(np.fromiter(map(zlib.crc32, data), np.uint64, len(values)))
    if kinds == {datetime.date}:
        ordinals = np.fromiter(map(operator.methodcaller("toordinal"), values), np.int64, len(values))
        return _mix_all((ordinals - _EPOCH_ORDINAL).view(np.uint64))
    return np.fromiter(map(hash_of, values), np.uint64, len(values))
