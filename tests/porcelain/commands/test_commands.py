"""Porcelain commands on jobs made by hand: their text, their JSON and their exit codes."""

import json
import subprocess
import sys

import pytest

from cas.oid import oid_of
from jobs.dataset.head import DatasetRef
from jobs.nodes.run import Failure
from porcelain.app import COMMANDS, PLUMBING
from porcelain.cli import PLUMBING as DISPATCHED

BROKEN = Failure(
    "ValueError: no", "analysis", 1, "Traceback (most recent call last):\n  a_make.py ...\nValueError: no\n"
)


def test_help_lists_every_command(acc):
    for command in (("--help",), (), ("help",)):
        code, out, _ = acc(*command)
        assert code == 0
        for name in (*COMMANDS, *PLUMBING):
            assert f"\n  {name} " in out
        assert max(map(len, out.splitlines())) < 80
    assert tuple(PLUMBING) == DISPATCHED


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_says_what_it_prints(acc, name):
    code, out, _ = acc(name, "--help")
    assert code == 0
    assert COMMANDS[name].summary in out
    assert "prints: " in out
    assert max(map(len, out.splitlines())) < 80


@pytest.mark.parametrize("name", PLUMBING)
def test_every_plumbing_command_has_help_that_says_what_it_prints(acc, name):
    code, out, _ = acc(name, "--help")
    assert code == 0
    assert "prints: " in out


def test_the_version_is_printed(acc):
    assert acc("--version")[:2] == (0, "acc 0.1.0\n")


def test_a_wrong_command_line_is_exit_code_2_and_a_hint(acc):
    assert acc("lgo") == (2, "", "acc: no command 'lgo'\nhint: did you mean 'log'?\n")
    assert acc("--verbose")[2].startswith("acc: no option '--verbose'")
    code, out, err = acc("log", "--grph")
    assert (code, out) == (2, "")
    assert err == "acc log: unrecognized arguments: --grph\nhint: 'acc log --help' says what it takes\n"
    assert acc("log", "-n", "-1")[0] == 2
    assert acc("job")[0] == 2


def test_log_lists_jobs_newest_first_with_why(acc, project):
    project.job("make", why="first run")
    project.job("make", options={"n": 2}, why="option n: 1, now 2")
    project.job("use", failure=BROKEN, caption="a try")
    code, out, _ = acc("log")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["job", "method", "state", "time", "seconds", "caption", "why"]
    assert [line.split()[0] for line in lines[1:]] == ["dev-3", "dev-2", "dev-1"]
    assert "failed" in lines[1]
    assert "a try" in lines[1]
    assert lines[2].endswith("1.500           option n: 1, now 2")
    assert [view["label"] for view in json.loads(acc("log", "--json")[1])] == ["dev-3", "dev-2", "dev-1"]


def test_log_of_a_job_lists_what_it_was_made_from(acc, project):
    one = project.job("make", made={"default": project.dataset()})
    project.job("other")
    project.job("use", datasets={"source": (one, "default")})
    assert [view["label"] for view in json.loads(acc("log", "use", "--json")[1])] == ["dev-3", "dev-1"]
    assert [view["label"] for view in json.loads(acc("log", "-m", "other", "--json")[1])] == ["dev-2"]
    assert [view["label"] for view in json.loads(acc("log", "-n", "1", "--json")[1])] == ["dev-3"]
    out = acc("log", "--graph")[1]
    assert "└ source  dev-1/default" in out
    assert json.loads(acc("log", "--graph", "--json")[1])[0]["inputs"][0]["spec"] == "dev-1/default"


def test_a_log_cut_short_says_how_many_more_there_are(acc, project):
    for method in ("make", "make", "other"):
        project.job(method)
    assert "dev-1" not in acc("log", "-n", "1")[1]
    for command, note in {
        ("log", "-n", "1"): "... and 2 earlier jobs; 'acc log -n 0' lists all\n",
        ("log", "-n", "1", "-m", "make"): "... and 1 earlier job; 'acc log -n 0' lists all\n",
        ("log", "-n", "1", "other"): "",
        ("log", "-n", "0"): "",
        ("log",): "",
    }.items():
        assert acc(*command)[2] == note


def test_a_log_without_jobs_says_so(acc, project):
    assert acc("log") == (0, "", "no jobs yet; 'acc build' makes some\n")
    assert acc("log", "--json")[1] == "[]\n"
    project.job("make")
    assert acc("log", "-m", "use") == (0, "", "no jobs of method 'use'\n")


def test_no_results_are_said_to_be_none(acc, project):
    assert acc("results")[:2] == (0, "")
    assert acc("results")[2].startswith("no results yet")
    assert acc("results", "--json")[1] == "[]\n"


def test_chain_is_oldest_first(acc, project):
    one = project.job("step")
    project.job("step", options={"n": 2}, jobs={"previous": one})
    lines = acc("chain", "step")[1].splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["dev-1", "dev-2"]
    assert [view["label"] for view in json.loads(acc("chain", "step", "-n", "1", "--json")[1])] == ["dev-2"]


def test_job_shows_everything(acc, project):
    made = project.job("make", made={"movies": project.dataset()})
    row = project.job(
        "use",
        options={"n": 3},
        datasets={"source": (made, "movies")},
        files={"plot.png": b"png"},
        made={"default": project.dataset()},
        output={"synthesis": b"done\n"},
    )
    code, out, _ = acc("job", "use")
    assert code == 0
    for part in (
        "dev-2  use",
        "first run",
        "analysis 1.000, synthesis 0.400",
        "0.900  1.000",
        row.job,
        row.run,
    ):
        assert part in out
    assert "\noptions\n  n  3\n" in out
    assert "\ninputs\n  datasets.source  dev-1/movies  make\n" in out
    assert "\nfiles\n  plot.png  3 B\n" in out
    assert "\ndatasets\n  default  2 columns  5 lines\n" in out
    assert "'acc job -o dev-2'" in out
    assert json.loads(acc("job", "use", "--json")[1])["label"] == "dev-2"
    assert max(len(line) for line in out.splitlines() if str(project.root) not in line) <= 80


def test_job_prints_output_and_source(acc, project):
    project.job("make", output={"1": b"one", "prepare": b"begin\n"})
    assert acc("job", "-o", "make")[1] == "prepare:\nbegin\n\nslice 1:\none\n"
    assert acc("job", "-s", "make")[1] == "# make\n"
    assert json.loads(acc("job", "-o", "make", "--json")[1]) == {"prepare": "begin\n", "1": "one"}


@pytest.mark.parametrize(
    ("part", "printed"),
    [
        ("prepare", "begin\n"),
        ("analysis", "slice 0:\nzero\n\nslice 1:\none\n"),
        ("1", "one\n"),
        ("synthesis", ""),
    ],
)
def test_job_prints_the_output_of_one_stage_or_slice(acc, project, part, printed):
    project.job("make", output={"1": b"one", "0": b"zero\n", "prepare": b"begin\n"})
    assert acc("job", "make", "-o", part) == (0, printed, "")
    assert acc("job", "-o", part, "make") == (0, printed, "")


def test_job_refuses_what_is_no_part_of_a_job(acc, project):
    project.job("make")
    assert acc("job", "make", "-o", "rest")[0] == 2
    assert acc("job", "-o")[0] == 2
    code, _, err = acc("job", "make", "-o", "2")
    assert (code, err.splitlines()[0]) == (1, "acc: job 'dev-1' has no slice 2")


def test_job_shows_times_as_bars(acc, project):
    project.job("make")
    out = acc("job", "-v", "make")[1]
    times = out[out.index("\ntimes\n") :].splitlines()[2:6]
    assert [line.split()[:2] for line in times] == [
        ["analysis", "1.000"],
        ["slice", "0"],
        ["slice", "1"],
        ["synthesis", "0.400"],
    ]
    assert max(map(len, times)) <= 80


def test_status_of_a_project_without_builds_is_its_last_error(acc, project):
    assert acc("status") == (0, "no build runs\n", "")
    project.job("make", failure=BROKEN)
    project.job("use")
    code, out, _ = acc("status")
    assert code == 0
    assert "last error: dev-1  make" in out
    assert "failed in analysis, slice 1: ValueError: no" in out
    shown = json.loads(acc("status", "--json")[1])
    assert (shown["builds"], shown["last_error"]["label"]) == ([], "dev-1")


def test_job_shows_how_a_job_failed(acc, project):
    project.job("make", failure=BROKEN)
    code, out, _ = acc("job", "dev-1")
    assert code == 0
    assert "failed in analysis, slice 1: ValueError: no" in out
    assert out.endswith(BROKEN.traceback)


def test_a_name_without_a_job_is_one_line_and_a_hint(acc, project):
    project.job("make")
    code, out, err = acc("job", "dev-99")
    assert (code, out) == (1, "")
    assert err == "acc: no job 'dev-99'\nhint: the newest is 'dev-1'; 'acc log' lists all\n"


def test_ds_shows_columns_and_chain(acc, project):
    one = project.job("grow", made={"default": project.dataset(filename="jan.csv")})
    first = DatasetRef(project.resolver.outcome(one).datasets["default"], "default")
    project.job("grow", made={"default": project.dataset(first)})
    code, out, _ = acc("ds", "grow")
    assert code == 0
    stored = project.store.sizes_of(oid_of(b"no slice")).stored_bytes
    assert out.splitlines() == [
        "dev-2/default  grow",
        "lines     5 in 2 slices of 2 to 3",
        f"size      32 B, stored in {2 * stored} B",
        "previous  dev-1/default (2 datasets in the chain)",
        "",
        "column  type          min   max    raw  stored",
        f"year    int32         2013  2014  16 B    {stored} B",
        f"name    unicode+None  -     -     16 B    {stored} B",
    ]
    assert json.loads(acc("ds", "dev-1", "--json")[1])["filename"] == "jan.csv"
    assert json.loads(acc("ds", "dev-2", "-c", "--json")[1])["links"][0]["dataset"] == "dev-1/default"


def test_show_shows_whatever_is_named(acc, project):
    row = project.job("make", files={"a.txt": b"text\n"}, made={"default": project.dataset()})
    assert acc("show", "make")[1] == acc("job", "make")[1]
    assert acc("show", "make/default")[1] == acc("ds", "make")[1]
    assert json.loads(acc("show", row.outcome)[1])["kind"] == "outcome"
    assert acc("show", "make:a.txt")[1] == "text\n"
    shown = json.loads(acc("show", "make:a.txt", "--json")[1])
    assert (shown["size"], shown["job"], shown["file"]) == (5, "dev-1", "a.txt")
    assert json.loads(acc("show", "make", "--json")[1])["label"] == "dev-1"


def test_link_puts_a_file_into_the_result_directory(acc, project):
    project.job("make", files={"a/plot.png": b"png"})
    code, out, _ = acc("link", "make:a/plot.png")
    link = project.root / "results/plot.png"
    assert (code, out) == (0, f"{link}\n")
    assert str(link.readlink()) == "../.acc/jobs/dev-1/a/plot.png"
    assert link.read_bytes() == b"png"
    acc("link", "make:a/plot.png", "best/")
    assert (project.root / "results/best/plot.png").is_symlink()
    assert acc("link", "make")[0] == 1
    link.unlink()
    rows = [line.split(None, 2) for line in acc("results")[1].splitlines()]
    assert rows[1:] == [
        ["best/plot.png", "dev-1:a/plot.png"],
        ["plot.png", "dev-1:a/plot.png", "link is gone"],
    ]
    assert json.loads(acc("results", "--json")[1])[0]["file"] == "a/plot.png"


def test_checkout_puts_files_back(acc, project):
    project.job("make", files={"a.txt": b"a", "b.txt": b"b", "c.png": b"c"})
    folder = project.root / ".acc/jobs/dev-1"
    assert acc("checkout", "make", "*.txt")[1] == f"{folder}/a.txt\n{folder}/b.txt\n"
    assert (folder / "b.txt").read_bytes() == b"b"
    assert acc("checkout", "make:c.png")[1] == f"{folder}/c.png\n"
    assert len(acc("checkout", "make")[1].splitlines()) == 3
    code, _, err = acc("checkout", "make", "d")
    assert (code, err.splitlines()[0]) == (1, "acc: job 'dev-1' has no file 'd'")


@pytest.mark.parametrize("read", ["load('a')", "json_load('a')", "open('a').read()", "filename('a')"])
def test_a_file_of_another_size_than_the_job_says_is_not_read(project, read):
    row = project.job("make", files={"a": b"null"}, sizes={"a": 3})
    code = f"from acc import Job; Job({row.label!r}).{read}"
    done = subprocess.run([sys.executable, "-c", code], cwd=project.root, capture_output=True, check=False)
    assert "it has 4 bytes, and the job whose file 'a' it is says 3" in done.stderr.decode()


def test_a_file_of_another_size_than_the_job_says_is_not_put_back(acc, project):
    project.job("make", files={"a": b"null"}, sizes={"a": 3})
    code, _, err = acc("checkout", "make")
    assert (code, "says 3" in err) == (1, True)
    assert not (project.root / ".acc/jobs/dev-1/a").exists()


def test_workdir_lists_workdirs(acc, project):
    project.job("make")
    lines = acc("workdir")[1].splitlines()
    assert lines[1].split() == ["dev", "*", "1", "dev-1", str(project.root / ".acc/jobs")]
    assert lines[2].split() == ["old", "0", "-", str(project.root / ".acc/old")]
    assert json.loads(acc("workdir", "--json")[1])[0]["target"] is True


def test_what_the_machine_forbids_is_the_users_problem_and_our_bug_is_ours(acc, project, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied", "/secret")

    def crash(*_args, **_options):
        raise RuntimeError("our mistake")

    monkeypatch.setattr("porcelain.config.load", refuse)
    assert acc("log") == (1, "", "acc: permission denied: '/secret'\n")
    monkeypatch.setattr("porcelain.config.load", crash)
    code, out, err = acc("log")
    assert (code, out) == (70, "")
    assert "RuntimeError: our mistake" in err
