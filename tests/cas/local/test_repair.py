import os
from pathlib import Path

import pytest

from cas.formats.node import encode
from cas.formats.pack import open_pack
from cas.local.fsck import check
from cas.local.refs import LocalRefs
from cas.local.repair import repair
from cas.local.store import LocalStore
from cas.memory import MemoryStore
from cas.oid import oid_of
from tests.cas.local.test_store import flip, pack
from tests.cas.test_graph import Knot

OBJECTS = [b"one " * 50, b"two " * 50, b"three " * 50]


@pytest.fixture
def store(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


@pytest.fixture
def refs(store):
    """Refs over a node that links to all of OBJECTS."""
    refs = LocalRefs(store.root / "refs.sqlite", durability="none")
    node = store.put(encode(Knot("all", tuple(map(oid_of, OBJECTS)))))
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", node)
    yield refs
    refs.close()


def mend(store, refs, *sources):
    """Check, repair and check again as other processes would; return what was done and whether all is sound."""
    fresh = LocalStore(store.root)
    done = repair(fresh, check(fresh, refs).problems, sources)
    return done, check(LocalStore(store.root), refs).is_sound


def elsewhere(*objects):
    source = MemoryStore()
    source.put_many(objects)
    return source


def entry(path, data):
    return open_pack(str(path)).index.find(bytes.fromhex(oid_of(data)))


def test_a_sound_store_is_left_as_it_is(store, refs):
    store.put_many(OBJECTS)
    done, sound = mend(store, refs)
    assert (done.quarantined, done.fetched, done.lost, sound) == ([], [], [], True)


def test_a_missing_object_is_fetched_from_the_first_store_that_has_it(store, refs):
    store.put_many(OBJECTS[1:])
    done, sound = mend(store, refs, elsewhere(), elsewhere(*OBJECTS))
    assert (done.fetched, done.lost, sound) == ([oid_of(OBJECTS[0])], [], True)
    assert store.get(oid_of(OBJECTS[0])) == OBJECTS[0]


@pytest.mark.parametrize("sound_in_trash", [True, False])
def test_a_sound_copy_in_the_trash_takes_the_place_of_a_corrupt_one(store, refs, sound_in_trash):
    for data in OBJECTS:
        store.put(data)
    oid = oid_of(OBJECTS[0])
    bin_ = store.trash.begin()
    store.trash.move_loose(oid, bin_)
    if not sound_in_trash:
        flip(bin_ / oid, 7)
    store.put(OBJECTS[0])
    flip(Path(store.loose.path_of(oid)), 7)
    done, sound = mend(store, refs)
    assert (done.fetched, done.lost, sound) == (([oid], [], True) if sound_in_trash else ([], [oid], False))
    assert LocalStore(store.root).has(oid) == sound_in_trash


def test_a_corrupt_loose_object_is_put_aside_and_fetched(store, refs):
    store.put_many(OBJECTS[1:])
    oid = store.put(OBJECTS[0])
    flip(Path(store.loose.path_of(oid)), 12)
    damaged = Path(store.loose.path_of(oid)).read_bytes()
    done, sound = mend(store, refs, elsewhere(*OBJECTS))
    assert (done.fetched, sound) == ([oid], True)
    (aside,) = done.quarantined
    assert aside.read_bytes() == damaged
    assert aside.is_relative_to(store.root / "quarantine")


def test_of_a_damaged_pack_the_sound_objects_are_kept(store, refs):
    path = pack(store, *OBJECTS)
    flip(path, entry(path, OBJECTS[1]).start + 8)
    damaged = path.read_bytes()
    done, sound = mend(store, refs)
    assert (done.fetched, done.lost, sound) == ([], [oid_of(OBJECTS[1])], False)
    assert [aside.read_bytes() for aside in done.quarantined] == [damaged]
    fresh = LocalStore(store.root)
    assert [fresh.get(oid_of(data)) for data in OBJECTS[::2]] == OBJECTS[::2]
    done, sound = mend(store, refs, elsewhere(*OBJECTS))
    assert (done.fetched, done.quarantined, sound) == ([oid_of(OBJECTS[1])], [], True)


@pytest.mark.parametrize("place", ["start", "index", "cut"])
def test_a_pack_that_is_damaged_around_its_objects_is_written_again(store, refs, place):
    path = pack(store, *OBJECTS)
    good = path.read_bytes()
    if place == "cut":
        path.chmod(0o644)
        os.truncate(path, len(good) - 20)
    else:
        flip(path, {"start": 3, "index": len(good) - 30}[place])
    done, sound = mend(store, refs)
    assert (done.fetched, done.lost, sound) == ([], [], True)
    assert path.read_bytes() == good
    assert len(done.quarantined) == 1


def test_a_torn_pack_goes_to_quarantine(store, refs):
    store.put_many(OBJECTS)
    torn = store.root / "packs" / f"{oid_of(b'torn')}.pack"
    torn.write_bytes(b"nothing of ours" * 100)
    done, sound = mend(store, refs)
    assert sound
    assert not torn.exists()
    assert [aside.name for aside in done.quarantined] == [torn.name]


def test_a_corrupt_object_of_which_there_is_a_sound_copy_needs_no_source(store, refs):
    path = pack(store, *OBJECTS)
    store.put(OBJECTS[1])
    pack(store, OBJECTS[1])
    flip(path, entry(path, OBJECTS[1]).start + 8)
    done, sound = mend(store, refs)
    assert (done.fetched, done.lost, sound) == ([oid_of(OBJECTS[1])], [], True)


def test_what_a_source_has_corrupt_is_not_taken(store, refs):
    store.put_many(OBJECTS[1:])
    source = elsewhere(*OBJECTS)
    source.objects[oid_of(OBJECTS[0])] = b"something else"
    done, sound = mend(store, refs, source)
    assert (done.lost, sound) == ([oid_of(OBJECTS[0])], False)
    done, sound = mend(store, refs, source, elsewhere(*OBJECTS))
    assert sound


def test_a_damaged_index_over_many_packs_is_written_again(store, refs):
    store.put_many(OBJECTS)
    store.packs.write_multi_index()
    flip(store.root / "packs" / "multi.idx", 70)
    done, sound = mend(store, refs)
    assert sound
    assert done.quarantined == []
    assert LocalStore(store.root).packs.uncovered() == 0


def test_foreign_files_are_left(store, refs):
    store.put_many(OBJECTS)
    note = store.root / "packs" / "note.txt"
    note.write_text("mine")
    mend(store, refs)
    assert note.read_text() == "mine"
