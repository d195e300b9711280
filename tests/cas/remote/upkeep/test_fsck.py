"""fsck of a remote names what is wrong and whom it hurts; repair sends again what is here."""

import itertools
import random

import pytest

from cas.errors import CorruptRemote, NotARemote, UnknownFormat
from cas.formats.node import get_node
from cas.graph import walk
from cas.oid import oid_of
from cas.remote.keys import FORMAT, index_key, object_key, pack_key
from cas.remote.log import LogFile
from cas.remote.upkeep.fsck import check
from cas.remote.upkeep.repair import repair
from tests.cas.remote.clones import Clone, Leaf
from tests.cas.remote.upkeep.test_gc import assert_whole, forget, noise

_numbers = itertools.count()
LARGE = random.Random(1).randbytes(17 << 20)


@pytest.fixture
def url():
    return f"memory://fsck-{next(_numbers)}"


@pytest.fixture
def ann(tmp_path, url):
    """Ann has pushed two labels, of which one reaches what the other does."""
    clone = Clone(tmp_path / "ann", url)
    below = clone.node("below", [noise("below")])
    clone.push(**{"jobs/ann/1": below})
    clone.push(**{"jobs/ann/2": clone.node("top", [noise("top")], [below])})
    return clone


@pytest.fixture
def bob(tmp_path, url):
    return Clone(tmp_path / "bob", url)


def told(report):
    return [(problem.kind, problem.subject) for problem in report.problems]


def flip(clone, key, place):
    data = bytearray(clone.remote.bucket.get(key))
    data[place] ^= 1
    clone.remote.bucket.put(key, bytes(data))


def pack_of(clone, oid):
    return pack_key(clone.remote.mirror.find_packed(oid).pack)


@pytest.mark.parametrize("full", [False, True], ids=["listing", "full"])
def test_a_sound_remote_is_sound(ann, bob, full):
    ann.push(large=ann.node("large", [LARGE]), gone=ann.node("gone"))
    forget(ann, "gone")
    calls = []
    report = check(bob.store, bob.remote, full=full, progress=lambda *done: calls.append(done))
    assert report.problems == []
    assert (report.refs, report.objects, report.dangling, report.unneeded) == (3, 7, 1, 0)
    assert calls[-1:] == ([(7, 7)] if full else [])


def test_listing_and_sizes_take_few_requests(ann):
    for number in range(20):
        ann.push(**{f"n{number}": ann.node(f"{number}")})
    before = ann.remote.bucket.traffic.requests
    assert check(ann.store, ann.remote).is_sound
    assert ann.remote.bucket.traffic.requests - before <= 5


def test_a_lost_pack_is_named_with_whom_it_hurts(ann, bob):
    below = dict(ann.remote.mirror.refs.names())["jobs/ann/1"]
    key = pack_of(ann, below)
    ann.remote.bucket.delete([key])
    report = check(bob.store, bob.remote)
    assert told(report) == [("missing", key)]
    assert report.problems[0].hurts == ("jobs/ann/1", "jobs/ann/2")
    assert report.damaged == {below}
    assert not report.can_be_mended
    assert check(ann.store, ann.remote).can_be_mended


def test_a_pack_that_is_cut_short_is_named(ann):
    below = dict(ann.remote.mirror.refs.names())["jobs/ann/1"]
    key = pack_of(ann, below)
    ann.remote.bucket.put(key, ann.remote.bucket.get(key)[:-1])
    assert told(check(ann.store, ann.remote)) == [("corrupt", key)]


def test_a_flipped_bit_in_an_object_is_found_by_reading_all(ann, bob):
    blob = oid_of(noise("top"))
    key = pack_of(ann, blob)
    flip(ann, key, ann.remote.mirror.find_packed(blob).entry.start + 20)
    assert check(bob.store, bob.remote).is_sound
    report = check(bob.store, bob.remote, full=True)
    assert told(report) == [("corrupt", blob)]
    assert report.problems[0].hurts == ("jobs/ann/2",)


def test_every_flipped_byte_of_a_pack_is_found(ann):
    (key,) = {pack_of(ann, oid) for oid in [dict(ann.remote.mirror.refs.names())["jobs/ann/2"]]}
    for place in range(0, len(ann.remote.bucket.get(key)), 37):
        flip(ann, key, place)
        assert not check(ann.store, ann.remote, full=True).is_sound, place
        flip(ann, key, place)


def test_a_damaged_large_object_is_found(ann, bob):
    oid = oid_of(LARGE)
    ann.push(large=ann.node("large", [LARGE]))
    key = object_key(oid, ann.remote.mirror.find_large(oid).file_bytes)
    flip(ann, key, 5 << 20)
    report = check(bob.store, bob.remote, full=True)
    assert [(problem.kind, problem.subject, problem.hurts) for problem in report.problems] == [
        ("corrupt", oid, ("large",))
    ]
    assert repair(ann.store, ann.remote, full=True).sent == [oid]
    assert check(bob.store, bob.remote, full=True).is_sound


def test_what_others_have_put_there_is_foreign_and_no_damage(ann):
    ann.remote.bucket.put("packs/notes.txt", b"mine")
    report = check(ann.store, ann.remote)
    assert told(report) == [("foreign", "packs/notes.txt")]
    assert report.is_sound


def test_files_that_nothing_names_are_counted(ann):
    ann.remote.bucket.put(pack_key(oid_of(b"")), b"left")
    report = check(ann.store, ann.remote)
    assert (report.is_sound, report.unneeded, report.unneeded_bytes) == (True, 1, 4)


# ---- repair


def test_what_is_lost_is_sent_again(ann, bob, tmp_path):
    ann.push(large=ann.node("large", [LARGE]))
    mirror = ann.remote.mirror
    packs = [*map(pack_key, mirror.packs())]
    large = [object_key(oid, told.file_bytes) for oid, told in mirror.large()]
    ann.remote.bucket.delete(packs + large)
    mended = repair(ann.store, ann.remote)
    assert (len(mended.sent), mended.lost, mended.left) == (6, [], [])
    assert check(bob.store, bob.remote, full=True).problems == []
    assert len(assert_whole(ann, tmp_path / "new")) == 3


def test_a_flipped_bit_is_mended(ann, bob):
    blob = oid_of(noise("top"))
    flip(ann, pack_of(ann, blob), ann.remote.mirror.find_packed(blob).entry.start + 20)
    assert repair(ann.store, ann.remote).sent == []
    assert repair(ann.store, ann.remote, full=True).sent == [blob]
    assert check(bob.store, bob.remote, full=True).is_sound
    bob.fetch(blobs=True)
    assert bob.store.get(blob) == noise("top")


def test_a_node_that_is_damaged_is_found_by_following_refs(ann, bob):
    top = dict(ann.remote.mirror.refs.names())["jobs/ann/2"]
    flip(ann, pack_of(ann, top), ann.remote.mirror.find_packed(top).entry.start + 20)
    assert told(check(bob.store, bob.remote)) == [("corrupt", top)]
    # ann reads her own copy
    assert repair(ann.store, ann.remote, full=True).sent == [top]
    assert check(bob.store, bob.remote).is_sound


def test_what_nobody_here_has_is_lost_and_no_longer_told_of(ann, bob):
    blob = oid_of(noise("top"))
    bob.fetch()
    ann.remote.bucket.delete([pack_of(ann, blob)])
    mended = repair(bob.store, bob.remote)
    assert (mended.sent, mended.lost) == ([], [blob])
    assert not bob.remote.mirror.has(blob)
    report = check(bob.store, bob.remote)
    assert [(problem.kind, problem.subject, problem.hurts) for problem in report.problems] == [
        ("missing", blob, ("jobs/ann/2",))
    ]
    # whoever has it brings it back
    assert repair(ann.store, ann.remote).sent == [blob]
    assert check(bob.store, bob.remote, full=True).is_sound


def test_a_lost_index_is_written_again(ann, bob):
    ann.remote.bucket.delete([*map(index_key, ann.remote.mirror.indexes())])
    report = check(ann.store, ann.remote)
    assert {kind for kind, _ in told(report)} == {"missing"}
    mended = repair(ann.store, ann.remote)
    assert (len(mended.files), mended.sent) == (2, [])
    assert check(bob.store, bob.remote, full=True).is_sound


def test_what_a_lost_index_told_of_is_sent_again_by_who_has_no_copy_of_it(ann, tmp_path, url):
    ann.remote.bucket.delete([*map(index_key, ann.remote.mirror.indexes())])
    other = Clone(tmp_path / "other", url)
    other.store = ann.store
    mended = repair(other.store, other.remote)
    assert (len(mended.sent), mended.lost) == (4, [])
    assert check(other.store, other.remote, full=True).is_sound


def test_a_lost_file_of_the_log_is_told_again_by_who_knew_it(ann, bob, tmp_path):
    ann.remote.bucket.delete([LogFile(1, 1).key])
    with pytest.raises(CorruptRemote, match="transaction 1 of the log is missing"):
        check(bob.store, bob.remote)
    assert told(check(ann.store, ann.remote)) == [("corrupt", "log/")]
    assert repair(ann.store, ann.remote).files == [LogFile(1, 2).key]
    assert check(ann.store, ann.remote, full=True).is_sound
    assert len(assert_whole(ann, tmp_path / "new")) == 2


def test_a_log_that_is_gone_is_told_again(ann, tmp_path):
    ann.remote.bucket.delete([LogFile(1, 1).key, LogFile(2, 2).key])
    assert told(check(ann.store, ann.remote)) == [("corrupt", "log/")]
    repair(ann.store, ann.remote)
    assert len(assert_whole(ann, tmp_path / "new")) == 2


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_lost_format_is_written_again_by_who_knows_it(ann, bob, how):
    uuid = ann.remote.mirror.uuid
    if how == "gone":
        ann.remote.bucket.delete([FORMAT])
    else:
        ann.remote.bucket.put(FORMAT, b"{")
    with pytest.raises(NotARemote):
        repair(bob.store, bob.remote)
    assert repair(ann.store, ann.remote).files == [FORMAT]
    assert check(bob.store, bob.remote, full=True).problems == []
    assert bob.remote.mirror.uuid == uuid


def test_a_format_of_a_later_acc_is_left_alone(ann):
    later = b'{"needs":["more"],"uuid":"' + ann.remote.mirror.uuid.encode() + b'","version":1}\n'
    ann.remote.bucket.put(FORMAT, later)
    with pytest.raises(UnknownFormat):
        repair(ann.store, ann.remote)
    assert ann.remote.bucket.get(FORMAT) == later


def test_a_damaged_file_of_the_log_is_found_by_reading_all(ann):
    flip(ann, LogFile(2, 2).key, 30)
    assert check(ann.store, ann.remote).is_sound
    assert told(check(ann.store, ann.remote, full=True)) == [("corrupt", LogFile(2, 2).key)]
    mended = repair(ann.store, ann.remote, full=True)
    # it is too young to be taken away: somebody may be about to commit
    assert (mended.files, mended.left) == ([LogFile(1, 2).key], [LogFile(2, 2).key])


def test_a_bucket_that_was_wiped_and_made_anew_is_noticed_and_filled_again(ann, tmp_path):
    bucket = ann.remote.bucket
    bucket.delete([file.key for file in bucket.list("")])
    refs = dict(ann.remote.mirror.refs.names())
    done = ann.push(**refs)
    assert ann.remote.remade
    assert done.objects == 4
    fresh = Clone(tmp_path / "new", bucket.url)
    assert fresh.fetch(blobs=True) == refs
    assert [visit.error for visit in walk(fresh.store, refs.values()) if visit.error] == []
    assert get_node(fresh.store, refs["jobs/ann/1"], Leaf).name == "below"
