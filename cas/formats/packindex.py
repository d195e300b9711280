"""The index of a pack: its entries sorted by id, found by bisection.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import struct
from collections.abc import Iterator, Sequence
from mmap import mmap
from typing import NamedTuple, TypeAlias

from blake3 import blake3

from cas.errors import UnknownFormat
from cas.formats.frame import SEAL_BYTES, SKIPPABLE, Seal, check_of
from cas.oid import ObjectId

IndexBytes: TypeAlias = bytes | mmap

_VERSION = 1
_START = struct.Struct("<4sI4sBBHQQ")
_ENTRY = struct.Struct("<32sQQIIQ")
_DIGEST = struct.Struct("<32s32x")
_FOOTER = struct.Struct("<I4s")
_CHECK_BYTES = 16
_WIDTHS = (0, 8, 16)
FOOTER_BYTES = _FOOTER.size


class Entry(NamedTuple):
    """One object of a pack: its seal, and where in the pack that seal stands (the stored form follows it)."""

    digest: bytes
    raw_bytes: int
    stored_bytes: int
    crc: int
    form: int
    offset: int

    @property
    def seal(self) -> Seal:
        """The seal, as it stands in the pack."""
        return Seal(*self[:5])

    @property
    def end(self) -> int:
        """Where in the pack the stored form ends."""
        return self.offset + SEAL_BYTES + self.stored_bytes

    @property
    def oid(self) -> ObjectId:
        """The object id as text."""
        return ObjectId(self.digest.hex())


def encode_index(entries: Sequence[Entry], end: int) -> bytes:
    """Return the index over `entries` as a skippable frame.

    Parameters
    ----------
    entries
        In any order, each id once.
    end
        Where in the pack the last entry ends and the index begins.
    """
    ordered = sorted(entries)
    bits = _fan_out_bits(len(ordered))
    fan_out = _fan_out([entry.digest for entry in ordered], bits)
    size = _START.size + len(fan_out) + len(ordered) * _ENTRY.size + _CHECK_BYTES + _FOOTER.size
    start = _START.pack(SKIPPABLE, size - 8, b"accI", _VERSION, bits, 0, len(ordered), end)
    body = start + fan_out + b"".join([_ENTRY.pack(*entry) for entry in ordered])
    return body + check_of(body) + _FOOTER.pack(size, b"Icca")


def _fan_out_bits(count: int) -> int:
    """Return how wide a fan-out pays: the index of a job's few objects must not be longer than they are."""
    if count < 1 << 10:
        return 0
    return 8 if count < 1 << 16 else 16


def _fan_out(digests: Sequence[bytes], bits: int) -> bytes:
    """Return how many ids do not lie above each value of their first `bits` bits; nothing for 0 bits."""
    if not bits:
        return b""
    counts = [0] * (1 << bits)
    for digest in digests:
        counts[_slot(digest, bits)] += 1
    total = 0
    for slot, count in enumerate(counts):
        total += count
        counts[slot] = total
    return struct.pack(f"<{len(counts)}I", *counts)


def _slot(digest: bytes, bits: int) -> int:
    return int.from_bytes(digest[: bits // 8], "big")


def find_index_bytes(footer: bytes) -> int | None:
    """Return how long the index is that ends in these 8 bytes, or None when none does."""
    if len(footer) != FOOTER_BYTES:
        return None
    size, tag = _FOOTER.unpack(footer)
    return size if tag == b"Icca" and size >= _START.size + _CHECK_BYTES + _FOOTER.size else None


class PackIndex:
    """An index that has been read, or mapped; `find_index` makes it.

    Attributes
    ----------
    end : int
        Where in the pack the last entry ends.
    """

    __slots__ = ("_base", "_bits", "_count", "_data", "end")

    def __init__(self, data: IndexBytes, start: int, count: int, bits: int, end: int) -> None:
        self.end = end
        self._data = data
        self._count = count
        self._bits = bits
        self._base = start + _START.size + _fan_out_bytes(bits)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        return map(Entry._make, _ENTRY.iter_unpack(self._entries()))

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield the ids that begin with `prefix`, sorted; many times as fast as to go through the entries."""
        if not prefix:
            yield from (digest for (digest,) in _DIGEST.iter_unpack(self._entries()))
            return
        for place in range(self._bisect(bytes.fromhex(prefix.ljust(64, "0"))), self._count):
            digest = self._entry(place).digest
            if not digest.hex().startswith(prefix):
                return
            yield digest

    def find(self, digest: bytes) -> Entry | None:
        """Return the entry of an object, or None."""
        place = self._bisect(digest)
        at = self._base + place * _ENTRY.size
        if place < self._count and self._data[at : at + 32] == digest:
            return self._entry(place)
        return None

    def _entries(self) -> bytes:
        return self._data[self._base : self._base + self._count * _ENTRY.size]

    def _entry(self, place: int) -> Entry:
        at = self._base + place * _ENTRY.size
        return Entry._make(_ENTRY.unpack(self._data[at : at + _ENTRY.size]))

    def _bisect(self, digest: bytes) -> int:
        """Return the place of the first entry whose id is not below `digest`."""
        data, base, size = self._data, self._base, _ENTRY.size
        low, high = self._fan(digest) if self._bits else (0, self._count)
        while low < high:
            middle = (low + high) // 2
            at = base + middle * size
            if data[at : at + 32] < digest:
                low = middle + 1
            else:
                high = middle
        return low

    def _fan(self, digest: bytes) -> tuple[int, int]:
        """Return between which places the fan-out says that `digest` lies."""
        slot = _slot(digest, self._bits)
        at = self._base - _fan_out_bytes(self._bits) + 4 * slot
        if not slot:
            return 0, int.from_bytes(self._data[at : at + 4], "little")
        low, high = struct.unpack("<II", self._data[at - 4 : at + 4])
        return low, high


def _fan_out_bytes(bits: int) -> int:
    return 4 << bits if bits else 0


def find_index(data: IndexBytes, start: int, where: str) -> PackIndex | None:
    """Return the index that `data` holds from `start` to its end, or None when it is damaged.

    Raises
    ------
    UnknownFormat
        When it is whole, but of a version that this acc does not know.
    """
    sealed = len(data) - _CHECK_BYTES - _FOOTER.size
    with memoryview(data) as view:
        check = blake3(view[start:sealed]).digest(_CHECK_BYTES)
    if data[sealed : sealed + _CHECK_BYTES] != check:
        return None
    magic, size, tag, version, bits, _, count, end = _START.unpack(data[start : start + _START.size])
    if magic != SKIPPABLE or tag != b"accI":
        return None
    if version != _VERSION:
        raise UnknownFormat(f"pack index '{where}' has version {version}, which this acc does not know")
    expected = _START.size + _fan_out_bytes(bits) + count * _ENTRY.size + _CHECK_BYTES + _FOOTER.size
    if bits not in _WIDTHS or size + 8 != len(data) - start or size + 8 != expected:
        return None
    return PackIndex(data, start, count, bits, end)
