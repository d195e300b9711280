"""One batch of one type to bytes and back.

A batch is made of a *body*, the values that are not None, and a mask of those that are. Every type has a codec that
gathers a body from Python values or from a numpy array, encodes it, and gives it back as either.

Notes
-----
Source: docs/reference/formats/column.md, "Batches".
"""

import datetime
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from jobs.column.fixed import (
    BoolCodec,
    Bounds,
    ComplexCodec,
    DateCodec,
    FloatCodec,
    IntCodec,
    MomentCodec,
    numbers,
)
from jobs.column.floats import decode_floats, encode_floats
from jobs.column.text import (
    TEXT_OVERHEAD_BYTES,
    BytesCodec,
    JsonCodec,
    PickleCodec,
    TextCodec,
    Texts,
    concatenate,
    decode_texts,
    object_array,
)
from jobs.column.transform import Array, Cursor, Mask, decode_bits, decode_ints, encode_bits, encode_ints
from jobs.column.types import LARGEST_INT_BITS

Body: TypeAlias = Array | Texts

_HEAD: Final = struct.Struct("<IBBH")  # rows, whether there is a mask, 0, 0
_INT, _FLOAT, _BIG = 0, 1, 2


class Codec(Protocol):
    """One type's values as a body, and the body as bytes."""

    def gather(self, values: list[Any]) -> Any:
        """Return the body of kept values; raise OverflowError or ValueError when one is beyond the type."""

    def take(self, values: Array) -> Any:
        """Return the body of an array; raise TypeError, OverflowError or ValueError when it is none of this type."""

    def encode(self, body: Any) -> bytes:
        """Return the bytes of a body."""

    def decode(self, data: Cursor) -> Any:
        """Return the body that is encoded there."""

    def values(self, body: Any) -> Sequence[Any]:
        """Return the Python values of a decoded body; all of them, or each when it is read where that is quicker."""

    def array(self, body: Any) -> Array:
        """Return the values of a decoded body as a numpy array."""

    def bounds(self, body: Any) -> Bounds:
        """Return the smallest and the largest value of a body that is not empty; nan only for want of others."""


class NumberCodec:
    """number: integers of any size and floats; bodies of int64, of float64, or of objects when they are mixed."""

    def gather(self, values: list[Any]) -> Array:
        """Return the body of ints and floats."""
        kinds = set(map(type, values))
        if kinds == {float}:
            return _FLOATS.gather(values)
        if kinds == {int}:
            try:
                return np.fromiter(values, np.int64, len(values))
            except OverflowError:
                pass  # as objects
        if any(type(each) is int and each.bit_length() > LARGEST_INT_BITS for each in values):
            raise OverflowError
        return object_array(values)

    def take(self, values: Array) -> Array:
        """Return the body of an array of any numbers but complex ones."""
        if values.dtype.kind in "ib":
            return values.astype(np.int64, copy=False)
        if values.dtype.kind == "f":
            return _FLOATS.take(values)
        if values.dtype.kind == "u":
            return self.gather(values.tolist())
        raise TypeError

    def encode(self, body: Array) -> bytes:
        """Return the bytes of a body."""
        kinds, ints, floats, bigs = _by_kind(body)
        texts = Texts.from_rows([each.to_bytes(_big_bytes(each), "little", signed=True) for each in bigs])
        return encode_ints(kinds) + encode_ints(ints) + encode_floats(floats) + texts.encode()

    def decode(self, data: Cursor) -> Array:
        """Return the body that is encoded there."""
        kinds, ints, floats = decode_ints(data), decode_ints(data), decode_floats(data, "<f8")
        bigs = decode_texts(data)
        if len(ints) == len(kinds):
            return ints
        if len(floats) == len(kinds):
            return floats
        body = np.empty(len(kinds), object)
        body[kinds == _INT] = ints
        body[kinds == _FLOAT] = floats
        body[kinds == _BIG] = [int.from_bytes(each, "little", signed=True) for each in bigs]
        return body

    def values(self, body: Array) -> Sequence[Any]:
        """Return ints and floats."""
        return numbers(body)

    def array(self, body: Array) -> Array:
        """Return the body itself."""
        return body

    def bounds(self, body: Array) -> Bounds:
        """Return the smallest and the largest number; of an int and an equal float the int."""
        _, ints, floats, bigs = _by_kind(body)
        pairs = [(min(bigs), max(bigs))] if bigs else []
        if len(ints):
            pairs.append((int(ints.min()), int(ints.max())))
        if len(floats):
            pairs.append(_FLOATS.bounds(floats))
        return merge_bounds(pairs)


_FLOATS: Final = FloatCodec("<f8")


def _by_kind(body: Array) -> tuple[Array, Array, Array, list[int]]:
    """Return which kind each number is, and the small ints, floats and large ints."""
    no_ints, no_floats = np.empty(0, np.int64), np.empty(0, np.float64)
    if body.dtype.kind == "i":
        return np.full(len(body), _INT), body, no_floats, []
    if body.dtype.kind == "f":
        return np.full(len(body), _FLOAT), no_ints, body, []
    are_floats = np.fromiter((type(each) is float for each in body), np.bool_, len(body))
    floats, ints = _FLOATS.take(body[are_floats].astype(np.float64)), body[~are_floats]
    kinds = np.where(are_floats, _FLOAT, _INT)
    try:
        return kinds, ints.astype(np.int64), floats, []
    except OverflowError:
        are_big = np.fromiter(map(_is_big, ints), np.bool_, len(ints))
        kinds[~are_floats] = np.where(are_big, _BIG, _INT)
        return kinds, ints[~are_big].astype(np.int64), floats, ints[are_big].tolist()


def _is_big(value: float) -> bool:
    return type(value) is int and not -(1 << 63) <= value < 1 << 63


def _big_bytes(value: int) -> int:
    return value.bit_length() // 8 + 1


CODECS: Final[Mapping[str, Codec]] = {
    "number": NumberCodec(),
    "int64": IntCodec("<i8"),
    "int32": IntCodec("<i4"),
    "float64": _FLOATS,
    "float32": FloatCodec("<f4"),
    "complex64": ComplexCodec("<c16", "<f8"),
    "complex32": ComplexCodec("<c8", "<f4"),
    "bool": BoolCodec(),
    "date": DateCodec(),
    "time": MomentCodec(with_day=False),
    "datetime": MomentCodec(with_day=True),
    "bytes": BytesCodec(),
    "ascii": TextCodec("ascii"),
    "unicode": TextCodec("utf-8"),
    "json": JsonCodec(),
    "pickle": PickleCodec(),
}


# ---- bodies of any type


def join_bodies(pieces: Sequence[Body]) -> Body:
    """Return the values of all `pieces`, bodies of one codec, as one body."""
    if len(pieces) == 1:
        return pieces[0]
    if texts := [piece for piece in pieces if isinstance(piece, Texts)]:
        return concatenate(texts)
    arrays = [piece for piece in pieces if not isinstance(piece, Texts)]
    if len({piece.dtype for piece in arrays}) > 1:
        arrays = [piece.astype(object) for piece in arrays]  # numbers: numpy would make floats of ints
    return np.concatenate(arrays)


def weights_of(body: Body) -> Array | None:
    """Return what each value adds to the payload of a batch; None when the number of rows alone bounds that."""
    if isinstance(body, Texts):
        return body.weights()
    if body.dtype != object or not _by_kind(body)[3]:
        return None
    sizes = (_big_bytes(each) + TEXT_OVERHEAD_BYTES if _is_big(each) else 0 for each in body)
    return np.fromiter(sizes, np.int64, len(body))


def merge_bounds(pairs: Iterable[Bounds]) -> Bounds:
    """Return the smallest and the largest value of parts whose bounds are `pairs`.

    None stands for no values; nan comes out only when there is nothing else. Naive and UTC values compare by the clock.

    >>> merge_bounds([(1, 2.5), (None, None), (float("nan"), float("nan"))])
    (1, 2.5)
    """
    known = [pair for pair in pairs if pair[0] is not None]
    known = [pair for pair in known if pair[0] == pair[0]] or known[:1]
    if not known:
        return None, None
    return min((low for low, _ in known), key=_order), max((high for _, high in known), key=_order)


def _order(value: Any) -> Any:
    if isinstance(value, (datetime.datetime, datetime.time)):
        return value.replace(tzinfo=None)
    return value


# ---- batches


def encode_batch(codec: Codec, body: Body, mask: Mask | None) -> bytes:
    """Return the bytes of one batch.

    Parameters
    ----------
    codec : Codec
        That of the type.
    body : Array or Texts
        The values that are not None.
    mask : (rows,) bool or None
        True where a row is None; None when no row is.
    """
    if mask is None or not mask.any():
        return _HEAD.pack(len(body), 0, 0, 0) + codec.encode(body)
    return _HEAD.pack(len(mask), 1, 0, 0) + encode_bits(mask) + codec.encode(body)


def decode_batch(codec: Codec, data: bytes) -> tuple[Any, Mask | None]:
    """Return body and mask of a batch; raise ValueError, LookupError or struct.error when it is none."""
    cursor = Cursor(data)
    rows, masked, _, _ = _HEAD.unpack(cursor.take(_HEAD.size))
    mask = decode_bits(cursor) if masked else None
    body = codec.decode(cursor)
    values = len(body) + (np.count_nonzero(mask) if mask is not None else 0)
    if values != rows or (mask is not None and len(mask) != rows):
        raise ValueError(f"{values} values in a batch of {rows} rows")
    return body, mask


def batch_values(codec: Codec, body: Any, mask: Mask | None) -> Sequence[Any]:
    """Return the rows of a decoded batch as Python values, None where there is none."""
    values = codec.values(body)
    if mask is None:
        return values
    rows = np.empty(len(mask), object)
    rows[~mask] = object_array(values)
    return rows.tolist()


def batch_array(codec: Codec, body: Any, mask: Mask | None) -> Array:
    """Return the rows of a decoded batch as an array, with zeros or None where a row is None."""
    dense = codec.array(body)
    if mask is None:
        return dense
    rows = np.empty(len(mask), object) if dense.dtype == object else np.zeros(len(mask), dense.dtype)
    rows[~mask] = dense
    return rows
