"""Stored bytes of version 1, written once: they must be readable for ever.

The second half reads them by the pages docs/reference/formats/object.md and pack.md, with nothing of ours.
"""

import struct
from pathlib import Path
from zlib import crc32

import pytest
import zstandard
from blake3 import blake3

from cas.formats.pack import open_pack
from cas.formats.stream import read_object
from cas.local.loose import LooseObjects
from cas.oid import oid_of

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"
# the last has two frames, the first of 3 MiB
RAW = [b"", b"hello, world\n", bytes(range(256)) * 20_000]
PACK = GOLDEN / "pack" / "d809b8be5303fdd139a1b698c1f3512e2105d8fe6430e5c3a16b769ee92c4ecb.pack"


@pytest.mark.parametrize("data", RAW, ids=["empty", "hello", "large"])
def test_a_loose_object_is_still_read(data, tmp_path):
    oid = oid_of(data)
    folder = tmp_path / oid[:2]
    folder.mkdir()
    (folder / oid).write_bytes((GOLDEN / "object" / oid).read_bytes())
    loose = LooseObjects(tmp_path, durable=False)
    loose.verify(oid)
    stored = loose.find_open(oid)
    assert read_object(stored) == data
    stored.close()


def test_a_pack_is_still_read():
    pack = open_pack(str(PACK))
    assert not pack.damaged
    assert {entry.oid for entry in pack.index} == set(map(oid_of, RAW))
    for entry in pack.index:
        pack.verify(entry)


# a second reader


def read_frames(stored, oid, raw_bytes):
    """Return the raw bytes of a stored form."""
    if raw_bytes <= 4 << 20:
        rows = [(raw_bytes, len(stored), None)]
    else:
        count, tag = struct.unpack("<I4s", stored[-8:])
        table = stored[-(72 + 32 * count) :]
        assert tag == b"Tcca"
        assert table[:48] == struct.pack(
            "<4sI4s32sI", b"\x5c\x2a\x4d\x18", 64 + 32 * count, b"accT", oid, count
        )
        assert blake3(table[:-24]).digest(16) == table[-24:-8]
        rows = list(struct.iter_unpack("<QQ16s", table[48:-24]))
        assert rows[-1][1] == len(stored) - len(table)
    raw, start = b"", 0
    for raw_end, end, check in rows:
        frame = stored[start:end]
        assert zstandard.get_frame_parameters(frame).content_size == raw_end - len(raw) <= 4 << 20
        data = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
        assert check in (None, blake3(data).digest(16))
        raw, start = raw + data, end
    assert blake3(raw).digest() == oid
    assert len(raw) == raw_bytes
    return raw


def read_seal(data):
    """Return id, raw bytes, stored bytes and CRC-32 of the seal that `data` begins with."""
    magic, length, tag, form, oid, raw_bytes, stored_bytes, crc, own = struct.unpack(
        "<4sI4sI32sQQII", data[:72]
    )
    assert (magic, length, tag, form) == (b"\x5c\x2a\x4d\x18", 64, b"accO", 0)
    assert crc32(data[:68]) == own
    return oid, raw_bytes, stored_bytes, crc


@pytest.mark.parametrize("data", RAW, ids=["empty", "hello", "large"])
def test_a_loose_object_is_what_its_page_says(data):
    file = (GOLDEN / "object" / oid_of(data)).read_bytes()
    at = len(file) - 72
    if len(data) > 4 << 20:
        rows, _, magic = struct.unpack("<IBI", file[-9:])
        assert magic == 0x8F92EAB1
        at -= 17 + 8 * rows
        seek_table = list(struct.iter_unpack("<II", file[at + 80 : -9]))
        assert [sum(column) for column in zip(*seek_table, strict=True)] == [at + 72, len(data)]
    oid, raw_bytes, stored_bytes, crc = read_seal(file[at:])
    assert (stored_bytes, crc) == (at, crc32(file[:at]))
    assert read_frames(file[:at], oid, raw_bytes) == data


def test_a_pack_is_what_its_page_says():
    file = PACK.read_bytes()
    length, tag = struct.unpack("<I4s", file[-8:])
    index = file[-length:]
    assert (file[:16], tag) == (b"\x5c\x2a\x4d\x18\x08\x00\x00\x00accP\x01\x00\x00\x00", b"Icca")
    magic, rest, start, version, bits, _, count, end = struct.unpack("<4sI4sBBHQQ", index[:32])
    assert (magic, rest, start, version, bits) == (b"\x5c\x2a\x4d\x18", length - 8, b"accI", 1, 0)
    assert (len(index), end) == (56 + 64 * count, len(file) - length)
    assert blake3(index[:-24]).digest(16) == index[-24:-8]
    assert blake3(index).hexdigest() == PACK.stem
    records = list(struct.iter_unpack("<32sQQIIQ", index[32:-24]))
    assert [record[0].hex() for record in records] == sorted(map(oid_of, RAW))
    for oid, raw_bytes, stored_bytes, crc, form, at in records:
        assert read_seal(file[at:]) == (oid, raw_bytes, stored_bytes, crc)
        stored = file[at + 72 : at + 72 + stored_bytes]
        assert (crc, form) == (crc32(stored), 0)
        assert read_frames(stored, oid, raw_bytes) in RAW
