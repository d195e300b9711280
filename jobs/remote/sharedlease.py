"""Leases at a remote, for jobs that take long: a builder elsewhere waits for the result instead of running them too.

They save work, and nothing is right only by them; so whatever goes wrong with them is as if there were none. A short
job costs no request: a lease is announced only when its job has run for a while, and whether others hold any is asked
only when the remote is looked at anyway.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cas.errors import AccError
from jobs.nodes.run import ActionKey

if TYPE_CHECKING:
    from cas.remote.leases import Leases

log = logging.getLogger(__name__)
T = TypeVar("T")

# whoever ends is kept no longer by a remote that does not answer
_CLOSE_SECONDS: Final = 3.0


class Pace(NamedTuple):
    """How quickly builders tell each other what they run.

    Attributes
    ----------
    announce_seconds : float
        How long a job runs before others are told: short jobs are run by both, and cost no request.
    beat_seconds, ask_seconds : float
        How often they are told again, and how often who waits asks.
    stale_seconds : float
        Who has told nothing new for so long has died; nor does anybody wait longer for a remote that does not answer.
    """

    announce_seconds: float = 10.0
    beat_seconds: float = 20.0
    ask_seconds: float = 5.0
    stale_seconds: float = 60.0


@dataclass(slots=True)
class _Wait:
    """Somebody who waits for a key.

    Attributes
    ----------
    due, answered : float
        When the remote is asked again, and when it answered last.
    holder : str or None
        Whom it is waited for, once that is known.
    """

    due: float = field(default_factory=time.monotonic)
    answered: float = field(default_factory=time.monotonic)
    holder: str | None = None
    is_over: bool = False


class SharedLeases:
    """The leases that a build holds at one remote, and waits for there. Several threads may ask.

    Parameters
    ----------
    open_leases
        Gives the leases of the remote; called in a thread of its own, when a job has run for a while, or there is
        somebody to wait for. Nobody else uses that object.
    """

    def __init__(self, open_leases: "Callable[[], Leases]", pace: Pace = Pace()) -> None:  # noqa: B008 - immutable
        self._open = open_leases
        self._pace = pace
        self._changed = threading.Condition()
        self._leases: Leases | None = None
        self._others: frozenset[str] = frozenset()
        # what has been waited for: who wants it still got nothing by that
        self._waited: set[str] = set()
        self._waits: dict[str, _Wait] = {}
        # by key, when others are to be told (again); what is done with goes, once that is known there
        self._due: dict[str, float] = {}
        self._ours: set[str] = set()
        self._done: list[str] = []
        self._thread: threading.Thread | None = None
        self._is_stopped = self._is_closing = self._is_over = False

    def note(self, others: Iterable[str]) -> None:
        """Take note of the keys that others hold, as listed when the remote was looked at."""
        self._others = frozenset(others) - self._ours

    def is_held_elsewhere(self, key: str) -> bool:
        """Return whether there may be somebody to wait for, who has not been waited for in vain already."""
        return key in self._others and key not in self._waited

    def wait(self, key: str, awaits: Callable[[str], None], *, patience_seconds: float = math.inf) -> None:
        """Return when nobody who lives holds a key any more, or the remote does not say.

        Parameters
        ----------
        awaits
            Told whom it is waited for, if there is somebody.

        Raises
        ------
        KeyboardInterrupt
            When `stop` was called.
        """
        end = time.monotonic() + patience_seconds
        wait = _Wait()
        with self._changed:
            self._waits[key] = wait
            self._start()
        try:
            self._pause(wait, end, lambda: wait.holder is not None)
            if wait.holder is not None:
                awaits(wait.holder)
                self._pause(wait, end, lambda: False)
        finally:
            with self._changed:
                del self._waits[key]
            self._waited.add(key)

    @contextmanager
    def hold(self, key: ActionKey) -> Iterator[None]:
        """Have others know that a key is run inside the block.

        When the block ends well the lease stays until `published`: others wait for the result, not for its end.
        """
        # he may have died, and is not to be waited for by everybody else
        seconds = 0.0 if key in self._waited else self._pace.announce_seconds
        with self._changed:
            self._due[key] = time.monotonic() + seconds
            self._start()
        try:
            yield
        except BaseException:
            self.published([key])
            raise
        else:
            with self._changed:
                if key not in self._ours:
                    self._due.pop(key, None)

    def is_announced(self, key: str) -> bool:
        """Return whether others may wait for the result of a key that was run here."""
        return key in self._ours

    def is_long(self, seconds: float) -> bool:
        """Return whether others are told of a job that runs so long."""
        return seconds >= self._pace.announce_seconds

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
            self._is_stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """End all leases, as far as the remote answers soon."""
        self.stop()
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            if self._leases is not None:
                self._leases.hurry()
            self._thread.join(_CLOSE_SECONDS)

    def _pause(self, wait: _Wait, end: float, is_enough: Callable[[], bool]) -> None:
        """Wait until a wait is over, or that is enough."""

        def is_over() -> bool:
            return self._is_stopped or self._is_over or wait.is_over or is_enough()

        with self._changed:
            while not is_over():
                seconds = min(end, wait.answered + self._pace.stale_seconds) - time.monotonic()
                if seconds <= 0:
                    return
                self._changed.wait(seconds)
            if self._is_stopped:
                raise KeyboardInterrupt

    def _start(self) -> None:
        if self._thread is None and not self._is_stopped:
            self._thread = threading.Thread(target=self._run, name="acc-leases", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    # -- in its thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_closing:
                self._step()
            for key in sorted(self._ours):
                self._give_back(key)
        except Exception:
            # nothing that happens here may end a build, but a bug is not to be hidden
            log.exception("leases at a remote are left out")
        finally:
            if self._leases is not None:
                self._leases.close()
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _step(self) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closing or self._done or self._seconds() == 0, self._seconds()
            )
            if self._is_closing:
                return
            now = time.monotonic()
            done, self._done = self._done, []
            tell = [key for key, due in self._due.items() if due <= now]
            ask = [(key, wait) for key, wait in self._waits.items() if wait.due <= now]
        for key in done:
            self._give_back(key)
        for key in tell:
            self._tell(key)
        for key, wait in ask:
            self._ask(key, wait)

    def _seconds(self) -> float | None:
        """Return how long there is nothing to do; None: until somebody says so."""
        due = [*self._due.values(), *(wait.due for wait in self._waits.values() if not wait.is_over)]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _tell(self, key: str) -> None:
        # what is not known to be lost is still ours
        is_ours = self._try(
            lambda leases: leases.beat(key) if key in self._ours else leases.take(key), key in self._ours
        )
        with self._changed:
            if is_ours:
                self._ours.add(key)
            else:
                self._ours.discard(key)
            if key in self._due:
                self._due[key] = time.monotonic() + self._pace.beat_seconds
            elif is_ours:
                self._done.append(key)  # its job has ended meanwhile

    def _ask(self, key: str, wait: _Wait) -> None:
        silence = object()
        holder = self._try(lambda leases: leases.find_holder(key), silence)
        with self._changed:
            now = time.monotonic()
            wait.due = now + self._pace.ask_seconds
            if holder is None:
                wait.is_over = True
            elif isinstance(holder, str):
                wait.answered, wait.holder = now, holder
            self._changed.notify_all()

    def _give_back(self, key: str) -> None:
        if key in self._ours:
            self._try(lambda leases: leases.give_back(key), None)
            self._ours.discard(key)

    def _try(self, ask: "Callable[[Leases], T]", otherwise: T) -> T:
        """Return what is answered; `otherwise` when nothing is."""
        try:
            if self._leases is None:
                self._leases = self._open()
            return ask(self._leases)
        except (AccError, OSError) as err:
            log.info("leases at a remote: %s", err)
            return otherwise
