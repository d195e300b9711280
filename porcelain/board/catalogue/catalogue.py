"""The catalogue of a project: filled in the background as long as the board runs, asked by its pages."""

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.files import Locked, lock_file
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.footprint import Cost
from jobs.reuse.index import JobIndex
from porcelain.board.catalogue.census import Census, Stored, stored_now
from porcelain.board.catalogue.database import Database
from porcelain.board.catalogue.filling import Filler
from porcelain.board.catalogue.listed import JobList
from porcelain.board.catalogue.precedence import Precedence
from porcelain.board.catalogue.search import Search
from porcelain.board.catalogue.sizes import JobSizes
from porcelain.board.catalogue.things import Things, find_results
from porcelain.board.catalogue.uses import Uses

log = logging.getLogger(__name__)

FILE: Final = "board.sqlite"
_LOCK: Final = "board.lock"
# so often is looked for something new while nobody asks
_PAUSE_SECONDS: Final = 0.5
# a page waits so long for jobs that are new, of which there are mostly few
_CATCH_UP_SECONDS: Final = 0.03
# of the jobs that lacked something when they were read, so many are read again in the beginning
_READ_AGAIN: Final = 1_000


class Progress(NamedTuple):
    """How far the catalogue is: jobs that it lists, and those of them whose nodes it has read."""

    listed: int
    read: int

    @property
    def is_complete(self) -> bool:
        """Whether it has read all."""
        return self.read >= self.listed


class Catalogue:
    """What the board has to find, count and sort quickly.

    Parameters
    ----------
    data
        The `.acc` of the project.

    Attributes
    ----------
    precedence : Precedence
        To be taken while somebody is answered.
    jobs : JobList
        The list of jobs.
    sizes : JobSizes
        What they take.
    uses : Uses
        What they were given, and hold.
    """

    def __init__(self, data: Path, index: JobIndex, store: LocalStore) -> None:
        self.precedence = Precedence()
        self._folder = data / "cache"
        self._database = Database(self._folder / FILE)
        self.jobs = JobList(self._database)
        self.sizes = JobSizes(self._database)
        self.uses = Uses(self._database)
        self._index = index
        give_way = self._give_way
        self._filler = Filler(self._database, index, store, data / "refs.sqlite", give_way)
        self._things = Things(self._database, index.refs, store, give_way)
        self._census = Census(self._database, store, give_way)
        self._ends = threading.Event()
        self._wanted = threading.Event()
        self._rounds = threading.Condition()
        # how often the listing has been looked at, and how often there was nothing more to do
        self._round = self._rested = 0
        self._fills = self._has_read_again = False
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)

    def start(self) -> None:
        """Begin to fill it, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """End that, and give back what is open."""
        self._ends.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        self._database.close()

    # -- what pages ask ----------------------------------------------------------------------------------------

    def cost(self, run: ObjectId) -> Cost | None:
        """Return what a run takes, alone and shared, as `acc du` has it; None when that is not known yet."""
        return self.sizes.cost(run)

    def progress(self) -> Progress:
        """Return how far it is."""
        unread = "SELECT count(*) FROM jobs INDEXED BY jobs_unread WHERE stored IS NULL"
        jobs = "SELECT coalesce(sum(jobs), 0) FROM counts WHERE kind = 'state'"
        ((listed, unread),) = self._database.run(f"SELECT ({jobs}), ({unread})")
        return Progress(listed, listed - unread)

    def search(self, text: str) -> Search:
        """Return what is found for a text."""
        return Search(self._database, text)

    def is_listed(self) -> bool:
        """Return whether it lists all jobs, but for some that came only just now."""
        # another process that fills it has done so, or the list is still empty
        return (self._round > 0 or not self._fills) and self.progress().listed > 0

    def results_of(self, names: Mapping[str, str], blob: ObjectId) -> list[str] | None:
        """Return those of the result links `names` that lead to a blob; None when they are not known yet."""
        return find_results(self._database, names, blob)

    def stored(self) -> Stored:
        """Return what lies in the store."""
        return stored_now(self._database)

    def catch_up(self) -> None:
        """Wait a moment for the newest jobs, if they are not known yet."""
        with suppress(AccError):
            newest = self._index.rows(1)
            known = [(row.workdir, row.number, row.run) for row in newest]
            sql = "SELECT 1 FROM jobs WHERE workdir = ? AND number = ? AND run = ?"
            if known and not self._database.run(sql, known[0]) and self._thread.is_alive():
                with self._rounds:
                    done = self._round
                    self._wanted.set()
                    self._rounds.wait_for(lambda: self._round > done, _CATCH_UP_SECONDS)

    def settle(self, seconds: float) -> bool:
        """Wait until all is known that there was to know; return whether that came to pass in time."""
        deadline = time.monotonic() + seconds
        with self._rounds:
            # twice: the round that runs may have looked before
            for wanted in (self._rested + 1, self._rested + 2):
                self._wanted.set()
                left = deadline - time.monotonic()
                if not self._rounds.wait_for(partial(self._has_rested, wanted), left):
                    return False
        return True

    def _has_rested(self, times: int) -> bool:
        return self._rested >= times

    # -- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with ExitStack() as held:
            while not self._ends.is_set():
                self._wanted.clear()
                try:
                    busy = self._may_fill(held) and self._work()
                except _Ended:
                    return
                except (AccError, OSError, sqlite3.Error) as err:
                    busy = self._survive(err)
                if not busy:
                    self._wanted.wait(_PAUSE_SECONDS)

    def _work(self) -> bool:
        """Do some of what there is to do; return whether there is more."""
        followed = self._filler.follow()
        with self._rounds:
            self._round += 1
            self._rounds.notify_all()
        if followed or self._filler.read_jobs():
            return True
        if not self._has_read_again:
            self._has_read_again = True
            self._filler.read_again(_READ_AGAIN)
        self._things.follow()
        self._census.take()
        with self._rounds:
            self._rested += 1
            self._rounds.notify_all()
        return False

    def _may_fill(self, held: ExitStack) -> bool:
        """Return whether it is this process that fills the database: of several boards one does."""
        if self._fills or self._database.is_in_memory:
            return True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(lock_file(self._folder / _LOCK, blocking=False))
        except Locked:
            return False
        except OSError:
            pass  # nothing can be written there: it will be in memory
        self._fills = True
        return True

    def _survive(self, err: Exception) -> bool:
        """Go on after an error; return whether at once."""
        if isinstance(err, sqlite3.Error) and self._database.begin_anew(err, self._database.generation):
            return True
        # a board whose lists stand still is better than none; what is wrong the pages say as well
        is_ours = isinstance(err, sqlite3.IntegrityError | sqlite3.ProgrammingError)
        level = logging.ERROR if is_ours else logging.DEBUG
        log.log(level, "the catalogue could not be filled", exc_info=err)
        return False

    def _give_way(self) -> None:
        if self._ends.is_set():
            raise _Ended
        self.precedence.give_way()


class _Ended(Exception):
    """The board ends; leaves whatever the thread is doing."""
