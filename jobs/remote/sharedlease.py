"""Leases at a remote, for jobs that take long: a builder elsewhere waits for the result instead of running them too.

They save work, and nothing is right only by them; so whatever goes wrong with them is as if there were none. A short
job costs no request: a lease is announced only when its job has run for a while, and whether others hold any is asked
only when the remote is looked at anyway.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from cas.errors import AccError
from jobs.nodes.run import ActionKey

if TYPE_CHECKING:
    from cas.remote.leases import Leases

log = logging.getLogger(__name__)

_ANNOUNCE_SECONDS: Final = 10.0
_BEAT_SECONDS: Final = 20.0
_ASK_SECONDS: Final = 5.0


class SharedLeases:
    """The leases that a build holds at one remote, and waits for there.

    Parameters
    ----------
    open_leases
        Gives the leases of the remote; called in a thread of its own, when a job has run for a while, or there is
        somebody to wait for. Nobody else uses that object.
    announce_seconds, beat_seconds, ask_seconds
        How long a job runs before others are told, how often they are told again, and how often others are asked.
    """

    def __init__(
        self,
        open_leases: "Callable[[], Leases]",
        *,
        announce_seconds: float = _ANNOUNCE_SECONDS,
        beat_seconds: float = _BEAT_SECONDS,
        ask_seconds: float = _ASK_SECONDS,
    ) -> None:
        self._open = open_leases
        self._announce_seconds = announce_seconds
        self._beat_seconds = beat_seconds
        self._ask_seconds = ask_seconds
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._leases: Leases | None = None
        self._others: frozenset[str] = frozenset()
        # by key, when others are to be told (again); what is done with goes, once that is known there
        self._due: dict[str, float] = {}
        self._ours: set[str] = set()
        self._done: list[str] = []
        self._thread: threading.Thread | None = None
        self._stopped = False

    def note(self, others: Iterable[str]) -> None:
        """Take note of the keys that others hold, as listed when the remote was looked at."""
        self._others = frozenset(others)

    @contextmanager
    def hold(self, key: ActionKey, waiting: Callable[[], AbstractContextManager[None]]) -> Iterator[bool]:
        """Have others know that a key is run inside the block, which gets to know whether it has waited for others.

        When the block ends well the lease stays until `published`: others wait for the result, not for its end.

        Parameters
        ----------
        waiting
            Gives a block to wait in; entered only when there is somebody to wait for.

        Raises
        ------
        KeyboardInterrupt
            When it would wait and `stop` was called.
        """
        waited = key in self._others
        if waited:
            with waiting():
                self._wait(key)
        with self._changed:
            self._due[key] = time.monotonic() + self._announce_seconds
            self._start()
        try:
            yield waited
        except BaseException:
            self.published([key])
            raise
        else:
            with self._changed:
                if key not in self._ours:
                    self._due.pop(key, None)

    def published(self, keys: Iterable[str]) -> None:
        """End the leases of keys whose results others can find now, or never will."""
        with self._changed:
            for key in keys:
                self._due.pop(key, None)
                if key in self._ours:
                    self._done.append(key)
            self._changed.notify_all()

    def stop(self) -> None:
        """Have nobody wait any more: who does is interrupted."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """End all leases."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
        for key in sorted(self._ours):
            self._give_back(key)

    def _wait(self, key: str) -> None:
        """Return when nobody who lives holds the lease any more."""
        while self._try(lambda leases: leases.is_alive(key)):
            with self._changed:
                self._changed.wait_for(lambda: self._stopped, self._ask_seconds)
                if self._stopped:
                    raise KeyboardInterrupt
        self._others -= {key}

    def _try(self, ask: "Callable[[Leases], object]") -> bool:
        """Return what is answered; False when nothing is."""
        with self._asking:
            try:
                if self._leases is None:
                    self._leases = self._open()
                return bool(ask(self._leases))
            except (AccError, OSError) as err:
                log.info("leases at a remote: %s", err)
                return False

    # -- in its thread -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="acc-leases", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._done or self._is_due(), self._seconds())
                if self._stopped:
                    return
                done, self._done = self._done, []
                due = [key for key, at in self._due.items() if at <= time.monotonic()]
            for key in done:
                if key in self._ours:
                    self._give_back(key)
            for key in due:
                self._tell(key)

    def _give_back(self, key: str) -> None:
        self._try(lambda leases: leases.give_back(key))
        self._ours.discard(key)

    def _is_due(self) -> bool:
        return any(at <= time.monotonic() for at in self._due.values())

    def _seconds(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _tell(self, key: str) -> None:
        is_ours = self._try(lambda leases: leases.beat(key) if key in self._ours else leases.take(key))
        with self._changed:
            if is_ours:
                self._ours.add(key)
            else:
                self._ours.discard(key)
            if key in self._due:
                self._due[key] = time.monotonic() + self._beat_seconds
            elif is_ours:
                self._done.append(key)  # its job has ended meanwhile
