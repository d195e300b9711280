"""The pieces of a stored form: zstd frames, and the tables of large objects in skippable ones.

Notes
-----
Source: docs/reference/formats/object.md; frames and skippable frames are those of RFC 8878, the seek table is
that of the Zstandard Seekable Format (`contrib/seekable_format` of zstd).
"""

import struct
import threading
from collections.abc import Sequence
from typing import NamedTuple

import zstandard
from blake3 import blake3

from cas.errors import CorruptObject
from cas.formats.seal import SKIPPABLE, Seal
from cas.oid import Buffer, ObjectId

# no frame holds more raw bytes than this, so no reader ever needs more memory at once
FRAME_BYTES = 4 << 20
# bytes of the longest frame that zstd makes of 4 MiB (ZSTD_compressBound), for checks of what a table claims
STORED_FRAME_BYTES = FRAME_BYTES + (FRAME_BYTES >> 8)

_TABLE_START = struct.Struct("<4sI4s32sI")
_TABLE_ROW = struct.Struct("<QQ16s")
_TABLE_FOOTER = struct.Struct("<I4s")
_CHECK_BYTES = 16
TABLE_FOOTER_BYTES = _TABLE_FOOTER.size

_SEEKABLE_START = b"\x5e\x2a\x4d\x18"
_SEEKABLE_END = b"\xb1\xea\x92\x8f"
_SEEKABLE_FOOTER = struct.Struct("<IB4s")

# (objects of up to so many bytes, their level). Level 5 makes the 1-8 KB of records and nodes 3.1 % shorter than
# level 3 for twice its time, which a second core takes; above, it makes columns longer, at 1.6 times
_LEVELS = ((1 << 14, 5), (FRAME_BYTES, 3))

# a new compressor costs 8 us, and one must not be shared by threads
_reused = threading.local()


class FrameTable(NamedTuple):
    """Where the frames of a large object end, raw and stored, and the BLAKE3-128 of each one's raw bytes."""

    raw_ends: tuple[int, ...]
    stored_ends: tuple[int, ...]
    checks: tuple[bytes, ...]


def compress_frame(data: Buffer) -> bytes:
    """Return `data` (at most 4 MiB) as one zstd frame with its size and checksum."""
    frame: bytes = _compressor(len(data)).compress(data)
    return frame


def compress_frames(items: Sequence[Buffer]) -> list[bytes]:
    """Return `items` (at most 4 MiB each) as frames, as `compress_frame` does, in one call without the GIL."""
    frames = [b"" if len(item) else compress_frame(item) for item in items]
    lower = 0  # the call below refuses nothing but empty items
    for upper, _ in _LEVELS:
        places = [place for place, item in enumerate(items) if lower < len(item) <= upper]
        if places:
            compressor = _compressor(upper)
            found = compressor.multi_compress_to_buffer([items[place] for place in places], threads=1)
            for place, number in zip(places, range(len(found)), strict=True):
                frames[place] = found[number].tobytes()
        lower = upper
    return frames


def _compressor(raw_bytes: int) -> zstandard.ZstdCompressor:
    level = next(level for upper, level in _LEVELS if raw_bytes <= upper)
    try:
        compressors: dict[int, zstandard.ZstdCompressor] = _reused.compressors
    except AttributeError:
        compressors = _reused.compressors = {}
    if level not in compressors:
        compressors[level] = zstandard.ZstdCompressor(
            level=level, write_content_size=True, write_checksum=True
        )
    return compressors[level]


def decompress_frame(frame: Buffer, raw_bytes: int, oid: ObjectId, where: str) -> bytes:
    """Return the `raw_bytes` bytes of one zstd frame; the caller still checks them against id or frame table.

    Nothing is decompressed, and no memory taken, before the frame's header says just that size.
    """
    try:
        _check_size(frame, raw_bytes, oid, where)
        data: bytes = _decompressor().decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as err:
        raise CorruptObject(oid, f"a frame cannot be decompressed: {err}", where=where) from err
    if len(data) != raw_bytes:
        raise CorruptObject(oid, f"a frame holds {len(data)} bytes instead of {raw_bytes}", where=where)
    return data


def decompress_into(room: memoryview, frame: bytes, oid: ObjectId, where: str) -> None:
    """Fill `room` with what one zstd frame holds, which must be as much; else as `decompress_frame`.

    Memory that is used again costs a fifth less time than new memory for each frame of 4 MiB.
    """
    try:
        _check_size(frame, len(room), oid, where)
        # with room for the whole frame, zstd decompresses right into it
        reader = _decompressor().stream_reader(frame)
        written = reader.readinto(room)
        written += len(reader.read(1))  # only now is the frame's checksum looked at
    except zstandard.ZstdError as err:
        raise CorruptObject(oid, f"a frame cannot be decompressed: {err}", where=where) from err
    if written != len(room):
        raise CorruptObject(oid, f"a frame holds {written} bytes instead of {len(room)}", where=where)


def _check_size(frame: Buffer, raw_bytes: int, oid: ObjectId, where: str) -> None:
    claimed = zstandard.get_frame_parameters(frame).content_size
    if claimed != raw_bytes or raw_bytes > FRAME_BYTES:
        raise CorruptObject(oid, f"a frame says {claimed} bytes instead of {raw_bytes}", where=where)


def decompress_frames(
    frames: list[bytes | bytearray | memoryview], raw_bytes: Sequence[int]
) -> list[bytes] | None:
    """Return what `frames` hold, each of at most 4 MiB, in one call without the GIL; None when one is not sound.

    Each gets as much memory as `raw_bytes` says, whatever its header claims. The caller checks what comes out.
    """
    assert max(raw_bytes, default=0) <= FRAME_BYTES
    if not all(raw_bytes):
        return None  # the call below refuses frames of nothing
    sizes = struct.pack(f"={len(raw_bytes)}Q", *raw_bytes)
    try:
        found = _decompressor().multi_decompress_to_buffer(frames, decompressed_sizes=sizes, threads=1)
    except (
        zstandard.ZstdError,
        ValueError,
    ):  # ValueError: the first frame is not sound, so there is no buffer
        return None
    return [found[number].tobytes() for number in range(len(found))]


def _decompressor() -> zstandard.ZstdDecompressor:
    try:
        decompressor: zstandard.ZstdDecompressor = _reused.decompressor
    except AttributeError:
        decompressor = _reused.decompressor = zstandard.ZstdDecompressor()
    return decompressor


def check_of(data: Buffer) -> bytes:
    """Return the BLAKE3-128 of `data`: the first 16 bytes of its BLAKE3."""
    return blake3(data).digest(_CHECK_BYTES)


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


def table_owner(data: bytes) -> bytes:
    """Return the object id, as 32 bytes, that the frame table `data` is said to belong to; nothing is checked."""
    digest: bytes = _TABLE_START.unpack_from(data)[3]
    return digest


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


def encode_seek_table(table: FrameTable, seal_bytes: int) -> bytes:
    """Return the seek table of the Zstandard Seekable Format for a loose object, which other tools read.

    It has a row for every frame before it, so also for the frame table and the seal, which hold no raw bytes.
    """
    stored = [*lengths(table.stored_ends), table_bytes(len(table.checks)), seal_bytes]
    raw = [*lengths(table.raw_ends), 0, 0]
    rows = b"".join(map(struct.Struct("<II").pack, stored, raw))
    footer = _SEEKABLE_FOOTER.pack(len(raw), 0, _SEEKABLE_END)
    return _SEEKABLE_START + struct.pack("<I", len(rows) + len(footer)) + rows + footer


def find_seek_table_bytes(end: bytes) -> int | None:
    """Return how long the seek table is that ends with `end`, or None when none does."""
    if len(end) < _SEEKABLE_FOOTER.size or not end.endswith(_SEEKABLE_END):
        return None
    rows, _, _ = _SEEKABLE_FOOTER.unpack(end[-_SEEKABLE_FOOTER.size :])
    return 8 + 8 * int(rows) + _SEEKABLE_FOOTER.size
