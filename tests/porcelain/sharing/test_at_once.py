"""Threads and forked children of one program, and jobs that run side by side, share what comes from a remote."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.porcelain.sharing.test_two_clones import Clone
from tests.servers.place import Place
from tests.waiting import await_that

COUNT = 8
BUILD = f"""
def main(urd):
    jobs = [urd.submit("noise", n=n) for n in range({COUNT})]
    rows = [urd.submit("rows", source=job.result().dataset()) for job in jobs]
    for job in rows:
        job.result()
"""
# as a notebook does: some is read before the fork, by threads, and some by children
READS = f"""
import multiprocessing, sys
from concurrent.futures import ThreadPoolExecutor
from acc import Job

def read(number):
    job = Job(f"dev-{{number}}")
    if job.method == "rows":
        with job.open("sum.txt") as file:
            return file.read()
    with job.open("noise.bin", "rb") as file:
        return len(file.read()) + sum(job.dataset().iterate(None, "n"))

if __name__ == "__main__":
    numbers = range(1, {2 * COUNT} + 1)
    children = multiprocessing.get_context("fork")
    read(1)
    with children.Pool(3) as pool:
        first = pool.map_async(read, numbers[::2])
        with ThreadPoolExecutor(6) as threads:
            second = [*threads.map(read, numbers[1::2])]
        first = first.get(60)
    with children.Pool(3) as pool, ThreadPoolExecutor(6) as threads:
        assert pool.map(read, numbers) == [*threads.map(read, numbers)]
    assert [read(number) for number in numbers[::2]] == first
    assert [read(number) for number in numbers[1::2]] == second
    print("all is read")
"""


@pytest.fixture(params=["folder", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(f"file://{tmp_path}/bucket", {})
    place = request.getfixturevalue(request.param).new_place()
    assert isinstance(place, Place)
    return place


@pytest.fixture
def clones(place: Place, tmp_path: Path) -> list[Clone]:
    clones = [Clone(tmp_path / name, place) for name in ("ann", "bob")]
    for clone in clones:
        clone.folder.write("mine/build.py", BUILD)
    return clones


def test_submitted_jobs_are_published_and_taken_side_by_side(clones: list[Clone]) -> None:
    ann, bob = clones
    assert f"{2 * COUNT} jobs built, 0 reused" in ann.does("build")
    assert f"{2 * COUNT} jobs, all reused" in bob.does("build")
    assert "origin has it all" in ann.does("push")
    bob.does("fsck")
    bob.does("fsck", "--remote", "origin", "--full")


def test_threads_and_forked_children_read_what_comes_when_it_is_read(clones: list[Clone]) -> None:
    ann, bob = clones
    ann.does("build")
    bob.does("build")
    program = bob.folder.write("reads.py", READS)
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=bob.root,
        env=bob.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "all is read\n", "")
    bob.does("fsck")


@pytest.mark.parametrize("sent", [1, 3])
def test_a_push_that_sleeps_while_others_clean_up_loses_nothing(tmp_path: Path, sent: int) -> None:
    """A laptop is closed in the middle of a push; meanwhile gc takes all that no ref names."""
    place = Place(f"file://{tmp_path}/bucket", {})
    ann, bob = (Clone(tmp_path / name, place) for name in ("ann", "bob"))
    bob.does("build")
    bob.does("push")
    before = files_of(tmp_path)
    toml = ann.root / "acc.toml"
    toml.write_text(
        toml.read_text().replace("read = true", "read = false").replace("write = true", "write = false")
    )
    ann.folder.write("mine/build.py", BUILD)
    ann.does("build")
    push = subprocess.Popen(
        ann.folder.command("push"), cwd=ann.root, env=ann.environment, stdout=subprocess.DEVNULL
    )
    await_that(lambda: files_of(tmp_path) >= before + sent or push.poll() is not None)
    os.kill(push.pid, signal.SIGSTOP)
    bob.does("gc", "--remote", "origin", "--grace", "now")
    bob.does("gc", "--remote", "origin", "--grace", "now")
    os.kill(push.pid, signal.SIGCONT)
    assert push.wait(60) == 0
    bob.does("fsck", "--remote", "origin", "--full")
    bob.does("pull", "--all-objects")
    assert {*ann.labels().values()} <= {*bob.there().values()}
    bob.does("fsck")


def files_of(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "bucket").rglob("*"))
