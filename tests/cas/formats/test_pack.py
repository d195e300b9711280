import os
import random
import shutil
import subprocess
from contextlib import suppress
from itertools import product

import pytest

from cas.errors import CorruptObject
from cas.formats.encoder import encode
from cas.formats.pack import PACK_BYTES, PACK_START, open_pack, read_entries, write_packs
from cas.formats.salvage import salvage
from cas.formats.seal import SEAL_BYTES, SEAL_START, Seal, encode_seal
from cas.formats.stream import read_object
from cas.local.reading import verify_entries
from cas.oid import oid_of
from tests.cas.formats.test_stream import LARGE, stored_form

OBJECTS = [b"", b"one", b"two, two, two, two", bytes(500)]


def part_of(data):
    return encode(data, bytes.fromhex(oid_of(data)))


def pack_of(folder, objects=OBJECTS):
    (pack,) = write_packs(folder, map(part_of, objects), durable=False)
    return pack.path


def read(pack, data):
    """Return what `pack` has under the id of `data`, or None."""
    stored = pack.find_open(bytes.fromhex(oid_of(data)))
    if stored is None:
        return None
    try:
        return read_object(stored)
    finally:
        stored.close()


def flaws(pack):
    """Return all that a look at every byte of `pack` finds."""
    return [*pack.flaws(), *verify_entries(pack.path, pack.index)]


def test_what_is_packed_is_read(tmp_path):
    pack = open_pack(pack_of(tmp_path))
    assert [read(pack, data) for data in OBJECTS] == OBJECTS
    assert read(pack, b"absent") is None
    assert not pack.damaged
    assert not flaws(pack)


def test_a_pack_can_hold_objects_of_many_frames(tmp_path):
    seal, stored, _ = stored_form(LARGE)
    parts = [part_of(b"before"), (seal, stored), part_of(b"after")]
    (pack,) = write_packs(tmp_path, parts, durable=False)
    assert read(open_pack(pack.path), LARGE) == LARGE
    assert not flaws(pack)


def test_nothing_to_pack_leaves_no_pack(tmp_path):
    assert write_packs(tmp_path, [], durable=True) == []
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
        write_packs(tmp_path, parts(), durable=False)
    assert not list(tmp_path.iterdir())


def test_a_pack_gets_no_more_when_it_is_full_and_all_appear_together(tmp_path):
    def parts():
        for number in range(3):
            yield Seal(bytes([number]) * 32, 5, PACK_BYTES // 2, 0), bytes(PACK_BYTES // 2)
            assert not list(tmp_path.glob("*.pack"))

    packs = write_packs(tmp_path, parts(), durable=False)
    assert [len(pack.index) for pack in packs] == [2, 1]
    assert {path.name for path in tmp_path.iterdir()} == {pack.name for pack in packs}


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
            assert flaws(pack), "verify finds it"
            for data in objects:
                with suppress(CorruptObject):
                    assert read(pack, data) in (data, None), "and reading never gives other bytes"
            os.pwrite(file.fileno(), good[place : place + 1], place)
    assert not flaws(open_pack(str(path)))


def test_every_truncation_is_seen(tmp_path):
    path = tmp_path / "some.pack"
    good = (tmp_path / pack_of(tmp_path)).read_bytes()
    for end in range(len(good)):
        path.write_bytes(good[:end])
        pack = open_pack(str(path))
        assert len(pack.index) <= len(OBJECTS)
        assert pack.damaged
        assert "index is damaged or missing" in next(pack.flaws())


def test_a_pack_without_its_index_is_read_by_a_scan(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    whole = open_pack(str(path))
    rewrite(path, path.read_bytes()[: whole.index.end])
    pack = open_pack(str(path))
    assert pack.damaged
    assert sorted(pack.index) == list(whole.index)
    assert [read(pack, data) for data in OBJECTS] == OBJECTS


def test_a_scan_goes_on_behind_a_damaged_seal(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    whole = open_pack(str(path))
    victim = whole.index.find(bytes.fromhex(oid_of(b"one")))
    data = bytearray(path.read_bytes()[: whole.index.end])
    data[victim.offset + 13] ^= 1
    rewrite(path, data)
    pack = open_pack(str(path))
    assert read(pack, b"one") is None
    assert [read(pack, data) for data in OBJECTS if data != b"one"] == [d for d in OBJECTS if d != b"one"]


def test_a_scan_is_not_fooled_by_an_object_that_looks_like_a_seal(tmp_path):
    lookalike = SEAL_START + bytes(16) + random.Random(1).randbytes(3000)
    path = tmp_path / pack_of(tmp_path, [lookalike, b"behind"])
    data = bytearray(path.read_bytes())
    data[len(PACK_START) + 10] ^= 1
    assert SEAL_START in data[40:400]
    assert [entry.oid for entry in salvage(bytes(data), "")] == [oid_of(b"behind")]


def test_a_scan_leaves_out_what_does_not_decompress(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    whole = open_pack(str(path))
    data = bytearray(path.read_bytes()[: whole.index.end])
    data[whole.index.find(bytes.fromhex(oid_of(b"one"))).start + 6] ^= 1
    rewrite(path, data)
    assert {entry.oid for entry in open_pack(str(path)).index} == {oid_of(d) for d in OBJECTS if d != b"one"}


def test_bytes_between_objects_are_seen(tmp_path):
    seal, stored = part_of(b"one")
    (pack,) = write_packs(tmp_path, [(seal, stored + b"stowaway"), part_of(b"two")], durable=False)
    assert list(pack.flaws()) == ["there are bytes between its objects"]


def test_changed_bytes_are_not_copied_on(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    entry = open_pack(str(path)).index.find(bytes.fromhex(oid_of(b"one")))
    data = bytearray(path.read_bytes())
    data[entry.start + 9] ^= 1
    rewrite(path, data)
    with pytest.raises(CorruptObject, match="have changed"):
        list(read_entries(str(path), [entry]))


def test_the_seal_of_another_object_is_not_taken(tmp_path):
    path = tmp_path / pack_of(tmp_path)
    entry = open_pack(str(path)).index.find(bytes.fromhex(oid_of(b"one")))
    data = bytearray(path.read_bytes())
    data[entry.offset : entry.start] = encode_seal(Seal(b"", 4, entry.stored_bytes, 0))
    rewrite(path, data)
    assert len(data[entry.offset : entry.start]) == SEAL_BYTES
    with pytest.raises(CorruptObject, match="of another object"):
        open_pack(str(path)).find_open(entry.digest)


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")
def test_zstd_reads_a_pack(tmp_path):
    path = pack_of(tmp_path, OBJECTS)
    done = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True)
    assert done.stdout == b"".join(OBJECTS)


@pytest.mark.skipif(not (shutil.which("zstd") and shutil.which("b3sum")), reason="no zstd, no b3sum")
def test_zstd_and_b3sum_print_the_name_of_every_object_cut_out_of_a_pack(tmp_path):
    large = bytes(5 << 20) + LARGE[: 1 << 20]
    staged, table_and_all = stored_form(large)[:2]
    parts = [*map(part_of, [*OBJECTS, *(b"%d" % number * number for number in range(1, 20))])]
    (pack,) = write_packs(tmp_path, [*parts, (staged, table_and_all)], durable=False)
    cut = 'tail -c "+$(($1 + 1))" "$3" | head -c "$2" | zstd -dc | b3sum --no-names'
    for entry in pack.index:
        command = ["sh", "-c", cut, "cut", str(entry.start), str(entry.stored_bytes), pack.path]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == entry.oid
