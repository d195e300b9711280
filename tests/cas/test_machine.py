"""A store and its refs against a dict: whatever is done in whatever order, what is reached is there and right."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cas.errors import ObjectNotFound
from cas.formats.node import encode
from cas.local.fsck import check
from cas.local.gc import collect
from cas.local.refs import LocalRefs
from cas.local.repack import repack
from cas.local.repair import repair
from cas.local.staging import Staging
from cas.local.store import LocalStore
from cas.memory import MemoryStore
from cas.oid import oid_of
from tests.cas.test_flips import flip
from tests.cas.test_graph import Knot

# to shrink a failure takes minutes: the long run below does it
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)

numbers = st.integers(0, 11)
names = st.sampled_from(["jobs/1", "jobs/2", "results/a"])


def blob(number):
    return b"%d " % number * (1 + number * 40)


class StoreMachine(RuleBasedStateMachine):
    """The model: what was ever stored, what each ref is at, and what this process has pinned."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = LocalStore.create(self.folder / ".acc", durability="none")
        self.refs = LocalRefs(self.store.root / "refs.sqlite", durability="none")
        self.elsewhere = MemoryStore()
        self.at = {}
        self.links = {}
        self.pinned = set()
        self.flipped = False

    def teardown(self):
        self.store.pins.release()
        self.refs.close()
        shutil.rmtree(self.folder)

    # what a writer does

    def _note(self, data):
        self.pinned.add(self.elsewhere.put(data))

    @rule(number=numbers)
    def put(self, number):
        assert self.store.put(blob(number)) == oid_of(blob(number))
        self._note(blob(number))

    @rule(some=st.lists(numbers, max_size=5))
    def put_many(self, some):
        data = [blob(number) for number in some]
        assert self.store.put_many(data) == list(map(oid_of, data))
        for item in data:
            self._note(item)

    @rule(number=numbers)
    def write_piece_by_piece(self, number):
        writer = self.store.writer()
        for byte in blob(number)[:50], blob(number)[50:]:
            writer.write(byte)
        assert writer.commit() == oid_of(blob(number))
        self._note(blob(number))

    @rule(some=st.lists(numbers, max_size=5), hold_bytes=st.sampled_from([0, 1000]))
    def stage_and_publish(self, some, hold_bytes):
        staging = Staging(self.store, self.folder / "job", hold_bytes=hold_bytes)
        for number in some:
            staging.put(blob(number))
            self._note(blob(number))
        staging.publish()

    @rule(name=names, some=st.lists(numbers, max_size=4))
    def set_a_ref(self, name, some):
        data = [blob(number) for number in some]
        node = encode(Knot(name, tuple(map(oid_of, data))))
        self.store.put_many([*data, node])
        for item in [*data, node]:
            self._note(item)
        with self.refs.transaction("set") as transaction:
            transaction.set(name, oid_of(node))
        self.at[name] = oid_of(node)
        self.links[oid_of(node)] = set(map(oid_of, data))

    @rule(name=names)
    def remove_a_ref(self, name):
        with self.refs.transaction("remove") as transaction:
            transaction.delete(name)
        self.at.pop(name, None)

    @precondition(lambda self: self.links)
    @rule(chosen=st.data(), name=names)
    def take_up_an_old_node(self, chosen, name):
        node = chosen.draw(st.sampled_from(sorted(self.links)))
        if self.store.hold([node]):
            with self.refs.transaction("again") as transaction:
                transaction.set(name, node)
            self.at[name] = node
            self.pinned.add(node)

    @rule()
    def release(self):
        self.store.pins.release()
        self.pinned.clear()

    @rule()
    def reopen(self):
        """Go on as another process, while the pins of the one before stay or go."""
        self.release()
        self.refs.close()
        self.store = LocalStore(self.store.root, durability="none")

    # upkeep, as another process does it

    @precondition(lambda self: not self.flipped)
    @rule(grace=st.sampled_from([0.0, 1000.0]))
    def gc(self, grace):
        collect(LocalStore(self.store.root, durability="none"), self.refs, grace_seconds=grace)
        if grace == 0.0:
            for oid in self.elsewhere.ids():
                if oid not in self._reached():
                    with pytest.raises(ObjectNotFound):
                        LocalStore(self.store.root).get(oid)

    @rule(everything=st.booleans())
    def repack(self, everything):
        done = repack(LocalStore(self.store.root, durability="none"), everything=everything)
        assert self.flipped or not done.damaged

    @precondition(lambda self: not self.flipped)
    @rule(chosen=st.data())
    def flip_a_bit(self, chosen):
        root = self.store.root
        files = sorted(
            path for folder in ("objects", "packs") for path in (root / folder).rglob("*.*") if path.is_file()
        )
        files += sorted(path for path in (root / "objects").rglob("*") if path.is_file())
        if files:
            path = chosen.draw(st.sampled_from(files))
            path.chmod(0o644)
            flip(path, chosen.draw(st.integers(0, path.stat().st_size - 1)), chosen.draw(st.integers(0, 7)))
            self.flipped = True

    @precondition(lambda self: self.flipped)
    @rule()
    def mend(self):
        store = LocalStore(self.store.root, durability="none")
        problems = check(store, self.refs).problems
        # a repack may have healed it: of a pack whose start is damaged, say, all objects are sound
        mended = repair(store, problems, [self.elsewhere])
        assert mended.lost == []
        store.pins.release()
        self.flipped = False
        self.reopen()

    # what holds at any moment

    def _reached(self):
        roots = {*self.at.values(), *self.pinned}
        return roots | {oid for node in roots & self.links.keys() for oid in self.links[node]}

    @invariant()
    def refs_are_where_they_were_set(self):
        assert dict(self.refs.names()) == self.at

    @precondition(lambda self: not self.flipped)
    @invariant()
    def what_is_reached_is_there_and_right(self):
        for store in (self.store, LocalStore(self.store.root)):
            for oid in self._reached():
                assert store.get(oid) == self.elsewhere.get(oid)
            assert store.get_many(self._reached()).keys() == self._reached()

    @precondition(lambda self: not self.flipped)
    @invariant()
    def fsck_finds_nothing(self):
        assert check(LocalStore(self.store.root), self.refs).problems == ()


class TestStoreMachine(StoreMachine.TestCase):
    settings = settings(max_examples=30, stateful_step_count=25, deadline=None, phases=QUICK)


@pytest.mark.slow
class TestStoreMachineForLong(StoreMachine.TestCase):
    settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
