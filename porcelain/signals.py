"""Signals that end a build in order, as Ctrl-C does: a polite kill, and the terminal being closed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Ended(KeyboardInterrupt):
    """The process is asked to end by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise `Ended` inside the block for SIGTERM and SIGHUP; what is ignored, as by nohup, stays ignored."""
    before = {}
    here = os.getpid()

    def end(number: int, _: FrameType | None) -> None:
        if os.getpid() == here:
            raise Ended(number)
        # a process that the script forked, as those of a multiprocessing.Pool, which ends them by a signal
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
