"""What a build script does with urd: sessions that chain on each other, and what a build writes down."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cas.errors import AccError
from jobs.errors import JobFailed, UsageError
from jobs.execution.executors.serial import SerialExecutor
from jobs.job import Job, NoJob
from jobs.nodes.build import Build
from jobs.wish import Policy
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.script import NOTHING_ELSE, Asked, Script, ScriptError, run_script
from porcelain.sessions.urdpath import UrdConflict, UrdError
from porcelain.urd import Surroundings, Urd
from porcelain.views.build_views import build as build_view
from tests.projects import Folder

ADD = """
    options = dict(n=0)
    jobs = ("previous",)

    def synthesis(options, jobs):
        return (jobs.previous.load() if jobs.previous else 0) + options.n
    """
OUTER = """
    from acc import build

    def synthesis():
        return build("add", n=77).load()
    """


class Scripts:
    """A project, and build scripts that run in it."""

    def __init__(self, project: Project, folder: Folder) -> None:
        self.project, self.folder = project, folder

    def run(self, body: str, asked: Asked = NOTHING_ELSE) -> Build:
        """Run a script with this body of `main(urd)`, and return its build."""
        path = self.folder.write("build_test.py", "def main(urd):\n" + body.strip("\n"))
        run_script(self.project, Script("test", "", path), asked=asked)
        return self.last

    def refuse(self, body: str, kind: type[AccError] = UrdError) -> str:
        """Run a script that raises, and return the message of its error."""
        with pytest.raises(kind) as caught:
            self.run(body)
        return str(caught.value)

    @property
    def last(self) -> Build:
        return self.project.buildlog.newest(1)[0][1]

    @property
    def said(self) -> str:
        """What the last script printed."""
        return "" if self.last.output is None else self.project.store.get(self.last.output).decode()

    def see(self, expression: str) -> Any:
        """Return the text that an expression of `urd` has in a script."""
        self.run(f" print(({expression}))")
        return self.said.rstrip("\n")


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripts]:
    monkeypatch.setenv("USER", "anna")
    monkeypatch.delenv("URD_AUTH", raising=False)
    folder = Folder(tmp_path, {"mine/a_add.py": ADD, "mine/a_outer.py": OUTER})
    with Project(config.load(folder.root), executor=SerialExecutor()) as project:
        yield Scripts(project, folder)


def session(timestamp: str, n: int = 1, more: str = "") -> str:
    return f"""
 urd.begin("days", {timestamp!r})
 urd.latest("days")
 {more}
 urd.build_chained("add", name="sum", n={n})
 print(urd.finish("days"))
"""


def test_each_session_chains_on_the_last_one(scripts: Scripts) -> None:
    for timestamp in ("2019-12-01", "2019-12-02", "2019-12-03"):
        scripts.run(session(timestamp))
        assert scripts.said == "{'new': True, 'changed': False, 'is_ghost': False}\n"
    assert scripts.see('urd.since("days", 0)') == "['2019-12-01', '2019-12-02', '2019-12-03']"
    assert scripts.see('urd.since("days", "2019-12-02")') == "['2019-12-03']"
    assert scripts.see('urd.peek_latest("days").joblist["sum"].load()') == "3"
    assert scripts.see('urd.peek_first("days").joblist.get("sum").load()') == "1"
    deps = 'urd.peek_latest("days").deps["anna/days"]'
    assert scripts.see(f"{deps}.timestamp, {deps}.joblist.pretty") == (
        "('2019-12-02', 'JobList(\\n   [0]  sum  dev-2\\n)')"
    )
    assert scripts.see("urd.list()") == "['anna/__auto__', 'anna/days']"


def test_a_missing_session_is_falsy_and_empty(scripts: Scripts) -> None:
    scripts.run(
        ' x = urd.peek_latest("no")\n print([bool(x), x.timestamp, x.joblist, x.deps, x.caption, x.build_job])'
    )
    assert scripts.said == "[False, '0', [], {}, '', None]\n"
    assert scripts.see('urd.peek("no", "<=2019-12").joblist.get("sum")') == "None"


def test_the_same_session_again_changes_nothing_and_another_one_is_a_conflict(scripts: Scripts) -> None:
    first = ' urd.begin("a", 1, caption="x")\n urd.build("add", n={n})\n print(urd.finish("a"))'
    scripts.run(first.format(n=1))
    scripts.run(first.format(n=1))
    assert scripts.said == "{'new': False, 'changed': False, 'is_ghost': False}\n"
    message = scripts.refuse(first.format(n=2), UrdConflict)
    assert message == "'anna/a/1' is there already, with jobs of its own"
    scripts.run(first.format(n=2).replace('"x"', '"x", update=True'))
    assert scripts.said == "{'new': False, 'changed': True, 'is_ghost': False, 'deps': 0}\n"


def test_finish_may_give_timestamp_and_caption(scripts: Scripts) -> None:
    scripts.run(
        ' urd.begin("a", 1, caption="x")\n urd.build("add")\n urd.finish("a", ("2019-12", 3), caption="y")'
    )
    assert scripts.see('urd.peek_latest("a").timestamp, urd.peek_latest("a").caption') == "('2019-12+3', 'y')"


def test_a_session_has_the_jobs_since_it_began_and_the_script_has_all(scripts: Scripts) -> None:
    scripts.run(
        """
 urd.build("add", n=1)
 urd.begin("a", 1)
 urd.build("add", n=2, name="two")
 urd.finish("a")
 urd.build("add", n=3)
 print(urd.joblist.as_tuples, urd.joblist_all.as_tuples)
 print(urd.peek_latest("a").joblist.as_tuples)
"""
    )
    assert scripts.said.splitlines() == [
        "[('two', 'dev-2'), ('add', 'dev-3')] [('add', 'dev-1'), ('two', 'dev-2'), ('add', 'dev-3')]",
        "[('two', 'dev-2')]",
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (' urd.finish("a")', "no urd session to finish in 'a'"),
        (' urd.begin("a", 1)\n urd.begin("b", 1)', "urd session 'anna/a' is not finished yet, and 'b' begins"),
        (' urd.begin("a", 1)\n urd.finish("b")', "urd session 'anna/a' is going on, and 'b' would finish"),
        (' urd.begin("a", 1)\n urd.finish("a")', "urd session 'anna/a' has built no job"),
        (' urd.begin("a")\n urd.build("add")\n urd.finish("a")', "urd session 'anna/a' has no timestamp"),
        (' urd.begin("a", 0)\n urd.build("add")\n urd.finish("a")', "no session can have the timestamp 0"),
        (' urd.latest("a")', "a session that depends on 'a' has not begun"),
        (' urd.begin("bert/a", 1)', "list 'bert/a' is for 'bert' to write, and you are 'anna'"),
        (' urd.begin("__auto__", 1)', "list 'anna/__auto__' is written by 'acc build' alone"),
        (' urd.truncate("bert/a", 1)', "list 'bert/a' is for 'bert' to write, and you are 'anna'"),
        (' urd.begin("a", 1)\n urd.build_chained("add", name="x")', "'x' has nothing to chain on"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_stores_nothing(scripts: Scripts, body: str, message: str) -> None:
    assert scripts.refuse(body) == message
    assert scripts.project.urdlog().lists() == []


def test_a_list_is_depended_on_once(scripts: Scripts) -> None:
    scripts.run(session("1"))
    body = ' urd.begin("b", 1)\n urd.latest("days")\n urd.first("anna/days")'
    assert scripts.refuse(body) == "urd session 'anna/b' depends on list 'anna/days' already"


def test_abort_forgets_the_session(scripts: Scripts) -> None:
    scripts.run(' urd.begin("a", 1)\n urd.build("add")\n urd.abort()\n urd.begin("b", 1)\n urd.abort()')
    assert [str(path) for path in scripts.project.urdlog().lists()] == ["anna/__auto__"]


def test_truncate_says_how_many_went_and_the_script_may_go_on(scripts: Scripts) -> None:
    scripts.run(session("1") + session("2") + session("3"))
    more = 'print(urd.truncate("days", 3))'
    scripts.run(session("4", more=more))
    assert scripts.said.splitlines() == [
        "{'count': 1, 'deps': 0}",
        "{'new': True, 'changed': False, 'is_ghost': True}",
    ]
    assert scripts.see('urd.since("days", 0)') == "['1', '2']"
    assert scripts.see('urd.truncate("days", 0)') == "{'count': 2, 'deps': 0}"


def test_the_horizon_caps_latest(scripts: Scripts) -> None:
    scripts.run(session("2019-11") + session("2019-12-24") + session("2020-01"))
    for horizon, latest in (("2019-12", "2019-12-24"), ("2019-12-01", "2019-11"), ("2018-01", "0")):
        scripts.run(' print(urd.peek_latest("days").timestamp, urd.horizon)', Asked(horizon=horizon))
        assert scripts.said == f"{latest} {horizon}\n"
    assert scripts.last.asked == {"horizon": "2018-01"}


@pytest.mark.parametrize("call", ['set_workdir("nowhere")', 'build("add", n=1, workdir="nowhere")'])
def test_a_workdir_that_is_none_is_refused_though_the_job_is_there(scripts: Scripts, call: str) -> None:
    scripts.run(' urd.build("add", n=1)')
    with pytest.raises(UsageError, match="no workdir 'nowhere'"):
        scripts.run(f" urd.{call}")


def test_flags_and_info_reach_the_script(scripts: Scripts) -> None:
    scripts.run(" print(sorted(urd.flags), urd.info.slices, urd.info.urd)", Asked(flags=["b", "a"]))
    assert scripts.said == "['a', 'b'] 2 anna\n"
    assert scripts.last.asked == {"flags": "b,a"}


def test_a_workdir_is_set_for_what_follows(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"mine/a_add.py": ADD})
    folder.write(
        "acc.toml", '[project]\nmethods = ["mine"]\n[workdirs]\ndev = ".acc/jobs"\nnight = ".acc/night"\n'
    )
    with Project(config.load(folder.root), executor=SerialExecutor()) as project:
        scripts = Scripts(project, folder)
        scripts.run(
            """
 urd.set_workdir("night")
 print(urd.build("add", n=1), urd.build("add", n=2, workdir="dev"))
 urd.set_workdir(None)
 print(urd.build("add", n=3))
"""
        )
        assert scripts.said.split() == ["night-1", "dev-1", "dev-2"]


def test_a_build_says_what_was_asked_for_and_got(scripts: Scripts) -> None:
    scripts.run(' urd.build("add", n=5)')
    build = scripts.run(
        ' print("hello")\n urd.build("add", n=5, name="five", caption="again")\n urd.build("add", n=6)\n'
        ' urd.warn("look\\n  here")'
    )
    assert [(job.name, job.method, job.caption, job.how) for job in build.jobs] == [
        ("five", "add", "again", "reused"),
        ("add", "add", "", "built"),
    ]
    assert (build.user, build.warnings, scripts.said) == ("anna", ("look", "  here"), "hello\n")
    target = scripts.project.resolver.resolve("build-2")
    view = build_view(scripts.project.resolver, "build-2", target.oid)
    assert (view["built"], view["reused"], view["output"]) == (1, 1, "hello\n")


def test_warnings_of_the_engine_are_written_down_too(scripts: Scripts, tmp_path: Path) -> None:
    scripts.folder.write("elsewhere.txt", "x")
    scripts.folder.write(
        "mine/a_reads.py",
        f"def synthesis():\n    return __import__('pathlib').Path({str(tmp_path / 'elsewhere.txt')!r}).read_text()\n",
    )
    build = scripts.run(' urd.build("reads")\n urd.warn("of the script")')
    assert len(build.warnings) == 2
    assert "elsewhere.txt" in build.warnings[0]
    assert build.warnings[1] == "of the script"


def test_a_script_that_fails_is_written_down_and_in_no_list(scripts: Scripts) -> None:
    with pytest.raises(ScriptError):
        scripts.run(' print("so far")\n urd.begin("a", 1)\n urd.build("add")\n raise ValueError("no")')
    assert (scripts.last.status, scripts.said) == ("ValueError: no", "so far\n")
    assert scripts.project.urdlog().lists() == []


def test_a_number_that_main_returns_is_the_exit_code(scripts: Scripts) -> None:
    path = scripts.folder.write("build_test.py", "def main(urd):\n    urd.build('add')\n    return 3")
    assert run_script(scripts.project, Script("test", "", path)) == 3
    assert scripts.last.status == "main returned 3"
    assert scripts.project.urdlog().lists() == []


def test_every_build_that_got_a_job_is_in_the_list_of_builds(scripts: Scripts) -> None:
    scripts.run(' urd.build("add")')
    scripts.run(' urd.build("add")')
    scripts.run(" pass")
    shown = scripts.see('len(urd.since("__auto__", 0)), urd.peek_latest("__auto__").joblist.as_tuples')
    assert shown == "(2, [('add', 'dev-1')])"
    assert scripts.see('urd.peek_latest("__auto__").build_job') == "build-2"


def test_a_build_that_only_reuses_jobs_takes_no_number_before_it_is_written(scripts: Scripts) -> None:
    scripts.run(session("1"))
    record = BuildRecord("test", user="anna", take_number=lambda: pytest.fail("took one"))
    around = Surroundings(scripts.project.urdlog)
    urd = Urd(scripts.project.builder, record, around=around)
    urd.begin("days", 1)
    urd.latest("empty")
    urd.build_chained("add", name="sum", n=1)
    assert not urd.finish("days").new
    assert [job.how for job in record.jobs] == ["reused"]


def test_a_job_knows_the_build_that_made_it_and_its_parent(scripts: Scripts) -> None:
    scripts.run(' urd.build("outer")')
    outer, inner = Job("outer"), Job("add")
    assert (outer.parent, outer.build_job) == ("build-1", "build-1")
    assert (inner.parent, inner.build_job) == (outer, "build-1")
    build = outer.build_job
    assert (build.number, build.method, build.status, build.output()) == (1, "build_test", "done", "")
    assert build.is_build
    assert not outer.is_build
    assert (NoJob.parent, NoJob.build_job) == (None, None)


def test_a_running_job_knows_the_build_that_it_is_made_in(scripts: Scripts) -> None:
    scripts.folder.write(
        "mine/a_tells.py",
        "options = {'n': 0}\ndef synthesis(job): return str(job.parent), str(job.build_job)",
    )
    scripts.folder.write(
        "mine/a_wants.py", "from acc import build\ndef synthesis(): return build('tells', n=1).load()"
    )
    scripts.run(' print(urd.build("tells").load())')
    assert scripts.said == "('build-1', 'build-1')\n"
    with pytest.raises(JobFailed, match="is a subjob of 'dev-2', which is running too"):
        scripts.run(' urd.build("wants")')


def test_a_result_has_a_header_and_a_description(scripts: Scripts) -> None:
    scripts.run(' urd.build("add").link_result(linkname="sum", header="The sum", description="Of all.")')
    assert scripts.folder.acc("results").splitlines() == [
        "result  file                 header",
        "sum     dev-1:result.pickle  The sum",
    ]
    (result,) = json.loads(scripts.folder.acc("results", "--json"))
    assert (result["header"], result["description"]) == ("The sum", "Of all.")
    scripts.run(' urd.build("add").link_result(linkname="sum")')
    assert scripts.folder.acc("results").splitlines()[0] == "result  file"


def test_a_job_that_no_script_built_has_no_build(scripts: Scripts) -> None:
    with scripts.project:
        pass
    folder = scripts.folder
    folder.acc("build", "-m", "add", "n=5")
    job = Job("add")
    assert (job.parent, job.build_job) == (None, None)


def test_a_timestamp_may_be_a_datetime(scripts: Scripts) -> None:
    scripts.run(
        " from datetime import date, datetime\n"
        ' urd.begin("a", datetime(2019, 12, 9, 12))\n urd.build("add")\n urd.finish("a")\n'
        ' print(urd.peek("a", (">", date(2019, 12, 1))).timestamp)'
    )
    assert scripts.said == f"{datetime(2019, 12, 9, 12).isoformat()}\n"


def test_times_of_jobs_are_printed_by_name_and_kept_as_output(scripts: Scripts) -> None:
    scripts.run(' urd.build("add", n=1, name="one")\n urd.joblist.print_exectimes()')
    lines = scripts.said.splitlines()
    assert lines[0] == "Time per method:"
    assert lines[1].split()[0] == "one"
    assert lines[1].endswith("(100%)")
    assert lines[2].startswith("Total time 0.")


def test_sessions_of_all_forms_are_found_as_the_peer_finds_them(scripts: Scripts) -> None:
    """What is expected was printed by the peer (accelerator 2025.11.11) for the same script."""
    scripts.run(
        """
 from datetime import date, datetime
 for timestamp in (
     1, 1000000000, "1978-01-01 00:00", "1978-01-01 00:00+42", datetime(2017, 6, 27, 17), ("2017-06-27 17:00:00", 42),
     date(2019, 12, 1), "2019-12", ("2019-12", 3), "2019-12-02T10:00:00.5",
 ):
     urd.begin("t", timestamp)
     urd.build("add", n=1)
     urd.finish("t")
 print(*urd.since("t", 0))
 print(*urd.since("t", ("2017-06-27 17:00:00", 3)))
 for when in (
     "<=2019-12", "<2019-12", ">2019-12", ">=2019-12", "<=2019-12-01", "<=5", "<1", ">2019-12-03", (">", 5),
     "1978-01-01T00", "2017-06-27 17:00:00+42", "<=2017-06",
 ):
     print(when, "is", urd.peek("t", when).timestamp)
"""
    )
    days = "2017-06-27T17:00:00+42 2019-12 2019-12+3 2019-12-01 2019-12-02T10:00:00.5"
    assert scripts.said.splitlines() == [
        f"1 1000000000 1978-01-01T00:00 1978-01-01T00:00+42 2017-06-27T17:00:00 {days}",
        days,
        "<=2019-12 is 2019-12-02T10:00:00.5",
        "<2019-12 is 2017-06-27T17:00:00+42",
        ">2019-12 is 2019-12+3",
        ">=2019-12 is 2019-12",
        "<=2019-12-01 is 2019-12-01",
        "<=5 is 1",
        "<1 is 0",
        ">2019-12-03 is 0",
        "('>', 5) is 1000000000",
        "1978-01-01T00 is 0",
        "2017-06-27 17:00:00+42 is 2017-06-27T17:00:00+42",
        "<=2017-06 is 2017-06-27T17:00:00+42",
    ]


def test_a_dry_run_stores_no_session_and_truncates_nothing(scripts: Scripts) -> None:
    scripts.run(session("1"))
    before = dict(scripts.project.refs.names()), set(scripts.project.store.ids())
    path = scripts.folder.write(
        "build_test.py",
        """
        def main(urd):
            urd.begin("other", 1)
            print(urd.build("add", n=1), urd.finish("other"), urd.truncate("days", 0))
        """,
    )
    run_script(scripts.project, Script("test", "", path), Policy(only_look=True))
    assert (dict(scripts.project.refs.names()), set(scripts.project.store.ids())) == before
