"""Cores as tokens: who waits gets one, and what killed jobs held is made good."""

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.slots import Cores, Slot


def free(cores: Cores) -> int:
    count = 0
    while cores.tokens.take():
        count += 1
    cores.tokens.give(count)
    return count


def test_a_job_waits_until_another_gives_its_token_back() -> None:
    cores = Cores(1)
    cores.take()
    got = threading.Event()
    waiting = threading.Thread(target=lambda: (cores.take(), got.set()))
    waiting.start()
    assert not got.wait(0.05)
    cores.give()
    assert got.wait(10)
    waiting.join()
    assert free(cores) == 0
    cores.give()
    assert free(cores) == 1


def test_tokens_that_a_killed_job_held_come_back_when_no_job_runs() -> None:
    cores = Cores(3)
    cores.take()
    cores.take()
    assert cores.tokens.take()  # for a slice, and never given back
    cores.give()
    assert free(cores) == 1
    cores.give()
    assert free(cores) == 3


def test_a_slot_that_was_given_away_is_not_given_back_again() -> None:
    cores = Cores(1)
    slot = Slot(cores)
    slot.take()
    slot.give()
    slot.give()
    assert free(cores) == 1
    slot.take()
    assert free(cores) == 0


@pytest.fixture
def _threads_that_switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_threads_that_switch_often")
def test_threads_that_begin_together_share_the_cores() -> None:
    for _ in range(100):
        executor = ProcessExecutor(os.environ, 2)
        gate = threading.Barrier(4)
        seen = []

        def look(
            executor: ProcessExecutor = executor, gate: threading.Barrier = gate, seen: list[object] = seen
        ) -> None:
            gate.wait()
            seen.append(executor.slots)

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        executor.close()
        assert len(set(map(id, seen))) == 1
