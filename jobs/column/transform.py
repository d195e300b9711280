"""Arrays of numbers to bytes and back, through the cheap reversible step that makes them compress well.

Which step is taken follows from the values alone, by integer rules that are part of the format: equal values give equal
bytes on every machine. No compressor is ever asked.

Notes
-----
Source: docs/reference/formats/column.md, "Parts".
"""

import math
import struct
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_INTS_HEAD: Final = struct.Struct("<BBHIqqq")  # flags, width, 0, count, offset, scale, step
_BITS_HEAD: Final = struct.Struct("<Q")  # count
# no batch has more rows than 2^16, or parts of complex numbers than twice that: what claims more is no batch
_MOST_ITEMS: Final = 1 << 17
_DELTA, _SHUFFLED = 1, 2
_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
}

# fewer values than this gain nothing from a choice, and making it would cost more than coding them
WORTH_CHOOSING: Final = 64
# 64 runs of 32 neighbours: 2 % of the loss of looking at all values, 3 % of the time
SAMPLE_RUNS, _SAMPLE_RUN = 64, 32
# beyond this span a difference of two differences does not fit into 64 bits
_WIDEST_SPAN: Final = 1 << 62


class Cursor:
    """A place in bytes, from which parts are read one after another.

    Attributes
    ----------
    data : memoryview
        What is still unread.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data)

    def take(self, size: int) -> memoryview:
        """Return the next `size` bytes; raise ValueError when there are fewer."""
        if size > len(self.data):
            raise ValueError(f"{size} bytes are wanted where {len(self.data)} are left")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def take_padded(self, size: int) -> memoryview:
        """Return the next `size` bytes and skip the zeros that fill them to a multiple of 8."""
        return self.take(size + -size % 8)[:size]


def _check_count(count: int) -> int:
    if count > _MOST_ITEMS:
        raise ValueError(f"{count} values in one batch")
    return count


def pad(data: bytes) -> bytes:
    """Return `data` with zeros behind it, so that it takes a multiple of 8 bytes."""
    return data + bytes(-len(data) % 8)


# ---- integers


def encode_ints(values: Ints) -> bytes:
    """Return the part that holds `values`: (n,) int64, n at most 2^17.

    Stored are the distances from the smallest value, or the steps from each value to the next, divided by what all of
    them have in common, in as few bytes as the largest of them needs.
    """
    count = len(values)
    if count == 0:
        return _INTS_HEAD.pack(0, 0, 0, 0, 0, 1, 0)
    low, high = int(values.min()), int(values.max())
    # wraps around where the span is beyond 2^63, and wraps back when it is added again
    distances = values - low
    if low == high or count < WORTH_CHOOSING:
        return _pack_ints(0, (low, 1, 0), count, distances, None)
    if high - low >= _WIDEST_SPAN:
        return _pack_ints(0, (low, 1, 0), count, distances, Look(take_sample(distances)))
    scale = _common_divisor(distances)
    if scale > 1:
        distances //= scale
    return _encode_chosen(int(values[0]), low, scale, distances)


def _encode_chosen(first: int, low: int, scale: int, distances: Ints) -> bytes:
    count, sample = len(distances), take_sample(distances)
    look, delta_look = Look(sample), Look(np.diff(sample, axis=1))
    if not delta_look.is_better_than(look):
        return _pack_ints(0, (low, scale, 0), count, distances, look)
    deltas = distances[1:] - distances[:-1]
    step = int(deltas.min())
    deltas -= step
    return _pack_ints(_DELTA, (first, scale, step), count, deltas, delta_look)


def decode_ints(cursor: Cursor) -> Ints:
    """Return the (n,) int64 of the next part."""
    flags, width, _, count, offset, scale, step = _INTS_HEAD.unpack(cursor.take(_INTS_HEAD.size))
    items = _unpack_items(cursor, flags, width, _check_count(count) - (flags & _DELTA))
    if step:
        items += step
    if flags & _DELTA:
        values = np.zeros(count, np.int64)
        np.cumsum(items, out=values[1:])
    else:
        values = items
    if scale != 1:
        values *= scale
    if offset:
        values += offset
    return values


class Look:
    """What a sample of integers looks like.

    Attributes
    ----------
    size : int
        How many there are.
    distinct : int
        How many different ones.
    bits : int
        The bits that their distances from the median need, added up.
    """

    __slots__ = ("bits", "distinct", "size")

    def __init__(self, sample: Ints) -> None:
        ordered = np.sort(sample, axis=None)
        self.size = len(ordered)
        self.distinct = 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))
        distances = np.abs(ordered - ordered[self.size // 2])
        self.bits = int(np.frexp(distances.astype(np.float64))[1].sum())

    @property
    def is_varied(self) -> bool:
        """Whether most values occur once: else the compressor finds whole values again, which planes would hide."""
        return 2 * self.distinct > self.size

    def is_better_than(self, other: "Look") -> bool:
        """Return whether these, the deltas of `other`, are to be stored."""
        # by a bit a value: less is no order, only the noise of two neighbours
        if (self.bits + self.size) * other.size > other.bits * self.size:
            return False
        return other.is_varied or self.distinct * other.size < other.distinct * self.size


def take_sample(values: Ints) -> Ints:
    """Return evenly spread runs of neighbours, one a row; all values in one row when there are few."""
    if len(values) <= SAMPLE_RUNS * _SAMPLE_RUN:
        return values[np.newaxis]
    starts = np.arange(SAMPLE_RUNS) * (len(values) // SAMPLE_RUNS)
    sample: Ints = values[starts[:, np.newaxis] + np.arange(_SAMPLE_RUN)]
    return sample


def _common_divisor(distances: Ints) -> int:
    # pairs of neighbours: values at even places have more in common than all have
    pairs = np.arange(32) * (len(distances) // 32)
    some = distances[np.concatenate([pairs, pairs + 1])]
    divisor = math.gcd(*some.tolist())
    if divisor < 2 or ((distances // divisor) * divisor != distances).any():
        return 1
    return divisor


def _pack_ints(flags: int, terms: tuple[int, int, int], count: int, items: Ints, look: Look | None) -> bytes:
    unsigned = items.view(np.uint64)
    width = (int(unsigned.max()).bit_length() + 7) // 8 if len(items) else 0
    if width == 0:
        return _INTS_HEAD.pack(flags, 0, 0, count, *terms)
    size = 1 << (width - 1).bit_length()
    narrow = unsigned.astype(_UNSIGNED[size])
    if look is not None and (width == 2 or (width > 2 and look.is_varied)):
        body = split_planes(narrow, width)
        flags |= _SHUFFLED
    else:
        width, body = size, narrow.tobytes()
    return _INTS_HEAD.pack(flags, width, 0, count, *terms) + pad(body)


def _unpack_items(cursor: Cursor, flags: int, width: int, count: int) -> Ints:
    if width == 0:
        return np.zeros(count, np.int64)
    data = cursor.take_padded(count * width)
    if flags & _SHUFFLED:
        return join_planes(data, width, 1 << (width - 1).bit_length()).astype(np.int64)
    return np.frombuffer(data, _UNSIGNED[width]).astype(np.int64)


def split_planes(values: Array, width: int) -> bytes:
    """Return the lowest byte of every item, then the second of every item, and so on, `width` of them."""
    return values.view(np.uint8).reshape(-1, values.itemsize).T[:width].tobytes()


def join_planes(data: memoryview, width: int, size: int) -> Array:
    """Return the unsigned integers of `size` bytes whose lowest `width` bytes `split_planes` took apart."""
    planes = np.frombuffer(data, np.uint8).reshape(width, -1)
    items = np.zeros((planes.shape[1], size), np.uint8)
    for place in range(width):
        items[:, place] = planes[place]
    return items.view(_UNSIGNED[size]).reshape(-1)


# ---- bits


def encode_bits(bits: Mask) -> bytes:
    """Return the part that holds (n,) bool: a bitmap, the first in the lowest bit of the first byte."""
    return _BITS_HEAD.pack(len(bits)) + pad(np.packbits(bits, bitorder="little").tobytes())


def decode_bits(cursor: Cursor) -> Mask:
    """Return the (n,) bool of the next part."""
    count = _check_count(_BITS_HEAD.unpack(cursor.take(_BITS_HEAD.size))[0])
    data = np.frombuffer(cursor.take_padded((count + 7) // 8), np.uint8)
    return np.unpackbits(data, count=count, bitorder="little").view(np.bool_)
