"""The index of a pack: its entries sorted by id.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Final, NamedTuple

from blake3 import blake3

from cas.errors import UnknownFormat
from cas.formats.frame import check_of
from cas.formats.records import FAN_OUT_BITS, FanOut, IndexBytes, Records, fan_out_bits, fan_out_bytes
from cas.formats.seal import NAMED_SEAL_BYTES, SEAL_BYTES, SKIPPABLE
from cas.oid import ObjectId

VERSION: Final = 2

_START = struct.Struct("<4sI4sBBHQQ")
_RECORD = struct.Struct("<32sIII")
_RECORD_1 = struct.Struct("<32sQQIIQ")
_FOOTER = struct.Struct("<I4s")
_CHECK_BYTES = 16
FOOTER_BYTES = _FOOTER.size
RECORD_BYTES = _RECORD.size


class Entry(NamedTuple):
    """One object of a pack: where its seal stands, and its stored form behind that.

    Attributes
    ----------
    offset : int
        Where in the pack the seal begins.
    seal_bytes : int
        How long the seal is, which tells its kind.
    """

    digest: bytes
    offset: int
    stored_bytes: int
    raw_bytes: int
    seal_bytes: int = SEAL_BYTES

    @property
    def start(self) -> int:
        """Where in the pack the stored form begins."""
        return self.offset + self.seal_bytes

    @property
    def end(self) -> int:
        """Where in the pack the stored form ends."""
        return self.offset + self.seal_bytes + self.stored_bytes

    @property
    def oid(self) -> ObjectId:
        """The object id as text."""
        return ObjectId(self.digest.hex())


def encode_index(entries: Sequence[Entry], end: int) -> bytes:
    """Return the index over `entries` as a skippable frame.

    Parameters
    ----------
    entries
        In any order, each id once, behind short seals.
    end
        Where in the pack the last entry ends and the index begins.
    """
    ordered = sorted(entries)
    bits = fan_out_bits(len(ordered))
    fan_out = FanOut(bits)
    fan_out.count(entry.digest for entry in ordered)
    size = index_bytes(len(ordered))
    start = _START.pack(SKIPPABLE, size - 8, b"accI", VERSION, bits, 0, len(ordered), end)
    body = start + fan_out.encode() + b"".join([_RECORD.pack(*entry[:4]) for entry in ordered])
    return body + check_of(body) + _FOOTER.pack(size, b"Icca")


def index_bytes(count: int) -> int:
    """Return how long the index over so many objects is."""
    return _index_bytes(count, fan_out_bits(count), _RECORD)


def _index_bytes(count: int, bits: int, record: struct.Struct) -> int:
    return _START.size + fan_out_bytes(bits) + count * record.size + _CHECK_BYTES + _FOOTER.size


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
    records : Records
        Its records; those of version 2 begin as those of an index over many packs.
    seal_bytes : int
        How long the seals in the pack are, which tells version 1 from version 2.
    """

    __slots__ = ("_entry", "_record", "end", "records", "seal_bytes")

    def __init__(self, records: Records, version: int, end: int) -> None:
        self.records = records
        self.seal_bytes = SEAL_BYTES if version == VERSION else NAMED_SEAL_BYTES
        self.end = end
        self._record = _RECORD if version == VERSION else _RECORD_1
        self._entry = decode_entry if version == VERSION else _entry_of_version_1

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Entry]:
        data, width = self.records.between(b"", None), self._record.size
        if self.seal_bytes == SEAL_BYTES:
            # the order of its fields is that of a record: many times as fast as to decode each
            return starmap(Entry, _RECORD.iter_unpack(data))
        return (self._entry(data[at : at + width]) for at in range(0, len(data), width))

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield the ids that begin with `prefix`, sorted; many times as fast as to go through the entries."""
        return self.records.digests(prefix)

    def __contains__(self, digest: bytes) -> bool:
        return self.records.find(digest) is not None

    def find(self, digest: bytes) -> Entry | None:
        """Return the entry of an object, or None."""
        record = self.records.find(digest)
        return self._entry(record) if record else None


def decode_entry(record: bytes) -> Entry:
    """Return the entry that a record tells of; bytes behind it are passed over."""
    return Entry._make((*_RECORD.unpack_from(record), SEAL_BYTES))


def _entry_of_version_1(record: bytes) -> Entry:
    digest, raw_bytes, stored_bytes, _, _, offset = _RECORD_1.unpack(record)
    return Entry(digest, offset, stored_bytes, raw_bytes, NAMED_SEAL_BYTES)


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
    if version not in (1, VERSION):
        raise UnknownFormat(f"pack index '{where}' has version {version}, which this acc does not know")
    record = _RECORD if version == VERSION else _RECORD_1
    if bits not in FAN_OUT_BITS or not size + 8 == len(data) - start == _index_bytes(count, bits, record):
        return None
    gap = fan_out_bytes(bits)
    records = Records(data, start + _START.size + gap, gap, count, record.size, bits)
    return PackIndex(records, version, end)
