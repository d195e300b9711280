"""Whose turn it is: one thread at a time works in the engine, and lets others in while it waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Turn:
    """A lock that a thread may take again while it has it, and leave for a while however often it has taken it.

    A build works in short steps between long waits: for a job to run, for another build, for a free core. Only the
    waits are worth doing side by side.

    Examples
    --------
    >>> turn = Turn()
    >>> with turn, turn:
    ...     with turn.left():
    ...         pass  # whatever takes its time; others have the turn meanwhile
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # taken once, by the thread that has the turn
        self._owner: int | None = None
        self._depth = 0  # how often that thread has taken it

    def __enter__(self) -> None:
        if self._owner != threading.get_ident():
            self._take()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._let_go()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Let others have the turn inside the block; the caller must have it, and has it again after the block.

        Raises
        ------
        KeyboardInterrupt
            When that comes while it waits for the turn at the end; it has the turn then.
        """
        depth, self._depth = self._depth, 0
        self._let_go()
        try:
            yield
        finally:
            interrupt = self._take_again()
            self._depth = depth
            if interrupt is not None:
                raise interrupt

    def _take_again(self) -> KeyboardInterrupt | None:
        """Take the turn in any case; return what came while it waited: who called gives back what he has first."""
        interrupt = None
        while self._owner != threading.get_ident():
            try:
                self._take()
            except KeyboardInterrupt as err:
                interrupt = err
        return interrupt

    def _take(self) -> None:
        try:
            self._lock.acquire()
            self._owner = threading.get_ident()
        except KeyboardInterrupt:
            # it may come when the lock is taken already, while other threads still keep this one from running
            with suppress(RuntimeError):
                self._let_go()
            raise

    def _let_go(self) -> None:
        """Give the lock back; raise RuntimeError when it is not this thread's."""
        if self._owner == threading.get_ident():
            self._owner = None
        self._lock.release()
