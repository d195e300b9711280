import os
import random
import signal
import threading
import tracemalloc
import warnings

import pytest

from cas.errors import CorruptObject, ObjectNotFound
from cas.formats.frame import FRAME_BYTES
from cas.formats.seal import SKIPPABLE
from cas.local.staging import LOOSE_BYTES, Staging
from cas.local.store import LocalStore
from cas.oid import oid_of
from cas.threads import usable_cores
from tests.cas.local.test_store import count_syncs, fails_at, flip, pack, unsound
from tests.suites.store import ABSENT, StoreSuite

NOISE = random.Random(9).randbytes(LOOSE_BYTES)


@pytest.fixture
def local(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


@pytest.fixture
def staging(local, tmp_path):
    return Staging(local, tmp_path / "job")


class TestStaging(StoreSuite):
    @pytest.fixture
    def store(self, staging):
        return staging

    def damage(self, store, oid):
        for path in store.folder.glob("*.segment"):
            flip(path, 16 + 72 + 10)
        for path in store._local.root.glob(f"objects/??/{oid}"):
            flip(path, 10)


class TestHoldingStaging(StoreSuite):
    @pytest.fixture
    def store(self, local, tmp_path):
        return Staging(local, tmp_path / "job", hold_bytes=LOOSE_BYTES)

    def damage(self, store, oid):
        for digest, (seal, stored) in store._held.items():
            store._held[digest] = (seal, stored[:10] + bytes([stored[10] ^ 1]) + stored[11:])
        for path in store._local.root.glob(f"objects/??/{oid}"):
            flip(path, 10)


def segments(staging):
    return sorted(staging.folder.glob("*.segment"))


def packs(local):
    return list(local.root.glob("packs/*"))


def sure(local):
    """Open the store as another process would, check each copy of each object, and return all ids."""
    fresh = LocalStore(local.root)
    assert unsound(fresh) == []
    assert not [*fresh.packs.foreign(), *fresh.loose.foreign()]
    return sorted(fresh.ids())


def start(action):
    """Run `action` in a forked child; return its process id."""
    with warnings.catch_warnings():
        # the test runner may have threads; the child needs none of them
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            action()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is, the parent sees the status
            os._exit(1)
    return child


def end_of(child):
    """Wait for a child; return the status that it ended with."""
    return os.waitpid(child, 0)[1]


def in_child(action):
    assert end_of(start(action)) == 0


# publishing


def test_nobody_sees_what_is_staged_before_it_is_published(local, staging):
    oids = staging.put_many([b"1", b"2", b"3"])
    assert not local.has_many(oids)
    assert sorted(staging.publish()) == sorted(oids)
    assert local.get_many(oids) == dict(zip(oids, [b"1", b"2", b"3"], strict=True))
    assert sure(local) == sorted(oids)
    assert len(packs(local)) == 1


def test_nothing_staged_makes_neither_folder_nor_pack(local, staging):
    assert not staging.has(ABSENT)
    assert not staging.folder.exists()
    assert staging.publish() == []
    assert not packs(local)


def test_the_folder_goes_with_publishing(staging):
    staging.put(b"1")
    staging.publish()
    assert not staging.folder.exists()


def test_the_folder_goes_with_discarding(local, staging):
    oid = staging.put(b"1")
    staging.discard()
    assert not staging.folder.exists()
    assert not staging.has(oid)
    assert sure(local) == []


def test_a_staging_can_be_used_again(local, staging):
    staging.put(b"1")
    staging.publish()
    staging.put_many([b"1", b"2"])
    assert staging.publish() == [oid_of(b"2")]
    assert staging.put(b"3")
    staging.discard()
    assert sure(local) == sorted(map(oid_of, [b"1", b"2"]))


def test_what_the_local_store_has_is_not_staged_again(local, staging):
    pack(local, b"packed")
    assert local.has(oid_of(b"packed"))
    staging.put(b"packed")
    writer = staging.writer()
    writer.write(b"packed")
    writer.commit()
    assert not segments(staging)


def test_what_the_local_store_has_is_not_published_again(local, staging):
    """A process that has not read the packs stages what is in one; whoever publishes has read them."""
    pack(local, b"packed")
    staging.put_many([b"packed", b"new"])
    assert staging.publish() == [oid_of(b"new")]


def test_staged_twice_is_written_once(staging):
    for _ in range(3):
        staging.put(b"same")
    assert segments(staging)[0].stat().st_size < 200


def test_reading_goes_through_to_the_local_store(local, staging):
    oid = local.put(b"below")
    pack(local, b"packed")
    for data in (b"below", b"packed"):
        assert staging.has(oid_of(data))
        assert staging.get(oid_of(data)) == data
        assert staging.open(oid_of(data)).read() == data
        assert staging.size_of(oid_of(data)) == len(data)
        assert staging.sizes_of(oid_of(data)) == local.sizes_of(oid_of(data))
    assert sorted(staging.ids()) == sorted([oid, oid_of(b"packed")])


def test_what_is_deleted_is_not_published(local, staging):
    staging.put_many([b"1", b"2"])
    staging.delete(oid_of(b"1"))
    assert not staging.has(oid_of(b"1"))
    assert staging.publish() == [oid_of(b"2")]


def test_what_is_put_again_after_it_was_deleted_is_published(local, staging):
    oid = staging.put(b"back again")
    staging.delete(oid)
    staging.put(b"back again")
    assert staging.publish() == [oid]


def test_what_another_process_has_published_is_read_from_the_local_store(local, staging):
    oid = staging.put(b"early")
    assert Staging(LocalStore(local.root), staging.folder).publish() == [oid]
    assert staging.get(oid) == b"early"
    assert staging.open(oid).read() == b"early"


# holding


@pytest.fixture
def holding(local, tmp_path):
    return Staging(local, tmp_path / "job", hold_bytes=10_000)


def test_what_is_held_touches_no_disk_before_it_is_published(local, holding):
    oids = holding.put_many([b"1", b"2", bytes(5 * FRAME_BYTES)])
    assert holding.get(oids[2]) == bytes(5 * FRAME_BYTES)
    with holding.open(oids[2]) as stream:
        stream.seek(-3, os.SEEK_END)
        assert stream.read() == bytes(3)
    assert not holding.folder.exists()
    assert sorted(holding.publish()) == sorted(oids)
    assert sure(local) == sorted(oids)


def test_what_is_too_much_to_hold_goes_to_a_segment(local, holding):
    oids = holding.put_many([b"small", NOISE[:9900], NOISE[:20_000], NOISE[:400], b"small too"])
    assert len(holding.held()) == 3
    assert len(segments(holding)) == 1
    assert all(holding.has(oid) for oid in oids)
    assert sorted(holding.publish()) == sorted(oids)
    assert sure(local) == sorted(oids)


def test_what_is_held_can_be_handed_over(local, holding, tmp_path):
    oids = holding.put_many([b"1", b"2"])
    other = Staging(local, tmp_path / "job", hold_bytes=10_000)
    mine = other.put(b"3")
    other.adopt(holding.held())
    assert other.get(oids[0]) == b"1"
    assert sorted(other.publish()) == sorted([*oids, mine])
    assert sure(local) == sorted([*oids, mine])


def test_a_forked_child_reads_what_is_held_and_holds_nothing(holding):
    before = holding.put(b"held")

    def child():
        assert holding.get(before) == b"held"
        holding.put(b"in the child")

    in_child(child)
    assert holding.get(oid_of(b"in the child")) == b"in the child"
    assert sorted(holding.publish()) == sorted([before, oid_of(b"in the child")])


def test_what_was_held_is_forgotten_with_the_rest(holding):
    oid = holding.put(NOISE[:9000])
    holding.discard()
    assert not holding.has(oid)
    holding.put(NOISE[:9000])
    assert len(holding.held()) == 1


# large objects


def test_a_large_object_is_in_the_local_store_at_once(local, staging):
    oid = staging.put(NOISE)
    assert not segments(staging)
    assert local.get(oid) == NOISE
    staging.publish()
    assert sure(local) == [oid]


def test_an_object_is_large_by_what_it_is_stored_as(local, staging):
    data = bytes(3 * FRAME_BYTES)
    oid = staging.put(data)
    assert not local.has(oid)
    assert staging.get(oid) == data
    with staging.open(oid) as stream:
        stream.seek(2 * FRAME_BYTES)
        assert stream.read(10) == bytes(10)
    staging.publish()
    assert local.get(oid) == data
    assert sure(local) == [oid]


def test_a_writer_becomes_loose_when_it_grows(local, staging):
    writer = staging.writer()
    for _ in range(10):
        writer.write(NOISE)
        writer.cut()
    assert not list(local.ids())
    oid = writer.commit()
    assert local.get(oid) == NOISE * 10
    assert not segments(staging)


def test_an_aborted_writer_leaves_no_file(local, staging):
    writer = staging.writer()
    writer.write(NOISE * 40)
    assert list(local.root.glob("objects/.tmp-*"))
    writer.abort()
    assert not list(local.root.glob("objects/*"))


def test_a_large_object_that_is_there_is_not_written_again(local, staging):
    oid = staging.put(NOISE)
    path = local.root / "objects" / oid[:2] / oid
    before = path.stat()
    staging.put(NOISE)
    writer = staging.writer()
    writer.write(NOISE)
    writer.commit()
    assert path.stat() == before


def test_a_writer_takes_little_memory(staging):
    tracemalloc.start()
    writer = staging.writer()
    for _ in range(32):
        writer.write(NOISE)
    writer.commit()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * (min(usable_cores(), 8) + 4) * FRAME_BYTES


# processes


def test_a_forked_child_writes_a_segment_of_its_own(local, staging):
    staging.put(b"before the fork")
    in_child(lambda: staging.put(b"in the child"))
    staging.put(b"after the fork")
    assert len(segments(staging)) == 2
    expected = sorted(map(oid_of, [b"before the fork", b"in the child", b"after the fork"]))
    assert sorted(staging.publish()) == expected
    assert sure(local) == expected


def test_processes_of_a_job_read_what_the_others_write(staging):
    staging.put(b"before")

    def slice_0():
        assert staging.get(oid_of(b"before")) == b"before"
        staging.put(b"from slice 0")

    def slice_1():
        assert staging.get(oid_of(b"from slice 0")) == b"from slice 0"
        assert staging.has(oid_of(b"before"))

    in_child(slice_0)
    in_child(slice_1)
    assert staging.get(oid_of(b"from slice 0")) == b"from slice 0"
    assert staging.size_of(oid_of(b"from slice 0")) == 12
    assert set(staging.ids()) == {oid_of(b"before"), oid_of(b"from slice 0")}


def test_a_child_reads_what_its_parent_writes_after_the_fork(staging):
    ready, go = os.pipe(), os.pipe()

    def child():
        staging.put(b"mine")
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        assert staging.get(oid_of(b"late")) == b"late"

    staging.put(b"early")
    pid = start(child)
    os.read(ready[0], 1)
    staging.put(b"late")
    os.write(go[1], b"x")
    assert end_of(pid) == 0
    for descriptor in (*ready, *go):
        os.close(descriptor)


def test_two_processes_that_write_the_same_publish_it_once(local, staging):
    in_child(lambda: staging.put_many([b"shared", b"1"]))
    in_child(lambda: staging.put_many([b"2", b"shared"]) and staging.put(b"3"))
    staging.put(b"shared")
    published = staging.publish()
    assert sorted(published) == sorted(map(oid_of, [b"shared", b"1", b"2", b"3"]))


def test_threads_of_a_process_share_its_segment(local, staging):
    together = threading.Barrier(4)

    def work(number):
        for count in range(100):
            together.wait()
            staging.put(b"%d %d" % (number, count))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(staging.get(oid) for oid in staging.ids())
    assert len(segments(staging)) == 1
    assert len(staging.publish()) == 400
    assert len(sure(local)) == 400


def test_a_stream_that_a_fork_shares_is_read_on_both_sides(local):
    oid = local.put(NOISE * 8)
    with local.open(oid) as stream:
        stream.read(100)

        def read_all():
            assert stream.read() == (NOISE * 8)[100:]

        in_child(read_all)
        read_all()


# crashes


def test_a_killed_process_leaves_its_whole_objects(local, staging):
    def killed():
        staging.put_many([b"1", b"2"])
        os.kill(os.getpid(), signal.SIGKILL)

    assert end_of(start(killed)) == signal.SIGKILL
    assert sorted(staging.publish()) == sorted(map(oid_of, [b"1", b"2"]))
    assert len(sure(local)) == 2


def test_a_torn_segment_loses_only_what_was_not_whole(local, staging):
    staging.put_many([b"whole", b"torn"])
    (path,) = segments(staging)
    os.truncate(path, path.stat().st_size - 3)
    assert Staging(local, staging.folder).publish() == [oid_of(b"whole")]
    assert sure(local) == [oid_of(b"whole")]


@pytest.mark.parametrize("size", [0, 5, 16])
def test_a_segment_in_which_nothing_came_is_nothing(local, staging, size):
    staging.put(b"1")
    (path,) = segments(staging)
    os.truncate(path, size)
    other = Staging(local, staging.folder)
    assert not other.has(oid_of(b"1"))
    assert other.publish() == []
    assert not staging.folder.exists()


def test_after_a_failed_write_a_new_segment_is_begun(local, staging, monkeypatch):
    staging.put(b"before")
    real = os.write

    def full(descriptor, data):
        real(descriptor, data[:40])
        if data.startswith(SKIPPABLE):  # pins are written too, and before
            raise OSError("disk full")
        return real(descriptor, data[40:]) + 40

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="disk full"):
            staging.put(b"half of it")
    assert not staging.has(oid_of(b"half of it"))
    staging.put_many([b"half of it", b"after"])
    assert sorted(staging.publish()) == sorted(map(oid_of, [b"before", b"half of it", b"after"]))
    assert len(sure(local)) == 3


def test_a_write_that_takes_only_part_is_gone_on_with(local, staging, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:30]))
    oids = [staging.put(b"piece by piece"), staging.put(NOISE), local.put(b"loose")]
    staging.publish()
    monkeypatch.undo()
    assert sure(local) == sorted(oids)


def test_changed_bytes_in_a_segment_are_neither_read_nor_published(local, staging):
    oid = staging.put(b"some bytes")
    flip(segments(staging)[0], 16 + 72 + 9)
    with pytest.raises(CorruptObject):
        staging.get(oid)
    with pytest.raises(CorruptObject):
        staging.publish()
    assert sure(local) == []


@pytest.mark.parametrize("step", ["fsync", "replace", "open", "write"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_publish_that_fails_can_be_done_again(tmp_path, monkeypatch, step, number):
    local = LocalStore.create(tmp_path / ".acc", durability="batch")
    staging = Staging(local, tmp_path / "job")
    oids = staging.put_many([b"1", b"2", b"3"])
    if fails_at(monkeypatch, step, number, staging.publish):
        assert sure(local) in ([], sorted(oids))
        assert staging.get_many(oids)
        staging.publish()
    assert sure(local) == sorted(oids)
    assert not staging.folder.exists()


# durability


@pytest.mark.parametrize(("durability", "syncs"), [("none", 0), ("batch", 2), ("each", 5)])
def test_three_objects_cost_two_syncs(tmp_path, monkeypatch, durability, syncs):
    staging = Staging(LocalStore.create(tmp_path / ".acc", durability=durability), tmp_path / "job")
    synced = count_syncs(monkeypatch)
    staging.put_many([b"1", b"2", b"3"])
    staging.publish()
    assert len(synced) == syncs


def test_a_missing_object_is_named_by_the_local_store(local, staging):
    with pytest.raises(ObjectNotFound, match=ABSENT) as caught:
        staging.get(ABSENT)
    assert caught.value.where == local.name
