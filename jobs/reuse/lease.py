"""Leases: who computes a key, so that others wait for the result. They save work; nothing is right only by them.

A lease is a lock on one byte of a file, at the place that the key says: nothing is left when its holder dies, however
it dies, and a program that a build script forks holds none.

Two jobs that want each other as subjobs never come to an end; built side by side, they wait for each other.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from jobs.nodes.run import ActionKey

# an offset is a signed integer of 64 bits; two keys that meet there only wait for each other
_PLACE_DIGITS: Final = 15
_AGAIN_SECONDS: Final = 0.02


class Leases:
    """The leases of one project; one object a process, since locks on parts of a file are those of a process.

    Parameters
    ----------
    path
        The file, made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._held: set[int] = set()
        self._changed = threading.Condition()
        self._stopped = False

    @contextmanager
    def hold(self, key: ActionKey, waiting: Callable[[], AbstractContextManager[None]]) -> Iterator[bool]:
        """Hold the lease of `key` inside the block, which gets to know whether somebody else had it before.

        Parameters
        ----------
        waiting
            Gives a block to wait in; entered only when there is somebody to wait for.

        Raises
        ------
        KeyboardInterrupt
            When it would wait and `stop` was called.
        """
        place = int(key[:_PLACE_DIGITS], 16)
        waited = not self._try(place)
        if waited:
            with waiting():
                self._wait(place)
        try:
            yield waited
        finally:
            self._give_back(place)

    def stop(self) -> None:
        """Have nobody wait any more: who does is interrupted."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _wait(self, place: int) -> None:
        with self._changed:
            while not self._try(place):
                if self._stopped:
                    raise KeyboardInterrupt
                # other processes tell nobody when they are done
                self._changed.wait(_AGAIN_SECONDS)

    def _try(self, place: int) -> bool:
        with self._changed:
            if place in self._held:  # by another thread: to this process the lock would be its own
                return False
            try:
                fcntl.lockf(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):  # which of them, systems do not agree on
                return False
            self._held.add(place)
            return True

    def _give_back(self, place: int) -> None:
        with self._changed:
            fcntl.lockf(self._opened(), fcntl.LOCK_UN, 1, place)
            self._held.discard(place)
            self._changed.notify_all()

    def _opened(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        return self._descriptor
