import json
import os
import random
import shutil
from pathlib import Path

import pytest

from cas import files
from cas.errors import CorruptObject, ObjectNotFound, UnknownFormat
from cas.formats.encoder import encode
from cas.formats.pack import open_pack, write_packs
from cas.local import formatfile
from cas.local.bulk import LOOSE_BYTES
from cas.local.loose import open_loose
from cas.local.store import LocalStore
from cas.local.verifying import verify_all
from cas.oid import oid_of
from tests.suites.store import ABSENT, LARGE, StoreSuite


def flip(path, offset, *, bit=0):
    """Flip one bit of a file, however it is protected."""
    path.chmod(0o644)
    with open(path, "r+b") as file:
        byte = os.pread(file.fileno(), 1, offset)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), offset)


def parts(objects):
    return [encode(data, bytes.fromhex(oid_of(data))) for data in objects]


def pack(store, *objects):
    """Write a pack of `objects` as another process would; return its path."""
    (written,) = write_packs(store.root / "packs", parts(objects), durable=False)
    return Path(written.path)


def copies(store):
    """Return id and folder of every copy of every object, sorted."""
    packed = [(entry.oid, "packs") for pack in store.packs.packs() for entry in pack.index]
    return sorted([*packed, *((oid, "objects") for oid in store.loose.ids())])


def unsound(store):
    """Return id and path of each copy that is not as it was written."""
    parts = list(verify_all(store.loose, store.packs, fast=False))
    assert sum(part.copies for part in parts) == len(copies(store))
    return [(finding.oid, finding.path) for part in parts for finding in part.findings]


def age(folder):
    """Make a folder look as if it had not changed for long, so that its time is trusted."""
    os.utime(folder, (1e9, 1e9))


@pytest.fixture
def store(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


class TestLocalStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        return LocalStore.create(tmp_path / ".acc", durability="none")

    def damage(self, store, oid):
        flip(store.root / "objects" / oid[:2] / oid, 10)


class TestLocalStoreOfBatches(StoreSuite):
    """The same, where each object comes in a batch, and all packs are under one index."""

    @pytest.fixture
    def store(self, tmp_path):
        store = LocalStore.create(tmp_path / ".acc", durability="none")
        put_many = store.put_many

        def put_together(items):
            oids = put_many(items)
            store.packs.write_multi_index()
            return oids

        store.put_many = put_together
        store.put = lambda data: put_together([data])[0]
        return store

    def damage(self, store, oid):
        if store.loose.has(oid):
            flip(Path(store.loose.path_of(oid)), 10)
        else:
            (path,) = store.root.glob("packs/*.pack")
            flip(path, 16 + 24 + 10)


class TestLocalStoreOfPacks(StoreSuite):
    """The same, where what a test puts is packed before it is read."""

    @pytest.fixture
    def store(self, tmp_path):
        store = LocalStore.create(tmp_path / ".acc", durability="none")
        put = store.put

        def put_and_pack(data):
            oid = put(data)
            if store.loose.has(oid):
                stored = store.loose.find_open(oid)
                store.publish([(stored.seal, stored.read(0, stored.seal.stored_bytes))])
                stored.close()
                store.loose.delete(oid)
            return oid

        store.put = put_and_pack
        return store

    def damage(self, store, oid):
        (path,) = store.root.glob("packs/*.pack")
        flip(path, 16 + 24 + 10)


# the folder


def test_a_store_is_made_once(tmp_path):
    root = tmp_path / "deep" / ".acc"
    LocalStore.create(root).put(b"kept")
    told = (root / "format").read_bytes()
    assert LocalStore.create(root).get(oid_of(b"kept")) == b"kept"
    assert (root / "format").read_bytes() == told
    assert sorted(path.name for path in root.iterdir()) == ["format", "objects", "packs", "pins"]


def test_the_format_file_says_version_needs_and_uuid(store):
    told = json.loads((store.root / "format").read_text())
    assert (told["version"], told["needs"], len(told["uuid"])) == (2, [], 36)


def test_a_format_file_as_it_is_written_is_known_without_parsing_it(store):
    assert formatfile._is_usual(store.root / "format")
    (store.root / "format").write_text(json.dumps(json.loads((store.root / "format").read_text())))
    assert not formatfile._is_usual(store.root / "format")
    assert LocalStore(store.root).put(b"x")


def test_a_store_of_version_1_becomes_one_of_version_2_with_all_it_holds(store):
    kept = store.put(b"kept")
    path = store.root / "format"
    path.write_text(path.read_text().replace('"version": 2', '"version": 1'))
    told = json.loads(path.read_text())
    assert LocalStore(store.root).get(kept) == b"kept"
    assert json.loads(path.read_text()) == told | {"version": 2}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ('{"version": 3, "needs": [], "uuid": ""}', "has version 3"),
        ('{"version": 1, "needs": ["recipes", "moon"], "uuid": ""}', "needs moon, recipes"),
        ("{", "is no format file"),
        ("[]", "is no format file"),
        ("{}", "is no format file"),
        ('{"version": 1, "needs": 3}', "is no format file"),
    ],
)
def test_a_store_of_another_format_is_refused(store, told, reason):
    (store.root / "format").write_text(told)
    with pytest.raises(UnknownFormat, match=reason):
        LocalStore(store.root)


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(UnknownFormat, match="holds no store"):
        LocalStore(tmp_path)


# packs and loose objects as one


def test_packs_and_loose_objects_are_one_store(store):
    loose = store.put(b"loose")
    pack(store, b"packed", b"also packed")
    assert store.get(loose) == b"loose"
    assert store.get(oid_of(b"packed")) == b"packed"
    assert store.size_of(oid_of(b"packed")) == 6
    assert store.open(oid_of(b"packed")).read() == b"packed"
    assert sorted(store.ids()) == sorted(map(oid_of, [b"loose", b"packed", b"also packed"]))


def test_what_a_pack_holds_is_not_stored_again(store):
    pack(store, b"packed")
    assert store.put(b"packed") == oid_of(b"packed")
    writer = store.writer()
    assert not list(store.loose.ids())
    writer.abort()


def test_an_object_in_a_pack_and_loose_is_one(store):
    store.put(b"both")
    pack(store, b"both")
    assert list(store.ids()) == [oid_of(b"both")]
    assert copies(store) == [(oid_of(b"both"), "objects"), (oid_of(b"both"), "packs")]


def test_publishing_leaves_out_what_a_pack_holds(store):
    assert store.publish(parts([b"1", b"2"])) == sorted(map(oid_of, [b"1", b"2"]))
    assert store.publish(parts([b"2", b"3", b"3"])) == [oid_of(b"3")]
    assert store.publish(parts([b"1", b"2"])) == []
    assert len(list(store.root.glob("packs/*"))) == 2


# a second look


@pytest.mark.parametrize("question", ["has", "get", "open", "size_of"])
def test_a_pack_that_another_process_writes_is_found(store, question):
    assert not store.has(oid_of(b"late"))
    pack(store, b"late")
    assert getattr(store, question)(oid_of(b"late"))


def test_a_miss_looks_only_once_when_nothing_changed(store, monkeypatch):
    pack(store, b"1")
    age(store.root / "packs")
    assert not store.has(ABSENT)
    monkeypatch.setattr(os, "listdir", lambda *_: pytest.fail("looked again"))
    assert not store.has(ABSENT)
    assert store.has_many([ABSENT, oid_of(b"1")]) == {oid_of(b"1")}


def test_a_pack_that_came_within_the_tick_of_the_last_look_is_found(store):
    assert not store.has(oid_of(b"late"))
    times = os.stat(store.root / "packs")
    pack(store, b"late")
    os.utime(store.root / "packs", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.has(oid_of(b"late"))


def test_a_pack_that_another_process_merged_is_followed(store):
    old = pack(store, b"1", b"2")
    assert store.get(oid_of(b"1")) == b"1"
    pack(store, b"3", b"1")
    old.unlink()
    assert store.get(oid_of(b"1")) == b"1"
    assert not store.has(oid_of(b"2"))
    with pytest.raises(ObjectNotFound):
        store.get(oid_of(b"2"))


def test_a_stream_goes_on_when_its_pack_is_gone(store):
    path = pack(store, b"still here")
    with store.open(oid_of(b"still here")) as stream:
        path.unlink()
        assert stream.read() == b"still here"


def test_what_is_read_before_a_fork_is_not_read_again_after_it(store, monkeypatch):
    pack(store, b"1")
    store.refresh()
    monkeypatch.setattr(os, "listdir", lambda *_: pytest.fail("looked again"))
    assert store.get(oid_of(b"1")) == b"1"


def test_large_and_small_packs_are_looked_up_alike(store):
    many = [b"%d" % number for number in range(5000)]
    pack(store, *many)
    pack(store, *many[:3], b"more")
    shared, only = oid_of(many[0]), oid_of(many[4999])
    assert store.get(only) == many[4999]
    assert store.get(oid_of(b"more")) == b"more"
    assert sorted(store.ids()) == sorted(map(oid_of, [*many, b"more"]))
    assert list(store.ids(shared)) == [shared]
    assert list(store.ids(only[:20])) == [only]
    assert not store.has(ABSENT)


def test_ids_in_two_large_packs_come_once(store):
    many = [b"%d" % number for number in range(5000)]
    one = pack(store, *many)
    again = one.with_name("f" * 64 + ".pack")
    shutil.copy(one, again)
    assert sorted(store.ids()) == sorted(map(oid_of, many))
    assert len(copies(store)) == 2 * len(many)


# delete


def test_an_object_is_deleted_from_every_pack_and_its_loose_file(store):
    victim = store.put(b"victim")
    pack(store, b"victim", b"1")
    pack(store, b"2", b"victim")
    pack(store, b"3")
    store.delete(victim)
    assert sorted(store.ids()) == sorted(map(oid_of, [b"1", b"2", b"3"]))
    assert [oid for oid, _ in copies(LocalStore(store.root))] == sorted(store.ids())
    assert unsound(store) == []


def test_a_pack_of_nothing_else_goes_with_its_object(store):
    pack(store, b"alone")
    store.delete(oid_of(b"alone"))
    assert not list(store.root.glob("packs/*"))


# verify


def test_every_copy_is_verified(store):
    store.put(b"both")
    path = pack(store, b"both", b"other")
    assert unsound(store) == []
    flip(path, open_pack(str(path)).index.find(bytes.fromhex(oid_of(b"both"))).start + 8)
    assert unsound(store) == [(oid_of(b"both"), str(path))]


def test_many_copies_are_verified_by_several_processes(store):
    oids = store.put_many(b"%d" % number for number in range(5000))
    loose = store.put(b"loose")
    (path,) = store.root.glob("packs/*.pack")
    for oid in oids[::1000]:
        flip(path, open_pack(str(path)).index.find(bytes.fromhex(oid)).start + 6)
    flip(Path(store.loose.path_of(loose)), 12)
    found = sorted([(oid, str(path)) for oid in oids[::1000]] + [(loose, store.loose.path_of(loose))])
    assert sorted(unsound(store)) == found


def test_all_copies_are_verified_when_processes_are_quicker_than_whoever_waits(store, monkeypatch):
    from concurrent import futures

    wait = futures.wait
    # all that run have ended whenever one is waited for
    monkeypatch.setattr(futures, "wait", lambda running, **_: wait(running))
    for number in range(1000):
        store.put(b"%d" % number)
    assert unsound(store) == []


def test_a_fast_look_reads_seals_only(store):
    one, two = store.put(b"one"), store.put(b"two")
    flip(Path(store.loose.path_of(one)), 10)
    flip(Path(store.loose.path_of(two)), -20 + os.stat(store.loose.path_of(two)).st_size)
    findings = [f for part in verify_all(store.loose, store.packs, fast=True) for f in part.findings]
    assert [finding.oid for finding in findings] == [two]


def test_copies_that_go_while_they_are_verified_are_passed_over(store):
    store.put(b"1")
    path = pack(store, b"2")
    many = [oid for oid in (store.put(b"%d" % number) for number in range(40)) if oid != oid_of(b"1")]
    verified = verify_all(store.loose, store.packs, fast=True)
    assert next(verified).copies == 1
    path.unlink()
    for oid in many:
        store.loose.delete(oid)
    assert [finding for part in verified for finding in part.findings] == []


def test_the_objects_of_a_pack_without_its_index_are_still_read(store):
    path = pack(store, b"1", b"2")
    flip(path, path.stat().st_size - 1)
    assert store.get(oid_of(b"1")) == b"1"
    assert sorted(store.ids()) == sorted(map(oid_of, [b"1", b"2"]))


def test_foreign_files_are_named(store):
    store.put(b"1")
    empty = pack(store, b"2")
    rest = pack(store, b"3")
    store.packs.write_multi_index()
    assert [*store.packs.foreign(), *store.loose.foreign()] == []
    empty.unlink()
    empty.touch()
    note, half = rest.with_name("note"), rest.with_suffix(".idx")
    note.touch()
    half.touch()
    assert set(LocalStore(store.root).packs.foreign()) == {empty, note, half}


# many at once


def test_a_batch_is_one_pack_and_is_seen_only_when_it_is_whole(store):
    def items():
        for number in range(3000):
            yield b"%d" % number
            assert not list(store.root.glob("packs/*.pack"))

    oids = store.put_many(items())
    assert oids == [oid_of(b"%d" % number) for number in range(3000)]
    assert len(list(store.root.glob("packs/*.pack"))) == 1
    assert LocalStore(store.root).get_many(oids) == {oid: b"%d" % n for n, oid in enumerate(oids)}


def test_a_batch_that_fails_leaves_nothing_of_its_small_objects(store):
    def items():
        yield from (b"%d" % number for number in range(3000))
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        store.put_many(items())
    assert not list(store.root.glob("packs/*"))
    assert list(store.ids()) == []


def test_large_objects_of_a_batch_are_loose(store):
    noise = random.Random(4).randbytes(LOOSE_BYTES + 1)
    items = [b"small", noise, LARGE, bytes(LOOSE_BYTES), noise]
    oids = store.put_many(items)
    assert oids == [oid_of(item) for item in items]
    assert set(store.loose.ids()) == {oid_of(noise), oid_of(LARGE)}
    assert [store.get(oid) for oid in oids] == items


def test_a_batch_stores_nothing_again(store):
    noise = random.Random(4).randbytes(LOOSE_BYTES + 1)
    items = [b"one", b"two", noise, b"one"]
    store.put_many(items)
    before = copies(store)
    assert LocalStore(store.root).put_many(items) == [oid_of(item) for item in items]
    assert copies(store) == before


def test_many_objects_are_read_from_wherever_they_lie(store):
    items = [b"%d" % number * 100 for number in range(100)]
    packed = [oid_of(item) for item in items[:60]]
    pack(store, *items[:30], random.Random(5).randbytes(3 << 20))
    pack(store, *items[20:60])
    loose = [store.put(item) for item in items[50:]]
    assert store.get_many([*packed, *loose]) == {oid_of(item): item for item in items}
    with pytest.raises(ObjectNotFound):
        store.get_many([*packed, ABSENT])


def test_a_damaged_object_among_many_is_an_error(store):
    store.put_many([b"one", b"two", b"three"])
    (path,) = store.root.glob("packs/*.pack")
    flip(path, open_pack(str(path)).index.find(bytes.fromhex(oid_of(b"two"))).start + 6)
    with pytest.raises(CorruptObject):
        LocalStore(store.root).get_many([oid_of(b"one"), oid_of(b"two")])


def test_pieces_of_an_object_come_from_a_copy_whose_seal_is_sound(store):
    oid = store.put(LARGE)
    loose = open_loose(store.loose.path_of(oid), oid)
    packed = [(loose.seal, loose.read(0, loose.seal.stored_bytes))]
    loose.close()
    (damaged,) = write_packs(store.root / "packs", packed, durable=False)
    flip(Path(damaged.path), damaged.index.find(bytes.fromhex(oid)).offset + 9)
    assert b"".join(LocalStore(store.root).pieces(oid)) == LARGE


def test_an_export_that_meets_damage_begins_anew_with_the_next_copy(store, tmp_path):
    oid = store.put(LARGE)
    loose = open_loose(store.loose.path_of(oid), oid)
    packed = [(loose.seal, loose.read(0, loose.seal.stored_bytes))]
    loose.close()
    (damaged,) = write_packs(store.root / "packs", packed, durable=False)
    flip(Path(damaged.path), 5 << 20)
    with open(tmp_path / "file", "wb") as file:
        LocalStore(store.root).export(oid, file.fileno())
    assert (tmp_path / "file").read_bytes() == LARGE


def test_both_sizes_of_an_object(store):
    loose, (packed,) = store.put(bytes(1000)), store.put_many([bytes(1001)])
    for oid, raw_bytes in ((loose, 1000), (packed, 1001)):
        sizes = LocalStore(store.root).sizes_of(oid)
        assert sizes.raw_bytes == raw_bytes
        assert 0 < sizes.stored_bytes < 100


# one index over many packs


def indexed(store):
    """Return a store whose two packs lie under one index, and what they hold."""
    pack(store, b"1", b"2")
    pack(store, b"3")
    store.packs.write_multi_index()
    return LocalStore(store.root), [oid_of(b"1"), oid_of(b"2"), oid_of(b"3")]


def test_what_one_index_covers_is_found_without_opening_a_pack(store):
    store, oids = indexed(store)
    assert store.packs.uncovered() == 0
    assert store.has_many(oids) == set(oids)
    assert [pack._index for pack in store.packs._packs.values()] == [None, None]
    assert sorted(store.get_many(oids).values()) == [b"1", b"2", b"3"]
    assert not store.has(ABSENT)


def test_packs_that_come_after_it_are_found_too(store):
    store, oids = indexed(store)
    pack(store, b"4")
    assert store.has_many([*oids, oid_of(b"4")]) == {*oids, oid_of(b"4")}
    assert store.packs.uncovered() == 1


def test_it_is_passed_over_when_a_pack_of_it_has_gone(store):
    store, oids = indexed(store)
    gone = open_pack(str(max(store.root.glob("packs/*.pack"), key=os.path.getsize)))
    assert store.has(oids[0])
    Path(gone.path).unlink()
    pack(store, b"1")
    assert store.get(oids[0]) == b"1"
    assert not store.has(oids[1])
    assert LocalStore(store.root).has_many(oids) == {oids[0], oids[2]}


def test_no_damage_to_it_hides_an_object_from_a_reader(store):
    _, oids = indexed(store)
    path = store.root / "packs" / "multi.idx"
    for place in range(path.stat().st_size):
        flip(path, place, bit=place % 8)
        assert [LocalStore(store.root).get(oid) for oid in oids] == [b"1", b"2", b"3"]
        assert LocalStore(store.root).get_many(oids) == dict(zip(oids, (b"1", b"2", b"3"), strict=True))
        assert LocalStore(store.root).has_many(oids) == set(oids)
        flip(path, place, bit=place % 8)


def test_a_new_one_of_another_process_is_taken(store):
    store, oids = indexed(store)
    assert store.has(oids[0])
    pack(store, b"4")
    LocalStore(store.root).packs.write_multi_index()
    assert store.has(oid_of(b"4"))
    assert store.packs.uncovered() == 0


# durability


def count_syncs(monkeypatch):
    synced = []
    real = os.fsync
    # macOS has its own way to sync a file, which is not counted
    monkeypatch.setattr(files, "_FULL_SYNC", None)
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), real(descriptor))[1])
    return synced


@pytest.mark.parametrize(("durability", "syncs"), [("none", 0), ("batch", 2), ("each", 2)])
def test_a_pack_costs_two_syncs_whatever_it_holds(tmp_path, monkeypatch, durability, syncs):
    store = LocalStore.create(tmp_path, durability=durability)
    synced = count_syncs(monkeypatch)
    store.publish(parts([b"%d" % number for number in range(100)]))
    assert len(synced) == syncs


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_failed_publish_changes_nothing(tmp_path, monkeypatch, step, number):
    store = LocalStore.create(tmp_path, durability="batch")
    store.publish(parts([b"before"]))
    if fails_at(monkeypatch, step, number, lambda: store.publish(parts([b"1", b"2"]))):
        assert not list(tmp_path.glob("packs/.tmp-*"))
        # a pack may have its name already when its folder cannot be synced: whole, but nobody relies on it
        assert set(LocalStore(tmp_path).ids()) in (
            {oid_of(b"before")},
            set(map(oid_of, [b"before", b"1", b"2"])),
        )
    store.publish(parts([b"1", b"2"]))
    assert unsound(LocalStore(tmp_path)) == []
    assert store.get(oid_of(b"2")) == b"2"


def fails_at(monkeypatch, step, number, action):
    """Make the `number`-th call of os.`step` in `action` fail; return whether there was one."""
    real, calls = getattr(os, step), []
    monkeypatch.setattr(files, "_FULL_SYNC", None)

    def call(*args):
        calls.append(args)
        if len(calls) == number:
            raise OSError("no more")
        return real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(os, step, call)
        try:
            action()
        except OSError:
            return True
    return False


def test_a_large_object_is_put_and_read(store):
    data = random.Random(8).randbytes(3 << 20) * 3
    oid = store.put(data)
    assert store.get(oid) == data
    assert store.put(data) == oid
    assert store.put(LARGE) != oid
