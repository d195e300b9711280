"""What changes a store is stopped at every step it takes: nothing is lost, and it can be done again."""

import errno
import os
import resource
import shutil

import pytest

from cas.formats.node import encode
from cas.formats.pack import open_pack
from cas.local.fsck import check
from cas.local.gc import collect
from cas.local.pins import release_all
from cas.local.refs import LocalRefs
from cas.local.repack import repack
from cas.local.repair import repair
from cas.local.staging import Staging
from cas.local.store import LocalStore
from cas.memory import MemoryStore
from cas.oid import oid_of
from tests.cas.local.test_store import flip
from tests.cas.test_graph import Knot
from tests.faulty import TAKES_ROOM, Fault, age, run, temporaries

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

DAY = 86400.0
# two frames, and short when stored
LARGE = bytes(4 << 20) + b"and so on" * 1000
NEW = {
    oid_of(data): data for data in [b"new", b"new and loose", b"new and packed", b"n" * 1000, LARGE + b"new"]
}

NODE = oid_of(encode(Knot("new", (oid_of(b"new"),))))


class World:
    """A store with some of everything, as every round finds it."""

    def __init__(self, root):
        self.root = root
        store, refs = LocalStore.create(root, durability="none"), LocalRefs(root / "refs.sqlite")
        self.kept = {}
        store.put_many([b"long dead"])
        store.put(b"long dead and loose")
        store.pins.release()
        collect(store, refs, grace_seconds=DAY)
        one = self._keep(b"1", b"1" * 100)
        store.put_many([b"dead" * 100, *one])
        store.put(self._keep(b"loose")[0])
        store.put(b"dead and loose")
        store.put(self._keep(LARGE)[0])
        store.packs.write_multi_index()
        for number in range(4):
            store.put_many(self._keep(b"small %d" % number))
        self.node = store.put_many(self._keep(encode(Knot("all", tuple(self.kept)))))[0]
        with refs.transaction("test") as transaction:
            transaction.set("jobs/1", self.node)
            transaction.set("jobs/2", self.node)
        refs.close()
        store.pins.release()

    def _keep(self, *items):
        self.kept |= {oid_of(data): data for data in items}
        return items

    def copy(self, root):
        if root.exists():
            shutil.rmtree(root)
        shutil.copytree(self.root, root)

    def assert_whole(self, root, oids=()):
        """Everything that was there is there, and `oids` too."""
        store, refs = open_world(root)
        assert check(store, refs).problems == ()
        wanted = self.kept | {oid: NEW[oid] for oid in oids}
        small = [oid for oid, data in wanted.items() if len(data) < len(LARGE)]
        assert store.get_many(small) == {oid: wanted[oid] for oid in small}
        assert all(store.get(oid) == wanted[oid] for oid in small)
        assert {name: oid for name, oid in refs.names() if oid != NODE} == {
            "jobs/1": self.node,
            "jobs/2": self.node,
        }
        refs.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world") / ".acc")


# ---- what is done


def put(store, refs, acknowledge):
    acknowledge(store.put(b"new"))


def put_large(store, refs, acknowledge):
    acknowledge(store.put(LARGE + b"new"))


def put_what_is_there(store, refs, acknowledge):
    for data in (b"loose", b"1", LARGE):
        store.put(data)
    store.put_many([b"loose", b"1"])


def put_many(store, refs, acknowledge):
    for oid in store.put_many([b"new", b"n" * 1000, LARGE + b"new", b"1", b"loose"])[:3]:
        acknowledge(oid)


def write(store, refs, acknowledge):
    writer = store.writer()
    for at in range(0, len(LARGE), 1 << 20):
        writer.write(LARGE[at : at + (1 << 20)])
    writer.write(b"new")
    acknowledge(writer.commit())


def stage(store, refs, acknowledge):
    store.put(b"new and loose")
    staging = Staging(store, store.root / "jobs" / "1", hold_bytes=600)
    staging.put(b"new")
    staging.put(b"1")
    writer = staging.writer()
    writer.write(b"n" * 1000)
    writer.commit()
    large = staging.writer()
    large.write(LARGE + b"new")
    large.commit()
    staging.publish()
    for data in (b"new and loose", b"new", b"n" * 1000, LARGE + b"new"):
        acknowledge(oid_of(data))


def set_refs(store, refs, acknowledge):
    store.put_many([b"new", encode(Knot("new", (oid_of(b"new"),)))])
    with refs.transaction("test") as transaction:
        transaction.set("jobs/3", NODE)
        transaction.set("jobs/4", NODE)
    acknowledge(oid_of(b"new"))


def hold(store, refs, acknowledge):
    dead = {oid_of(b"long dead"), oid_of(b"long dead and loose")}
    assert store.hold(dead) == dead


def repack_some(store, refs, acknowledge):
    repack(store)


def repack_everything(store, refs, acknowledge):
    repack(store, everything=True)


def gc(store, refs, acknowledge):
    collect(store, refs, grace_seconds=DAY)


def gc_now(store, refs, acknowledge):
    collect(store, refs, grace_seconds=0.0)


OPERATIONS = [
    put,
    put_large,
    put_what_is_there,
    put_many,
    write,
    stage,
    set_refs,
    hold,
    repack_some,
    repack_everything,
    gc,
    gc_now,
]


# ---- how it is stopped


def open_world(root, durability="none"):
    return LocalStore(root, durability=durability), LocalRefs(root / "refs.sqlite", durability=durability)


def meet(operation, world, root, fault=None):
    """Return what comes of an operation that meets a fault."""
    world.copy(root)
    return run(lambda tell: operation(*open_world(root, "batch"), tell), root, fault)


def every_fault(kind, steps, *, stride):
    """Return the faults that can be met at one in `stride` of the steps, and differ."""
    places = [step for step, name in enumerate(steps) if kind != "full" or name in TAKES_ROOM]
    seeds = [0]
    if kind == "power":
        places.append(len(steps))
        seeds = [0, 1] if stride > 1 else range(6)
    # not always the first ones
    return [Fault(kind, step, seed) for step in places[len(steps) % stride :: stride] for seed in seeds]


def meet_every(kind, operation, world, root, *, stride):
    """Yield each fault, and what came of the operation that met it."""
    steps = meet(operation, world, root).steps
    assert len(steps) > 3
    for fault in every_fault(kind, steps, stride=stride):
        yield fault, meet(operation, world, root, fault)


def assert_can_go_on(operation, world, root):
    """The operation succeeds now, and then gc leaves nothing behind."""
    store, refs = open_world(root)
    told = []
    operation(store, refs, told.append)
    assert all(LocalStore(root).get(oid) == NEW[oid] for oid in told)
    release_all()
    age(root)
    collect(store, refs, grace_seconds=0.0)
    release_all()
    refs.close()
    assert temporaries(root) == []
    assert [*root.glob("trash/*"), *root.glob("pins/*")] == []
    world.assert_whole(root)


def assert_stopped(kind, operation, world, root, *, stride=1):
    """Whatever it is stopped by: all is there, it can be done again, and nothing is left behind."""
    for fault, ended in meet_every(kind, operation, world, root, stride=stride):
        try:
            assert ended.error is None or ended.error[1] == CODES[kind]
            world.assert_whole(root, ended.acknowledged)
            if kind == "full":
                assert temporaries(root) == []
            assert_can_go_on(operation, world, root)
        except Exception as err:
            raise AssertionError(f"{fault}, {ended}") from err


CODES = {"kill": None, "power": None, "full": errno.ENOSPC, "broken": errno.EIO}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_killed_at_any_step_loses_nothing(world, tmp_path, operation):
    assert_stopped("kill", operation, world, tmp_path / ".acc")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("kind", "stride"), [("power", 5), ("full", 3), ("broken", 5)])
def test_what_is_stopped_at_some_step_loses_nothing(world, tmp_path, operation, kind, stride):
    assert_stopped(kind, operation, world, tmp_path / ".acc", stride=stride)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", ["power", "full", "broken"])
def test_what_is_stopped_at_any_step_loses_nothing(world, tmp_path, operation, kind):
    assert_stopped(kind, operation, world, tmp_path / ".acc")


# ---- a disk that is full for the kernel, and for SQLite


@pytest.mark.parametrize("operation", [put_large, put_many, stage, set_refs, repack_everything, gc_now])
def test_a_file_that_may_grow_no_further_loses_nothing(world, tmp_path, operation):
    root = tmp_path / ".acc"
    refused = 0
    for most_bytes in (0, 60, 150, 500, 4096 + 100, 40_000):

        def limited(tell, most_bytes=most_bytes):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
            operation(*open_world(root), tell)

        world.copy(root)
        ended = run(limited, root)
        try:
            assert ended.error is None or ended.error[1] in (errno.EFBIG, errno.EIO, errno.ENOSPC)
            refused += ended.error is not None
            world.assert_whole(root, ended.acknowledged)
            assert temporaries(root) == []
            assert_can_go_on(operation, world, root)
        except Exception as err:
            raise AssertionError(f"{most_bytes}, {ended}") from err
    assert refused


# ---- a store that is made


@pytest.mark.parametrize("kind", ["kill", "full", "broken", "power"])
def test_what_is_stopped_while_it_makes_a_store_can_do_so_again(tmp_path, kind):
    folder = tmp_path / "project"

    def make(tell):
        store = LocalStore.create(folder / ".acc")
        oid = store.put(b"new")
        tell("object")
        refs = LocalRefs(folder / ".acc" / "refs.sqlite")
        with refs.transaction("test") as transaction:
            transaction.set("jobs/1", oid)
        tell("ref")
        refs.close()

    def assert_made(told):
        store, refs = open_world(folder / ".acc")
        assert store.get(oid_of(b"new")) == b"new"
        assert dict(refs.names()) == ({"jobs/1": oid_of(b"new")} if "ref" in told else {})
        refs.close()

    folder.mkdir()
    for fault in every_fault(kind, run(make, folder).steps, stride=2 if kind == "power" else 1):
        shutil.rmtree(folder)
        folder.mkdir()
        ended = run(make, folder, fault)
        try:
            assert ended.error is None or ended.error[1] == CODES[kind]
            if ended.acknowledged:
                assert_made(ended.acknowledged)
            make(ended.acknowledged.append)
            release_all()
            assert_made(["ref"])
        except Exception as err:
            raise AssertionError(f"{fault}, {ended}") from err


# ---- a store that is mended


def hurt(root, world):
    """Damage a pack, a loose object and the index over many packs; return the ids of what is hurt."""
    lost = oid_of(b"1" * 100)
    for path in root.glob("packs/*.pack"):
        entry = open_pack(str(path)).index.find(bytes.fromhex(lost))
        if entry:
            flip(path, entry.start + 6)
    flip(root / "packs" / "multi.idx", 40)
    loose = root / "objects" / oid_of(b"loose")[:2] / oid_of(b"loose")
    loose.chmod(0o644)
    os.truncate(loose, 20)
    return {lost, oid_of(b"loose")}


@pytest.mark.parametrize("kind", ["kill", "full", "broken", "power"])
def test_a_repair_that_is_stopped_loses_nothing_and_can_be_done_again(world, tmp_path, kind):
    root, source = tmp_path / ".acc", MemoryStore()
    source.put_many(world.kept.values())

    def mend(_=None):
        store, refs = open_world(root, "batch" if _ else "none")
        assert repair(store, check(store, refs).problems, [source]).lost == []
        refs.close()

    world.copy(root)
    hurt(root, world)
    for fault in every_fault(kind, run(mend, root).steps, stride=3):
        world.copy(root)
        lost = hurt(root, world)
        ended = run(mend, root, fault)
        assert ended.error is None or ended.error[1] == CODES[kind]
        sound = {oid: data for oid, data in world.kept.items() if oid not in lost}
        assert LocalStore(root).get_many(sound) == sound, fault
        mend()
        release_all()
        world.assert_whole(root)
