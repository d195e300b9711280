"""Requests go before what the board does for itself in the background."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final

# who is always asked something gets on all the same
_MOST_SECONDS: Final = 0.2


class Precedence:
    """Whether somebody is being answered.

    A thread that adds up keeps the interpreter for a moment each time that another gives it up to SQLite or the disk;
    a page that does so a hundred times would take twice as long.
    """

    def __init__(self) -> None:
        self._asking = 0
        self._changed = Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Go before others while the block runs."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def give_way(self) -> None:
        """Return when nobody is being answered, or after a while."""
        if self._asking:
            with self._changed:
                self._changed.wait_for(lambda: not self._asking, _MOST_SECONDS)
