"""Whose turn it is: one thread at a time works in the engine, and lets others in while it waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


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
        self._lock = threading.RLock()
        self._depth = 0  # how often the thread that has the turn has taken it

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._lock.release()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Let others have the turn inside the block; the caller must have it, and has it again after the block.

        Raises
        ------
        KeyboardInterrupt
            When that comes while it waits for the turn at the end; it has the turn then.
        """
        depth, self._depth = self._depth, 0
        for _ in range(depth):
            self._lock.release()
        try:
            yield
        finally:
            self._take_again(depth)

    def _take_again(self, depth: int) -> None:
        interrupt = None
        taken = 0
        while taken < depth:
            try:
                self._lock.acquire()
            except KeyboardInterrupt as err:
                # raised later: who called gives back what it had, the turn among it
                interrupt = err
            else:
                taken += 1
        self._depth = depth
        if interrupt is not None:
            raise interrupt
