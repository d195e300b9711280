import random
from pathlib import Path

import pytest

from cas.formats.pack import PACK_BYTES, Pack, open_pack
from cas.local import packs as room
from cas.local.bulk import LOOSE_BYTES
from cas.local.gc import collect
from cas.local.refs import LocalRefs
from cas.local.repack import Repacked, plan_merges, repack
from cas.local.store import LocalStore
from cas.local.upkeep import UpkeepRuns, upkeep
from cas.oid import oid_of
from tests.cas.local.test_store import copies, flip, pack, unsound

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture
def store(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


def fresh(store):
    return LocalStore(store.root, durability="none")


def packs(store):
    return sorted(store.root.glob("packs/*.pack"))


def some_packs(store, count):
    """Write `count` packs of an object each; return the objects."""
    objects = [b"object %d" % number for number in range(count)]
    for data in objects:
        pack(store, data)
    return objects


def holds(store, objects):
    """Return whether another process finds each of `objects` once, and right."""
    other = fresh(store)
    assert unsound(other) == []
    assert sorted(oid for oid, _ in copies(other)) == sorted(map(oid_of, objects))
    return other.get_many(list(map(oid_of, objects))) == {oid_of(data): data for data in objects}


def test_nothing_to_do_is_done_at_once(store):
    assert repack(store) == Repacked()
    assert packs(store) == []


def test_many_small_packs_become_one(store):
    objects = some_packs(store, 10)
    done = repack(store)
    assert (done.merged, done.written) == (10, 1)
    assert len(packs(store)) == 1
    assert holds(store, objects)


def test_few_small_packs_are_left_unless_all_are_to_be_merged(store):
    objects = some_packs(store, 3)
    assert repack(store).merged == 0
    assert repack(store, everything=True).merged == 3
    assert holds(store, objects)
    assert repack(store, everything=True).merged == 0


def test_small_loose_objects_are_packed_and_large_ones_stay(store):
    noise = random.Random(1).randbytes(LOOSE_BYTES)
    objects = [b"one", b"two", noise]
    for data in objects:
        store.put(data)
    assert repack(store).packed == 2
    assert list(store.loose.ids()) == [oid_of(noise)]
    assert holds(store, objects)


def test_a_loose_object_that_a_pack_has_too_only_goes(store):
    store.put(b"both")
    pack(store, b"both")
    assert repack(store).packed == 1
    assert copies(fresh(store)) == [(oid_of(b"both"), "packs")]


def test_an_object_in_several_packs_is_in_one_after(store):
    for number in range(4):
        pack(store, b"shared", b"%d" % number)
    repack(store)
    assert holds(store, [b"shared", b"0", b"1", b"2", b"3"])


def test_packs_of_version_1_become_of_version_2(store):
    (old,) = (GOLDEN / "v1" / "pack").glob("*.pack")
    (store.root / "packs" / old.name).write_bytes(old.read_bytes())
    before = {oid: store.get(oid) for oid in store.ids()}
    assert len(before) == 3
    repack(store, everything=True)
    assert [pack.records is not None for pack in fresh(store).packs.packs()] == [True]
    assert fresh(store).get_many(list(before)) == before
    assert fresh(store).packs.uncovered() == 0


def test_readers_that_know_the_old_packs_find_all(store):
    objects = some_packs(store, 8)
    reader = fresh(store)
    with reader.open(oid_of(objects[0])) as stream:
        assert reader.get(oid_of(objects[1])) == objects[1]
        repack(store)
        assert stream.read() == objects[0]
    assert [reader.get(oid_of(data)) for data in objects] == objects
    assert reader.get_many(list(map(oid_of, objects)))
    assert reader.put(objects[3]) == oid_of(objects[3])
    assert list(reader.loose.ids()) == []


def test_a_damaged_pack_is_left_alone_and_named(store):
    objects = some_packs(store, 5)
    victim = packs(store)[2]
    flip(victim, 16 + 24 + 8)
    done = repack(store)
    assert done.damaged == [str(victim)]
    assert packs(store).count(victim) == 1
    assert done.merged == 4
    assert len(objects) == 5


def test_a_damaged_loose_object_is_left_alone_and_named(store):
    oid = store.put(b"damaged")
    flip(Path(store.loose.path_of(oid)), 10)
    assert repack(store).damaged == [store.loose.path_of(oid)]
    assert store.loose.has(oid)


def test_all_packs_are_indexed_together_when_there_are_many(store, monkeypatch):
    monkeypatch.setattr(room, "MANY_UNCOVERED", 3)
    some_packs(store, 3)
    assert fresh(store).packs.are_many()
    repack(store)
    assert fresh(store).packs.uncovered() == 0
    assert not fresh(store).packs.are_many()


def test_one_upkeep_runs_at_a_time(store):
    with upkeep(store.root, blocking=True), pytest.raises(UpkeepRuns):
        repack(store, blocking=False)


def test_a_loose_object_stays_when_the_pack_that_had_it_is_gone(store):
    other = LocalStore(store.root, durability="none")
    oid = oid_of(b"there and gone and there")
    other.put_many([b"there and gone and there"])
    assert store.has(oid)
    other.pins.release()
    refs = LocalRefs(store.root / "refs.sqlite", durability="none")
    collect(other, refs, grace_seconds=0.0)
    refs.close()
    other.put(b"there and gone and there")
    # this process still believes that it is packed
    repack(store)
    assert LocalStore(store.root).get(oid) == b"there and gone and there"


def test_a_sound_loose_object_stays_when_its_copy_in_a_pack_is_damaged(store):
    oid = store.put(b"sound and not")
    path = pack(store, b"sound and not")
    flip(path, open_pack(str(path)).index.find(bytes.fromhex(oid)).start + 8)
    assert store.packs.rescan()
    repack(store)
    assert LocalStore(store.root).get(oid) == b"sound and not"


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_damaged_in_one_pack_is_taken_from_another(store, order):
    paths = sorted([pack(store, b"twice", b"%d" % number) for number in range(5)])[::order]
    flip(paths[0], open_pack(str(paths[0])).index.find(bytes.fromhex(oid_of(b"twice"))).start + 8)
    done = repack(store)
    assert done.damaged == [str(paths[0])]
    fresh = LocalStore(store.root)
    assert fresh.get(oid_of(b"twice")) == b"twice"
    assert {fresh.get(oid_of(b"%d" % number)) for number in range(5)} == {
        b"%d" % number for number in range(5)
    }
    assert unsound(fresh) == [(oid_of(b"twice"), str(paths[0]))]


# which packs are merged


def sized(tmp_path, *sizes):
    """Make files of so many KiB stand for packs."""
    found = []
    for number, kib in enumerate(sizes):
        path = tmp_path / f"{number}.pack"
        with open(path, "wb") as file:
            file.truncate(kib << 10)
        found.append(Pack(str(path)))
    return found


def merges(tmp_path, *sizes):
    return [
        sorted(int(Path(pack.path).stem) for pack in group) for group in plan_merges(sized(tmp_path, *sizes))
    ]


def test_four_packs_of_a_size_are_merged_and_three_are_not(tmp_path):
    assert merges(tmp_path, 1, 2, 3) == []
    assert merges(tmp_path, 1, 2, 3, 4) == [[0, 1, 2, 3]]


def test_what_becomes_of_them_counts_in_the_next_class(tmp_path):
    # three of the second class, and four small ones that together are of it
    assert merges(tmp_path, 200, 210, 220, 30, 40, 50, 60) == [[0, 1, 2, 3, 4, 5, 6]]


def test_a_full_pack_is_never_merged(tmp_path):
    full = PACK_BYTES >> 10
    assert merges(tmp_path, full, full, full, full, full) == []


def test_the_number_of_packs_grows_with_the_logarithm_of_the_jobs(tmp_path):
    sizes: list[int] = []
    copied = 0
    for _ in range(2000):
        sizes.append(20)
        groups = merges(tmp_path, *sizes)
        gone = {place for group in groups for place in group}
        merged = [sum(sizes[place] for place in group) for group in groups]
        copied += sum(merged)
        sizes = [size for place, size in enumerate(sizes) if place not in gone] + merged
    assert len(sizes) <= 20
    assert copied / 20 / 2000 < 8
