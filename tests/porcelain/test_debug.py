"""`acc build --debug`: a debugger in every stage, at a real terminal."""

import json
from pathlib import Path

import pytest

from tests.projects import Folder
from tests.terminal import Terminal

METHOD = """
    options = dict(n=1)

    def prepare(options):
        ready = options.n
        breakpoint()
        return ready

    def analysis(sliceno, prepare_res):
        value = prepare_res + sliceno
        breakpoint()
        return value

    def synthesis(analysis_res):
        total = sum(analysis_res)
        breakpoint()
        print("total", total)
        return total
    """


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, {"mine/a_stops.py": METHOD}, slices=2)


def test_a_breakpoint_works_in_each_stage_and_slice(folder: Folder) -> None:
    with Terminal(folder.command("build", "--debug", "-m", "stops"), folder.root) as terminal:
        terminal.await_text("return ready")
        terminal.await_text("(Pdb) ")
        terminal.type("ready = 40")
        terminal.await_text("(Pdb) ")
        terminal.type("c")
        for sliceno in range(2):
            terminal.await_text("return value")
            terminal.await_text("(Pdb) ")
            terminal.type("p 'slice', sliceno, value")
            terminal.await_text(f"('slice', {sliceno}, {40 + sliceno})")
            terminal.type("c")
        terminal.await_text('print("total", total)')
        terminal.await_text("(Pdb) ")
        terminal.type("n")
        terminal.await_text("total 81")
        terminal.type("c")
        terminal.await_text("1 job built")
        assert terminal.end() == 0
    facts = json.loads(folder.acc("job", "--json", "stops"))["facts"]
    assert [fact["kind"] for fact in facts] == ["debug"]
    assert "total 81" in folder.acc("job", "-o", "stops")


def test_what_ran_under_a_debugger_is_not_reused(folder: Folder) -> None:
    folder.write("mine/a_plain.py", "def synthesis():\n    return 1\n")
    assert folder.ran("build", "--debug", "-m", "plain") == ["plain"]
    assert "it ran under a debugger" in folder.acc("build", "-n", "-m", "plain")
    assert folder.ran("build", "-m", "plain") == ["plain"]
    assert folder.ran("build", "-m", "plain") == []
    assert folder.ran("build", "--debug", "-m", "plain") == []


def test_jobs_run_in_the_environment_that_they_always_have(folder: Folder) -> None:
    folder.write(
        "mine/a_around.py",
        "import time\n\ndef synthesis(job):\n    job.json_save([hash('acc'), time.tzname, sorted({'a', 'b'})])\n",
    )
    folder.acc("build", "--debug", "-m", "around")
    first = json.loads(folder.acc("show", "around:result.json"))
    folder.acc("build", "-m", "around")
    assert json.loads(folder.acc("show", "around:result.json")) == first
    assert len(folder.acc("log", "-m", "around").splitlines()) == 3


def test_a_job_that_fails_says_where_at_the_terminal(folder: Folder) -> None:
    folder.write(
        "mine/a_fails.py", "def analysis(sliceno):\n    print('here', sliceno)\n    1 / (1 - sliceno)\n"
    )
    said = folder.acc("build", "--debug", "-m", "fails", code=1)
    assert "failed in analysis, slice 1: ZeroDivisionError" in said
    assert said.count("here 0") == said.count("here 1") == 1
