"""One bit of a store changed: fsck names it, and no read ever gives other bytes."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from cas.errors import CorruptObject, ObjectNotFound
from cas.formats.node import encode
from cas.local.fsck import check
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.oid import oid_of
from tests.cas.test_graph import Knot

SMALL, FIRST, SECOND = b"loose and small", b"first in the pack " * 3, b"second"
# two frames, of few bytes
LARGE = bytes(5 << 20)
OBJECTS = [SMALL, FIRST, SECOND, LARGE]
NODE = encode(Knot("all", tuple(map(oid_of, OBJECTS))))


@pytest.fixture
def store(tmp_path):
    """A store with each kind of file that bytes of objects lie in."""
    store = LocalStore.create(tmp_path / ".acc", durability="none")
    store.put(SMALL)
    store.put(LARGE)
    store.put_many([FIRST, SECOND, NODE])
    store.packs.write_multi_index()
    return store


@pytest.fixture
def refs(store):
    refs = LocalRefs(store.root / "refs.sqlite", durability="none")
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", oid_of(NODE))
    yield refs
    refs.close()


def files(store):
    paths = [path for folder in ("objects", "packs") for path in (store.root / folder).rglob("*")]
    return sorted(path for path in paths if path.is_file())


def named(report, path):
    """Return whether one of the problems is in the file at `path`."""
    return any(problem.path == path for problem in report.problems)


def reads(store):
    """Yield what each way to read gives of each object, and what it should be."""
    for data in [*OBJECTS, NODE]:
        oid = oid_of(data)
        for read in (store.get, _open_and_read, _read_pieces, _export, _read_with_others):
            with suppress(CorruptObject, ObjectNotFound):
                yield read(oid) if read == store.get else read(store, oid), data


def _open_and_read(store, oid):
    with store.open(oid) as stream:
        return stream.read()


def _read_pieces(store, oid):
    return b"".join(store.pieces(oid))


def _export(store, oid):
    with tempfile.TemporaryFile() as file:
        store.export(oid, file.fileno())
        file.seek(0)
        return file.read()


def _read_with_others(store, oid):
    return store.get_many([oid, oid_of(NODE)])[oid]


def flip(path, place, bit):
    with open(path, "r+b", buffering=0) as file:
        byte = os.pread(file.fileno(), 1, place)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), place)


def test_the_store_of_these_tests_is_sound_and_has_all_kinds_of_files(store, refs):
    assert check(store, refs).problems == ()
    kinds = {path.suffix for path in files(store)}
    assert kinds == {"", ".pack", ".idx"}
    assert sum(path.stat().st_size for path in files(store)) < 4000


@pytest.mark.parametrize("bits", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_every_flipped_bit_is_named_and_never_read(store, refs, bits):
    for path in files(store):
        path.chmod(0o644)
        for place in range(0, path.stat().st_size, 1 if bits == 8 else 5):
            for bit in range(8) if bits == 8 else [place * 5 % 8]:
                flip(path, place, bit)
                report = check(LocalStore(store.root), refs)
                assert named(report, path), f"bit {bit} of byte {place} of {path.name}"
                # the bytes of the large object are the same for all ways to read it, so a few places will do
                if bits == 1 and (place % 16 == 0 or path.suffix):
                    assert all(found == data for found, data in reads(LocalStore(store.root)))
                flip(path, place, bit)
    assert check(LocalStore(store.root), refs).problems == ()


def test_every_cut_is_named_and_never_read(store, refs):
    for path in files(store):
        path.chmod(0o644)
        good = path.read_bytes()
        for end in {*range(0, len(good), 23), len(good) - 1}:
            os.truncate(path, end)
            assert named(check(LocalStore(store.root), refs), path), f"{path.name} cut at {end}"
            assert all(found == data for found, data in reads(LocalStore(store.root)))
            Path(path).write_bytes(good)
    assert check(LocalStore(store.root), refs).problems == ()
