import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cas.errors import ObjectNotFound
from cas.files import TEMPORARY_PREFIX, Locked
from cas.formats.node import encode, put_node
from cas.local.fsck import check
from cas.local.gc import CannotCollect, collect
from cas.local.pins import Pins
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.local.upkeep import UpkeepRuns, upkeep
from cas.oid import oid_of
from tests.cas.local.test_store import flip, unsound
from tests.cas.test_graph import Knot
from tests.suites.store import ABSENT

DAY = 86400.0


@pytest.fixture
def writer(tmp_path):
    """The store as the process sees it that put all there is, and then let go of it."""
    return LocalStore.create(tmp_path / ".acc", durability="none")


@pytest.fixture
def refs(tmp_path):
    refs = LocalRefs(tmp_path / ".acc" / "refs.sqlite", durability="none")
    yield refs
    refs.close()


@pytest.fixture
def store(writer):
    return LocalStore(writer.root, durability="none")


def keep(refs, name, oid):
    with refs.transaction("test") as transaction:
        transaction.set(name, oid)


def tree(store, name, *, packed=True):
    """Store a node and a blob that it links to; return both ids."""
    blob = b"blob of " + name.encode()
    node = encode(Knot(name, (oid_of(blob),)))
    put = store.put_many if packed else lambda items: [store.put(item) for item in items]
    put([blob, node])
    return oid_of(node), oid_of(blob)


def gc(store, refs, grace_seconds=DAY, **how):
    return collect(store, refs, grace_seconds=grace_seconds, **how)


def in_store(store):
    """Return the ids of what is there, trash aside, as another process sees it."""
    return set(LocalStore(store.root).ids())


@pytest.mark.parametrize("packed", [True, False])
def test_what_a_ref_reaches_stays_and_the_rest_goes(writer, store, refs, packed):
    kept, lost = tree(writer, "kept", packed=packed), tree(writer, "lost", packed=packed)
    keep(refs, "jobs/1", kept[0])
    writer.pins.release()
    done = gc(store, refs)
    assert in_store(store) == set(kept)
    assert not LocalStore(store.root).has_many(lost)
    assert (done.reached, done.dead) == (2, 2)
    assert check(store, refs).is_sound
    assert [writer.get(oid) for oid in kept] == [store.get(oid) for oid in kept]
    assert writer.hold(kept) == set(kept)


def test_what_went_is_still_read_until_the_grace_is_over(writer, store, refs):
    lost = tree(writer, "lost")
    writer.pins.release()
    gc(store, refs)
    assert not store.has(lost[1])
    assert store.get(lost[1]) == writer.get(lost[1]) == b"blob of lost"
    done = gc(store, refs, 0.0)
    assert done.freed_bytes > 0
    assert not list(store.trash.files())
    with pytest.raises(ObjectNotFound):
        LocalStore(store.root).get(lost[1])


def test_a_dry_run_changes_nothing(writer, store, refs):
    tree(writer, "lost")
    tree(writer, "also", packed=False)
    writer.pins.release()
    before = sorted(path for path in store.root.rglob("*") if path.name != "upkeep")
    done = gc(store, refs, 0.0, dry_run=True)
    assert (done.dead, done.deleted) == (4, 0)
    assert done.dead_bytes > 0
    after = {path for path in store.root.rglob("*") if path.name != "upkeep"}
    assert set(before) <= after
    came = {path.relative_to(store.root).parts[0].partition("-")[0] for path in after - set(before)}
    assert came <= {"locks", "refs.sqlite"}


def test_what_a_living_writer_has_pinned_stays_with_all_it_links_to(writer, store, refs):
    node, blob = tree(writer, "pinned")
    other = LocalStore(writer.root)
    writer.pins.release()
    assert other.hold([node]) == {node}
    gc(store, refs, 0.0)
    assert in_store(store) == {node, blob}
    other.pins.release()
    gc(store, refs, 0.0)
    assert in_store(store) == set()


def test_a_pinned_object_that_is_not_there_is_no_hindrance(store, refs):
    store.pins.add([bytes(32)])
    assert gc(store, refs).reached == 0


def test_pins_of_a_dead_process_keep_nothing(writer, store, refs):
    tree(writer, "lost")
    writer.pins.release()
    script = "import sys, os; from pathlib import Path; from cas.local.store import LocalStore\n"
    script += "s = LocalStore(Path(sys.argv[1])); s.put(b'of the dead'); os._exit(9)"
    subprocess.run([sys.executable, "-c", script, str(store.root)], check=False)
    assert store.has(oid_of(b"of the dead"))
    assert len(list(store.root.glob("pins/*"))) == 1
    gc(store, refs)
    assert in_store(store) == set()
    assert list(store.root.glob("pins/*")) == []


def test_what_is_put_again_while_it_is_in_the_trash_is_stored_anew(writer, store, refs):
    writer.put_many([b"again", b"and again"])
    writer.pins.release()
    gc(store, refs)
    assert writer.put_many([b"again"]) == [oid_of(b"again")]
    assert writer.put(b"and again") == oid_of(b"and again")
    gc(store, refs, 0.0)
    assert in_store(store) == {oid_of(b"again"), oid_of(b"and again")}


def test_holding_what_is_in_the_trash_brings_it_back(writer, store, refs):
    packed, loose = tree(writer, "packed"), tree(writer, "loose", packed=False)
    above = writer.put(encode(Knot("above", (), (loose[0],))))
    writer.pins.release()
    gc(store, refs)
    asked = {packed[0], above}
    assert writer.hold([*asked, oid_of(b"absent")]) == asked
    assert in_store(store) == {*packed, *loose, above}


def test_what_links_to_something_that_is_gone_does_not_come_back(writer, store, refs):
    node, blob = tree(writer, "node", packed=False)
    above = writer.put(encode(Knot("above", (), (node,))))
    whole, _ = tree(writer, "whole", packed=False)
    writer.pins.release()
    gc(store, refs)
    next(path for path in store.trash.files() if path.name == blob).unlink()
    assert writer.hold([above, node, whole]) == {whole}
    assert not {above, node} & in_store(store)


def test_a_ref_to_what_is_in_the_trash_brings_it_back_with_all_it_links_to(writer, store, refs):
    packed, loose = tree(writer, "packed"), tree(writer, "loose", packed=False)
    writer.pins.release()
    gc(store, refs)
    assert in_store(store) == set()
    keep(refs, "jobs/1", packed[0])
    keep(refs, "jobs/2", loose[0])
    assert gc(store, refs, 0.0).restored == 3
    assert in_store(store) == {*packed, *loose}
    assert check(LocalStore(store.root), refs).is_sound


def test_living_objects_of_a_pack_are_copied_out_of_it(writer, store, refs):
    kept = tree(writer, "kept")
    writer.put_many([b"1", encode(Knot("x")), writer.get(kept[0])])
    dead = writer.put_many([b"%d" % number * 1000 for number in range(20)] + [encode(Knot("alive"))])
    keep(refs, "jobs/1", kept[0])
    keep(refs, "jobs/2", dead[-1])
    writer.pins.release()
    gc(store, refs)
    assert in_store(store) == {*kept, dead[-1]}
    assert unsound(LocalStore(store.root)) == []


def test_a_pack_of_mostly_living_objects_is_left_but_when_all_is_to_go_now(writer, store, refs):
    blobs = writer.put_many([bytes([number]) * 100 for number in range(50)])
    (node,) = writer.put_many([encode(Knot("all but one", tuple(blobs[1:])))])
    keep(refs, "jobs/1", node)
    writer.pins.release()
    done = gc(store, refs)
    assert (done.dead, done.left_bytes > 0) == (0, True)
    assert store.has(blobs[0])
    done = gc(store, refs, 0.0)
    assert (done.dead, done.left_bytes) == (1, 0)
    assert in_store(store) == {*blobs[1:], node}


def test_a_node_does_not_stay_behind_what_it_links_to(writer, store, refs):
    blobs = [bytes([number]) * 100 for number in range(50)]
    lost = writer.put(b"lost with its node")
    dead = encode(Knot("dead", (lost,)))
    node = writer.put_many([*blobs, dead, encode(Knot("alive", tuple(map(oid_of, blobs))))])[-1]
    keep(refs, "jobs/1", node)
    writer.pins.release()
    # in any grace but none, a few dead bytes may stay in a pack
    gc(store, refs, 1e-9)
    assert not store.has(lost)
    assert store.hold([oid_of(dead)]) == set()
    assert in_store(store) == {*map(oid_of, blobs), node}


def test_nothing_is_collected_while_a_node_cannot_be_followed(writer, store, refs):
    blob = writer.put(b"blob")
    inner = put_node(writer, Knot("inner", (blob,)))
    keep(refs, "jobs/1", put_node(writer, Knot("outer", (), (inner,))))
    writer.pins.release()
    writer.loose.delete(inner)
    with pytest.raises(CannotCollect, match=inner):
        gc(store, refs, 0.0)
    assert store.has(blob)


def test_a_missing_blob_is_no_hindrance(writer, store, refs):
    node, blob = tree(writer, "x", packed=False)
    tree(writer, "lost")
    keep(refs, "jobs/1", node)
    writer.pins.release()
    writer.loose.delete(blob)
    gc(store, refs, 0.0)
    assert in_store(store) == {node}


def test_a_damaged_pack_is_left_alone(writer, store, refs):
    writer.put_many([b"1", b"2"])
    writer.pins.release()
    (pack,) = store.root.glob("packs/*.pack")
    flip(pack, pack.stat().st_size - 1)
    gc(store, refs, 0.0)
    assert pack.exists()


def test_what_dead_writers_left_is_swept_when_it_is_old(store, refs):
    old, young = (store.root / "objects" / f"{TEMPORARY_PREFIX}{name}" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half of it")
    os.utime(old, (time.time() - DAY, time.time() - DAY))
    done = gc(store, refs)
    assert (old.exists(), young.exists()) == (False, True)
    assert (done.deleted, done.freed_bytes) == (1, 10)


def test_a_second_gc_waits_or_says_so(store, refs):
    with upkeep(store.root, blocking=True), pytest.raises(UpkeepRuns):
        gc(store, refs, blocking=False)


def test_another_lock_that_an_upkeep_meets_is_not_taken_for_an_upkeep(store):
    with pytest.raises(Locked) as caught, upkeep(store.root, blocking=False):
        raise Locked("refs are busy")
    assert not isinstance(caught.value, UpkeepRuns)


def test_an_index_over_many_packs_is_written_again_when_a_pack_of_it_went(writer, store, refs):
    kept = tree(writer, "kept")
    writer.put_many([b"lost"])
    writer.packs.write_multi_index()
    keep(refs, "jobs/1", kept[0])
    writer.pins.release()
    gc(store, refs)
    assert LocalStore(store.root).packs.packs()
    assert not LocalStore(store.root).packs.multi_is_stale()
    assert check(LocalStore(store.root), refs).is_sound


# the two sides of the race between a writer and gc


def test_a_pin_between_mark_and_move_is_seen_after_the_move(writer, store, refs, monkeypatch):
    node, blob = tree(writer, "late")
    writer.pins.release()
    begin = store.trash.begin

    def pin_and_begin():
        # gc has marked; the writer pins, looks, and finds all there
        assert writer.hold([node]) == {node}
        return begin()

    monkeypatch.setattr(store.trash, "begin", pin_and_begin)
    gc(store, refs, 0.0)
    assert in_store(store) == {node, blob}


def test_a_ref_between_mark_and_move_is_seen_after_the_move(writer, store, refs, monkeypatch):
    node, blob = tree(writer, "late", packed=False)
    writer.pins.release()
    begin = store.trash.begin

    def set_and_begin():
        keep(refs, "jobs/1", node)
        return begin()

    monkeypatch.setattr(store.trash, "begin", set_and_begin)
    gc(store, refs, 0.0)
    assert in_store(store) == {node, blob}


@pytest.mark.parametrize("packed", [True, False])
def test_what_a_node_links_to_stays_with_it_when_it_came_and_was_given_up_between_mark_and_move(
    writer, store, refs, monkeypatch, packed
):
    node, blob = tree(writer, "brief", packed=packed)
    store.delete(node)
    writer.pins.release()
    begin = store.trash.begin

    def store_and_begin():
        # the blob was found, so it was not stored anew
        assert tree(writer, "brief", packed=packed) == (node, blob)
        writer.pins.release()
        return begin()

    monkeypatch.setattr(store.trash, "begin", store_and_begin)
    gc(store, refs, 0.0)
    assert LocalStore(store.root).hold([node]) == {node}
    assert in_store(store) == {node, blob}
    gc(LocalStore(store.root), refs, 0.0)
    assert in_store(store) == {node, blob}


def test_a_node_that_comes_back_with_the_pack_of_another_object_is_whole(writer, store, refs, monkeypatch):
    beside = encode(Knot("beside", (oid_of(b"below"),)))
    writer.put_many([b"wanted", beside])
    writer.put_many([b"below"])
    writer.pins.release()
    condemn = store.trash.condemn

    def hold_and_condemn(**how):
        assert writer.hold([oid_of(b"wanted")])
        condemn(**how)

    monkeypatch.setattr(store.trash, "condemn", hold_and_condemn)
    gc(store, refs, 0.0)
    assert in_store(store) == {oid_of(b"wanted"), oid_of(beside), oid_of(b"below")}


def test_after_the_move_a_writer_finds_nothing_and_stores_anew(writer, store, refs, monkeypatch):
    writer.put_many([b"late"])
    writer.pins.release()
    assert writer.has(oid_of(b"late"))
    restore = collect.__globals__["_Collection"].restore_what_is_reached

    def put_after(work):
        restore(work)
        writer.put_many([b"late"])

    monkeypatch.setattr(collect.__globals__["_Collection"], "restore_what_is_reached", put_after)
    gc(store, refs, 0.0)
    assert in_store(store) == {oid_of(b"late")}


@pytest.mark.parametrize("packed", [True, False])
def test_a_node_held_before_what_is_condemned_goes_is_not_held_or_whole(
    writer, store, refs, monkeypatch, packed
):
    node, blob = tree(writer, "very late", packed=packed)
    writer.pins.release()
    restore, held = collect.__globals__["_Collection"].restore_what_is_reached, set()

    def hold_after(work):
        restore(work)
        held.update(writer.hold([node]))

    monkeypatch.setattr(collect.__globals__["_Collection"], "restore_what_is_reached", hold_after)
    gc(store, refs, 0.0)
    assert in_store(store) == ({node, blob} if held else set())


def test_an_object_that_comes_back_from_the_trash_is_not_missed_on_its_way(writer, store, refs, monkeypatch):
    _node, blob = tree(writer, "back", packed=False)
    writer.pins.release()
    gc(store, refs)
    find = store.trash.find_open

    def find_after(oid):
        assert LocalStore(store.root).hold([oid]) == {oid}
        return find(oid)

    monkeypatch.setattr(store.trash, "find_open", find_after)
    assert store.get(blob) == b"blob of back"


def test_what_two_processes_bring_back_is_held_by_both(writer, store, refs, monkeypatch):
    oids = writer.put_many([b"1", b"2"])
    writer.pins.release()
    gc(store, refs)
    restore = store.trash.restore

    def restore_second(oid, **how):
        # both objects are in one pack
        assert LocalStore(store.root).hold([oids[0]])
        return restore(oid, **how)

    monkeypatch.setattr(store.trash, "restore", restore_second)
    assert store.hold([oids[1]]) == {oids[1]}


def test_a_folder_of_the_trash_may_go_while_it_is_searched(writer, store, refs, monkeypatch):
    tree(writer, "lost")
    writer.pins.release()
    gc(store, refs)
    bins = store.trash._bins
    monkeypatch.setattr(store.trash, "_bins", lambda: [store.trash.folder / "1", *bins()])
    assert store.hold([ABSENT]) == set()
    assert len(list(store.trash.files())) == 1


def test_nothing_is_deleted_while_a_late_node_cannot_be_followed(writer, store, refs, monkeypatch):
    inner, blob = tree(writer, "inner", packed=False)
    outer = put_node(writer, Knot("outer", (), (inner,)))
    writer.pins.release()
    begin = store.trash.begin

    def set_and_begin():
        keep(refs, "jobs/1", outer)
        writer.loose.delete(inner)
        return begin()

    monkeypatch.setattr(store.trash, "begin", set_and_begin)
    with pytest.raises(CannotCollect, match=inner):
        gc(store, refs, 0.0)
    assert store.get(blob) == b"blob of inner"


def test_what_a_killed_gc_took_too_early_is_sound_and_comes_back(writer, store, refs, monkeypatch):
    late = {**dict([tree(writer, "loose", packed=False)]), **dict([tree(writer, "packed")])}
    writer.pins.release()
    begin = store.trash.begin

    def rely_and_begin():
        for number, node in enumerate(late):
            assert writer.hold([node])
            keep(refs, f"jobs/{number}", node)
        return begin()

    def die(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(store.trash, "begin", rely_and_begin)
    monkeypatch.setattr(store.trash, "condemn", die)
    with pytest.raises(KeyboardInterrupt):
        gc(store, refs, 0.0)
    monkeypatch.undo()
    writer.pins.release()
    assert check(LocalStore(store.root), refs).is_sound
    assert [LocalStore(store.root).get(blob) for blob in late.values()] == [
        b"blob of loose",
        b"blob of packed",
    ]
    gc(store, refs, 0.0)
    assert in_store(store) == {*late, *late.values()}


def test_a_dry_run_leaves_in_the_trash_what_would_come_back(writer, store, refs):
    node, _blob = tree(writer, "back", packed=False)
    writer.pins.release()
    gc(store, refs)
    keep(refs, "jobs/1", node)
    assert gc(store, refs, 0.0, dry_run=True).restored == 2
    assert in_store(store) == set()


def test_pins_have_a_host_a_process_and_a_time(writer):
    writer.put(b"x")
    (own,) = writer.root.glob("pins/*")
    host, pid, moment = own.name.rsplit("-", 2)
    assert host
    assert int(pid) == os.getpid()
    assert int(moment) <= time.time_ns()
    assert oid_of(b"x") in (own / "ids").read_text()
    assert isinstance(writer.pins, Pins)
    assert Path(own / "alive").exists()
