"""Several threads, and several builds, that want the same jobs: each runs once, and independent ones run together."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import JobFailed, MethodError
from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.plan import Silent
from jobs.nodes.listing import JobRow
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

# `meet` comes to an end only when as many of them run at the same time as it is told
METHODS = {
    "mine/a_meet.py": """
        import os
        import time

        options = dict(n=0, others=[int], folder="")

        def synthesis(options):
            os.close(os.open(f"{options.folder}/{options.n}", os.O_CREAT | os.O_WRONLY))
            end = time.monotonic() + 20
            while not all(os.path.exists(f"{options.folder}/{other}") for other in options.others):
                assert time.monotonic() < end, "alone"
                time.sleep(0.005)
            return options.n
        """,
    "mine/a_number.py": "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_parent.py": """
        from acc import build

        options = dict(n=0, child="number")

        def synthesis(options):
            return build(options.child, n=options.n).load() + 1
        """,
    "mine/a_itself.py": "from acc import build\n\ndef synthesis():\n    build('itself')\n",
    "mine/a_fails.py": "options = dict(n=0)\n\ndef synthesis(options):\n    raise ValueError(options.n)\n",
    "mine/a_slices.py": """
        import os

        options = dict(folder="")

        def analysis(sliceno, options):
            mine = f"{options.folder}/{sliceno}"
            os.close(os.open(mine, os.O_CREAT | os.O_WRONLY))
            together = len(os.listdir(options.folder))
            os.unlink(mine)
            return together

        def synthesis(analysis_res):
            return max(analysis_res)
        """,
}


class Ended(Silent):
    """Keeps the rows of the runs that ended, and how often somebody waited for another."""

    def __init__(self) -> None:
        self.rows: list[JobRow] = []
        self.waits: list[str] = []

    def ended(self, row: JobRow) -> None:
        self.rows.append(row)

    def awaits(self, method: str, holder: str = "") -> None:
        self.waits.append(method)


@pytest.fixture
def ended() -> Ended:
    return Ended()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "project", METHODS, slices=4)


@pytest.fixture
def meeting(tmp_path: Path) -> str:
    place = tmp_path / "meeting"
    place.mkdir()
    return str(place)


@pytest.fixture
def build(folder: Folder, ended: Ended) -> Iterator[Callable[..., Any]]:
    with Project(config.load(folder.root), ended, ProcessExecutor(os.environ, 2)) as project:
        yield Urd(project.builder, BuildRecord("test")).build


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Return what the calls return, made in threads of their own that start together."""
    gate = threading.Barrier(len(calls))

    def through(call: Callable[[], Any]) -> Any:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(through, calls))


def test_threads_build_different_jobs_at_the_same_time(build: Callable[..., Any], meeting: str) -> None:
    jobs = at_once(
        lambda: build("meet", n=1, others=[2], folder=meeting),
        lambda: build("meet", n=2, others=[1], folder=meeting),
    )
    assert sorted(job.load() for job in jobs) == [1, 2]


def test_the_same_job_is_built_once_and_awaited_by_other_threads(
    build: Callable[..., Any], ended: Ended, meeting: str
) -> None:
    jobs = at_once(*[lambda: build("meet", n=1, others=[1], folder=meeting)] * 4)
    assert set(jobs) == {"dev-1"}
    assert [row.label for row in ended.rows] == ["dev-1"]


def test_who_waits_for_a_job_that_fails_runs_it_himself(build: Callable[..., Any], ended: Ended) -> None:
    def refused() -> str:
        with pytest.raises(JobFailed) as caught:
            build("fails", n=1)
        return caught.value.job

    assert sorted(at_once(refused, refused)) == ["dev-1", "dev-2"]
    assert {row.state for row in ended.rows} == {"failed"}


def test_a_job_that_waits_for_a_subjob_gives_its_core_back(build: Callable[..., Any], meeting: str) -> None:
    # two cores, two parents: their subjobs would never start if the parents kept their cores
    jobs = at_once(*(lambda n=n: build("parent", n=n) for n in range(4)))
    assert [job.load() for job in jobs] == [1, 2, 3, 4]


def test_no_more_slices_run_at_a_time_than_there_are_cores(build: Callable[..., Any], meeting: str) -> None:
    jobs = at_once(*(lambda: build("slices", folder=meeting, force_build=True) for _ in range(3)))
    assert max(job.load() for job in jobs) <= 2


def test_a_job_that_wants_itself_is_refused(build: Callable[..., Any]) -> None:
    with pytest.raises(JobFailed, match="wants itself as a subjob"):
        build("itself")


def test_a_second_build_waits_for_the_job_of_the_first(folder: Folder, meeting: str) -> None:
    folder.write(
        "mine/build.py",
        f"def main(urd):\n    print(urd.build('meet', n=1, others=[2], folder={meeting!r}).load())\n",
    )
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(folder.acc, "build")
        second = pool.submit(folder.acc, "build")
        # neither ends before that
        Path(meeting, "2").touch()
        said = [first.result(), second.result()]
    assert sorted(" built " in text for text in said) == [False, True]
    assert [line.split()[1] for line in folder.acc("log").splitlines()[1:]] == ["meet"]


def test_an_error_of_the_engine_in_one_thread_leaves_the_others_alone(build: Callable[..., Any]) -> None:
    def wrong() -> str:
        with pytest.raises(MethodError):
            build("nothing_of_that_name")
        return "refused"

    assert at_once(wrong, lambda: build("number", n=3).load()) == ["refused", 3]
