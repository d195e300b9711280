"""Two clones and a bucket against a dict: whatever is done in whatever order, what refs name is there and right."""

import contextlib
import itertools
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cas.formats.node import get_node
from cas.graph import walk
from cas.remote.bucket import Bucket
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.transfer.fetch import fetch_blobs, fetch_nodes
from cas.remote.transfer.push import push
from cas.remote.upkeep.fsck import check
from cas.remote.upkeep.gc import sweep
from cas.remote.upkeep.repair import repair
from tests.cas.remote.clones import Clone, Leaf
from tests.cas.remote.faulty import DyingBucket, Killed

# to shrink a failure takes minutes: the long run below does it
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)

_numbers = itertools.count()

who = st.sampled_from(["ann", "bob"])
names = st.sampled_from(["jobs/1", "jobs/2", "actions/a", "results/x"])
numbers = st.integers(0, 5)
graces = st.sampled_from([0.0, 0.0, 1000.0])
# before which request somebody dies; most come to their end
deaths = st.sampled_from([None, None, None, *range(1, 16)])


class RemoteMachine(RuleBasedStateMachine):
    """The model: what each ref is at, and what whoever died may have set before."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.url = f"memory://machine-{next(_numbers)}"
        self.clones = {name: Clone(self.folder / name, self.url) for name in ("ann", "bob")}
        self.clones["ann"].remote.make()
        self.at = {}
        self.nodes = {}

    def teardown(self):
        for clone in self.clones.values():
            clone.store.pins.release()
            clone.remote.mirror.close()
        shutil.rmtree(self.folder)

    def remote_of(self, name, dies_at):
        """Return the remote as a new process of somebody sees it, that may die."""
        folder = self.clones[name].remote.mirror.folder
        bucket = DyingBucket(self.url, dies_at or 10**9)
        remote = Remote(bucket, Mirror(folder))
        remote.patience_seconds = 0.01
        return remote

    def refs(self):
        remote = Remote(Bucket(self.url), Mirror(self.folder / f"fresh-{next(_numbers)}"))
        remote.look()
        return dict(remote.mirror.refs.names())

    def settle(self, name, before, after):
        """Learn whether somebody who died had set a ref: it is as it was, or as he wanted it."""
        found = self.refs().get(name)
        assert found in (before, after)
        self.at.pop(name, None)
        if found is not None:
            self.at[name] = found

    # what people do

    @rule(
        who=who,
        name=names,
        blobs=st.lists(numbers, max_size=3),
        below=st.lists(names, max_size=2),
        dies=deaths,
    )
    def push_a_new_node(self, who, name, blobs, below, dies):
        clone = self.clones[who]
        # of what is at the remote, whatever this clone has
        linked = [
            self.at[other] for other in below if other in self.at and clone.store.hold([self.at[other]])
        ]
        blobs = [b"%d " % number * 300 for number in blobs]
        node = clone.node(f"{who} {name} {len(self.nodes) % 7}", blobs, linked)
        self.nodes[node] = clone
        self.push(who, name, node, dies)

    @rule(chosen=st.data(), who=who, name=names, dies=deaths)
    def push_what_was_there_before(self, chosen, who, name, dies):
        here = sorted(node for node in self.nodes if self.has_all(self.clones[who], node))
        if here:
            self.push(who, name, chosen.draw(st.sampled_from(here)), dies)

    def has_all(self, clone, node):
        return all(visit.error is None for visit in walk(clone.store, [node]))

    def push(self, who, name, node, dies):
        clone, before = self.clones[who], self.at.get(name)
        try:
            push(clone.store, self.remote_of(who, dies), [node], lambda _: {name: node})
            self.at[name] = node
        except Killed:
            self.settle(name, before, node)

    @rule(who=who, name=names, dies=deaths)
    def delete_a_ref(self, who, name, dies):
        before = self.at.get(name)
        try:
            self.remote_of(who, dies).commit(lambda: Change("delete", refs={name: None}))
            self.at.pop(name, None)
        except Killed:
            self.settle(name, before, None)

    @rule(who=who, dies=deaths, blobs=st.booleans())
    def fetch(self, who, dies, blobs):
        remote, clone = self.remote_of(who, dies), self.clones[who]
        try:
            remote.look()
            fetch_nodes(clone.store, remote, self.at.values())
            if blobs:
                reached = {
                    blob for node in self.at.values() for blob in get_node(clone.store, node, Leaf).files
                }
                fetch_blobs(clone.store, remote, reached)
        except Killed:
            pass

    @rule(who=who, grace=graces, dies=deaths)
    def gc(self, who, grace, dies):
        with contextlib.suppress(Killed):
            sweep(self.clones[who].store, self.remote_of(who, dies), grace_seconds=grace)

    @rule(who=who, other=who, grace=graces, at=st.integers(0, 3))
    def gc_while_somebody_else_pushes(self, who, other, grace, at):
        """Another clone cleans up within the commit of this one."""
        clone = self.clones[who]
        node = clone.node(f"{who} beside {len(self.nodes) % 5}", [b"beside %d" % at * 100])
        self.nodes[node] = clone
        calls = []

        def draw(_):
            calls.append(None)
            if len(calls) == 1:
                sweep(self.clones[other].store, self.remote_of(other, None), grace_seconds=grace)
            return {"jobs/1": node}

        push(clone.store, self.remote_of(who, None), [node], draw)
        self.at["jobs/1"] = node

    @rule(who=who, full=st.booleans())
    def repair(self, who, full):
        assert repair(self.clones[who].store, self.remote_of(who, None), full=full).lost == []

    # what holds at any moment

    @invariant()
    def refs_are_where_they_were_set(self):
        assert self.refs() == self.at

    @invariant()
    def fsck_finds_nothing_and_a_new_clone_gets_all(self):
        new = Clone(self.folder / f"new-{next(_numbers)}", self.url)
        report = check(new.store, new.remote, full=True)
        assert report.problems == []
        new.fetch(blobs=True)
        for visit in walk(new.store, self.at.values()):
            assert visit.error is None
            assert visit.role == "node" or new.store.get(visit.oid)
        new.remote.mirror.close()
        shutil.rmtree(new.store.root)


class TestRemoteMachine(RemoteMachine.TestCase):
    settings = settings(max_examples=8, stateful_step_count=15, deadline=None, phases=QUICK)


@pytest.mark.slow
class TestRemoteMachineForLong(RemoteMachine.TestCase):
    settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
