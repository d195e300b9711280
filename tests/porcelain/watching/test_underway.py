"""A build that runs, seen at its terminal, from another one, and by who sends it a signal."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.projects import Folder
from tests.terminal import Terminal

# each stage waits until there is a file of its name
METHODS = {
    "mine/a_waits.py": """
        import os, time
        from acc import status

        def wait_for(name, job):
            with status("waiting") as update:
                update(f"waiting for {name}")
                while not os.path.exists(f"{job.path}/../../../go-{name}"):
                    time.sleep(0.01)

        def prepare(job):
            print("prepared", "now")
            wait_for("prepare", job)

        def analysis(sliceno, job):
            with status(f"in slice {sliceno}"):
                wait_for(f"slice{sliceno}", job)
        """,
    "mine/build.py": """
        from acc import status

        def main(urd):
            with status("of the script"):
                urd.build("waits", caption="a word")
        """,
    "mine/build_die.py": "def main(urd):\n    urd.build('dies')\n",
    "mine/a_dies.py": """
        import os, signal
        from acc import status

        def analysis(sliceno, job):
            with status("outer"), status("inner") as update:
                update("inner, further")
                if sliceno:
                    os.kill(os.getpid(), signal.SIGKILL)
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, METHODS, slices=2)


def go(folder: Folder, *names: str) -> None:
    for name in names:
        (folder.root / f"go-{name}").touch()


def await_status(folder: Folder, seen: Callable[[Any], object]) -> Any:
    """Return what `acc status` shows once `seen` holds of it."""
    deadline = time.monotonic() + 30
    while True:
        shown = json.loads(folder.acc("status", "--json"))
        if seen(shown):
            return shown
        assert time.monotonic() < deadline, shown


def parts(shown: Any) -> dict[Any, list[str]]:
    """Return what the parts of the only job say that they do."""
    jobs = [job for build in shown["builds"] for job in build["jobs"]]
    return {
        part["stage"] if part["sliceno"] is None else part["sliceno"]: [
            line["text"] for line in part["status"]
        ]
        for job in jobs
        for part in job["parts"]
    }


@pytest.fixture
def build(folder: Folder) -> Iterator[subprocess.Popen[str]]:
    """A build that waits in prepare."""
    with subprocess.Popen(
        folder.command("build", "-c", "2"),
        cwd=folder.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_acc_status_shows_a_build_while_it_runs(folder: Folder, build: subprocess.Popen[str]) -> None:
    shown = await_status(folder, lambda shown: parts(shown) == {"prepare": ["waiting for prepare"]})
    (running,) = shown["builds"]
    assert (running["build"], running["process"]) == ("build", build.pid)
    assert [line["text"] for line in running["status"]] == ["of the script"]
    (job,) = running["jobs"]
    assert (job["label"], job["method"], job["caption"], job["stage"]) == (
        "dev-1",
        "waits",
        "a word",
        "prepare",
    )
    assert job["seconds"] <= running["seconds"]
    await_status(folder, lambda shown: "prepare | prepared now" in shown["builds"][0]["jobs"][0]["output"])
    go(folder, "prepare", "slice0")
    shown = await_status(folder, lambda shown: parts(shown) == {1: ["in slice 1", "waiting for slice1"]})
    assert shown["builds"][0]["jobs"][0]["done"] == 1
    said = folder.acc("status")
    assert "dev-1  waits  analysis 1/2" in said
    assert "slice 1    in slice 1" in said
    go(folder, "slice1")
    assert build.wait() == 0
    assert "no build runs" in folder.acc("status")
    assert list((folder.root / ".acc/tmp").iterdir()) == []


def test_a_killed_build_does_not_run(folder: Folder, build: subprocess.Popen[str]) -> None:
    await_status(folder, parts)
    build.kill()
    build.wait()
    assert json.loads(folder.acc("status", "--json"))["builds"] == []
    folder.acc("fsck")
    folder.acc("gc", "--prune", "now")
    assert list((folder.root / ".acc/tmp").iterdir()) == []


def test_two_builds_are_shown_both(folder: Folder, build: subprocess.Popen[str]) -> None:
    await_status(folder, parts)
    folder.write("mine/a_also.py", METHODS["mine/a_waits.py"])
    with Terminal(folder.command("build", "-m", "also"), folder.root):
        shown = await_status(folder, lambda shown: sum(len(each["jobs"]) for each in shown["builds"]) == 2)
        assert [each["build"] for each in shown["builds"]] == ["build", "also"]


def test_a_signal_has_a_build_print_what_it_does(folder: Folder, build: subprocess.Popen[str]) -> None:
    await_status(folder, lambda shown: parts(shown) == {"prepare": ["waiting for prepare"]})
    build.send_signal(signal.SIGUSR1)
    assert build.stdout is not None
    lines = iter(build.stdout.readline, "")
    assert any("dev-1  waits  prepare" in line for line in lines)
    assert "prepare    waiting for prepare" in next(lines)
    go(folder, "prepare", "slice0", "slice1")
    assert build.wait() == 0


def test_a_signal_finds_a_script_between_jobs(folder: Folder) -> None:
    folder.write(
        "mine/build_alone.py",
        """
        import os, signal
        from acc import status

        def main(urd):
            with status("thinking"):
                os.kill(os.getpid(), signal.SIGUSR1)
        """,
    )
    said = folder.acc("build", "alone")
    assert "  thinking  0.0" in said
    assert "no job at the moment" in said


def test_the_terminal_shows_each_slice_and_what_it_does(folder: Folder) -> None:
    go(folder, "prepare")
    with Terminal(folder.command("build", "-c", "2"), folder.root) as terminal:
        terminal.await_text("dev-1   waits                 analysis 0/2")
        terminal.await_text("slice 1   waiting for slice1")
        os.kill(terminal.process.pid, signal.SIGUSR1)
        terminal.await_text("dev-1  waits  analysis 0/2")
        terminal.await_text("slice 0    in slice 0")
        go(folder, "slice0", "slice1")
        terminal.await_text("1 job built")
        assert terminal.end() == 0


def test_a_killed_slice_says_what_it_was_doing(folder: Folder) -> None:
    said = folder.acc("build", "die", code=1)
    assert "Status when it died:\n  outer\n  inner, further\n" in said
    last = folder.acc("status")
    assert "last error: dev-1  dies" in last
    assert (
        "  inner, further\nfailed in analysis, slice 1: the process of slice 1 was killed by SIGKILL" in last
    )
    assert "inner, further" in folder.acc("job", "dev-1")
