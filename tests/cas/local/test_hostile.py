"""Things in a store's folder that nobody expects there, and sizes that lie."""

import os
import shutil
import signal
import socket
import struct
import tracemalloc
from zlib import crc32

import pytest

from cas.errors import CorruptObject, ObjectNotFound
from cas.files import PlaceTaken, UnreadableFile, open_file
from cas.formats.encoder import encode as stored_form
from cas.formats.frame import check_of
from cas.formats.multiindex import NAME as MULTI_INDEX
from cas.formats.node import encode
from cas.formats.pack import PACK_START, PACK_START_1
from cas.formats.packindex import Entry, encode_index
from cas.formats.seal import Seal, encode_named_seal, encode_seal
from cas.local import verifying
from cas.local.census import take_census
from cas.local.fsck import check
from cas.local.gc import collect
from cas.local.pins import release_all
from cas.local.refs import LocalRefs
from cas.local.repack import repack
from cas.local.repair import repair
from cas.local.store import LocalStore
from cas.memory import MemoryStore
from cas.oid import oid_of
from tests.cas.local.test_store import pack
from tests.cas.test_graph import Knot

SECRET = b"nobody may read this" * 10
SOUND = [b"sound and loose", b"sound in a pack"]
HIT = b"in its place is something else"
DEAD = b"no ref reaches this"
NODE = encode(Knot("all", (*map(oid_of, SOUND), oid_of(HIT))))
HOUR = 3600.0


@pytest.fixture(autouse=True)
def _nothing_waits():
    """Interrupt what waits for the other end of a pipe."""

    def interrupt(*_):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


class World:
    """A store over whose node a ref stands, and a secret beside it."""

    def __init__(self, base):
        self.root = base / ".acc"
        self.secret = base / "secret"

    def store(self):
        return LocalStore(self.root, durability="none")

    def refs(self):
        return LocalRefs(self.root / "refs.sqlite", durability="none")

    def check(self):
        return check(self.store(), self.refs())

    def found(self, path):
        """Return the kinds of what `check` says of the thing at `path`."""
        return {problem.kind for problem in self.check().problems if problem.path == path}

    def assert_unharmed(self):
        """The secret is as it was, and all that is sound is read."""
        assert self.secret.read_bytes() == SECRET
        assert sorted(path.name for path in self.root.parent.iterdir()) == [".acc", "secret"]
        store = self.store()
        for data in [*SOUND, NODE]:
            assert store.has(oid_of(data))
            assert set(read_all_ways(store, data)) == {data}
            assert store.sizes_of(oid_of(data)).raw_bytes == len(data)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("template"))
    world.secret.write_bytes(SECRET)
    store = LocalStore.create(world.root, durability="none")
    for data in [SOUND[0], HIT, DEAD, NODE]:
        store.put(data)
    pack(store, SOUND[1], b"also dead")
    refs = world.refs()
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", oid_of(NODE))
    refs.close()
    release_all()
    return world.root.parent


@pytest.fixture
def world(template, tmp_path):
    shutil.copytree(template, tmp_path / "base")
    return World(tmp_path / "base")


def read_all_ways(store, data):
    """Yield what each way to read an object gives."""
    oid = oid_of(data)
    yield store.get(oid)
    with store.open(oid) as stream:
        yield stream.read()
    yield b"".join(store.pieces(oid))
    yield store.get_many([oid])[oid]


def assert_unreadable(store, oid):
    """Every way to read the object raises what says so in one line."""
    for read in [
        store.get,
        lambda oid: store.open(oid).read(),
        lambda oid: [*store.pieces(oid)],
        lambda oid: store.get_many([oid]),
    ]:
        with pytest.raises((ObjectNotFound, CorruptObject)) as caught:
            read(oid)
        assert "\n" not in str(caught.value)
        assert oid in str(caught.value)


# what may be there


def _socket(path, secret):
    # its name must be short when it is made
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(secret.with_name("s")))
    secret.with_name("s").rename(path)


def _folder(path, secret):
    path.mkdir()
    (path / "mine").write_bytes(b"mine")


def _unreadable(path, secret):
    path.write_bytes(SECRET)
    path.chmod(0)


THINGS = {
    "folder": _folder,
    "symlink": lambda path, secret: path.symlink_to(secret),
    "symlink to nothing": lambda path, secret: path.symlink_to(secret.with_name("nothing")),
    "symlink to itself": lambda path, secret: path.symlink_to(path),
    "pipe": lambda path, secret: os.mkfifo(path),
    "socket": _socket,
    "empty": lambda path, secret: path.touch(),
    "unreadable": _unreadable,
}
FILES = {"empty", "unreadable"}


def loose_file(world, data=HIT):
    return world.root / "objects" / oid_of(data)[:2] / oid_of(data)


def at_loose(world):
    loose_file(world).unlink()
    return loose_file(world)


def at_folder_of_loose(world):
    shutil.rmtree(loose_file(world).parent)
    return loose_file(world).parent


def at_pack(world):
    loose_file(world).unlink()
    path = pack(world.store(), HIT)
    path.unlink()
    return path


def at_multi_index(world):
    return world.root / "packs" / MULTI_INDEX


def at_trash(world):
    loose_file(world).unlink()
    bin_ = world.store().trash.begin()
    return bin_ / oid_of(HIT)


def at_bin(world):
    (world.root / "trash").mkdir()
    return world.root / "trash" / "1"


def at_pins(world):
    return world.root / "pins" / "a note"


def at_writer(world):
    return world.root / "pins" / "host-1-1"


def at_temporary(folder):
    return lambda world: world.root / folder / ".tmp-1-1"


PLACES = {
    "loose": at_loose,
    "folder of loose": at_folder_of_loose,
    "pack": at_pack,
    "multi.idx": at_multi_index,
    "trash": at_trash,
    "bin": at_bin,
    "pins": at_pins,
    "writer": at_writer,
    "temporary object": at_temporary("objects"),
    "temporary pack": at_temporary("packs"),
    "temporary file": at_temporary("."),
}
# where HIT cannot be read any more
LOST = {"loose", "folder of loose", "pack", "trash"}
# a folder there, or a file, is as it should be
USUAL = {
    ("folder of loose", "folder"),
    ("bin", "folder"),
    ("writer", "folder"),
    *(
        (place, kind)
        for place in ["trash", *PLACES]
        if place == "trash" or "temporary" in place
        for kind in FILES
    ),
}
DAMAGE = {"loose": "corrupt", "pack": "torn", "multi.idx": "corrupt"}
# root may read all
KINDS = THINGS.keys() - ({"unreadable"} if os.geteuid() == 0 else set())
CASES = [(place, kind) for place in PLACES for kind in sorted(KINDS) if (place, kind) not in USUAL]
every_case = pytest.mark.parametrize(("place", "kind"), CASES)
every_loss = pytest.mark.parametrize(("place", "kind"), [case for case in CASES if case[0] in LOST])


def put_thing(world, place, kind):
    """Put a thing in its place; return where that is."""
    path = PLACES[place](world)
    path.parent.mkdir(exist_ok=True)
    THINGS[kind](path, world.secret)
    return path


def is_as_it_was(path, kind):
    """Return whether the thing is where it was put."""
    checks = {
        "folder": lambda: [file.name for file in path.iterdir()] == ["mine"],
        "pipe": path.is_fifo,
        "socket": path.is_socket,
        "empty": lambda: path.stat().st_size == 0,
        "unreadable": path.is_file,
    }
    return checks.get(kind, path.is_symlink)()


@every_case
def test_all_else_is_read_and_what_is_hit_is_an_error(world, place, kind):
    used = world.store()
    put_thing(world, place, kind)
    world.assert_unharmed()
    take_census(world.store())
    for store in (used, world.store()):
        if place in LOST:
            assert_unreadable(store, oid_of(HIT))
        else:
            assert set(read_all_ways(store, HIT)) == {HIT}
    if place in LOST:
        with pytest.raises((ObjectNotFound, CorruptObject)):
            world.store().sizes_of(oid_of(HIT))


@every_loss
@pytest.mark.parametrize("together", [False, True], ids=["put", "put_many"])
def test_what_is_hit_is_stored_again_or_it_is_said_what_is_in_the_way(world, place, kind, together):
    path = put_thing(world, place, kind)
    store = world.store()
    blocked = {"loose": kind == "folder" and not together, "folder of loose": not together}.get(
        place, place == "pack" and kind == "folder" and together
    )
    put = (lambda: store.put_many([HIT])) if together else (lambda: store.put(HIT))
    if blocked:
        with pytest.raises(PlaceTaken, match=oid_of(HIT) if place != "pack" else path.name):
            put()
        assert is_as_it_was(path, kind)
    else:
        put()
        assert set(read_all_ways(world.store(), HIT)) == {HIT}
    assert not list(world.root.rglob(".tmp-*"))
    world.assert_unharmed()


@every_case
def test_a_check_names_it_and_a_repair_loses_nothing(world, place, kind):
    path = put_thing(world, place, kind)
    assert world.found(path) == {DAMAGE.get(place, "foreign")}
    source = MemoryStore()
    source.put(HIT)
    store = world.store()
    done = repair(store, world.check().problems, [source])
    if place == "folder of loose":
        assert done.lost == [oid_of(HIT)]
    else:
        assert done.lost == []
        # whoever may read a pack is to say whether it is sound
        assert world.check().is_sound == ((place, kind) != ("pack", "unreadable"))
        assert set(read_all_ways(world.store(), HIT)) == {HIT}
    if place in DAMAGE and kind not in FILES:
        assert [is_as_it_was(aside, kind) for aside in done.quarantined] == [True]
    if place not in DAMAGE:
        assert is_as_it_was(path, kind)
    release_all()
    world.assert_unharmed()


@every_case
@pytest.mark.parametrize("grace", [0.0, HOUR], ids=["at once", "with grace"])
def test_gc_takes_what_is_dead_and_touches_nothing_else(world, place, kind, grace):
    path = put_thing(world, place, kind)
    done = collect(world.store(), world.refs(), grace_seconds=grace)
    assert not world.store().has(oid_of(DEAD))
    assert done.dead == 2
    # an index over many packs that is of no use is written again
    assert place == "multi.idx" or is_as_it_was(condemned_or(path), kind)
    world.assert_unharmed()


def condemned_or(path):
    """Return where a thing in a bin of the trash is once that is condemned."""
    condemned = path.parent.with_name(path.parent.name + ".condemned")
    return condemned / path.name if condemned.exists() else path


@every_case
def test_repack_packs_what_is_sound_and_touches_nothing_else(world, place, kind):
    path = put_thing(world, place, kind)
    repack(world.store())
    repack(world.store(), everything=True)
    assert not loose_file(world, SOUND[0]).exists()
    assert place == "multi.idx" or is_as_it_was(path, kind)
    world.assert_unharmed()


# in other places still


@pytest.mark.parametrize("name", ["objects", "packs", "trash"])
def test_what_lies_behind_a_symlink_to_a_folder_is_not_the_stores(world, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    lost = b"dead, and elsewhere"
    there = outside / oid_of(lost)
    there.write_bytes(b"".join(stored_bytes(lost)))
    link = {
        "objects": world.root / "objects" / oid_of(lost)[:2],
        "packs": world.root / "packs" / f"{oid_of(b'pack')}.pack",
        "trash": world.root / "trash" / "1",
    }[name]
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    assert world.found(link) == {"torn" if name == "packs" else "foreign"}
    repack(world.store(), everything=True)
    collect(world.store(), world.refs(), grace_seconds=0.0)
    repair(world.store(), world.check().problems)
    assert there.exists()
    release_all()
    world.assert_unharmed()


@pytest.mark.parametrize("kind", ["symlink", "hard link"])
def test_a_symlink_to_a_sound_stored_form_is_corrupt_all_the_same(world, kind):
    path, target = loose_file(world), world.secret.with_name("moved")
    path.rename(target)
    path.symlink_to(target) if kind == "symlink" else path.hardlink_to(target)
    if kind == "symlink":
        assert_unreadable(world.store(), oid_of(HIT))
        assert world.found(path) == {"corrupt"}
    else:
        assert world.store().get(oid_of(HIT)) == HIT


@pytest.mark.parametrize("kind", sorted(set(THINGS) - FILES))
def test_a_dead_object_whose_place_is_taken_is_left_to_fsck(world, kind):
    path = loose_file(world, DEAD)
    path.unlink()
    THINGS[kind](path, world.secret)
    collect(world.store(), world.refs(), grace_seconds=0.0)
    assert is_as_it_was(path, kind)
    assert world.found(path) == {"corrupt"}


@pytest.mark.parametrize("kind", sorted(set(THINGS) - FILES))
def test_a_sound_copy_in_the_trash_outlives_what_is_in_its_place(world, kind):
    store = world.store()
    store.trash.move_loose(oid_of(HIT), store.trash.begin())
    THINGS[kind](loose_file(world), world.secret)
    if kind == "folder":
        with pytest.raises(PlaceTaken):
            collect(world.store(), world.refs(), grace_seconds=0.0)
        repair(world.store(), world.check().problems)
    collect(world.store(), world.refs(), grace_seconds=0.0)
    assert set(read_all_ways(world.store(), HIT)) == {HIT}
    release_all()
    world.assert_unharmed()


@pytest.mark.parametrize("kind", sorted(set(THINGS) - FILES))
def test_a_pack_that_turns_into_something_else_once_its_index_was_read_is_corrupt(world, kind):
    loose_file(world).unlink()
    path = pack(world.store(), HIT, b"dead beside it")
    used = world.store()
    assert used.get(oid_of(HIT)) == HIT
    path.unlink()
    THINGS[kind](path, world.secret)
    assert_unreadable(used, oid_of(HIT))
    found = {problem.kind for problem in check(used, world.refs()).problems if problem.path == path}
    assert found == {"corrupt"}
    assert str(path) in repack(used, everything=True).damaged
    collect(used, world.refs(), grace_seconds=0.0)
    assert is_as_it_was(path, kind)
    world.assert_unharmed()


@pytest.mark.parametrize("name", ["alive", "ids"])
@pytest.mark.parametrize("kind", ["folder", "symlink", "symlink to itself", "pipe", "socket"])
def test_gc_stops_when_it_cannot_tell_what_a_writer_has_pinned(world, kind, name):
    store = world.store()
    store.pins.add([bytes(32)])
    path = store.pins.ids.with_name(name)
    path.unlink()
    THINGS[kind](path, world.secret)
    with pytest.raises(UnreadableFile, match=name):
        collect(world.store(), world.refs(), grace_seconds=0.0)
    assert world.store().has(oid_of(DEAD))
    assert world.secret.read_bytes() == SECRET


def test_what_is_no_id_among_pins_is_passed_over(world):
    store = world.store()
    store.pins.add([bytes.fromhex(oid_of(DEAD))])
    with open(store.pins.ids, "ab") as ids:
        ids.write(b"\xff\x00 no text\n" + b"0" * 63 + b"\n")
    collect(world.store(), world.refs(), grace_seconds=0.0)
    assert world.store().has(oid_of(DEAD))


def test_a_folder_beside_those_of_writers_is_not_swept(world):
    mine = world.root / "pins" / "my notes"
    mine.mkdir(parents=True)
    (mine / "note").write_bytes(b"mine")
    collect(world.store(), world.refs(), grace_seconds=0.0)
    assert (mine / "note").read_bytes() == b"mine"


def test_a_writer_on_another_host_without_a_list_is_dead(world):
    other = world.root / "pins" / "elsewhere-1-1"
    other.mkdir(parents=True)
    (other / "alive").touch()
    collect(world.store(), world.refs(), grace_seconds=0.0)
    assert not other.exists()


def test_a_writer_that_replaces_a_damaged_object_before_its_repair_loses_nothing(world):
    loose_file(world).unlink()
    loose_file(world).touch()
    problems = world.check().problems
    world.store().put(HIT)
    done = repair(world.store(), problems)
    assert (done.quarantined, done.lost) == ([], [])
    assert world.store().get(oid_of(HIT)) == HIT


@pytest.mark.parametrize("kind", sorted(set(THINGS) - FILES))
def test_a_store_whose_format_is_no_file_is_refused(world, kind):
    (world.root / "format").unlink()
    THINGS[kind](world.root / "format", world.secret)
    with pytest.raises(UnreadableFile, match="format"):
        world.store()
    with pytest.raises(UnreadableFile, match="format"):
        LocalStore.create(world.root)


def test_a_file_is_opened_with_its_length(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    descriptor, size = open_file(path)
    os.close(descriptor)
    assert size == 5
    for nothing in [tmp_path / "nothing", path / "below a file"]:
        with pytest.raises(FileNotFoundError):
            open_file(nothing)


# sizes that lie


MOST = (1 << 32) - 1
HUGE = 1 << 60


def stored_bytes(data):
    """Return stored form and short seal of `data`."""
    seal, stored = stored_form(data, bytes.fromhex(oid_of(data)))
    return stored, encode_seal(seal)


def digest_of(data):
    return bytes.fromhex(oid_of(data))


def loose_that_claims(raw_bytes, stored_bytes, stored, *, named):
    seal = Seal(digest_of(HIT), raw_bytes, stored_bytes or len(stored), crc32(stored))
    return stored + (encode_named_seal if named else encode_seal)(seal)


FRAMES = bytes(200) + struct.pack("<I4s", 1 << 31, b"Tcca")
LOOSE_LIES = {
    "raw bytes": loose_that_claims(MOST, 0, bytes(200), named=False),
    "raw bytes of one frame": loose_that_claims(4 << 20, 0, stored_bytes(HIT)[0], named=False),
    "raw bytes in a named seal": loose_that_claims(HUGE, 0, bytes(200), named=True),
    "stored bytes": loose_that_claims(len(HIT), MOST, bytes(200), named=False),
    "stored bytes in a named seal": loose_that_claims(HUGE, HUGE, bytes(200), named=True),
    "2^31 frames": loose_that_claims(1 << 53, 0, FRAMES, named=True),
    "rows of a seek table": b"".join(stored_bytes(HIT)) + struct.pack("<IB4s", MOST, 0, b"\xb1\xea\x92\x8f"),
}


def pack_of_lies(entry, seal):
    """Return a pack of one object whose index says `entry`, with the seal `seal` before it."""
    stored, _ = stored_bytes(HIT)
    start = PACK_START + seal + stored
    return start + encode_index([entry], len(start))


def pack_of_version_1(raw_bytes, stored_bytes_, offset, seal):
    stored, _ = stored_bytes(HIT)
    start = PACK_START_1 + seal + stored
    record = struct.pack("<32sQQIIQ", digest_of(HIT), raw_bytes, stored_bytes_, 0, 0, offset)
    size = 32 + len(record) + 16 + 8
    index = (
        struct.pack("<4sI4sBBHQQ", b"\x5c\x2a\x4d\x18", size - 8, b"accI", 1, 0, 0, 1, len(start)) + record
    )
    return start + index + check_of(index) + struct.pack("<I4s", size, b"Icca")


def seal_of(raw_bytes, stored_bytes_, encode_):
    return encode_(Seal(digest_of(HIT), raw_bytes, stored_bytes_, crc32(stored_bytes(HIT)[0])))


_STORED = len(stored_bytes(HIT)[0])
PACK_LIES = {
    "offset": pack_of_lies(Entry(digest_of(HIT), MOST, _STORED, len(HIT)), stored_bytes(HIT)[1]),
    "stored bytes": pack_of_lies(Entry(digest_of(HIT), 16, MOST, len(HIT)), stored_bytes(HIT)[1]),
    "raw bytes": pack_of_lies(Entry(digest_of(HIT), 16, _STORED, MOST), stored_bytes(HIT)[1]),
    "stored bytes, in the seal too": pack_of_lies(
        Entry(digest_of(HIT), 16, MOST, len(HIT)), seal_of(len(HIT), MOST, encode_seal)
    ),
    "raw bytes, in the seal too": pack_of_lies(
        Entry(digest_of(HIT), 16, _STORED, MOST), seal_of(MOST, _STORED, encode_seal)
    ),
    **{
        f"offset {offset:x} of version 1": pack_of_version_1(
            len(HIT), _STORED, offset, seal_of(1, 1, encode_named_seal)
        )
        for offset in [HUGE, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
    },
    **{
        f"{raw_bytes:x} raw and {stored:x} stored bytes of version 1": pack_of_version_1(
            raw_bytes, stored, 16, seal_of(raw_bytes, stored, encode_named_seal)
        )
        for raw_bytes in [len(HIT), HUGE, (1 << 64) - 1]
        for stored in [_STORED, HUGE, (1 << 64) - 1]
        if (raw_bytes, stored) != (len(HIT), _STORED)
    },
}


@pytest.fixture
def little_memory(monkeypatch):
    """Fail when more than some megabytes are taken at once."""
    # all is read in this process: what another takes is not seen, and one forked while it is traced may hang
    monkeypatch.setattr(verifying, "usable_cores", lambda: 1)
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def assert_lies_are_found(world, path):
    assert_unreadable(world.store(), oid_of(HIT))
    problems = world.check().problems
    assert oid_of(HIT) in {problem.oid for problem in problems if problem.kind in ("corrupt", "missing")}
    assert path in {problem.path for problem in problems}
    repack(world.store(), everything=True)
    collect(world.store(), world.refs(), grace_seconds=0.0)
    take_census(world.store())
    assert_unreadable(world.store(), oid_of(HIT))
    source = MemoryStore()
    source.put(HIT)
    repair(world.store(), world.check().problems, [source])
    assert world.check().is_sound
    assert world.store().get(oid_of(HIT)) == HIT
    release_all()
    world.assert_unharmed()


@pytest.mark.parametrize("lie", LOOSE_LIES)
def test_a_loose_object_that_lies_takes_no_memory_and_is_found(world, little_memory, lie):
    path = at_loose(world)
    path.write_bytes(LOOSE_LIES[lie])
    assert_lies_are_found(world, path)


@pytest.mark.parametrize("lie", PACK_LIES)
def test_a_pack_that_lies_takes_no_memory_and_is_found(world, little_memory, lie):
    at_loose(world)
    path = world.root / "packs" / f"{oid_of(b'lies')}.pack"
    path.write_bytes(PACK_LIES[lie])
    assert_lies_are_found(world, path)


def multi_index_that_lies(path, change):
    """Change the records of the index over many packs, and make its checks fit."""
    data = path.read_bytes()
    packs, total = struct.unpack_from("<IQ", data, 8)
    start = 36 + 32 * packs
    records = bytearray(data[start : start + 48 * total])
    for at in range(0, len(records), 48):
        records[at + 32 : at + 48] = struct.pack("<4I", *change(*struct.unpack_from("<4I", records, at + 32)))
    path.unlink()
    path.write_bytes(data[:start] + records + check_of(records))


MULTI_LIES = {
    "offset": lambda offset, stored, raw, number: (MOST, stored, raw, number),
    "offset of another": lambda offset, stored, raw, number: (offset + 1, stored, raw, number),
    "stored bytes": lambda offset, stored, raw, number: (offset, MOST, raw, number),
    "raw bytes": lambda offset, stored, raw, number: (offset, stored, MOST, number),
    "other pack": lambda offset, stored, raw, number: (offset, stored, raw, 1 - number),
    "no pack": lambda offset, stored, raw, number: (offset, stored, raw, MOST),
}


@pytest.mark.parametrize("lie", MULTI_LIES)
def test_an_index_over_many_packs_that_lies_gives_no_other_bytes_and_is_found(world, little_memory, lie):
    pack(world.store(), HIT, b"another")
    loose_file(world).unlink()
    store = world.store()
    store.packs.write_multi_index()
    path = world.root / "packs" / MULTI_INDEX
    assert world.check().is_sound
    multi_index_that_lies(path, MULTI_LIES[lie])
    if lie == "no pack":
        assert_unreadable(world.store(), oid_of(HIT))
    else:
        assert world.store().get(oid_of(HIT)) == HIT
    assert world.found(path) == {"corrupt"}
    repair(world.store(), world.check().problems)
    assert world.check().is_sound
    assert set(read_all_ways(world.store(), HIT)) == {HIT}
    world.assert_unharmed()


def test_a_fan_out_that_lies_is_found(world, little_memory):
    data = [b"%d" % number for number in range(1100)]
    pack(world.store(), *data)
    world.store().packs.write_multi_index()
    path = world.root / "packs" / MULTI_INDEX
    told = bytearray(path.read_bytes())
    fan_out = 20 + 32 * struct.unpack_from("<I", told, 8)[0]
    told[fan_out : fan_out + 1024] = b"\xff" * 1024
    told[fan_out + 1024 : fan_out + 1040] = check_of(told[: fan_out + 1024])
    path.unlink()
    path.write_bytes(told)
    assert world.found(path) == {"corrupt"}
    repair(world.store(), world.check().problems)
    assert world.check().is_sound
    assert world.store().has_many(map(oid_of, data)) == {*map(oid_of, data)}
    world.assert_unharmed()
