"""A lease is held by one at a time, in threads and in processes, and by nobody whose process is dead."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from jobs.nodes.run import ActionKey
from jobs.reuse.lease import Leases

KEY, OTHER = ActionKey("0" * 64), ActionKey("1" * 64)
HOLDER = """
import sys, pathlib
from contextlib import nullcontext
from jobs.reuse.lease import Leases
with Leases(pathlib.Path(sys.argv[1])).hold("0" * 64, nullcontext):
    print("held", flush=True)
    sys.stdin.read()
"""


class Waits:
    """Tells when somebody begins to wait."""

    def __init__(self) -> None:
        self.began = threading.Event()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.began.set()
        yield


@pytest.fixture
def leases(tmp_path: Path) -> Iterator[Leases]:
    leases = Leases(tmp_path / "locks" / "leases")
    yield leases
    leases.close()


def never() -> AbstractContextManager[None]:
    raise AssertionError("nobody is there to wait for")


def test_who_comes_first_does_not_wait_and_keys_are_apart(leases: Leases) -> None:
    with leases.hold(KEY, never) as waited, leases.hold(OTHER, never):
        assert not waited
    with leases.hold(KEY, never) as waited:
        assert not waited


def test_a_second_thread_waits_for_the_first(leases: Leases) -> None:
    waits, order = Waits(), []

    def second() -> None:
        with leases.hold(KEY, waits) as waited:
            order.append(("second", waited))

    with leases.hold(KEY, never):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.began.wait(10)
        order.append(("first", False))
    thread.join()
    assert order == [("first", False), ("second", True)]


@pytest.mark.parametrize(
    "end", [lambda process: process.stdin.close(), lambda process: process.kill()], ids=["ends", "is killed"]
)
def test_another_process_holds_it_until_it_ends(
    leases: Leases, tmp_path: Path, end: Callable[[subprocess.Popen[str]], None]
) -> None:
    waits = Waits()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "locks" / "leases")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        (tmp_path / "locks").mkdir(exist_ok=True)
        assert process.stdout.readline() == "held\n"
        done = threading.Event()

        def hold() -> None:
            with leases.hold(KEY, waits) as waited:
                assert waited
                done.set()

        thread = threading.Thread(target=hold)
        thread.start()
        assert waits.began.wait(10)
        assert not done.is_set()
        end(process)
        thread.join()
        assert done.is_set()


def test_what_a_holder_forks_holds_nothing(leases: Leases, tmp_path: Path) -> None:
    with leases.hold(KEY, never):
        child = os.fork()
        if child == 0:
            signal.pause()
    again = subprocess.run(
        [sys.executable, "-c", HOLDER, str(tmp_path / "locks" / "leases")],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert again.stdout == "held\n"


def test_who_waits_is_interrupted_when_all_is_to_stop(leases: Leases) -> None:
    waits, interrupted = Waits(), threading.Event()

    def second() -> None:
        with pytest.raises(KeyboardInterrupt), leases.hold(KEY, waits):
            pass
        interrupted.set()

    with leases.hold(KEY, never):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.began.wait(10)
        leases.stop()
        assert interrupted.wait(10)
    thread.join()
    with leases.hold(KEY, never) as waited:
        assert not waited
