"""Signals that end a build in order, as Ctrl-C does: a polite kill, and the terminal being closed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never


class Ended(KeyboardInterrupt):
    """The process is asked to end by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise `Ended` inside the block for SIGTERM and SIGHUP; what is ignored, as by nohup, stays ignored."""
    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> Never:
    raise Ended(number)
