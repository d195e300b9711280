"""The pieces of a stored form: zstd frames, and skippable ones around them (seal, frame table, seek table).

Notes
-----
Source: docs/reference/formats/object.md; frames and skippable frames are those of RFC 8878, the seek table is
that of the Zstandard Seekable Format (`contrib/seekable_format` of zstd).
"""

import struct
import threading
from collections.abc import Sequence
from mmap import mmap
from typing import NamedTuple
from zlib import crc32

import zstandard
from blake3 import blake3

from cas.errors import CorruptObject
from cas.oid import Buffer, ObjectId

# no frame holds more raw bytes than this, so no reader ever needs more memory at once
FRAME_BYTES = 4 << 20
# what acc itself puts around frames; every zstd decoder skips it
SKIPPABLE = b"\x5c\x2a\x4d\x18"
# bytes of the longest frame that zstd makes of 4 MiB (ZSTD_compressBound), for checks of what a table claims
STORED_FRAME_BYTES = FRAME_BYTES + (FRAME_BYTES >> 8)

_SEAL = struct.Struct("<4sI4sI32sQQI")
_CRC = struct.Struct("<I")
SEAL_BYTES = _SEAL.size + _CRC.size
SEAL_START = struct.pack("<4sI4s", SKIPPABLE, SEAL_BYTES - 8, b"accO")

_TABLE_START = struct.Struct("<4sI4s32sI")
_TABLE_ROW = struct.Struct("<QQ16s")
_TABLE_FOOTER = struct.Struct("<I4s")
_CHECK_BYTES = 16
TABLE_FOOTER_BYTES = _TABLE_FOOTER.size

_SEEKABLE_START = b"\x5e\x2a\x4d\x18"
_SEEKABLE_END = b"\xb1\xea\x92\x8f"

# a new compressor costs 8 us, and one must not be shared by threads
_reused = threading.local()


class Seal(NamedTuple):
    """What is said of one stored form: whose it is, how long, and the CRC-32 of its stored bytes.

    Attributes
    ----------
    digest : bytes
        The object id, as 32 bytes.
    form : int
        How the object is stored: 0, as frames. Other numbers are for later.
    """

    digest: bytes
    raw_bytes: int
    stored_bytes: int
    crc: int
    form: int = 0

    @property
    def oid(self) -> ObjectId:
        """The object id as text."""
        return ObjectId(self.digest.hex())


class FrameTable(NamedTuple):
    """Where the frames of a large object end, raw and stored, and the BLAKE3-128 of each one's raw bytes."""

    raw_ends: tuple[int, ...]
    stored_ends: tuple[int, ...]
    checks: tuple[bytes, ...]


def compress_frame(data: Buffer) -> bytes:
    """Return `data` (at most 4 MiB) as one zstd frame with its size and checksum."""
    try:
        compressor = _reused.compressor
    except AttributeError:
        compressor = zstandard.ZstdCompressor(level=3, write_content_size=True, write_checksum=True)
        _reused.compressor = compressor
    frame: bytes = compressor.compress(data)
    return frame


def decompress_frame(frame: Buffer, raw_bytes: int, oid: ObjectId, where: str) -> bytes:
    """Return the `raw_bytes` bytes of one zstd frame; the caller still checks them against id or frame table.

    Nothing is decompressed, and no memory taken, before the frame's header says just that size.
    """
    try:
        claimed = zstandard.get_frame_parameters(frame).content_size
        if claimed != raw_bytes or raw_bytes > FRAME_BYTES:
            raise CorruptObject(oid, f"a frame says {claimed} bytes instead of {raw_bytes}", where=where)
        data: bytes = _decompressor().decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as err:
        raise CorruptObject(oid, f"a frame cannot be decompressed: {err}", where=where) from err
    if len(data) != raw_bytes:
        raise CorruptObject(oid, f"a frame holds {len(data)} bytes instead of {raw_bytes}", where=where)
    return data


def _decompressor() -> zstandard.ZstdDecompressor:
    try:
        decompressor: zstandard.ZstdDecompressor = _reused.decompressor
    except AttributeError:
        decompressor = _reused.decompressor = zstandard.ZstdDecompressor()
    return decompressor


def check_of(data: Buffer) -> bytes:
    """Return the BLAKE3-128 of `data`: the first 16 bytes of its BLAKE3."""
    return blake3(data).digest(_CHECK_BYTES)


def encode_seal(seal: Seal) -> bytes:
    """Return `seal` as a skippable frame, which ends in a CRC-32 of itself.

    >>> len(encode_seal(Seal(bytes(32), 0, 13, 0)))
    72
    """
    packed = _SEAL.pack(SKIPPABLE, SEAL_BYTES - 8, b"accO", seal.form, *seal[:4])
    return packed + _CRC.pack(crc32(packed))


def find_seal(data: Buffer | mmap, offset: int = 0) -> Seal | None:
    """Return the seal that stands at `offset` in `data`, or None when there is none or it is damaged."""
    end = offset + _SEAL.size
    packed = bytes(data[offset:end])
    crc = data[end : end + _CRC.size]
    if not packed.startswith(SEAL_START) or crc != _CRC.pack(crc32(packed)):
        return None
    _, _, _, form, digest, raw_bytes, stored_bytes, stored_crc = _SEAL.unpack(packed)
    return Seal(digest, raw_bytes, stored_bytes, stored_crc, form)


def encode_table(digest: bytes, table: FrameTable) -> bytes:
    """Return the frame table of the object `digest` as a skippable frame.

    It ends in the number of its rows, so that it can be found from the end of the stored form.
    """
    count = len(table.checks)
    rows = b"".join(map(_TABLE_ROW.pack, *table))
    start = _TABLE_START.pack(SKIPPABLE, table_bytes(count) - 8, b"accT", digest, count)
    return start + rows + check_of(start + rows) + _TABLE_FOOTER.pack(count, b"Tcca")


def table_bytes(count: int) -> int:
    """Return how long the frame table of `count` frames is, its header included."""
    return _TABLE_START.size + count * _TABLE_ROW.size + _CHECK_BYTES + TABLE_FOOTER_BYTES


def find_table_bytes(footer: bytes) -> int | None:
    """Return how long the frame table is that ends in these 8 bytes, or None when none does."""
    if len(footer) != TABLE_FOOTER_BYTES:
        return None
    count, tag = _TABLE_FOOTER.unpack(footer)
    return table_bytes(count) if tag == b"Tcca" and count else None


def decode_table(data: bytes, seal: Seal, where: str) -> FrameTable:
    """Return the frame table `data` of the object that `seal` tells of, checked against it."""
    sealed = len(data) - _CHECK_BYTES - TABLE_FOOTER_BYTES
    if data[sealed : sealed + _CHECK_BYTES] != check_of(data[:sealed]):
        raise CorruptObject(seal.oid, "its frame table is damaged", where=where)
    rows = _TABLE_ROW.iter_unpack(data[_TABLE_START.size : sealed])
    raw_ends, stored_ends, checks = zip(*rows, strict=True)
    table = FrameTable(raw_ends, stored_ends, checks)
    if data != encode_table(seal.digest, table) or not _fits(table, seal, len(data)):
        raise CorruptObject(seal.oid, "its frame table is that of another object", where=where)
    return table


def _fits(table: FrameTable, seal: Seal, own_bytes: int) -> bool:
    """Return whether the frames are as long as frames may be, and together what `seal` says."""
    raw, stored = lengths(table.raw_ends), lengths(table.stored_ends)
    return (
        table.raw_ends[-1] == seal.raw_bytes
        and table.stored_ends[-1] + own_bytes == seal.stored_bytes
        and 0 < min(raw) <= max(raw) <= FRAME_BYTES
        and 0 < min(stored) <= max(stored) <= STORED_FRAME_BYTES
    )


def lengths(ends: Sequence[int]) -> list[int]:
    """Return the lengths of parts that end at `ends`.

    >>> lengths([4, 8, 9])
    [4, 4, 1]
    """
    return [end - start for start, end in zip((0, *ends), ends, strict=False)]


def encode_seek_table(table: FrameTable) -> bytes:
    """Return the seek table of the Zstandard Seekable Format for a loose object, which other tools read.

    It has a row for every frame before it, so also for the frame table and the seal, which hold no raw bytes.
    """
    stored = [*lengths(table.stored_ends), table_bytes(len(table.checks)), SEAL_BYTES]
    raw = [*lengths(table.raw_ends), 0, 0]
    rows = b"".join(map(struct.Struct("<II").pack, stored, raw))
    footer = struct.pack("<IB4s", len(raw), 0, _SEEKABLE_END)
    return _SEEKABLE_START + _CRC.pack(len(rows) + len(footer)) + rows + footer


def seek_table_bytes(count: int) -> int:
    """Return how long the seek table of an object of `count` frames is."""
    return 8 + 8 * (count + 2) + 9


def tail_of(seal: Seal, table: FrameTable | None) -> bytes:
    """Return what follows the stored form in a loose object: the seal, and the seek table of many frames."""
    return encode_seal(seal) + (encode_seek_table(table) if table else b"")


def find_tail_bytes(end: bytes) -> int | None:
    """Return how long the tail of a loose object is whose last 72 bytes are `end`, or None when it has none.

    The seal is looked for first: a seek table has zeros where a seal begins, so neither passes for the other.
    """
    if find_seal(end):
        return SEAL_BYTES
    if len(end) < SEAL_BYTES or not end.endswith(_SEEKABLE_END):
        return None
    rows, _, _ = struct.unpack("<IB4s", end[-9:])
    return SEAL_BYTES + seek_table_bytes(rows - 2)
