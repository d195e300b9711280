import os
import random
import shutil
import subprocess
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import CorruptObject
from cas.formats.frame import SEAL_BYTES, SEAL_START
from cas.formats.pack import PACK_START, Segment, open_pack, read_entries, scan, scan_file, write_pack
from cas.formats.stream import encode, read_object
from cas.oid import oid_of
from tests.cas.formats.test_stream import LARGE, stored_form
from tests.strategies import blobs

OBJECTS = [b"", b"one", b"two, two, two, two", bytes(500)]


def part_of(data):
    return encode(data, bytes.fromhex(oid_of(data)))


def pack_of(folder, objects=OBJECTS):
    pack = write_pack(folder, map(part_of, objects), durable=False)
    return pack if pack is None else pack.path


def read(pack, data):
    """Return what `pack` has under the id of `data`, or None."""
    stored = pack.find_open(bytes.fromhex(oid_of(data)))
    if stored is None:
        return None
    try:
        return read_object(stored)
    finally:
        stored.close()


def verify_all(pack):
    for entry in pack.index:
        pack.verify(entry)


def damaged(pack):
    """Return how many objects of `pack` do not stand up to verification."""
    found = 0
    for entry in pack.index:
        try:
            pack.verify(entry)
        except CorruptObject:
            found += 1
    return found


def test_what_is_packed_is_read(tmp_path):
    pack = open_pack(pack_of(tmp_path))
    assert [read(pack, data) for data in OBJECTS] == OBJECTS
    assert read(pack, b"absent") is None
    assert not pack.damaged
    verify_all(pack)


def test_a_pack_can_hold_objects_of_many_frames(tmp_path):
    seal, stored, _ = stored_form(LARGE)
    pack = write_pack(tmp_path, [part_of(b"before"), (seal, stored), part_of(b"after")], durable=False)
    assert read(open_pack(pack.path), LARGE) == LARGE
    verify_all(pack)


def test_nothing_to_pack_leaves_no_pack(tmp_path):
    assert pack_of(tmp_path, []) is None
    assert not list(tmp_path.iterdir())


def test_a_pack_is_read_only_and_named_by_what_it_holds(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    for folder in (one, two):
        folder.mkdir()
    path = pack_of(one)
    assert not os.stat(path).st_mode & 0o222
    assert path.removeprefix(str(one)) == pack_of(two).removeprefix(str(two))
    assert path != pack_of(one, OBJECTS[:2])


@pytest.mark.parametrize("count", [5, 60, 61, 100, 5000])
def test_an_index_of_any_length_is_read(tmp_path, count):
    objects = [b"%d" % n for n in range(count)]
    pack = open_pack(pack_of(tmp_path, objects))
    assert not pack.damaged
    assert len(pack.index) == count
    assert [read(pack, data) for data in objects[::97]] == objects[::97]


def test_a_failed_pack_leaves_nothing(tmp_path):
    def parts():
        yield part_of(b"one")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_pack(tmp_path, parts(), durable=False)
    assert not list(tmp_path.iterdir())


# damage


def rewrite(path, data):
    path.unlink()
    path.write_bytes(data)


def test_every_flipped_bit_is_seen(tmp_path):
    path = tmp_path / "some.pack"
    objects = [b"one", b"two, two, two, two"]
    good = (tmp_path / pack_of(tmp_path, objects)).read_bytes()
    path.write_bytes(good)
    with open(path, "r+b", buffering=0) as file:
        for place, bit in product(range(len(good)), range(8)):
            os.pwrite(file.fileno(), bytes([good[place] ^ 1 << bit]), place)
            pack = open_pack(str(path))
            assert damaged(pack), "verify finds it"
            for data in objects:
                with suppress(CorruptObject):
                    assert read(pack, data) in (data, None), "and reading never gives other bytes"
            os.pwrite(file.fileno(), good[place : place + 1], place)
    verify_all(open_pack(str(path)))


def test_every_truncation_is_seen(tmp_path):
    path = tmp_path / "some.pack"
    good = (tmp_path / pack_of(tmp_path)).read_bytes()
    for end in range(len(good)):
        path.write_bytes(good[:end])
        pack = open_pack(str(path))
        assert pack.damaged
        for entry in pack.index:
            with pytest.raises(CorruptObject, match="index of its pack is damaged"):
                pack.verify(entry)


def test_a_pack_without_its_index_is_read_by_a_scan(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    whole = open_pack(str(path))
    rewrite(path, path.read_bytes()[: whole.index.end])
    pack = open_pack(str(path))
    assert pack.damaged
    assert list(pack.index) == list(whole.index)
    assert [read(pack, data) for data in OBJECTS] == OBJECTS


def test_a_scan_goes_on_behind_a_damaged_seal(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    whole = open_pack(str(path))
    victim = whole.index.find(bytes.fromhex(oid_of(b"one")))
    data = bytearray(path.read_bytes()[: whole.index.end])
    data[victim.offset + 20] ^= 1
    rewrite(path, data)
    pack = open_pack(str(path))
    assert read(pack, b"one") is None
    assert [read(pack, data) for data in OBJECTS if data != b"one"] == [d for d in OBJECTS if d != b"one"]


def test_a_scan_is_not_fooled_by_an_object_that_looks_like_a_seal(tmp_path):
    lookalike = SEAL_START + bytes(60) + random.Random(1).randbytes(3000)
    path = tmp_path / pack_of(tmp_path, [lookalike, b"behind"])
    data = bytearray(path.read_bytes())
    data[len(PACK_START) + 10] ^= 1
    assert SEAL_START in data[100:400]
    found = list(scan(bytes(data), 0, resume=True))
    assert [entry.oid for entry in found] == [oid_of(b"behind")]


# segments


@given(st.lists(blobs, max_size=5))
def test_a_segment_is_scanned(tmp_path_factory, objects):
    folder = tmp_path_factory.mktemp("segment")
    segment = Segment(str(folder / "1.segment"))
    entries = [segment.add(*part_of(data)) for data in objects]
    segment.close()
    assert scan_file(segment.path, 0) == entries
    assert list(read_entries(segment.path, entries)) == list(map(part_of, objects))


def test_a_segment_is_read_while_it_grows(tmp_path):
    segment = Segment(str(tmp_path / "1.segment"))
    first = segment.add(*part_of(b"first"))
    assert scan_file(segment.path, 0) == [first]
    second = segment.add(*part_of(b"second"))
    assert scan_file(segment.path, first.end) == [second]
    assert scan_file(segment.path, segment.end) == []
    segment.close()


def test_of_a_torn_segment_the_whole_entries_are_left(tmp_path):
    segment = Segment(str(tmp_path / "1.segment"))
    entries = [segment.add(*part_of(data)) for data in OBJECTS]
    segment.close()
    good = (tmp_path / "1.segment").read_bytes()
    for end in range(len(good) + 1):
        (tmp_path / "torn.segment").write_bytes(good[:end])
        whole = [entry for entry in entries if entry.end <= end]
        assert scan_file(str(tmp_path / "torn.segment"), 0) == whole


def test_changed_bytes_are_not_copied_on(tmp_path):
    segment = Segment(str(tmp_path / "1.segment"))
    entry = segment.add(*part_of(b"some bytes"))
    segment.close()
    with open(segment.path, "r+b") as file:
        file.seek(entry.offset + SEAL_BYTES + 9)
        file.write(b"?")
    with pytest.raises(CorruptObject, match="have changed"):
        list(read_entries(segment.path, [entry]))


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")
def test_zstd_reads_a_pack(tmp_path):
    path = pack_of(tmp_path, OBJECTS)
    done = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True)
    assert done.stdout == b"".join(OBJECTS)
