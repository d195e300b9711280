"""Limits of jobs: one that takes more is ended, whatever its processes do, and the build says why."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.execution.events import SubjobBuilt, SubjobWanted
from jobs.execution.executors import Execution
from jobs.execution.usage import Usage, memory_by_ps, memory_of
from jobs.limits import Limits
from tests.projects import Folder

# more than a job of nothing takes, and less than that with what these methods allocate
ROOM = "150M"
LARGE = "bytearray(os.urandom(1 << 20) * 300)"
BUILD = "def main(urd):\n    urd.build('m')\n"
WAIT = "signal.pause()"
NO_EXECUTION: Execution = None  # type: ignore[assignment]  # only memory asks for it


def folder_of(root: Path, code: str, *, slices: int = 2) -> Folder:
    return Folder(root, {"mine/a_m.py": code, "mine/build.py": BUILD}, slices=slices)


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("def prepare():\n    taken = LARGE\n    WAIT\n\ndef analysis(sliceno):\n    pass\n", "prepare"),
        (
            "def analysis(sliceno):\n    if sliceno == 1:\n        taken = LARGE\n        WAIT\n",
            "analysis, slice 1",
        ),
        ("def synthesis():\n    taken = LARGE\n    WAIT\n", "synthesis"),
    ],
    ids=["prepare", "analysis", "synthesis"],
)
def test_a_job_that_takes_too_much_memory_is_ended(tmp_path: Path, code: str, place: str) -> None:
    code = "import os, signal\n\n" + code.replace("LARGE", LARGE).replace("WAIT", WAIT)
    folder = folder_of(tmp_path, code)
    said = folder.acc("build", "-c", "1", "--max-rss", ROOM, code=1)
    assert f"failed in {place}" in said
    assert "of memory, more than max_rss, 150 MiB" in said
    assert "Traceback" not in said
    folder.acc("fsck")


def test_the_memory_of_all_processes_counts_together_and_says_which_slices_ran(tmp_path: Path) -> None:
    code = f"""
        import os, signal, subprocess, sys

        max_rss = "{ROOM}"

        def analysis(sliceno):
            taken = bytearray(os.urandom(1 << 20) * 90)
            signal.pause()
        """
    said = folder_of(tmp_path, code).acc("build", "-c", "2", code=1)
    assert "3 processes use" in said
    assert "while slices 0, 1 were running" in said


def test_memory_that_processes_share_counts_once(tmp_path: Path) -> None:
    code = """
        import os

        def prepare():
            return os.urandom(1 << 20) * 80

        def analysis(sliceno, prepare_res):
            return sum(prepare_res[:: 1 << 12])

        def synthesis(analysis_res):
            return len(list(analysis_res))
        """
    folder_of(tmp_path, code, slices=4).acc("build", "-c", "4", "--max-rss", "250M")


def test_memory_of_programs_that_a_job_starts_counts(tmp_path: Path) -> None:
    code = f"""
        import subprocess, sys

        def synthesis():
            code = "import os, signal; taken = {LARGE}; signal.pause()"
            subprocess.run([sys.executable, "-c", code], start_new_session=True)
        """
    folder = folder_of(tmp_path, code)
    assert "more than max_rss" in folder.acc("build", "--max-rss", ROOM, code=1)


@pytest.mark.parametrize("how", ["option", "declared", "both"])
def test_a_job_that_runs_too_long_is_ended_at_the_smaller_limit(tmp_path: Path, how: str) -> None:
    declared = {"option": "", "declared": "timeout = 0.3\n", "both": "timeout = '1h'\n"}[how]
    code = f"import signal\n{declared}\ndef synthesis():\n    print('so far', flush=True)\n    {WAIT}\n"
    folder = folder_of(tmp_path, code)
    options = [] if how == "declared" else ["--timeout", "0.3s"]
    said = folder.acc("build", *options, code=1)
    assert "job 'dev-1' (m) failed in synthesis: it has run longer than its timeout, 0.3s" in said
    assert "so far" in folder.acc("job", "dev-1", "-o")


def test_a_talkative_job_is_ended_too(tmp_path: Path) -> None:
    code = "def synthesis():\n    while True:\n        print('x' * 60)\n"
    said = folder_of(tmp_path, code).acc("build", "--timeout", "0.2", code=1)
    assert "longer than its timeout" in said


def test_the_time_that_a_job_waits_for_subjobs_does_not_count() -> None:
    seconds = iter([0.0, 1.0, 9.0, 10.5, 11.5])  # begun; a subjob wanted, and had; looked at twice
    usage = Usage(Limits(timeout=3), clock=lambda: next(seconds))
    built = usage.pausing(lambda wanted: SubjobBuilt(wanted, built=True))(SubjobWanted("m", {}))
    assert isinstance(built, SubjobBuilt)
    assert usage.find_excess(None, NO_EXECUTION) is None
    late = usage.find_excess(None, NO_EXECUTION)
    assert late is not None
    assert late.message == "it has run longer than its timeout, 3s"


def test_limits_are_no_part_of_a_key(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "def synthesis():\n    return 1\n")
    assert folder.ran("build") == ["m"]
    assert folder.ran("build", "--max-rss", "4G", "--timeout", "1h") == []


@pytest.mark.parametrize(
    ("declared", "words"),
    [("max_rss = 'much'", "'much' is no amount of memory"), ("timeout = -1", "-1 is no length of time")],
    ids=["max_rss", "timeout"],
)
def test_what_is_no_limit_is_refused_where_it_is_declared(tmp_path: Path, declared: str, words: str) -> None:
    folder = folder_of(tmp_path, f"{declared}\n\ndef synthesis():\n    pass\n")
    assert f"method 'm' declares what is no limit: {words}" in folder.acc("build", code=1)
    assert not (tmp_path / ".acc/jobs/dev-1").exists()


@pytest.mark.parametrize("option", ["--max-rss", "--timeout"])
def test_what_is_no_limit_is_refused_on_the_command_line(tmp_path: Path, option: str) -> None:
    folder = folder_of(tmp_path, "def synthesis():\n    pass\n")
    assert "'much' is no" in folder.acc("build", option, "much", code=2)
    assert not (tmp_path / ".acc/jobs").exists()


def test_ps_sees_the_same_processes() -> None:
    child = "import time; time.sleep(60)"
    parent = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"{parent}; sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            by_ps, by_proc = memory_by_ps(process.pid), memory_of(process.pid, at_most=1 << 40)
            assert by_ps.processes == 2
            assert by_ps.bytes > 1 << 20
            if sys.platform == "linux":
                assert by_proc.processes == 2
                assert memory_of(process.pid, at_most=0).bytes < by_proc.bytes
        finally:
            os.kill(pid, signal.SIGKILL)
