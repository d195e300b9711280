"""Refs made again from a store are those that were there; on sound refs only what is lacking is added."""

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.errors import UnknownFormat
from cas.formats.node import get_node, put_node
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.memory import MemoryStore
from cas.oid import ObjectId, oid_of
from jobs.facets.runs import make_row
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.facts import Fact
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Inputs, Outcome
from jobs.nodes.result import Result
from jobs.nodes.run import FORCED, ActionKey, Failure, Run, Times
from jobs.nodes.session import Dependency, ListedRun, Session
from jobs.nodes.source import Source
from jobs.nodes.timestamp import parse_timestamp
from jobs.reuse.index import TABLES, JobIndex, Listing
from jobs.reuse.rebuild import Rebuilt, rebuild, salvage
from jobs.reuse.traces import Traces
from porcelain.buildlog import BuildLog
from porcelain.sessions.urdlog import UrdLog
from porcelain.sessions.urdpath import UrdPath

SECOND = 1_000_000
BROKEN = Failure("ValueError: no", "synthesis", None, "Traceback ...")


@dataclass
class Project:
    """A store and refs, and what a build does with them."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: int = 0

    def __post_init__(self) -> None:
        self.source = put_node(
            self.store, Source("mine/a_count.py", {"mine/a_count.py": self.store.put(b"")})
        )
        self.refs = self.open()
        self.index = JobIndex(self.refs)

    def open(self) -> LocalRefs:
        return LocalRefs(self.folder / f"refs-{len(list(self.folder.iterdir()))}", TABLES, durability="none")

    def run(
        self,
        label: str,
        *,
        outcome: str = "",
        key: str = "",
        failure: Failure | None = None,
        **fields: object,
    ) -> JobRow:
        """Store a run that nobody has published yet, and return its row."""
        self.clock += SECOND
        job = outcome_id = None
        if failure is None:
            head = self.store.put(f"head {outcome or label}".encode())
            node = Outcome("count", 2, Inputs({"of": outcome or label}), {}, {"default": head})
            outcome_id = put_node(self.store, node)
            job = put_node(self.store, JobNode(self.source, outcome_id))
        run = Run(
            job=job,
            source=self.source,
            key=ActionKey(oid_of((key or label).encode())),
            label=label,
            method="count",
            times=Times(self.clock, self.clock + 5),
            failure=failure,
            **fields,
        )
        return make_row(put_node(self.store, run), run, outcome_id)

    def publish(self, label: str, *, outcome: str = "", **fields: object) -> JobRow:
        """Run a job and publish it."""
        row = self.run(label, outcome=outcome, **fields)
        if row.outcome is not None and row.why != FORCED:
            first = self.index.find_first_of_outcome(row.outcome)
            row = row._replace(earlier=first.label if first else "")
        datasets = {"default": oid_of(f"head {outcome or label}".encode())} if row.outcome else {}
        self.index.publish(row, datasets)
        return row

    def build(
        self, number: int, rows: Sequence[JobRow], results: dict[str, ObjectId] | None = None
    ) -> ObjectId:
        """Store a build, and set its ref."""
        self.clock += SECOND
        jobs = [BuiltJob("count", row.run, "built", row.run) for row in rows]
        oid = put_node(self.store, Build("main", "done", self.clock, self.clock + 1, jobs, results or {}))
        with self.refs.transaction("build") as transaction:
            transaction.set(f"builds/{number}", oid)
            Listing(transaction).take_number("build", number)
        return oid

    def result(self, name: str, row: JobRow, content: bytes) -> ObjectId:
        """Store a result, and set the ref of its link."""
        oid = put_node(self.store, Result(row.run, "plot.png", self.store.put(content)))
        with self.refs.transaction("link") as transaction:
            transaction.set(f"results/{name}", oid)
        return oid


def everything(refs: LocalRefs) -> tuple[object, ...]:
    """Return all that refs and listings hold, but for the log."""
    assert refs.damage() == []
    JobIndex(refs).check()
    return dict(refs.names()), *(refs.select(table.name) for table in TABLES)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.refs.close()


@pytest.fixture
def busy(project: Project) -> Project:
    """A project with all that a store tells of."""
    one = project.publish("dev-1", caption="ä caption", why="first run")
    project.publish("dev-2", failure=BROKEN)
    project.publish("old-7", key="dev-1", outcome="other", facts=[Fact("read", "project/x", "")])
    again = project.publish("dev-3", outcome="dev-1")
    project.publish("dev-10", outcome="dev-1", why=FORCED)
    project.build(1, [one], {"plot.png": project.result("plot.png", one, b"one")})
    project.build(2, [again], {"plot.png": project.result("plot.png", again, b"two")})
    project.build(3, [])
    return project


def rebuilt(project: Project, refs: LocalRefs, **taken: int) -> Rebuilt:
    return rebuild(refs, project.store, taken)


# from nothing


def test_what_is_made_again_is_what_was_there(busy: Project) -> None:
    fresh = busy.open()
    done = rebuilt(busy, fresh)
    assert everything(fresh) == everything(busy.refs)
    assert done.made == dict(busy.refs.names())
    assert (done.relabelled, done.notes) == ([], [])


def test_a_cut_off_run_leads_to_the_first_again(busy: Project) -> None:
    fresh = busy.open()
    rebuilt(busy, fresh)
    assert [JobIndex(fresh).find("dev", number).earlier for number in (1, 3, 10)] == ["", "dev-1", ""]


def test_one_transaction_makes_all(busy: Project) -> None:
    fresh = busy.open()
    rebuilt(busy, fresh)
    assert {entry.why for entry in fresh.log()} == {"rebuilt from the store"}
    assert len(list(fresh.log())) == len(dict(fresh.names()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["dev", "old"]), st.sampled_from("xyz"), st.sampled_from("kl"), st.integers(0, 3)
        ),
        max_size=8,
    )
)
def test_whatever_jobs_there_were_they_are_listed_as_before(
    tmp_path: Path, jobs: list[tuple[str, str, str, int]]
) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    project = Project(folder)
    for workdir, outcome, key, kind in jobs:
        label = f"{workdir}-{project.index.last_number(workdir) + 1 + kind}"
        project.publish(
            label,
            outcome=outcome,
            key=key,
            why=FORCED if kind == 1 else "",
            failure=BROKEN if kind == 2 else None,
        )
    fresh = project.open()
    rebuilt(project, fresh)
    assert everything(fresh) == everything(project.refs)


def test_a_number_that_a_directory_has_is_not_given_again(busy: Project) -> None:
    fresh = busy.open()
    rebuilt(busy, fresh, dev=12, old=3)
    index = JobIndex(fresh)
    assert (index.last_number("dev"), index.last_number("old")) == (12, 7)


# labels that are claimed twice


def test_the_newest_of_two_runs_keeps_the_label_and_the_older_gets_the_next(project: Project) -> None:
    oldest, older, newest = (project.run("dev-1", outcome=outcome) for outcome in "xyz")
    other = project.run("dev-4")
    fresh = project.open()
    done = rebuilt(project, fresh)
    index = JobIndex(fresh)
    assert [index.find("dev", number).run for number in (1, 4, 5, 6)] == [
        row.run for row in (newest, other, oldest, older)
    ]
    assert index.find_action(newest.key).run == newest.run
    assert done.relabelled == [("dev-1", "dev-5"), ("dev-1", "dev-6")]
    assert index.last_number("dev") == 6
    before = everything(fresh)
    assert rebuilt(project, fresh) == Rebuilt()
    assert everything(fresh) == before


# what job directories tell


def leave_directory(project: Project, row: JobRow, **more: str) -> Traces:
    """Leave a job directory as a run does, and return what all tell."""
    folder = project.folder / "jobs" / row.label
    folder.mkdir(parents=True)
    setup = {"method": row.method, "starttime": (row.ended - row.micros) / SECOND, **more}
    (folder / "setup.json").write_text(json.dumps(setup))
    return Traces({"dev": project.folder / "jobs"})


def test_a_label_goes_to_the_run_whose_directory_it_has(project: Project) -> None:
    own, fetched = (project.run("dev-1", outcome=outcome) for outcome in "xy")
    traces = leave_directory(project, own)
    fresh = project.open()
    done = rebuild(fresh, project.store, {}, traces=traces)
    assert [JobIndex(fresh).find("dev", number).run for number in (1, 2)] == [own.run, fetched.run]
    assert done.relabelled == [("dev-1", "dev-2")]


def test_a_run_from_elsewhere_has_the_label_and_the_origin_that_its_directory_tells(project: Project) -> None:
    own, theirs = (project.run("dev-1", outcome=outcome) for outcome in "xy")
    traces = leave_directory(project, theirs._replace(number=7), run=theirs.run, origin="origin")
    fresh = project.open()
    rebuild(fresh, project.store, {}, traces=traces)
    rows = [(row.label, row.run, row.origin) for row in JobIndex(fresh).rows()]
    assert rows == [("dev-7", theirs.run, "origin"), ("dev-1", own.run, "")]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"starttime": "x", "method": 1}'])
def test_a_directory_that_tells_nothing_is_passed_over(project: Project, text: str) -> None:
    row = project.run("dev-1")
    (project.folder / "jobs/dev-1").mkdir(parents=True)
    (project.folder / "jobs/dev-1/setup.json").write_text(text)
    (project.folder / "jobs/notes").mkdir()
    fresh = project.open()
    rebuild(fresh, project.store, {}, traces=Traces({"dev": project.folder / "jobs"}))
    assert JobIndex(fresh).find("dev", 1).run == row.run


# sound refs


def test_sound_refs_that_lack_nothing_stay_as_they_are(busy: Project) -> None:
    before, log = everything(busy.refs), list(busy.refs.log())
    assert rebuilt(busy, busy.refs) == Rebuilt()
    assert (everything(busy.refs), list(busy.refs.log())) == (before, log)


def test_what_sound_refs_lack_is_added_and_what_they_have_is_kept(busy: Project) -> None:
    before = everything(busy.refs)
    one, newest = busy.index.find("dev", 1), busy.index.find("dev", 10)
    with busy.refs.transaction("lost") as transaction:
        for name in ("jobs/dev/3", f"actions/{one.key}", "builds/2", "results/plot.png"):
            transaction.delete(name)
        transaction.remove("jobs", {"number": 3})
        transaction.remove("datasets", {"number": 3})
        transaction.remove("jobs", {"number": 7})
        # an older run, where the newest would be set
        transaction.set(f"actions/{newest.key}", one.run)
    done = rebuilt(busy, busy.refs)
    assert sorted(done.made) == [f"actions/{one.key}", "builds/4", "jobs/dev/3", "results/plot.png"]
    names, *tables = everything(busy.refs)
    assert tables[:2] == list(before[1:3])
    assert {row["workdir"]: row["number"] for row in tables[2]} == {"build": 4, "dev": 10, "old": 7}
    assert names[f"actions/{newest.key}"] == one.run
    assert names["builds/4"] == before[0]["builds/2"]
    assert names["results/plot.png"] == before[0]["results/plot.png"]


def test_a_job_that_is_published_when_its_refs_were_made_already_is_published(project: Project) -> None:
    row = project.run("dev-1")
    rebuilt(project, project.refs)
    project.index.publish(row, {"default": oid_of(b"head dev-1")})
    assert project.index.find_label("dev-1") == row


# stores that are damaged or hold what others made


def test_a_file_that_is_a_run_of_elsewhere_makes_no_ref(busy: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.source = put_node(elsewhere.store, Source("a.py", {"a.py": elsewhere.store.put(b"other")}))
    rows = [elsewhere.publish("dev-77"), elsewhere.publish("dev-78", failure=BROKEN)]
    build = elsewhere.build(1, rows)
    for oid in (*(row.run for row in rows), build):
        busy.store.put(elsewhere.store.get(oid))
    busy.store.put(b'{"kind":"run"}')
    busy.store.put(b'{"kind":"run" and so on')
    fresh = busy.open()
    done = rebuilt(busy, fresh)
    assert dict(fresh.names()) == dict(busy.refs.names())
    assert sorted(note.split(":")[0] for note in done.notes) == sorted(
        f"left out {kind} '{oid[:12]}'"
        for kind, oid in (("run", rows[0].run), ("run", rows[1].run), ("build", build))
    )


@pytest.mark.parametrize(
    "label", ["", "dev", "../x-1", "a/b-1", "dev-" + "9" * 30, "dev-" + "9" * 5000, "x" * 300 + "-1", "a\0-1"]
)
def test_a_label_that_cannot_be_one_makes_no_ref(project: Project, label: str) -> None:
    row = project.run("dev-1")
    put_node(project.store, replace(get_node(project.store, row.run, Run), label=label))
    fresh = project.open()
    done = rebuilt(project, fresh)
    assert [name for name, _ in fresh.names("jobs/")] == ["jobs/dev/1"]
    assert len(done.notes) == 1


def test_objects_that_cannot_be_read_are_counted_and_the_others_rebuilt(busy: Project) -> None:
    one = busy.index.find("dev", 1)
    three = busy.index.find("dev", 3)
    busy.store.objects[one.run] = b"damaged"
    busy.store.objects[busy.store.put(b"some blob")] = b"{damaged"
    busy.store.delete(three.outcome)
    fresh = busy.open()
    done = rebuilt(busy, fresh)
    assert "objects that cannot be read: 2; 'acc fsck' names them" in done.notes
    index = JobIndex(fresh)
    assert index.find("dev", 1) is None
    assert index.find("dev", 3).outcome == three.outcome
    assert index.find("dev", 10) is not None


def test_of_a_large_file_only_the_beginning_is_read(project: Project, tmp_path: Path) -> None:
    store = LocalStore.create(tmp_path / "store", durability="none")
    oid = store.put(random.Random(1).randbytes(9 << 20))
    (path,) = (tmp_path / "store").rglob(oid)
    data = bytearray(path.read_bytes())
    data[8 << 20] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    assert rebuild(project.refs, store, {}) == Rebuilt()
    data[1 << 20] ^= 1
    path.write_bytes(data)
    assert len(rebuild(project.refs, store, {}).notes) == 1


def test_a_run_whose_job_is_lost_is_left_out(busy: Project) -> None:
    one = busy.index.find("old", 7)
    busy.store.delete(one.job)
    fresh = busy.open()
    done = rebuilt(busy, fresh)
    assert [note for note in done.notes if one.run[:12] in note] == [
        f"left out run '{one.run[:12]}': no object '{one.job}' in 'memory'"
    ]
    assert fresh.find("jobs/old/7") is None


# damaged refs


def test_all_that_can_be_read_of_damaged_refs_is_saved(busy: Project) -> None:
    linked = busy.result("by hand.png", busy.index.find("dev", 1), b"three")
    busy.refs.close()
    connection = sqlite3.connect(busy.refs.path)
    with connection:
        connection.execute("UPDATE refs SET id = ? WHERE name = 'jobs/dev/1'", ("0" * 64,))
        connection.execute("UPDATE refs SET name = 'builds/9' WHERE name = 'builds/3'")
    connection.close()
    before = dict(busy.refs.scan())
    fresh = busy.open()
    assert salvage(busy.refs.path, fresh) == sum(oid is not None for oid in before.values())
    assert dict(fresh.names()) == {name: oid for name, oid in before.items() if oid}
    assert fresh.find("results/by hand.png") == linked
    rebuilt(busy, fresh)
    assert fresh.find("jobs/dev/1") is not None
    assert fresh.find("builds/3") is not None
    JobIndex(fresh).check()


def test_of_what_is_no_database_nothing_is_saved(project: Project, tmp_path: Path) -> None:
    (tmp_path / "no database").write_bytes(b"at all" * 1000)
    assert salvage(tmp_path / "no database", project.refs) == 0
    assert salvage(tmp_path / "gone", project.refs) == 0


def test_refs_of_a_later_format_are_not_taken_for_damaged(busy: Project) -> None:
    busy.refs.close()
    connection = sqlite3.connect(busy.refs.path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(UnknownFormat):
        salvage(busy.refs.path, busy.open())


def test_sessions_come_back_with_their_ghosts(project: Project) -> None:
    row = project.publish("dev-1")
    log = UrdLog(project.store, project.refs)

    def add(name: str, timestamp: str, caption: str = "", *, update: bool = False, **deps: str) -> None:
        found = {
            f"anna/{path}": Dependency(at, project.refs.find(f"urd/anna/{path}/{at}"))
            for path, at in deps.items()
        }
        project.clock += SECOND
        session = Session("anna", name, timestamp, [ListedRun("x", row.run)], project.clock, caption, found)
        log.add(session, lambda: "build-1", seen=log.listed(UrdPath("anna", name)), update=update)

    add("a", "2019-11")
    add("a", "2019-12")
    add("b", "2019-11", a="2019-11")
    add("b", "2019-12", a="2019-12")
    add("c", "2019-12", b="2019-12")
    add("a", "2019-12", "another", update=True)
    done = Build("main", "done", 5 * SECOND, 6 * SECOND, [BuiltJob("x", row.run, "reused")], user="anna")
    BuildLog(project.store, project.refs).write(done)
    before = everything(project.refs)
    assert len([*project.refs.names("ghosts/")]) == 3
    again = project.open()
    rebuild(again, project.store, {})
    assert everything(again) == before
    assert rebuild(again, project.store, {}).made == {}
    # where one ref is lost, it comes back, and what was truncated stays away
    with again.transaction("lost") as transaction:
        transaction.delete("urd/anna/b/2019-11")
    UrdLog(project.store, again).truncate(UrdPath("anna", "a"), parse_timestamp("2019-12"))
    assert [*rebuild(again, project.store, {}).made] == ["urd/anna/b/2019-11"]
    again.close()


def test_a_session_that_can_have_no_ref_and_one_of_lost_jobs_are_left_out(project: Project) -> None:
    row = project.publish("dev-1")
    for timestamp, run in (("no time", row.run), ("2019-12", oid_of(b"lost"))):
        put_node(project.store, Session("anna", "a", timestamp, [ListedRun("x", run)], 1))
    done = rebuild(project.refs, project.store, {})
    assert done.made == {}
    assert sorted(note.partition("': ")[2] for note in done.notes) == [
        "'no time' is no timestamp",
        "none of its jobs is here",
    ]
