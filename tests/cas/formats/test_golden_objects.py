"""Stored bytes of each version, written once: they must be readable for ever.

The second half reads them by the pages docs/reference/formats/object.md and pack.md, with nothing of ours.
"""

import struct
from pathlib import Path
from zlib import crc32

import pytest
import zstandard
from blake3 import blake3

from cas.formats.multiindex import open_multi_index
from cas.formats.pack import open_pack
from cas.formats.stream import read_object
from cas.local.loose import LooseObjects
from cas.local.reading import read_places, verify_entries
from cas.oid import oid_of

GOLDEN = Path(__file__).parents[2] / "golden"
# the last has two frames, the first of 3 MiB
RAW = [b"", b"hello, world\n", bytes(range(256)) * 20_000]
PACK_1 = GOLDEN / "v1" / "pack" / "d809b8be5303fdd139a1b698c1f3512e2105d8fe6430e5c3a16b769ee92c4ecb.pack"
PACK = GOLDEN / "v2" / "pack" / "ee425d3936e7514939ce0ab6d0498afb15c7c267b42bf174eea475863b18bf0b.pack"


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("data", RAW, ids=["empty", "hello", "large"])
def test_a_loose_object_is_still_read(data, version, tmp_path):
    oid = oid_of(data)
    folder = tmp_path / oid[:2]
    folder.mkdir()
    (folder / oid).write_bytes((GOLDEN / version / "object" / oid).read_bytes())
    loose = LooseObjects(tmp_path, durable=False)
    loose.verify(oid)
    stored = loose.find_open(oid)
    assert read_object(stored) == data
    stored.close()


@pytest.mark.parametrize("path", [PACK_1, PACK], ids=["v1", "v2"])
def test_a_pack_is_still_read(path):
    pack = open_pack(str(path))
    assert not pack.damaged
    assert {entry.oid for entry in pack.index} == set(map(oid_of, RAW))
    assert not list(pack.flaws())
    assert not list(verify_entries(str(path), pack.index))
    assert {data for _, data in read_places((str(path), entry) for entry in pack.index)} == set(RAW)


def test_an_index_over_packs_is_still_read():
    index = open_multi_index(str(PACK.parent / "multi.idx"))
    assert index.is_sound()
    assert index.packs == (PACK.stem,)
    assert [index.find(entry.digest) for entry in open_pack(str(PACK)).index] == [
        (0, entry) for entry in open_pack(str(PACK)).index
    ]


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


def read_named_seal(data):
    """Return id, raw bytes, stored bytes and CRC-32 of the named seal that `data` begins with."""
    magic, length, tag, form, oid, raw_bytes, stored_bytes, crc, own = struct.unpack(
        "<4sI4sI32sQQII", data[:72]
    )
    assert (magic, length, tag, form) == (b"\x5c\x2a\x4d\x18", 64, b"accO", 0)
    assert crc32(data[:68]) == own
    return oid, raw_bytes, stored_bytes, crc


def read_seal(data):
    """Return raw bytes, stored bytes and CRC-32 of the seal that `data` begins with."""
    magic, length, raw_bytes, stored_bytes, crc, own = struct.unpack("<4sIIIII", data[:24])
    assert (magic, length) == (b"\x5d\x2a\x4d\x18", 16)
    assert crc32(data[:20]) == own
    return raw_bytes, stored_bytes, crc


@pytest.mark.parametrize(("version", "seal_bytes"), [("v1", 72), ("v2", 24)])
@pytest.mark.parametrize("data", RAW, ids=["empty", "hello", "large"])
def test_a_loose_object_is_what_its_page_says(data, version, seal_bytes):
    file = (GOLDEN / version / "object" / oid_of(data)).read_bytes()
    at = len(file) - seal_bytes
    if len(data) > 4 << 20:
        rows, _, magic = struct.unpack("<IBI", file[-9:])
        assert magic == 0x8F92EAB1
        at -= 17 + 8 * rows
        seek_table = list(struct.iter_unpack("<II", file[at + seal_bytes + 8 : -9]))
        assert [sum(column) for column in zip(*seek_table, strict=True)] == [at + seal_bytes, len(data)]
    seal = read_named_seal(file[at:])[1:] if version == "v1" else read_seal(file[at:])
    assert seal == (len(data), at, crc32(file[:at]))
    assert read_frames(file[:at], blake3(data).digest(), len(data)) == data


def test_a_pack_of_version_1_is_what_its_page_says():
    file = PACK_1.read_bytes()
    length, tag = struct.unpack("<I4s", file[-8:])
    index = file[-length:]
    assert (file[:16], tag) == (b"\x5c\x2a\x4d\x18\x08\x00\x00\x00accP\x01\x00\x00\x00", b"Icca")
    magic, rest, start, version, bits, _, count, end = struct.unpack("<4sI4sBBHQQ", index[:32])
    assert (magic, rest, start, version, bits) == (b"\x5c\x2a\x4d\x18", length - 8, b"accI", 1, 0)
    assert (len(index), end) == (56 + 64 * count, len(file) - length)
    assert blake3(index[:-24]).digest(16) == index[-24:-8]
    assert blake3(index).hexdigest() == PACK_1.stem
    records = list(struct.iter_unpack("<32sQQIIQ", index[32:-24]))
    assert [record[0].hex() for record in records] == sorted(map(oid_of, RAW))
    for oid, raw_bytes, stored_bytes, crc, form, at in records:
        assert read_named_seal(file[at:]) == (oid, raw_bytes, stored_bytes, crc)
        stored = file[at + 72 : at + 72 + stored_bytes]
        assert (crc, form) == (crc32(stored), 0)
        assert read_frames(stored, oid, raw_bytes) in RAW


def test_a_pack_is_what_its_page_says():
    file = PACK.read_bytes()
    length, tag = struct.unpack("<I4s", file[-8:])
    index = file[-length:]
    assert (file[:16], tag) == (b"\x5c\x2a\x4d\x18\x08\x00\x00\x00accP\x02\x00\x00\x00", b"Icca")
    magic, rest, start, version, bits, _, count, end = struct.unpack("<4sI4sBBHQQ", index[:32])
    assert (magic, rest, start, version, bits) == (b"\x5c\x2a\x4d\x18", length - 8, b"accI", 2, 0)
    assert (len(index), end) == (56 + 44 * count, len(file) - length)
    assert blake3(index[:-24]).digest(16) == index[-24:-8]
    assert blake3(index).hexdigest() == PACK.stem
    records = list(struct.iter_unpack("<32sIII", index[32:-24]))
    assert [record[0].hex() for record in records] == sorted(map(oid_of, RAW))
    for oid, at, stored_bytes, raw_bytes in records:
        stored = file[at + 24 : at + 24 + stored_bytes]
        assert read_seal(file[at:]) == (raw_bytes, stored_bytes, crc32(stored))
        assert read_frames(stored, oid, raw_bytes) in RAW


def test_an_index_over_packs_is_what_its_page_says():
    file = (PACK.parent / "multi.idx").read_bytes()
    tag, version, bits, _, packs, count = struct.unpack("<4sBBHIQ", file[:20])
    assert (tag, version, bits, packs, count) == (b"accM", 1, 0, 1, 3)
    assert file[20:52].hex() == PACK.stem
    assert file[52:68] == blake3(file[:52]).digest(16)
    assert file[-16:] == blake3(file[68:-16]).digest(16)
    index = PACK.read_bytes()[-(56 + 44 * 3) :]
    assert file[68:-16] == b"".join(index[at : at + 44] + bytes(4) for at in range(32, 32 + 44 * 3, 44))
