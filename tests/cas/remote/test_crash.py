"""Whoever changes a remote is stopped at every request: nothing is lost, others go on, and he can do it again."""

import itertools
import random

import fsspec
import pytest

from cas.remote.bucket import Bucket
from cas.remote.indexes import merge_indexes
from cas.remote.keys import pack_key
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transfer.push import push
from cas.remote.upkeep.fsck import check
from cas.remote.upkeep.gc import sweep
from cas.remote.upkeep.repair import repair
from tests.cas.remote.clones import Clone
from tests.cas.remote.faulty import DeafBucket, DyingBucket, Killed
from tests.cas.remote.upkeep.test_gc import forget, noise

_numbers = itertools.count()

KEPT = {"jobs/ann/1", "jobs/ann/2", "jobs/ann/4"}


class World:
    """A remote with some of everything, of which each round gets a copy."""

    def __init__(self, folder):
        self.folder = folder
        self.ann = Clone(folder / "ann", f"memory://crash-{next(_numbers)}")
        ann = self.ann
        below = ann.node("below", [noise("below")])
        ann.push(**{"jobs/ann/1": below})
        ann.push(**{"jobs/ann/2": ann.node("top", [noise("top", 100_000)], [below]), "old": ann.node("old")})
        ann.push(**{"jobs/ann/3": ann.node("gone", [noise("gone", 200_000)])})
        ann.push(**{"jobs/ann/4": ann.node("four", [noise("four")])})
        forget(ann, "old")
        sweep(ann.store, ann.remote)
        forget(ann, "jobs/ann/3")
        # somebody has died while pushing
        ann.remote.bucket.put(pack_key("ab" * 32), b"left")
        self.new = ann.node("new", [noise("new"), random.Random(2).randbytes(1_200_000)], [below])

    def copy(self):
        """Return the URL of a copy of the remote."""
        files = fsspec.filesystem("memory")
        source = self.ann.remote.bucket.url.removeprefix("memory:/")
        target = f"/crash-{next(_numbers)}"
        for path in files.find(source):
            files.pipe_file(target + path.removeprefix(source), files.cat_file(path))
        return f"memory:/{target}"

    def clone(self, bucket):
        """Return a remote as somebody sees it who has not looked yet, and who has no patience."""
        remote = Remote(bucket, Mirror(self.folder / f"mirror-{next(_numbers)}"))
        remote.patience_seconds = 0.01
        return remote


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    # so that there is much to merge
    patch.setattr("cas.remote.state.MANY_FILES", 3)
    patch.setattr("cas.remote.indexes.MANY_INDEXES", 2)
    patch.setattr("cas.remote.upkeep.leftovers._LOG_SECONDS", 0.0)
    patch.setattr("cas.remote.transfer.push._COMMIT_BYTES", 1 << 20)
    patch.setattr("cas.remote.transfer.sending.LARGE_BYTES", 1 << 20)
    yield World(tmp_path_factory.mktemp("world"))
    patch.undo()


def do_push(world, remote):
    push(world.ann.store, remote, [world.new], lambda _: {"new": world.new})


def do_gc(world, remote):
    sweep(world.ann.store, remote, grace_seconds=0)


def do_merge(_, remote):
    remote.look()
    merge_indexes(remote)


def do_repair(world, remote):
    remote.look()
    remote.bucket.delete([pack_key(sorted(remote.mirror.packs())[0])])
    repair(world.ann.store, remote)


DEEDS = [do_push, do_gc, do_merge, do_repair]
named = pytest.mark.parametrize("deed", DEEDS, ids=["push", "gc", "merge", "repair"])


def assert_sound(world, url, deed, *, mended=True):
    """Somebody else finds all that was there, and nothing that is damaged."""
    other = world.clone(Bucket(url))
    report = check(world.ann.store, other, full=True)
    if mended:
        assert report.problems == []
    refs = dict(other.mirror.refs.names())
    assert refs.keys() - {"new", "other"} == KEPT
    assert refs.get("new", world.new) == world.new


def requests_of(world, deed):
    bucket = DyingBucket(world.copy())
    deed(world, world.clone(bucket))
    return bucket.requests


@named
def test_whoever_dies_before_any_request_leaves_all_as_it_was_and_others_go_on(world, deed, tmp_path):
    for step in range(1, requests_of(world, deed) + 1):
        url = world.copy()
        with pytest.raises(Killed):
            deed(world, world.clone(DyingBucket(url, step)))
        # what was deleted to have something to repair may be so still
        assert_sound(world, url, deed, mended=deed is not do_repair)
        other = world.clone(Bucket(url))
        node = world.ann.node("other", [noise("other")])
        push(world.ann.store, other, [node], lambda _, node=node: {"other": node})
        deed(world, world.clone(Bucket(url)))
        sweep(world.ann.store, other, grace_seconds=0)
        assert_sound(world, url, deed)
    # the last one had all but come to its end
    fresh = Clone(tmp_path / "fresh", url)
    assert fresh.fetch(blobs=True).keys() >= KEPT | {"other"}


@named
@pytest.mark.slow
def test_a_lost_answer_to_any_request_changes_nothing(world, deed):
    for step in range(1, requests_of(world, deed) + 1):
        url = world.copy()
        deed(world, world.clone(DeafBucket(url, step)))
        assert_sound(world, url, deed)
        other = world.clone(Bucket(url))
        other.look()
        assert other.mirror.deleting() == {}
        assert ("new" in dict(other.mirror.refs.names())) == (deed is do_push)
