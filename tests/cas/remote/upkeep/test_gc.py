"""gc of a remote: what no ref reaches goes, what one reaches stays, whoever does what meanwhile."""

import random

import pytest

from cas.formats.node import get_node
from cas.graph import walk
from cas.local.gc import CannotCollect
from cas.oid import oid_of
from cas.remote.keys import pack_key
from cas.remote.log import LogFile, encode_file, list_log
from cas.remote.transaction import Change
from cas.remote.transfer.fetch import fetch_nodes
from cas.remote.transfer.push import push
from cas.remote.upkeep.gc import sweep
from cas.remote.uploads import Moved, known_files
from tests.cas.remote.clones import Clone, Leaf

DAY = 86400.0


def noise(name, length=1000):
    return name.encode() + random.Random(name).randbytes(length)


def forget(clone, *names):
    """Delete refs of the remote."""
    clone.remote.look()
    clone.remote.commit(lambda: Change("forget", refs=dict.fromkeys(names)))


def files(clone):
    """Return the keys of all files but the log and the format."""
    return {file.key for file in clone.remote.bucket.list("") if not file.key.startswith(("log/", "format"))}


def assert_whole(clone, folder):
    """Whoever starts with nothing gets all that the refs name, and every file is one that the remote tells of."""
    fresh = Clone(folder, clone.remote.bucket.url)
    refs = fresh.fetch(blobs=True)
    assert [visit.error for visit in walk(fresh.store, refs.values()) if visit.error] == []
    return refs


def test_what_no_ref_reaches_goes_and_all_else_stays(ann, tmp_path):
    kept = ann.node("kept", [noise("kept"), noise("both")])
    gone = ann.node("gone", [noise("gone"), noise("both")])
    ann.push(kept=kept, gone=gone)
    forget(ann, "gone")
    done = sweep(ann.store, ann.remote)
    assert (done.reached, done.dead) == (3, 2)
    assert not ann.remote.mirror.has(gone)
    assert not ann.remote.mirror.has(oid_of(noise("gone")))
    assert assert_whole(ann, tmp_path / "new") == {"kept": kept}


def test_files_stay_for_the_grace_after_they_were_dropped(ann):
    ann.push(gone=ann.node("gone", [noise("gone")]))
    before = files(ann)
    forget(ann, "gone")
    done = sweep(ann.store, ann.remote)
    assert (done.dropped, done.deleted) == (2, 0)
    assert files(ann) == before
    assert ann.remote.mirror.dropped().keys() == before
    assert sweep(ann.store, ann.remote).deleted == 0
    done = sweep(ann.store, ann.remote, grace_seconds=0)
    assert (done.deleted, files(ann)) == (3, set())
    assert done.freed_bytes > 1000
    assert ann.remote.mirror.dropped() == ann.remote.mirror.deleting() == {}


def test_a_dry_run_says_the_same_and_does_nothing(ann):
    ann.push(kept=ann.node("kept", [noise("kept")]), gone=ann.node("gone", [noise("gone"), bytes(17 << 20)]))
    forget(ann, "gone")
    before, number = files(ann), ann.remote.mirror.number
    said = sweep(ann.store, ann.remote, dry_run=True)
    assert (files(ann), ann.remote.mirror.number) == (before, number)
    done = sweep(ann.store, ann.remote)
    assert (said.reached, said.dead, said.dead_bytes, said.dropped) == (
        done.reached,
        done.dead,
        done.dead_bytes,
        done.dropped,
    )


def test_a_pack_of_much_waste_is_written_again(ann, bob, tmp_path):
    kept = ann.node("kept", [noise("kept", 100_000)])
    ann.push(kept=kept, gone=ann.node("gone", [noise("gone", 300_000)]))
    old = ann.remote.mirror.find_packed(oid_of(noise("gone", 300_000))).pack
    forget(ann, "gone")
    # who has nothing here fetches what lives
    done = sweep(bob.store, bob.remote)
    assert (done.rewritten, done.left_bytes < 1000) == (1, True)
    assert pack_key(old) in bob.remote.mirror.dropped()
    assert 100_000 < max(bob.remote.mirror.packs().values()) < 102_000
    assert assert_whole(ann, tmp_path / "new") == {"kept": kept}


def test_a_pack_of_little_waste_stays_unless_all_is_wanted(ann):
    ann.push(
        kept=ann.node("kept", [noise("kept", 1_000_000)]), gone=ann.node("gone", [noise("gone", 90_000)])
    )
    forget(ann, "gone")
    done = sweep(ann.store, ann.remote)
    assert (done.rewritten, done.left_bytes > 90_000) == (0, True)
    done = sweep(ann.store, ann.remote, grace_seconds=0)
    assert (done.rewritten, done.left_bytes) == (2, 0)


def test_many_small_packs_become_one(ann, tmp_path):
    for number in range(33):
        ann.push(**{f"n{number}": ann.node(f"{number}", [noise(f"{number}")])})
    assert len(ann.remote.mirror.packs()) == 66
    assert sweep(ann.store, ann.remote).rewritten == 66
    # one of nodes, one of blobs
    assert len(ann.remote.mirror.packs()) == 2
    assert len(assert_whole(ann, tmp_path / "new")) == 33


def test_a_large_object_goes_and_comes_again(ann, bob, tmp_path):
    large = random.Random(1).randbytes(17 << 20)
    top = ann.node("top", [large])
    ann.push(top=top)
    forget(ann, "top")
    sweep(bob.store, bob.remote)
    before = ann.remote.bucket.traffic.sent
    ann.push(top=top)
    # its file was there still
    assert ann.remote.bucket.traffic.sent - before < 10_000
    assert sweep(bob.store, bob.remote, grace_seconds=0).dead == 0
    fresh = Clone(tmp_path / "new", ann.remote.bucket.url)
    fresh.fetch(blobs=True)
    assert fresh.store.get(get_node(fresh.store, top, Leaf).files[0]) == large


def test_what_was_dropped_and_pushed_again_stays(ann, bob, tmp_path):
    top = ann.node("top", [noise("top")])
    ann.push(top=top)
    forget(ann, "top")
    sweep(ann.store, ann.remote)
    ann.push(top=top)
    sweep(bob.store, bob.remote, grace_seconds=0)
    assert assert_whole(ann, tmp_path / "new") == {"top": top}
    assert bob.remote.mirror.dropped() == {}


def test_what_a_dead_pusher_left_goes_after_the_grace(ann):
    ann.push(top=ann.node("top"))
    before = files(ann)
    with pytest.raises(ZeroDivisionError):
        push(ann.store, ann.remote, [ann.node("new", [noise("new")])], lambda _: {"x": 1 / 0})
    assert len(files(ann) - before) == 3
    assert sweep(ann.store, ann.remote).deleted == 0
    assert sweep(ann.store, ann.remote, grace_seconds=0).deleted == 3
    assert files(ann) == before


def test_what_is_none_of_ours_stays(ann):
    ann.push(top=ann.node("top"))
    for key in ("notes.txt", "packs/notes.txt", "objects/ab/notes"):
        ann.remote.bucket.put(key, b"mine")
    sweep(ann.store, ann.remote, grace_seconds=0)
    assert {"notes.txt", "packs/notes.txt", "objects/ab/notes"} <= files(ann)


def test_a_lost_node_stops_it(ann, bob):
    below = ann.node("below")
    ann.push(top=ann.node("top", [], [below]), gone=ann.node("gone"))
    (pack,) = ann.remote.mirror.packs()
    ann.remote.bucket.delete([pack_key(pack)])
    forget(ann, "gone")
    number = ann.remote.mirror.number
    with pytest.raises(CannotCollect, match="cannot be read"):
        sweep(bob.store, bob.remote)
    assert bob.remote.mirror.number == number
    # who has it knows what it links to
    assert sweep(ann.store, ann.remote).dead == 1


# ---- old actions


def test_old_actions_go_unless_something_else_reaches_their_runs(ann):
    used = ann.node("old, and used")
    actions = {
        "actions/1": ann.node("old"),
        "actions/2": ann.node("old, and a label's"),
        "actions/3": used,
        "actions/4": ann.node("young", [], [used]),
    }
    ann.push(**actions, **{"jobs/ann/1": actions["actions/2"]})
    done = sweep(ann.store, ann.remote, may_go=lambda data: b"old" in data)
    assert (done.actions, done.dead) == (1, 1)
    assert dict(ann.remote.mirror.refs.names("actions/")).keys() == actions.keys() - {"actions/1"}


# ---- beside others


def test_a_push_that_relied_on_what_was_dropped_sends_it_again(ann, bob, tmp_path):
    below = ann.node("below", [noise("below")])
    ann.push(below=below)
    forget(ann, "below")
    top = ann.node("top", [], [below])

    def draw(mirror):
        if mirror.has(below):
            sweep(bob.store, bob.remote, grace_seconds=0)
        return {"top": top}

    push(ann.store, ann.remote, [top], draw)
    assert assert_whole(ann, tmp_path / "new") == {"top": top}


def test_gc_keeps_what_a_push_has_come_to_rely_on_meanwhile(ann, bob, tmp_path):
    below = ann.node("below", [noise("below")])
    ann.push(below=below)
    forget(ann, "below")
    top = ann.node("top", [], [below])
    pushed = []

    def progress(_):
        if not pushed:
            pushed.append(ann.push(top=top))

    ann.push(other=ann.node("other"))
    done = sweep(bob.store, bob.remote, grace_seconds=0, progress=progress)
    assert pushed[0].objects == 1
    assert done.dead == 0
    assert assert_whole(ann, tmp_path / "new").keys() == {"top", "other"}


def test_what_a_long_push_has_sent_and_no_ref_names_yet_is_sent_again(ann, bob, tmp_path, monkeypatch):
    monkeypatch.setattr("cas.remote.transfer.push._COMMIT_BYTES", 1)
    top = ann.node("top", [noise("a"), noise("b")], [ann.node("below", [noise("c")])])
    rounds = []

    def draw(mirror):
        rounds.append(mirror.number)
        if len(rounds) == 1:
            assert sweep(bob.store, bob.remote, grace_seconds=0).dead == 5
        return {"top": top}

    ann.push(other=ann.node("other"))
    push(ann.store, ann.remote, [top], draw)
    assert len(rounds) > 1
    assert assert_whole(ann, tmp_path / "new").keys() == {"top", "other"}


def test_files_that_gc_takes_between_upload_and_commit_are_sent_again(ann, bob, tmp_path):
    top = ann.node("top", [noise("top")])
    taken = []

    def draw(_):
        if not taken:
            taken.append(sweep(bob.store, bob.remote, grace_seconds=0).deleted)
        return {"top": top}

    ann.push(other=ann.node("other"))
    push(ann.store, ann.remote, [top], draw)
    assert taken == [3]
    assert assert_whole(ann, tmp_path / "new").keys() == {"top", "other"}


def test_a_file_that_is_being_deleted_is_neither_sent_nor_named(ann, bob):
    top = ann.node("top")
    ann.push(top=top)
    forget(ann, "top")
    sweep(ann.store, ann.remote)
    (pack,) = (key for key in files(ann) if key.startswith("packs/"))
    ann.remote.commit(lambda: Change("1", dropped={pack: None}, deleting={pack: 1}))
    with pytest.raises(Moved):
        ann.remote.uploads.send(pack, b"")
    name = pack.removeprefix("packs/").removesuffix(".pack")
    with pytest.raises(Moved):
        ann.remote.commit(lambda: Change("2", indexes={name: {name: 1}}))


def test_a_push_goes_on_when_who_deleted_has_died(ann, bob, tmp_path):
    top = ann.node("top", [noise("top")])
    ann.push(top=top)
    forget(ann, "top")
    sweep(bob.store, bob.remote)
    doomed = sorted(files(bob))
    bob.remote.commit(lambda: Change("1", dropped=dict.fromkeys(doomed), deleting=dict.fromkeys(doomed, 1)))
    bob.remote.bucket.delete(doomed[:1])
    ann.remote.patience_seconds = 0.05
    ann.push(top=top)
    assert ann.remote.mirror.deleting() == {}
    assert assert_whole(ann, tmp_path / "new") == {"top": top}


def test_a_reader_by_what_was_known_before_reads_on(ann, bob):
    top = ann.node("top", [noise("top")])
    ann.push(top=top, gone=ann.node("gone"))
    bob.remote.look()
    forget(ann, "gone")
    sweep(ann.store, ann.remote)
    assert fetch_nodes(bob.store, bob.remote, [top]) == 1


# ---- the log


def test_who_knew_an_earlier_state_forgets_what_a_file_from_the_start_does_not_name(ann, bob):
    ann.push(kept=ann.node("kept"), gone=ann.node("gone", [bytes(17 << 20)]))
    bob.remote.look()
    forget(ann, "gone")
    sweep(ann.store, ann.remote, grace_seconds=0)
    number = ann.remote.mirror.number
    bucket = ann.remote.bucket
    bucket.put(LogFile(1, number).key, encode_file(ann.remote.mirror.as_change()))
    bucket.delete([file.key for file in list_log(bucket) if file.last < number or file.first == number])
    bob.remote.look()
    assert dict(bob.remote.mirror.refs.names()).keys() == {"kept"}
    assert known_files(bob.remote.mirror) == known_files(ann.remote.mirror)
    assert bob.remote.mirror.deletions == number


def test_old_files_of_the_log_go_when_others_tell_the_same(ann, bob, tmp_path, monkeypatch):
    for number in range(34):
        ann.push(**{f"n{number}": ann.node(f"{number}")})
    ann.remote.look()
    assert len(list_log(ann.remote.bucket)) > 34
    sweep(ann.store, ann.remote, grace_seconds=0)
    # nobody may take a number for a free one, so they stay for a day
    assert len(list_log(ann.remote.bucket)) > 34
    monkeypatch.setattr("cas.remote.upkeep.leftovers._LOG_SECONDS", 0.0)
    bob.remote.look()
    sweep(ann.store, ann.remote, grace_seconds=0)
    assert len(list_log(ann.remote.bucket)) < 34
    assert len(assert_whole(ann, tmp_path / "new")) == 34
    bob.remote.look()
    assert dict(bob.remote.mirror.refs.names()) == dict(ann.remote.mirror.refs.names())
    assert known_files(bob.remote.mirror) == known_files(ann.remote.mirror)
