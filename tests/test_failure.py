"""Whatever befalls a job: the build stops at once and says where, nothing of it is reusable, no process stays."""

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest

from tests.projects import Folder
from tests.waiting import await_number, await_that, lives

STAGES = {
    "prepare": "def prepare():\n    DO\n\ndef analysis(sliceno):\n    pass\n",
    "analysis": "def analysis(sliceno):\n    if sliceno == 1:\n        DO\n",
    "synthesis": "def synthesis():\n    DO\n",
}
DEATHS = {
    "raise": ("raise ValueError('no good')", "ValueError: no good"),
    "exit": ("import os; os._exit(1)", "exited with status 1"),
    "kill": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
}
BUILD = "def main(urd):\n    urd.build('dies')\n    print('went on')\n"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("death", DEATHS)
def test_a_job_that_dies_stops_the_build_and_says_where(tmp_path: Path, stage: str, death: str) -> None:
    code, message = DEATHS[death]
    folder = Folder(tmp_path, {"mine/a_dies.py": STAGES[stage].replace("DO", code), "mine/build.py": BUILD})
    said = folder.acc("build", code=1)
    assert message in said
    assert "dies" in said
    assert stage in said
    assert "went on" not in said
    if stage == "analysis":
        assert "slice 1" in said
    if death == "raise":
        assert f'{folder.root}/mine/a_dies.py", line' in said
        assert "worker.py" not in said


def test_nothing_of_a_failed_job_is_reusable_and_the_next_build_runs_it_again(tmp_path: Path) -> None:
    method = """
        import os

        def prepare(job):
            job.save("half", "half.pickle")
            print("was here")

        def synthesis(job):
            assert not os.path.exists("../../../broken")
            return job.load("half.pickle")
        """
    build = "def main(urd):\n    print(urd.build('dies').load())\n"
    folder = Folder(tmp_path, {"mine/a_dies.py": method, "mine/build.py": build, "broken": ""})
    folder.acc("build", code=1)
    assert "failed" in folder.acc("log")
    assert "was here" in folder.acc("job", "dev-1", "-o")
    folder.acc("fsck")
    (folder.root / "broken").unlink()
    assert folder.ran("build") == ["dies"]
    assert folder.ran("build") == []


def test_a_build_stops_within_a_second_of_a_death_whatever_the_other_slices_do(tmp_path: Path) -> None:
    method = """
        import os, time

        def analysis(sliceno):
            if sliceno == 0:
                time.sleep(0.3)
                open("../../../died", "w").write(repr(time.time()))
                os._exit(1)
            time.sleep(60)
        """
    folder = Folder(tmp_path, {"mine/a_dies.py": method, "mine/build.py": BUILD}, slices=2)
    folder.acc("build", "-c", "2", code=1)
    assert time.time() - float((folder.root / "died").read_text()) < 1.5


def test_killing_acc_leaves_no_process(tmp_path: Path) -> None:
    method = """
        import os, subprocess, time

        def note(name):
            with open(f"../../../{name}.pid", "w") as fh:
                fh.write(str(os.getpid()))

        def prepare():
            note("job")
            child = subprocess.Popen(["sleep", "60"])
            with open("../../../child.pid", "w") as fh:
                fh.write(str(child.pid))

        def analysis(sliceno):
            note(f"slice{sliceno}")
            time.sleep(60)
        """
    folder = Folder(tmp_path, {"mine/a_dies.py": method, "mine/build.py": BUILD}, slices=2)
    build = subprocess.Popen(
        folder.command("build", "-c", "2"),
        cwd=folder.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pids = [await_number(folder.root / f"{name}.pid") for name in ("job", "child", "slice0", "slice1")]
    build.send_signal(signal.SIGKILL)
    build.wait()
    await_that(lambda: not any(map(lives, pids)), seconds=5)
    folder.acc("fsck")


SLEEPS = """
    import os, time

    def analysis(sliceno):
        with open(f"../../../slice{sliceno}.pid", "w") as fh:
            fh.write(str(os.getpid()))
        time.sleep(60)
    """


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_stops_everything_within_a_second(tmp_path: Path, number: signal.Signals) -> None:
    folder = Folder(tmp_path, {"mine/a_dies.py": SLEEPS, "mine/build.py": BUILD}, slices=2)
    build = subprocess.Popen(
        folder.command("build", "-c", "2"),
        cwd=folder.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # a shell that runs the tests in the background has them ignore it, and all that they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    pids = [await_number(folder.root / f"slice{number}.pid") for number in range(2)]
    begun = time.monotonic()
    build.send_signal(number)
    assert build.wait() == 128 + number
    assert time.monotonic() - begun < 1.5
    assert not any(map(lives, pids))
    assert "interrupted" in folder.acc("job", "dev-1")


# in synthesis: the slices of one of them may have all cores, and keep the other waiting
SLEEPS_IN_SYNTHESIS = """
    import os, time

    options = dict(first=0)

    def synthesis(options):
        with open(f"../../../slice{options.first}.pid", "w") as fh:
            fh.write(str(os.getpid()))
        time.sleep(60)
    """

SEVERAL = {
    "submitted": """
        def main(urd):
            for first in (0, 10):
                urd.submit("dies", first=first)
        """,
    "in threads": """
        import threading

        def main(urd):
            for first in (0, 10):
                threading.Thread(target=urd.build, args=("dies", {"first": first})).start()
            threading.Event().wait()
        """,
}


@pytest.mark.parametrize("script", SEVERAL.values(), ids=SEVERAL)
def test_a_signal_stops_jobs_that_run_side_by_side(tmp_path: Path, script: str) -> None:
    folder = Folder(tmp_path, {"mine/a_dies.py": SLEEPS_IN_SYNTHESIS, "mine/build.py": script}, slices=2)
    with subprocess.Popen(
        folder.command("build"), cwd=folder.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as build:
        pids = [await_number(folder.root / f"slice{number}.pid") for number in (0, 10)]
        begun = time.monotonic()
        build.send_signal(signal.SIGTERM)
        said, _ = build.communicate()
    assert build.returncode == 128 + signal.SIGTERM, said
    assert time.monotonic() - begun < 2
    assert not any(map(lives, pids))
    assert [line.split()[2] for line in folder.acc("log").splitlines()[1:]] == ["failed", "failed"]


@pytest.mark.parametrize("script", [BUILD, *SEVERAL.values()], ids=["one job", *SEVERAL])
def test_who_is_impatient_does_not_disturb_the_end(tmp_path: Path, script: str) -> None:
    folder = Folder(tmp_path, {"mine/a_dies.py": SLEEPS_IN_SYNTHESIS, "mine/build.py": script}, slices=2)
    build = subprocess.Popen(
        folder.command("build"),
        cwd=folder.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    firsts = [0] if script == BUILD else [0, 10]
    pids = [await_number(folder.root / f"slice{number}.pid") for number in firsts]
    deadline = time.monotonic() + 2
    while build.poll() is None and time.monotonic() < deadline:
        build.send_signal(signal.SIGINT)
        build.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            build.wait(0.005)
    build.kill()
    # by itself, or by a signal that came when Python had let go of its handlers: one and the same to a shell
    assert build.wait() in {code for end in (signal.SIGINT, signal.SIGTERM) for code in (128 + end, -end)}
    assert not any(map(lives, pids))
    assert [line.split()[2] for line in folder.acc("log").splitlines()[1:]] == ["failed"] * len(firsts)


def test_a_signal_ends_a_process_that_the_script_forked_without_a_word(tmp_path: Path) -> None:
    script = """
        import multiprocessing, signal, time

        def sleep(began):
            began.set()
            time.sleep(60)

        def main(urd):
            forking = multiprocessing.get_context("fork")
            began = forking.Event()
            process = forking.Process(target=sleep, args=(began,))
            process.start()
            began.wait()  # a signal that comes while Python forks is lost
            process.terminate()
            process.join()
            print("ended by", signal.Signals(-process.exitcode).name)
        """
    folder = Folder(tmp_path, {"mine/build.py": script})
    said = folder.acc("build")
    assert "ended by SIGTERM" in said
    assert "Traceback" not in said


def test_ctrl_c_is_heard_while_a_submitted_job_is_awaited_that_another_build_runs(tmp_path: Path) -> None:
    submits = "def main(urd):\n    urd.submit('dies')\n    urd.submit('other')\n"
    other = "def synthesis():\n    open('../../../slice7.pid', 'w').write('7')\n"
    files = {"mine/a_dies.py": SLEEPS, "mine/a_other.py": other}
    folder = Folder(tmp_path, files | {"mine/build.py": BUILD, "mine/build_submits.py": submits}, slices=2)
    first = subprocess.Popen(folder.command("build"), cwd=folder.root, stdout=subprocess.DEVNULL)
    try:
        await_number(folder.root / "slice0.pid")
        with subprocess.Popen(
            folder.command("build", "submits"), cwd=folder.root, stdout=subprocess.PIPE, text=True
        ) as second:
            await_number(folder.root / "slice7.pid")
            begun = time.monotonic()
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 128 + signal.SIGTERM
            assert time.monotonic() - begun < 2
    finally:
        first.terminate()
        first.wait()


def test_the_death_of_the_process_that_forks_jobs_is_told_and_the_next_job_has_another(
    tmp_path: Path,
) -> None:
    method = """
        import os, signal, time

        options = dict(deadly=True)

        def synthesis(options):
            if options.deadly:
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)
            return "fine"
        """
    build = """
        from acc import JobFailed

        def main(urd):
            try:
                urd.build("m")
            except JobFailed as err:
                print(err)
            print(urd.build("m", deadly=False).load())
        """
    folder = Folder(tmp_path, {"mine/a_m.py": method, "mine/build.py": build})
    said = folder.acc("build")
    assert "failed in synthesis: the process that jobs are forked from has died" in said
    assert "fine" in said
    assert [line.split()[2] for line in folder.acc("log").splitlines()[1:]] == ["done", "failed"]


NO_FORK = """
    import errno, os, sys

    fork = os.fork

    def perhaps_fork():
        count.append(None)
        if len(count) in {FAILING}:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return fork()

    count = []
    if any("zygote" in word for word in sys.orig_argv):
        os.fork = perhaps_fork
    """
# of the process that jobs are forked from: to look at a method, to have one in advance, and for each job
FORKS = {
    "none": ("{}", ""),
    "to look at a method": ("{1}", "acc: cannot start a process for a job: resource temporarily unavailable"),
    "in advance": ("{2}", ""),
    "for a job": ("{2, 3}", "'dev-1' (m) failed in load: cannot start a process for a job: resource"),
}


@pytest.mark.parametrize(("failing", "message"), FORKS.values(), ids=FORKS)
def test_a_machine_without_room_for_a_process_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, message: str
) -> None:
    files = {"mine/a_m.py": "def synthesis():\n    return 1\n", "mine/build.py": BUILD.replace("dies", "m")}
    folder = Folder(tmp_path / "project", files)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(dedent(NO_FORK.replace("{FAILING}", failing)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    said = folder.acc("build", code=1 if message else 0)
    assert message in said
    assert "Traceback" not in said
    monkeypatch.delenv("PYTHONPATH")
    assert folder.ran("build") == (["m"] if message else [])


def test_a_terminal_that_is_closed_ends_the_build(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"mine/a_dies.py": SLEEPS, "mine/build.py": BUILD}, slices=2)
    build, terminal = pty.fork()
    if build == 0:
        os.chdir(folder.root)
        os.execv(sys.executable, folder.command("build", "-c", "2"))
    pids = [await_number(folder.root / f"slice{number}.pid") for number in range(2)]
    os.close(terminal)
    os.waitpid(build, 0)
    await_that(lambda: not any(map(lives, pids)), seconds=5)
    folder.acc("fsck")
