"""Whoever is killed while he pushes or pulls goes on from there, and nobody sees anything half done."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import await_that

JOBS = 12


def killed(member, *arguments: str, when: Callable[[], object]) -> None:
    """Start a command in the project of a member, and kill it when something holds, or let it end before."""
    command = [sys.executable, "-m", "acc", *arguments]
    process = subprocess.Popen(command, cwd=member.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_that(lambda: when() or process.poll() is not None)
    process.kill()
    assert process.wait() in (0, -signal.SIGKILL)


def files_in(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


@pytest.fixture
def ann(member):
    """A member with some jobs, each with files that do not compress."""
    ann = member("ann")
    noise = random.Random(7)
    for number in range(JOBS):
        ann.job(f"job_{number}", files={"noise.bin": noise.randbytes(100_000)})
    return ann


@pytest.mark.parametrize("files", range(1, 6))
def test_a_killed_push_leaves_a_sound_remote_and_goes_on(ann, member, tmp_path, files):
    bo = member("bo")
    killed(ann, "push", when=lambda: files_in(tmp_path / "bucket") >= files)
    code, _, err = bo.acc("fetch", "--all-objects")
    assert code == 0 or "there is no remote" in err
    assert bo.acc("fsck")[0] == 0
    ann.does("push")
    bo.does("pull", "--all-objects")
    assert bo.labels() == ann.labels()
    assert bo.acc("fsck")[0] == 0


@pytest.mark.parametrize("labels", [0, 1, JOBS // 2, JOBS - 1])
def test_a_killed_pull_leaves_a_sound_project_and_goes_on(ann, member, labels):
    bo = member("bo")
    ann.does("push")
    killed(bo, "pull", when=lambda: len([*bo.refs.names("jobs/")]) > labels)
    bo.look_again()
    assert bo.acc("fsck")[0] == 0
    bo.does("pull")
    assert sorted(bo.labels().values()) == sorted(ann.labels().values())
    assert bo.acc("fsck")[0] == 0


def test_ctrl_c_is_one_line_and_what_is_done_stays(ann, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "acc", "push"], cwd=ann.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    await_that(lambda: files_in(tmp_path / "bucket") or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    err = process.communicate()[1]
    assert (process.returncode, err) in ((130, b"acc: interrupted\n"), (0, b""))
    ann.does("push")
    assert len(ann.does("ls-remote").splitlines()) == JOBS
