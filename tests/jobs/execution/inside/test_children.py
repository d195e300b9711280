"""Forked children: what they say arrives, how they die is seen, and none outlives its parent's interest."""

import os
import signal
import time

import pytest

from jobs.execution.inside.children import Died, Told, death, fork_each
from jobs.execution.slots import Cores, Tokens


def collect(body, numbers=range(3), at_once=2):
    return list(fork_each(numbers, at_once=at_once, body=body))


def test_what_children_return_arrives_once_each() -> None:
    news = collect(lambda number, tell: number * number)
    assert sorted((told.number, told.record) for told in news) == [(0, 0), (1, 1), (2, 4)]
    assert all(told.done for told in news)


def test_records_come_before_the_result_and_in_order() -> None:
    def body(number, tell):
        for step in range(50):
            tell((step, "x" * 5000))
        return "done"

    news = collect(body, [7], 1)
    assert [told.record[0] for told in news[:-1]] == list(range(50))
    assert news[-1] == Told(7, "done", done=True)


def test_no_more_children_than_asked_for_run_at_a_time() -> None:
    reader, writer = os.pipe()

    def body(number, tell):
        tell(("begun", time.monotonic()))
        if number == 0:
            os.read(reader, 1)
        elif number == 1:
            os.write(writer, b"x")
        return "ended", time.monotonic()

    news = collect(body, range(5), 2)
    moments = sorted((told.record[1], 1 if told.record[0] == "begun" else -1) for told in news)
    running = most = 0
    for _, change in moments:
        running += change
        most = max(most, running)
    assert most == 2


@pytest.mark.parametrize(
    ("kill", "status"),
    [
        (lambda: os._exit(3), 3),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), -signal.SIGTERM),
    ],
)
def test_a_death_is_told_with_its_status(kill, status) -> None:
    assert collect(lambda number, tell: kill(), [4], 1) == [Died(4, status)]


def test_when_the_caller_stops_every_child_is_killed() -> None:
    def body(number, tell):
        tell(os.getpid())
        if number == 0:
            return
        signal.pause()

    pids = []
    children = fork_each(range(3), at_once=3, body=body)
    for news in children:
        if isinstance(news, Told) and not news.done:
            pids.append(news.record)
        if len(pids) == 3:
            break
    children.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_result_larger_than_a_pipe_arrives_whole() -> None:
    [told] = collect(lambda number, tell: b"x" * 3_000_000, [0], 1)
    assert len(told.record) == 3_000_000


def test_death_is_said_in_words() -> None:
    assert death(1) == "exited with status 1"
    assert death(-11) == "was killed by SIGSEGV"
    assert death(-250) == "was killed by signal 250"


def most_at_once(news) -> int:
    running = most = 0
    for told in news:
        running += -1 if told.done else 1
        most = max(most, running)
    return most


@pytest.mark.parametrize(("free", "expected"), [(0, 1), (2, 3), (9, 4)])
def test_each_child_but_one_needs_a_token_and_all_are_given_back(free: int, expected: int) -> None:
    cores = Cores(free)
    gate = Tokens(*os.pipe())

    def body(number, tell):
        tell("begun")
        os.read(gate.reading, 1)

    seen, running = [], 0
    for told in fork_each(range(6), at_once=4, body=body, tokens=cores.tokens):
        seen.append(told)
        running += -1 if told.done else 1
        if running == expected or told.done:
            gate.give()  # lets one of them end
    assert most_at_once(seen) == expected
    assert [cores.tokens.take() for _ in range(free + 1)] == [True] * free + [False]


def test_tokens_are_given_back_when_children_are_killed() -> None:
    cores = Cores(2)
    news = fork_each(
        range(3), at_once=3, body=lambda number, tell: (tell("begun"), signal.pause())[1], tokens=cores.tokens
    )
    next(news)
    news.close()
    assert [cores.tokens.take() for _ in range(3)] == [True, True, False]
