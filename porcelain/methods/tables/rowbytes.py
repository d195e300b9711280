"""Rows as bytes in one canonical form: equal rows give equal bytes, and only these do.

A row is the heads of all its values, then their tails. A head has nine bytes: a letter for the kind of value, and a
number of 64 bits, little-endian; all nine are zero for None. What does not fit is the tail.

====== ===================== ============================================== ========================
letter value                 number                                         tail
====== ===================== ============================================== ========================
i      integer of 64 bits    the integer
I      other integer         length of the tail                             two's complement
f      float                 IEEE 754; every nan 0x7ff8000000000000
c      complex               its real part, as a float                      the imaginary part, ditto
b      bool                  0 or 1
d      date                  days since 1970-01-01
t      datetime              as stored: microseconds of the clock since
                             1970-01-01 00:00, times 4, plus 1 if in UTC,
                             plus 2 if the fold is 1
m      time                  the same since midnight
s      bytes                 length of the tail                             the bytes
u      text                  length of the tail                             UTF-8
j      json, pickle          length of the tail                             JSON with sorted keys
====== ===================== ============================================== ========================

So int32, int64 and number columns with the same integers are equal, and so are ascii and unicode, float32 and float64.
"""

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.moments import Moments
from jobs.errors import DatasetError
from porcelain.methods.tables.columns import Values, split_none, to_list

_HEAD: Final = np.dtype([("letter", "S1"), ("number", "<i8")])
_NAN_BITS: Final = 0x7FF8000000000000
_FLOAT, _BITS = struct.Struct("<d"), struct.Struct("<q")
_INT64: Final = range(-(1 << 63), 1 << 63)

Tails: TypeAlias = Sequence[bytes]


class Coded(NamedTuple):
    """The values of one column.

    Attributes
    ----------
    heads : (n,) of letter and number
    tails : list of bytes or None
        None when no value has any.
    """

    heads: npt.NDArray[Any]
    tails: Tails | None


def rows_as_bytes(columns: Mapping[str, Values], types: Mapping[str, str]) -> Iterable[bytes]:
    """Return the canonical form of each row.

    Parameters
    ----------
    columns
        As `read_slice` gives them; their order counts.
    types
        The type of each.
    """
    coded = [_code(name, values, types[name]) for name, values in columns.items()]
    heads = np.stack([each.heads for each in coded], axis=1)
    whole = heads.view(f"V{heads.shape[1] * _HEAD.itemsize}").ravel().tolist()
    tails = [each.tails for each in coded if each.tails is not None]
    return map(b"".join, zip(whole, *tails, strict=True)) if tails else whole


def _code(name: str, values: Values, column_type: str) -> Coded:
    array, mask = split_none(values)
    if isinstance(array, Moments):
        return Coded(_heads(_MOMENTS[column_type], array.codes, array.none), None)
    if not isinstance(array, np.ndarray) or column_type == "number" or array.dtype == object:
        return _code_list(name, to_list(values), column_type)
    if column_type in _COMPLEX:
        heads = _heads(b"c", _float_bits(array.real), mask)
        parts = _float_bits(array.imag).astype("<i8").view("V8").tolist()
        return Coded(heads, parts if mask is None else _without(parts, mask))
    letter, number = _ARRAYS[column_type]
    return Coded(_heads(letter, number(array), mask), None)


def _code_list(name: str, values: list[Any], column_type: str) -> Coded:
    mask = np.fromiter((value is None for value in values), np.bool_, len(values))
    if column_type == "number":
        return _code_numbers(values)
    letter, encode = _TEXTS[column_type]
    if column_type in _HOLD_NONE:
        mask[:] = False
    try:
        tails = [b"" if none else encode(value) for value, none in zip(values, mask.tolist(), strict=True)]
    except (TypeError, ValueError) as err:
        raise DatasetError(
            f"column '{name}' has a {column_type} value that is no JSON: {err}",
            hint="columns=[...] names those to be summed",
        ) from err
    lengths = np.fromiter(map(len, tails), np.int64, len(tails))
    return Coded(_heads(letter, lengths, mask), tails)


def _code_numbers(values: list[Any]) -> Coded:
    coded = list(map(_code_number, values))
    heads = np.array([(letter, number) for letter, number, _ in coded], _HEAD)
    return Coded(heads, [tail for _, _, tail in coded])


def _code_number(value: Any) -> tuple[bytes, int, bytes]:
    if value is None:
        return b"", 0, b""
    if type(value) is float:
        return b"f", _NAN_BITS if isnan(value) else _BITS.unpack(_FLOAT.pack(value))[0], b""
    if value in _INT64:
        return b"i", value, b""
    tail = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"I", len(tail), tail


def _heads(letter: bytes, numbers: Any, mask: Any) -> npt.NDArray[Any]:
    heads = np.empty(len(numbers), _HEAD)
    heads["letter"], heads["number"] = letter, numbers
    if mask is not None:
        heads[mask] = (b"", 0)
    return heads


def _without(tails: Tails, mask: Any) -> Tails:
    return [b"" if none else tail for tail, none in zip(tails, mask.tolist(), strict=True)]


def _float_bits(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    wide = values.astype(np.float64)
    bits = wide.view(np.int64)
    bits[np.isnan(wide)] = _NAN_BITS
    return bits


def _integers(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return values.astype(np.int64)


_COMPLEX: Final = frozenset({"complex32", "complex64"})
_HOLD_NONE: Final = frozenset({"json", "pickle"})
_MOMENTS: Final = {"datetime": b"t", "time": b"m"}
_ARRAYS: Final[Mapping[str, tuple[bytes, Callable[[Any], Any]]]] = {
    "int32": (b"i", _integers),
    "int64": (b"i", _integers),
    "float32": (b"f", _float_bits),
    "float64": (b"f", _float_bits),
    "bool": (b"b", _integers),
    "date": (b"d", _integers),
}


def _as_json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")


_ENCODER: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_TEXTS: Final[Mapping[str, tuple[bytes, Callable[[Any], bytes]]]] = {
    "bytes": (b"s", bytes),
    "ascii": (b"u", str.encode),
    "unicode": (b"u", str.encode),
    "json": (b"j", _as_json),
    "pickle": (b"j", _as_json),
}
