"""Signals that end a build in order: Ctrl-C, a polite kill, and the terminal being closed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# jobs are stopped by then; who still waits may mean the waiting
_OBEYING_SECONDS: Final = 1.0


class Ended(KeyboardInterrupt):
    """The process is asked to end by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Order:
    """The first signal ends the process; more of them do not disturb it while it ends."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._here = os.getpid()

    def __call__(self, number: int, _: FrameType | None) -> None:
        if os.getpid() != self._here:
            # a process that the script forked, as those of a multiprocessing.Pool, which ends them by a signal
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        elif time.monotonic() - self._at > _OBEYING_SECONDS:
            self._at = time.monotonic()
            raise Ended(number)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise `Ended` inside the block for SIGINT, SIGTERM and SIGHUP; what is ignored, as by nohup, stays ignored."""
    order = _Order()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(number)
        if handler in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = handler
            signal.signal(number, order)
    try:
        yield
    except Ended:
        before.clear()  # more signals are to find the same handlers until the process is gone
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
