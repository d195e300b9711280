"""Cores as tokens: who waits gets one, and what killed jobs held is made good."""

import threading

from jobs.execution.slots import Cores


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
