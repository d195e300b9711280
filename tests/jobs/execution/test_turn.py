"""The turn: one thread has it; who left it for a while has it again afterwards, whatever comes between."""

import signal
import threading
from collections.abc import Iterator

import pytest

from jobs.execution.turn import Turn


@pytest.fixture
def interrupting() -> Iterator[threading.Event]:
    """An event that is set when this thread is interrupted, which is soon."""
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield interrupted
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_who_is_interrupted_while_he_waits_for_the_turn_has_it_when_he_hears_of_it(
    interrupting: threading.Event,
) -> None:
    turn, taken = Turn(), threading.Event()

    def other() -> None:
        with turn:
            taken.set()
            interrupting.wait(10)

    thread = threading.Thread(target=other)

    def leave() -> None:
        with turn.left():
            thread.start()
            assert taken.wait(10)
            signal.setitimer(signal.ITIMER_REAL, 0.05)

    with turn, turn:
        with pytest.raises(KeyboardInterrupt):
            leave()
        thread.join()
        with turn.left():
            pass
    with turn:
        pass


def test_a_thread_waits_until_the_other_leaves_the_turn() -> None:
    turn, order = Turn(), []

    def other() -> None:
        with turn, turn:
            order.append("other")

    thread = threading.Thread(target=other)
    with turn:
        thread.start()
        order.append("first")
        with turn.left():
            thread.join(10)
        order.append("first again")
    assert order == ["first", "other", "first again"]
