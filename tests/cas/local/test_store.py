import json
import os
import random
import shutil
from pathlib import Path

import pytest

from cas import files
from cas.errors import CorruptObject, ObjectNotFound, UnknownFormat
from cas.formats.pack import open_pack, write_pack
from cas.formats.stream import encode
from cas.local.store import LocalStore, Located
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
    return Path(write_pack(store.root / "packs", parts(objects), durable=False).path)


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
        flip(path, 16 + 72 + 10)


# the folder


def test_a_store_is_made_once(tmp_path):
    root = tmp_path / "deep" / ".acc"
    LocalStore.create(root).put(b"kept")
    told = (root / "format").read_bytes()
    assert LocalStore.create(root).get(oid_of(b"kept")) == b"kept"
    assert (root / "format").read_bytes() == told
    assert sorted(path.name for path in root.iterdir()) == ["format", "objects", "packs"]


def test_the_format_file_says_version_needs_and_uuid(store):
    told = json.loads((store.root / "format").read_text())
    assert (told["version"], told["needs"], len(told["uuid"])) == (1, [], 36)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ('{"version": 2, "needs": [], "uuid": ""}', "has version 2"),
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
    path = pack(store, b"both")
    assert list(store.ids()) == [oid_of(b"both")]
    assert {(located.path, located.kind) for located in store.objects()} == {
        (path, "pack"),
        (store.root / "objects" / oid_of(b"both")[:2] / oid_of(b"both"), "loose"),
    }


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
    assert sum(1 for _ in store.objects()) == 2 * len(many)


# delete


def test_an_object_is_deleted_from_every_pack_and_its_loose_file(store):
    victim = store.put(b"victim")
    pack(store, b"victim", b"1")
    pack(store, b"2", b"victim")
    pack(store, b"3")
    store.delete(victim)
    assert sorted(store.ids()) == sorted(map(oid_of, [b"1", b"2", b"3"]))
    assert {located.oid for located in LocalStore(store.root).objects()} == set(store.ids())
    for located in store.objects():
        store.verify(located)


def test_a_pack_of_nothing_else_goes_with_its_object(store):
    pack(store, b"alone")
    store.delete(oid_of(b"alone"))
    assert not list(store.root.glob("packs/*"))


# verify


def test_verify_reads_every_copy(store):
    store.put(b"both")
    path = pack(store, b"both", b"other")
    for located in store.objects():
        store.verify(located)
    flip(path, open_pack(str(path)).index.find(bytes.fromhex(oid_of(b"both"))).offset + 72 + 8)
    bad = [located for located in store.objects() if not intact(store, located)]
    assert bad == [Located(oid_of(b"both"), path, "pack")]


def intact(store, located):
    try:
        store.verify(located)
    except CorruptObject:
        return False
    return True


def test_verifying_a_copy_that_is_gone_names_it(store):
    path = pack(store, b"1")
    located = next(store.objects())
    path.unlink()
    with pytest.raises(ObjectNotFound):
        store.verify(located)
    with pytest.raises(ObjectNotFound):
        store.verify(Located(ABSENT, path, "loose"))


def test_the_objects_of_a_pack_without_its_index_are_read_but_not_intact(store):
    path = pack(store, b"1", b"2")
    flip(path, path.stat().st_size - 1)
    assert store.get(oid_of(b"1")) == b"1"
    assert [located.oid for located in store.objects() if intact(store, located)] == []


def test_foreign_files_are_named(store):
    store.put(b"1")
    empty = pack(store, b"2")
    rest = pack(store, b"3")
    assert list(store.foreign()) == []
    empty.unlink()
    empty.touch()
    note, half = rest.with_name("note"), rest.with_suffix(".idx")
    note.touch()
    half.touch()
    assert set(LocalStore(store.root).foreign()) == {empty, note, half}


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
    for located in LocalStore(tmp_path).objects():
        store.verify(located)
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
