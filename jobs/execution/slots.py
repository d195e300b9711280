"""The cores of the machine, as far as a build may use them: tokens in a pipe that all its processes share.

A job takes a token before it starts, and its slices take more while there are any, as the jobs of GNU make do. What
a job held when it was killed is made good once no job runs.

Notes
-----
Source: https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html
"""

import os
import selectors
import threading
from typing import Final, NamedTuple, Protocol

_TOKEN: Final = b"+"


class Tokens(NamedTuple):
    """Both ends of the pipe, by the same numbers in every process of a build; it never blocks."""

    reading: int
    writing: int

    def fileno(self) -> int:
        """Return the descriptor that is readable when a token is free, for `select`."""
        return self.reading

    def take(self) -> bool:
        """Take a token; return False when none is free."""
        try:
            return bool(os.read(self.reading, 1))
        except BlockingIOError:
            return False

    def give(self, number: int = 1) -> None:
        """Give tokens back."""
        os.write(self.writing, _TOKEN * number)


class Slots(Protocol):
    """What a job needs one of while it runs."""

    def take(self) -> None:
        """Take one, waiting until one is free."""

    def give(self) -> None:
        """Give one back."""


class Unlimited:
    """Slots of which there is always one."""

    def take(self) -> None:
        """Do nothing."""

    def give(self) -> None:
        """Do nothing."""


class Slot:
    """The slot of one job, which may give it away for a while; given back once, however often it is given."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._held = False

    def take(self) -> None:
        """Take it, waiting until one is free."""
        self._slots.take()
        self._held = True

    def give(self) -> None:
        """Give it back, if it is held."""
        if self._held:
            self._held = False
            self._slots.give()


class Cores:
    """The tokens of one build.

    Parameters
    ----------
    number
        How many there are.

    Attributes
    ----------
    tokens : Tokens
        For the processes of the build.
    """

    def __init__(self, number: int) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self.tokens = Tokens(reading, writing)
        self._number = number
        self._lock = threading.Lock()
        self._closed = False
        self._held = 0  # by jobs; what their slices have is not known
        self.tokens.give(number)

    def take(self) -> None:
        """Take a token for a job, waiting until one is free."""
        try:
            if self._try():
                return
            with selectors.PollSelector() as selector:
                selector.register(self.tokens, selectors.EVENT_READ)
                while not self._try():
                    selector.select()
        except BaseException:
            # an interruption may have come between a token and the note of it
            with self._lock:
                self._make_good()
            raise

    def _try(self) -> bool:
        with self._lock:
            if self._closed:
                raise KeyboardInterrupt
            taken = self.tokens.take()
            self._held += taken
            return taken

    def give(self) -> None:
        """Give the token of a job back."""
        with self._lock:
            self._held -= 1
            if self._held and not self._closed:
                self.tokens.give()
            else:
                self._make_good()

    def _make_good(self) -> None:
        """When no job has a token, have all of them here again, also those that killed jobs did not give back."""
        if not self._held and not self._closed:
            while self.tokens.take():
                pass
            self.tokens.give(self._number)

    def close(self) -> None:
        """Close the pipe, which no thread that still has a job touches any more: its numbers may be another file's."""
        with self._lock:
            self._closed = True
            for descriptor in self.tokens:
                os.close(descriptor)
