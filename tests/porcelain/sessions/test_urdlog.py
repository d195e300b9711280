"""Urd lists: what is added, replaced, truncated; what becomes a ghost; who is told that he comes too late."""

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from cas.errors import ObjectNotFound
from cas.formats.node import put_node
from cas.local.refs import LocalRefs
from cas.memory import MemoryStore
from cas.oid import ObjectId, oid_of
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.session import Dependency, ListedRun, Session
from jobs.nodes.timestamp import parse_timestamp
from jobs.reuse.index import TABLES
from porcelain.buildlog import BuildLog
from porcelain.sessions.urdlog import Added, UrdLog
from porcelain.sessions.urdpath import UrdConflict, UrdPath, to_when


class Lists:
    """Urd lists of one user, and what a build does with them."""

    def __init__(self, refs: LocalRefs, store: MemoryStore) -> None:
        self.refs, self.store = refs, store
        self.log = UrdLog(store, refs)

    def session(
        self,
        name: str,
        timestamp: str,
        *jobs: str,
        caption: str = "",
        deps: Mapping[str, ObjectId] | None = None,
    ) -> Session:
        """Return a session of jobs by their names; `deps` are nodes by LIST/TIMESTAMP."""
        found = {
            f"anna/{path.rpartition('/')[0]}": Dependency(path.rpartition("/")[2], node)
            for path, node in (deps or {}).items()
        }
        runs = [ListedRun(job, self.store.put(job.encode())) for job in jobs or ["job"]]
        return Session("anna", name, timestamp, runs, 1, caption, found)

    def add(self, session: Session, *, update: bool = False, seen=None) -> Added:
        listed = self.log.listed(UrdPath("anna", session.name)) if seen is None else seen
        return self.log.add(session, lambda: "build-1", seen=listed, update=update)

    def put(self, name: str, timestamp: str, *jobs: str, **fields) -> ObjectId:
        """Add a session, and return its node."""
        assert self.add(self.session(name, timestamp, *jobs, **fields)).new
        return self.log.listed(UrdPath("anna", name))[parse_timestamp(timestamp)]

    def times(self, name: str) -> list[str]:
        return [str(timestamp) for timestamp in self.log.listed(UrdPath("anna", name))]

    def ghosts(self, name: str) -> list[str]:
        return [str(item.timestamp) for item in self.log.ghosts(UrdPath("anna", name))]

    def truncate(self, name: str, timestamp: str) -> tuple[int, int]:
        return self.log.truncate(UrdPath("anna", name), parse_timestamp(timestamp))


@pytest.fixture
def lists(tmp_path: Path, store):
    refs = LocalRefs(tmp_path / "refs.sqlite", TABLES, durability="none")
    yield Lists(refs, store)
    refs.close()


def test_a_list_is_sorted_by_timestamps_whatever_came_first(lists):
    for timestamp in ("2019-12", "10", "2", "2019-12+1", "2019-11-30"):
        lists.put("a", timestamp)
    assert lists.times("a") == ["2", "10", "2019-11-30", "2019-12", "2019-12+1"]
    assert [str(path) for path in lists.log.lists()] == ["anna/a"]


def test_a_list_whose_name_begins_another_is_a_list_of_its_own(lists):
    lists.put("a", "1")
    lists.put("ab", "2")
    assert lists.times("a") == ["1"]


def test_the_same_again_changes_nothing(lists):
    before = lists.put("a", "1", caption="x")
    assert lists.add(lists.session("a", "1", caption="x")) == Added()
    assert lists.log.listed(UrdPath("anna", "a")) == {parse_timestamp("1"): before}
    assert len([*lists.refs.log()]) == 1


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"jobs": ["job", "another"]}, "with jobs of its own"),
        ({"caption": "x"}, "with a caption of its own"),
        ({"caption": "x", "deps": "b"}, "with a caption and dependencies of its own"),
    ],
)
def test_another_session_is_a_conflict_that_says_what_differs(lists, other, what):
    dependency = lists.put("b", "1")
    lists.put("a", "1")
    deps = {"b/1": dependency} if "deps" in other else {}
    session = lists.session("a", "1", *other.get("jobs", ()), caption=other.get("caption", ""), deps=deps)
    before = dict(lists.refs.names())
    with pytest.raises(UrdConflict, match=what):
        lists.add(session)
    assert dict(lists.refs.names()) == before


def test_an_update_replaces_and_keeps_what_was_there_as_a_ghost(lists):
    old = lists.put("a", "1")
    dependent = lists.put("b", "1", deps={"a/1": old})
    lists.put("c", "1", deps={"b/1": dependent})
    lists.put("d", "1")
    assert lists.add(lists.session("a", "1", "another"), update=True) == Added(changed=True, ghosts=2)
    assert [lists.times(name) for name in "abcd"] == [["1"], [], [], ["1"]]
    assert [lists.ghosts(name) for name in "abcd"] == [["1"], ["1"], ["1"], []]


def test_an_update_with_the_same_changes_nothing(lists):
    lists.put("a", "1")
    assert lists.add(lists.session("a", "1"), update=True) == Added()


def test_truncate_takes_the_rest_of_the_list_and_all_that_depends_on_it(lists):
    nodes = {timestamp: lists.put("a", timestamp) for timestamp in ("1", "2", "2019-12")}
    lists.put("b", "1", deps={"a/1": nodes["1"]})
    lists.put("b", "2", deps={"a/2": nodes["2"]})
    assert lists.truncate("a", "2") == (2, 1)
    assert (lists.times("a"), lists.times("b")) == (["1"], ["1"])
    assert (lists.ghosts("a"), lists.ghosts("b")) == (["2", "2019-12"], ["2"])
    assert lists.truncate("a", "0") == (1, 1)
    assert lists.log.lists() == []
    assert lists.truncate("a", "0") == (0, 0)


def test_what_was_truncated_can_be_added_again(lists):
    lists.put("a", "1")
    lists.truncate("a", "0")
    assert lists.add(lists.session("a", "1")) == Added(new=True)
    assert lists.times("a") == ["1"]


def test_a_session_whose_dependency_went_while_it_was_built_is_a_ghost(lists):
    dependency = lists.put("a", "1")
    lists.truncate("a", "1")
    assert lists.add(lists.session("b", "1", deps={"a/1": dependency})) == Added(new=True, is_ghost=True)
    assert (lists.times("b"), lists.ghosts("b")) == ([], ["1"])


def test_who_builds_on_a_list_that_another_has_changed_is_told(lists):
    lists.put("a", "1")
    seen = lists.log.listed(UrdPath("anna", "a"))
    lists.put("a", "2")
    with pytest.raises(UrdConflict, match="changed by another build"):
        lists.add(lists.session("a", "3"), seen=seen)
    assert lists.times("a") == ["1", "2"]
    # whoever has built the same has lost nothing
    assert lists.add(lists.session("a", "2"), seen=seen) == Added()


def test_of_many_writers_of_one_list_one_wins_and_the_others_are_told(lists):
    together = threading.Barrier(8)
    told, won = [], []

    def write(number: int) -> None:
        log = UrdLog(lists.store, lists.refs)
        session = lists.session("a", "1", f"job {number}")
        together.wait(30)
        try:
            won.append(log.add(session, lambda: "", seen={}, update=False))
        except UrdConflict as err:
            told.append(err)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(won), len(told)) == (1, 7)
    assert len(lists.times("a")) == 1


def test_writers_of_different_lists_do_not_meet(lists):
    together = threading.Barrier(6)

    def write(number: int) -> None:
        together.wait(30)
        UrdLog(lists.store, lists.refs).add(
            lists.session(f"l{number}", "1"), lambda: "", seen={}, update=False
        )

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(lists.log.lists()) == 6


def test_a_session_is_found_by_what_is_meant(lists):
    lists.put("a", "2019-11", caption="november")
    lists.put("a", "2019-12-24", caption="christmas")
    found = lists.log.find(UrdPath("anna", "a"), to_when("<=2019-12"))
    assert (found.caption, [entry.name for entry in found.jobs]) == ("christmas", ["job"])
    assert lists.log.build_label(found) == "build-1"
    assert lists.log.find(UrdPath("anna", "b"), to_when("latest")) is None


def test_runs_of_sessions_are_kept_and_those_of_ghosts_and_builds_are_not(lists):
    run = oid_of(b"built")
    build = Build("main", "done", 1, 2, [BuiltJob("x", run, "built", run)], user="anna")
    BuildLog(lists.store, lists.refs).write(build)
    lists.put("a", "1", "kept")
    lists.put("a", "2", "gone")
    lists.truncate("a", "2")
    assert lists.log.runs() == {oid_of(b"kept")}
    lists.log.drop_ghosts([oid_of(b"another")], "gc")
    assert lists.ghosts("a") == ["2"]
    lists.log.drop_ghosts([oid_of(b"gone")], "gc")
    assert lists.ghosts("a") == []


@pytest.mark.parametrize("status", ["done", "it broke"])
def test_a_build_that_is_done_is_in_the_list_of_builds(lists, status):
    run = oid_of(b"run")
    log = BuildLog(lists.store, lists.refs)
    build = Build("main", status, 1_500_000, 2_000_000, [BuiltJob("x", run, "reused")], user="anna")
    log.write(build, log.take_number())
    log.write(Build("empty", "done", 3, 4, user="anna"))
    listed = lists.log.listed(UrdPath("anna", "__auto__"))
    assert [str(timestamp) for timestamp in listed] == ["1970-01-01T00:00:01.500000"] * (status == "done")
    item = lists.log.find(UrdPath("anna", "__auto__"), to_when("latest"))
    if item:
        assert (item.jobs, lists.log.build_label(item)) == ([("x", run)], "build-1")
    log.drop([1], "gc")
    assert lists.log.lists() == []


def test_a_build_that_takes_its_number_early_keeps_it(lists):
    log = BuildLog(lists.store, lists.refs)
    early = log.take_number()
    assert log.write(Build("late", "done", 1, 2)) == early + 1
    assert log.write(Build("early", "done", 1, 3), early) == early
    assert [(number, build.script) for number, build in log.newest()] == [(2, "late"), (1, "early")]


def test_a_session_links_to_its_jobs_and_to_what_it_depends_on(lists):
    node = put_node(lists.store, lists.session("b", "1", deps={"a/1": oid_of(b"x")}))
    assert set(lists.log.session(node).nodes()) == {oid_of(b"job"), oid_of(b"x")}


def test_a_session_of_a_job_that_is_gone_is_not_added(lists):
    session = lists.session("a", "1", "gone")
    lists.store.delete(oid_of(b"gone"))
    with pytest.raises(ObjectNotFound):
        lists.add(session)
    assert lists.log.lists() == []


@pytest.mark.parametrize("step", ["put", "transaction"])
def test_a_session_that_fails_on_its_way_leaves_the_list_as_it_was(lists, step):
    old = lists.put("a", "1")
    before = dict(lists.refs.names())
    session = lists.session("a", "1", "another")
    broken = lists.refs if step == "put" else Stubborn(lists.refs)

    def build() -> str:
        if step == "put":
            raise OSError("no space left")
        return ""

    with pytest.raises(OSError, match="no space left"):
        UrdLog(lists.store, broken).add(session, build, seen={parse_timestamp("1"): old}, update=True)
    assert dict(lists.refs.names()) == before


class Stubborn:
    """Refs whose transactions fail at their end."""

    def __init__(self, refs: LocalRefs) -> None:
        self._refs = refs

    @contextmanager
    def transaction(self, why: str):
        with self._refs.transaction(why) as transaction:
            yield transaction
            raise OSError("no space left")

    def __getattr__(self, name: str):
        return getattr(self._refs, name)
