"""A remote as version 1 wrote it: it must be readable for ever.

The second half reads it by the page docs/reference/formats/remote.md, with nothing of ours.
"""

import json
import random
import re
import shutil
import struct
from pathlib import Path

import pytest
import zstandard
from blake3 import blake3

from cas.formats.node import get_node
from cas.remote.upkeep.fsck import check
from cas.remote.upkeep.gc import sweep
from tests.cas.remote.clones import Clone, Leaf

GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / "remote"
LARGE = random.Random(1).randbytes(3000)
KEY = "ab" * 32


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "shared")
    return Clone(tmp_path / "clone", f"file://{tmp_path}/shared")


def test_all_that_it_holds_is_still_read(clone):
    refs = clone.fetch(blobs=True)
    assert refs.keys() == {"jobs/ann/1", "jobs/ann/2", f"actions/{KEY}"}
    top = get_node(clone.store, refs["jobs/ann/2"], Leaf)
    assert clone.store.get(top.files[0]) == LARGE
    below = get_node(clone.store, top.below[0], Leaf)
    assert clone.store.get(below.files[0]) == b"hello, world\n"


def test_it_is_sound_and_can_be_changed(clone):
    assert check(clone.store, clone.remote, full=True).problems == []
    clone.push(**{"jobs/bob/1": clone.node("new", [b"new"])})
    assert sweep(clone.store, clone.remote, grace_seconds=0).deleted > 0
    assert check(clone.store, clone.remote, full=True).problems == []


# a second reader


def read_log(path):
    """Return what a file of the log says."""
    data = path.read_bytes()
    seal = data[-72:]
    magic, length, tag, form, oid, raw_bytes, stored_bytes, _, _ = struct.unpack("<4sI4sI32sQQII", seal)
    assert (magic, length, tag, form) == (b"\x5c\x2a\x4d\x18", 64, b"accO", 0)
    raw = zstandard.ZstdDecompressor().decompress(data[:-72], read_across_frames=False)
    assert (len(raw), stored_bytes) == (raw_bytes, len(data) - 72)
    assert blake3(raw).digest() == oid
    told = json.loads(raw)
    assert told.keys() == {"format", "nonce", "why", "refs", "indexes", "objects", "dropped", "deleting"}
    assert raw == json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return told


def fold(files):
    """Return what transactions say together."""
    state = {name: {} for name in ("refs", "indexes", "objects", "dropped", "deleting")}
    for path in files:
        told = read_log(path)
        for name, held in state.items():
            held.update(told[name])
    return {name: {k: v for k, v in held.items() if v is not None} for name, held in state.items()}


def names_of_index(path):
    """Return the packs of an index over packs, and the objects with the numbers of their packs."""
    data = path.read_bytes()
    tag, version, bits, _, packs, count = struct.unpack_from("<4sBBHIQ", data)
    assert (tag, version, bits) == (b"accM", 1, 0)
    names = [data[20 + 32 * n : 52 + 32 * n].hex() for n in range(packs)]
    start = 36 + 32 * packs
    records = [struct.unpack_from("<32sIIII", data, start + 48 * n) for n in range(count)]
    assert len(data) == start + 48 * count + 16
    return names, {record[0].hex(): (names[record[4]], *record[1:4]) for record in records}


def test_a_second_reader_finds_the_same():
    told = json.loads((GOLDEN / "format").read_text())
    assert (told["version"], told["needs"]) == (1, [])
    singles = sorted(path for path in (GOLDEN / "log").iterdir() if re.match(r"(\d+)-\1$", path.name))
    state = fold(singles)
    merged = GOLDEN / "log" / "000000000001-000000000002"
    assert fold([merged, *singles[2:]]) == state
    assert state["refs"].keys() == {"jobs/ann/1", "jobs/ann/2", f"actions/{KEY}"}
    found = set()
    for name, lengths in state["indexes"].items():
        path = GOLDEN / "idx" / name
        assert blake3(path.read_bytes()).hexdigest() == name
        packs, objects = names_of_index(path)
        assert {*packs} == lengths.keys()
        for oid, (pack, offset, stored_bytes, raw_bytes) in objects.items():
            data = (GOLDEN / "packs" / f"{pack}.pack").read_bytes()
            assert len(data) == lengths[pack]
            raw = zstandard.ZstdDecompressor().decompress(data[offset + 24 : offset + 24 + stored_bytes])
            assert (blake3(raw).hexdigest(), len(raw)) == (oid, raw_bytes)
            found.add(oid)
    assert {*state["refs"].values()} <= found
    ((oid, (raw_bytes, stored_bytes, file_bytes)),) = state["objects"].items()
    data = (GOLDEN / "objects" / oid[:2] / f"{oid}-{file_bytes}").read_bytes()
    raw = zstandard.ZstdDecompressor().decompress(data[:stored_bytes])
    assert (raw, len(data), raw_bytes) == (LARGE, file_bytes, 3000)
    assert {key.partition("/")[0] for key in state["dropped"]} == {"idx", "packs"}
    assert state["deleting"] == {}
    assert json.loads((GOLDEN / "leases" / KEY).read_text()).keys() == {"beat", "nonce"}
