"""A build is watched while it runs, and what went wrong last is seen."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cas.formats.node import put_node
from jobs.nodes.build import Build
from jobs.nodes.run import Failure
from jobs.reuse.refnames import BUILDS
from porcelain.board.pages import live
from tests.porcelain.board.boards import RunningBoard
from tests.projects import Folder

HOSTILE = "<script>alert(1)</script>"
# each stage waits until there is a file of its name
FILES = {
    "mine/a_waits.py": f"""
        import os, time
        from acc import status

        def wait_for(name, job):
            with status(f"waiting for {{name}} {HOSTILE}"):
                while not os.path.exists(f"{{job.path}}/../../../go-{{name}}"):
                    time.sleep(0.01)

        def prepare(job):
            print("\\x1b[31mred\\x1b[0m words {HOSTILE}")
            wait_for("prepare", job)

        def analysis(sliceno, job):
            with status(f"in slice {{sliceno}}"):
                wait_for(f"slice{{sliceno}}", job)
        """,
    "mine/a_quick.py": "def synthesis():\n    pass\n",
    "mine/a_fails.py": f"def synthesis():\n    raise ValueError('{HOSTILE} on purpose')\n",
    "mine/build.py": """
        def main(urd):
            urd.build("quick")
            urd.build("waits", caption="a word")
        """,
    "mine/build_fail.py": "def main(urd):\n    urd.build('fails')\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    return Folder(tmp_path_factory.mktemp("live"), FILES, slices=3)


@pytest.fixture(scope="module")
def board(folder) -> Iterator[RunningBoard]:
    with RunningBoard(folder.root) as running:
        yield running


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program inside the block, and kill it when it is still there at its end: it waits for files."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_build_is_watched_until_it_ends_and_a_failing_one_shows_its_traceback(folder, board, browse):
    page = browse(f"{board.url}/live")
    page.wait_for_selector("text=No build runs")
    page.set_default_timeout(15_000)
    with _running(folder.command("build", "-c", "2"), folder.root) as build:
        page.wait_for_selector(".part >> text=waiting for prepare")
        card = page.locator("article.card")
        assert "a word" in card.inner_text()
        assert page.locator("pre.tail .a-f1").inner_text() == "red"
        assert "quick" in page.locator(".build table.list").inner_text()
        (folder.root / "go-prepare").touch()
        page.wait_for_selector(".part >> text=in slice 1")
        states = page.locator("ol.slices li").evaluate_all("cells => cells.map(cell => cell.className)")
        assert states == ["running", "running", "waiting"]
        # what somebody has marked stays marked though all around it changes
        page.evaluate("getSelection().selectAllChildren(document.querySelector('pre.tail'))")
        (folder.root / "go-slice0").touch()
        page.wait_for_selector("ol.slices li.done")
        assert "red words" in page.evaluate("String(getSelection())")
        for name in ("slice1", "slice2"):
            (folder.root / f"go-{name}").touch()
        assert build.wait(20) == 0
    page.wait_for_selector("text=Last build: build-1")
    assert "2 built" in page.locator(".last").inner_text()
    folder.acc("build", "fail", code=1)
    page.wait_for_selector(".failure pre >> text=on purpose")
    page.wait_for_selector(".last >> text=build-2")
    assert "failed" in page.locator(".last").inner_text()
    assert HOSTILE in page.locator(".failure pre").inner_text()


def test_the_last_error_is_seen_with_its_whole_traceback(project, see):
    traceback = "\n".join(f"line {number}" for number in range(100))
    row = project.job("bad", failure=Failure(HOSTILE, "analysis", 2, traceback))
    project.job("good")
    shown = see(live.live)
    assert shown.view["last_error"]["label"] == row.label
    assert shown.page.live
    assert ("line 99" in shown.html, "line 3\n" in shown.html) == (True, False)
    assert HOSTILE not in shown.html
    whole = see(live.last_error)
    assert "line 3\n" in whole.html
    assert "failed in analysis, slice 2" in whole.html


def test_where_nothing_was_built_the_page_says_what_to_type(project, see):
    shown = see(live.live)
    assert shown.view == {"builds": [], "last_build": None, "last_error": None}
    assert "acc build" in shown.html
    assert "No job has failed lately" in see(live.last_error).html
    json.dumps(shown.view, allow_nan=False)


def test_a_last_build_that_cannot_be_read_is_said_to_be_that(project, look):
    project.job("make")
    oid = put_node(project.store, Build("build.py", "done", 1, 2, ()))
    with project.index.refs.transaction("a build") as transaction:
        transaction.set(f"{BUILDS}1", oid)
    project.store.delete(oid)
    for page in (live.live, live.last_error):
        assert f"no object &#39;{oid[:7]}" in look(page, "").html
