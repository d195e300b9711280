"""`acc urd`, `acc log --builds`, `acc show build-7`, and the options of `acc build` for urd: text and exit codes."""

import json
from pathlib import Path

import pytest

from porcelain.cli import main

FILES = {
    "acc.toml": '[project]\nslices = 2\nmethods = ["mine"]\n',
    "mine/__init__.py": "",
    "mine/a_add.py": "options = dict(n=0)\njobs = ('previous',)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/build_days.py": """
def main(urd):
    for number in map(int, sorted(urd.flags)):
        urd.begin("days", ("2019-12", number), caption=f"day {number}")
        urd.latest("days")
        urd.build_chained("add", name="sum", n=number)
        urd.finish("days")
    print("latest:", urd.peek_latest("days").timestamp)
    urd.warn("look here")
    return len(urd.flags) // 9
""",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A project with three sessions in a list."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("URD_AUTH", "anna:secret")
        for flags in ("1,2", "3"):
            assert main(["build", "days", "-f", flags]) == 0
    return folder


@pytest.fixture
def acc_here(root, acc, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setenv("URD_AUTH", "anna:secret")
    return acc


def test_lists_are_listed(acc_here):
    code, out, _ = acc_here("urd")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["list", "sessions", "latest"]
    assert [line[:2] for line in lines[1:]] == [["anna/__auto__", "2"], ["anna/days", "3"]]
    assert lines[2][2] == "2019-12+3"
    assert acc_here("urd", "/")[1] == out


def test_the_sessions_of_a_list_are_listed_with_captions(acc_here):
    shown = json.loads(acc_here("urd", "days/", "--json")[1])
    assert [(view["timestamp"], view["caption"], view["jobs"], view["build"]) for view in shown] == [
        ("2019-12+1", "day 1", 1, "build-1"),
        ("2019-12+2", "day 2", 1, "build-1"),
        ("2019-12+3", "day 3", 1, "build-2"),
    ]
    assert [line.split()[0] for line in acc_here("urd", "anna/days/since/2019-12+1")[1].splitlines()] == [
        "timestamp",
        "2019-12+2",
        "2019-12+3",
    ]


@pytest.mark.parametrize(
    "path", ["days^", ":days^", "days/2019-12+2", "anna/days/first~", ":days/<2019-12+3"]
)
def test_one_session_is_shown_with_what_it_depends_on_and_its_jobs(acc_here, path):
    code, out, _ = acc_here("urd", path)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "anna/days/2019-12+2"
    assert lines[1:3] == ["caption     day 2", "build       build-1"]
    assert lines[5:] == ["depends on", "  anna/days/2019-12+1  day 1", "", "jobs", "  dev-2  sum  add"]


def test_a_job_of_a_session_is_shown_as_its_label(acc_here):
    assert acc_here("urd", ":days/first:sum") == (0, "dev-1\n", "")
    assert acc_here("urd", "days:")[1] == "dev-3\n"
    assert acc_here("show", "build-1:sum", "--json")[1] == acc_here("show", "dev-2", "--json")[1]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nolist", "no urd list 'anna/nolist'"),
        ("nolist/", "no urd list 'anna/nolist'"),
        ("days/2018-13", "'2018-13' is no timestamp of list 'anna/days'"),
        ("days/2018-01", "no session 'days/2018-01'"),
        ("days/2018-13-01/x/y", "'days/2018-13-01/x' names no urd list"),
        ("days:nobody", "urd session 'anna/days/2019-12+3' has no job 'nobody'"),
        ("days/since/never", "'never' is no timestamp"),
    ],
)
def test_what_is_not_there_is_one_line_and_exit_code_1(acc_here, path, message):
    code, out, err = acc_here("urd", path)
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == f"acc: {message}"


def test_ghosts_go_with_a_list(acc_here):
    assert acc_here("urd", "days/", "--ghosts") == (0, "", "no sessions\n")
    assert acc_here("urd", "--ghosts")[0] == 2 or acc_here("urd", "days", "--ghosts")[0] == 2


def test_builds_are_listed_newest_first(acc_here):
    shown = json.loads(acc_here("log", "--builds", "--json")[1])
    assert [
        (view["build"], view["script"], view["built"], view["reused"], view["status"]) for view in shown
    ] == [
        ("build-2", "days", 1, 0, "done"),
        ("build-1", "days", 2, 0, "done"),
    ]
    code, out, err = acc_here("log", "-b", "-n", "1")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["build", "build-2"]
    assert err == "... and 1 earlier build; 'acc log --builds -n 0' lists all\n"
    assert acc_here("log", "--builds", "-m", "add")[0] == 2


def test_a_build_is_shown_with_what_it_said(acc_here):
    code, out, _ = acc_here("show", "build-1")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "build-1  days"
    assert {"status   done", "user     anna", "flags    1,2"} <= set(lines)
    assert [line.split() for line in lines if line.startswith("  dev-")] == [
        ["dev-1", "add", "sum", "built"],
        ["dev-2", "add", "sum", "built"],
    ]
    assert lines[-5:] == ["warnings", "  look here", "", "it printed", "latest: 2019-12+2"]
    assert "made in  build-1" in acc_here("job", "dev-1")[1]


def test_a_wrong_horizon_is_refused_before_anything_runs(acc_here):
    code, _, err = acc_here("build", "days", "--horizon", "soon")
    assert code == 2
    assert err.startswith("acc build: argument --horizon: 'soon' is no timestamp: it is a number, or a date")
    assert len(json.loads(acc_here("log", "--builds", "--json")[1])) == 2


def test_warnings_are_shown_in_a_box_at_the_end(root, acc, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setenv("URD_AUTH", "bert:")
    code, out, err = acc("build", "days", "-f", "1,2,3,4,5,6,7,8,9")
    assert code == 1
    assert out.splitlines()[-2] == "latest: 2019-12+9"
    assert err == "###############\n## look here ##\n###############\n"
    assert acc("urd", "days")[1].startswith("bert/days/2019-12+9\n")


def test_gc_keeps_the_jobs_of_sessions_and_no_build_of_others(tmp_path, acc, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("URD_AUTH", "anna:")
    (tmp_path / "mine/build.py").write_text("def main(urd):\n    urd.build('add', n=50)\n")
    assert acc("build", "days", "-f", "1,2")[0] == 0
    assert acc("build", "build")[0] == 0
    assert acc("gc", "--older-than", "now", "--prune", "now")[0] == 0
    assert [view["label"] for view in json.loads(acc("log", "--json")[1])] == ["dev-2", "dev-1"]
    assert [view["list"] for view in json.loads(acc("urd", "--json")[1])] == ["anna/__auto__", "anna/days"]
    assert [view["build"] for view in json.loads(acc("log", "-b", "--json")[1])] == ["build-1"]
    assert acc("fsck")[0] == 0
