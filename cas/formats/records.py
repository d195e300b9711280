"""Records of one width, sorted by the object id that each begins with, and found by bisection.

What the index of a pack and the index over many packs have in common.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import struct
from collections.abc import Iterable, Iterator
from mmap import mmap
from typing import TypeAlias

IndexBytes: TypeAlias = bytes | mmap

DIGEST_BYTES = 32
FAN_OUT_BITS = (0, 8, 16)

# up to so many records are searched at once
_FEW = 64
_TWO = struct.Struct("<II")


def fan_out_bits(count: int) -> int:
    """Return how wide a fan-out pays: the index of a job's few objects must not be longer than they are."""
    if count < 1 << 10:
        return 0
    return 8 if count < 1 << 16 else 16


def fan_out_bytes(bits: int) -> int:
    """Return how long a fan-out over so many bits is."""
    return 4 << bits if bits else 0


class FanOut:
    """How many ids do not lie above each value of their first bits, counted while records are written."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._counts = [0] * (1 << bits) if bits else []

    def count(self, digests: Iterable[bytes]) -> None:
        """Count `digests`."""
        counts, width = self._counts, self._bits // 8
        if counts:
            for digest in digests:
                counts[int.from_bytes(digest[:width], "big")] += 1

    def encode(self) -> bytes:
        """Return the fan-out; nothing for one of 0 bits."""
        total, sums = 0, []
        for count in self._counts:
            total += count
            sums.append(total)
        return struct.pack(f"<{len(sums)}I", *sums)


class Records:
    """Sorted records in `data`, read or mapped, from `start` on; the fan-out stands `gap` bytes before them.

    Parameters
    ----------
    data, start, gap
        Where they are; `gap` is at least the length of the fan-out.
    count, width
        How many there are, and how many bytes each has.
    bits
        Width of the fan-out.
    """

    __slots__ = ("_base", "_bits", "_count", "_data", "_digest", "_fan", "_width")

    def __init__(self, data: IndexBytes, start: int, gap: int, count: int, width: int, bits: int) -> None:
        self._data = data
        self._base = start
        self._fan = start - gap
        self._count = count
        self._width = width
        self._bits = bits
        self._digest = struct.Struct(f"<{DIGEST_BYTES}s{width - DIGEST_BYTES}x")

    def __len__(self) -> int:
        return self._count

    def find(self, digest: bytes) -> bytes | None:
        """Return the record of an id, or None."""
        width = self._width
        low, high = self._fan_of(digest)
        if high - low > _FEW:
            low = self._bisect(digest, low, high)
            high = min(low + 1, high)
        # to search a few records byte by byte is quicker than to step through them
        records = self._data[self._base + low * width : self._base + high * width]
        at = records.find(digest)
        while at % width and at >= 0:  # within a record it may stand by chance
            at = records.find(digest, at + 1)
        return records[at : at + width] if at >= 0 else None

    def between(self, low: bytes, high: bytes | None) -> bytes:
        """Return the records whose ids are not below `low` and, unless it is None, below `high`."""
        start = self._place(low.ljust(DIGEST_BYTES, b"\0"))
        end = self._count if high is None else self._place(high.ljust(DIGEST_BYTES, b"\0"))
        return self._data[self._base + start * self._width : self._base + end * self._width]

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield the ids that begin with `prefix`, sorted; many times as fast as to go through the records."""
        if not prefix:
            yield from (
                digest for (digest,) in self._digest.iter_unpack(self._data[self._base : self._end()])
            )
            return
        for place in range(self._place(bytes.fromhex(prefix.ljust(64, "0"))), self._count):
            at = self._base + place * self._width
            digest = self._data[at : at + DIGEST_BYTES]
            if not digest.hex().startswith(prefix):
                return
            yield digest

    def _end(self) -> int:
        return self._base + self._count * self._width

    def _place(self, digest: bytes) -> int:
        """Return the place of the first record whose id is not below `digest`."""
        return self._bisect(digest, *self._fan_of(digest))

    def _bisect(self, digest: bytes, low: int, high: int) -> int:
        """Return the place of the first record from `low` to `high` whose id is not below `digest`, or `high`."""
        data, base, width = self._data, self._base, self._width
        while low < high:
            middle = (low + high) >> 1
            at = base + middle * width
            if data[at : at + DIGEST_BYTES] < digest:
                low = middle + 1
            else:
                high = middle
        return low

    def _fan_of(self, digest: bytes) -> tuple[int, int]:
        """Return between which places the fan-out says that `digest` lies."""
        bits = self._bits
        if not bits:
            return 0, self._count
        slot = digest[0] << 8 | digest[1] if bits == 16 else digest[0]
        if not slot:
            return 0, int.from_bytes(self._data[self._fan : self._fan + 4], "little")
        return _TWO.unpack_from(self._data, self._fan + 4 * slot - 4)
