"""The outbox of a build: jobs on their way to a remote, sent in the background, several together."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.nodes.listing import JobRow
from jobs.remote.publication import Publication, Published
from jobs.remote.sharedlease import SharedLeases

log = logging.getLogger(__name__)

# a batch takes some five requests, however much it is; and whoever waits elsewhere does not wait long for it
_BATCH_BYTES: Final = 16 << 20
_BATCH_SECONDS: Final = 30.0
# a remote that did not answer so lately is not asked once more when the build ends
_AGAIN_SECONDS: Final = 5.0
# the end of a build waits for the last batch while something moves, and longer the more there is of it
_PATIENCE_SECONDS: Final = 30.0
_SLOWEST_BYTES: Final = 1 << 18  # a second

Waiting = Callable[[int, int], None]


class _Given(NamedTuple):
    row: JobRow
    is_new: bool


class _GivenUp(Exception):
    """Nobody waits any more for what is on its way."""


class Outbox:
    """Publishes jobs at one remote, in a thread of its own; what goes wrong there is a warning.

    Parameters
    ----------
    name
        What the remote is called.
    open_publication
        Gives what publishes there, from what hears warnings; called in the thread, when there is something to publish.
    leases
        Those that the build holds there: what others wait for is published at once.
    """

    def __init__(
        self,
        name: str,
        open_publication: Callable[[Callable[[str], None]], Publication],
        leases: SharedLeases | None = None,
    ) -> None:
        self.name = name
        self.leases = leases
        self._open = open_publication
        self._changed = threading.Condition()
        self._given: list[_Given] = []
        self._known: set[ObjectId] = set()
        self._warnings: list[str] = []
        self._thread: threading.Thread | None = None
        self._publication: Publication | None = None
        self._is_closing = self._is_given_up = self._is_over = False
        self._moved = 0.0
        self._due = self._failed = float("-inf")

    def add(self, row: JobRow, *, is_new: bool) -> None:
        """Have a job published soon, unless it is there already, or is private; costs next to nothing."""
        if row.run in self._known or row.origin == self.name or self._is_over:
            self._let_go([row.key])
            return
        with self._changed:
            self._known.add(row.run)
            self._given.append(_Given(row, is_new))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"acc-outbox-{self.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def take_warnings(self) -> list[str]:
        """Return what the user should know since this was asked last."""
        with self._changed:
            warnings, self._warnings = self._warnings, []
        return warnings

    def finish(self, waiting: Waiting) -> Published:
        """Publish what is left, and return what was published in all; ends too when nothing moves any more.

        Parameters
        ----------
        waiting
            Called a few times a second with the number of jobs that are published, and of all that are to be.
        """
        self._move()
        self._close()
        while self._thread is not None and self._thread.is_alive() and time.monotonic() < self._deadline():
            self._thread.join(0.1)
            done = self.published.jobs
            waiting(done, done + self.left)
        self.give_up()
        return self.published

    def give_up(self) -> None:
        """Wait for nothing any more; what was not published is left to a later build, or to `acc push`."""
        self._is_given_up = True
        self._close()
        if self._publication is not None:
            self._publication.hurry()

    @property
    def published(self) -> Published:
        """What has been published so far."""
        return Published() if self._publication is None else self._publication.done

    @property
    def left(self) -> int:
        """The number of jobs that are not published yet."""
        return len(self._given) + (0 if self._publication is None else len(self._publication.waiting))

    def _close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def _deadline(self) -> float:
        weight = 0 if self._publication is None else self._publication.bytes
        return self._moved + _PATIENCE_SECONDS + weight / _SLOWEST_BYTES

    # -- in its thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._publication = self._open(self._warn)
            self._publish(self._publication)
        except _GivenUp:
            pass
        except AccError as err:
            self._warn(f"nothing is published at '{self.name}': {err}")
        except Exception:
            # nothing that happens here may end a build, but a bug is not to be hidden
            log.exception("nothing is published at '%s' any more", self.name)
        finally:
            self._is_over = True
            self._let_go(given.row.key for given in self._given)
            if self._publication is not None:
                self._let_go(self._publication.waiting)
                self._publication.close()

    def _publish(self, publication: Publication) -> None:
        while not self._is_given_up:
            given, is_last = self._next(publication)
            for row, is_new in given:
                if not publication.waiting:
                    self._due = time.monotonic() + _BATCH_SECONDS
                publication.add(row, is_new=is_new)
                self._hasten(publication, row)
                self._move()
            if publication.waiting and (is_last or self._is_due(publication)):
                self._send(publication)
            if is_last:
                return

    def _hasten(self, publication: Publication, row: JobRow) -> None:
        """Have a job sent soon that somebody may wait for, or tell him that it is not sent at all."""
        if self.leases is None or not self.leases.is_announced(row.key):
            return
        if row.key not in publication.waiting:
            self._let_go([row.key])
        else:
            self._due = min(self._due, self._failed + _BATCH_SECONDS)

    def _let_go(self, keys: Iterable[str]) -> None:
        """Have nobody wait for the results of keys any more: they are there, or it may take long until they are."""
        if self.leases is not None:
            self.leases.published(keys)

    def _next(self, publication: Publication) -> tuple[list[_Given], bool]:
        """Return what was added, and whether it was the last, once there is something to do."""
        with self._changed:
            seconds = max(0.0, self._due - time.monotonic()) if publication.waiting else None
            self._changed.wait_for(lambda: self._given or self._is_closing, seconds)
            given, self._given = self._given, []
            return given, self._is_closing

    def _is_due(self, publication: Publication) -> bool:
        now = time.monotonic()
        is_full = publication.bytes >= _BATCH_BYTES and now - self._failed >= _BATCH_SECONDS
        return is_full or now >= self._due

    def _send(self, publication: Publication) -> None:
        if self._is_closing and time.monotonic() - self._failed < _AGAIN_SECONDS:
            return
        has_failed = self._failed > 0
        keys = [*publication.waiting]
        try:
            publication.send(self._move)
        except (AccError, OSError) as err:
            self._failed = time.monotonic()
            self._due = self._failed + _BATCH_SECONDS
            if not has_failed:
                self._warn(f"nothing can be published at '{self.name}': {err}")
        finally:
            # two who cannot publish would wait for each other
            self._let_go(keys)

    def _move(self, *_: int) -> None:
        self._moved = time.monotonic()
        if self._is_given_up and threading.current_thread() is self._thread:
            raise _GivenUp

    def _warn(self, text: str) -> None:
        with self._changed:
            self._warnings.append(text)
