"""How the catalogue comes to know what the project holds: it follows the listing, and reads the nodes of jobs."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from cas.errors import AccError, CorruptRefs
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.nodes.listing import JobRow
from jobs.reuse.index import JobIndex
from jobs.reuse.refnames import LABELS, find_label
from porcelain.board.catalogue.database import Database
from porcelain.board.catalogue.reading import JobReader, Told, joined
from porcelain.board.catalogue.schema import FIELDS
from porcelain.board.catalogue.uses import rows_for

Label: TypeAlias = tuple[str, int]

# so many rows of the listing, or nodes of so many jobs, are taken over in one transaction: a tenth of a second
_ROWS: Final = 500
_JOBS: Final = 128
# when more jobs are new than these, all labels are compared
_NEWEST: Final = 256
# what ends later than anything can, as somebody may claim of a run, ends then
_BOUND: Final = 1 << 62
_READ_FIELDS: Final = (*FIELDS[3:], "places")
_INSERT_TEXT: Final = (
    f"INSERT INTO texts (rowid, {', '.join(FIELDS[:3])}, {', '.join(_READ_FIELDS)})"
    f" VALUES ({', '.join('?' * (len(FIELDS) + 2))})"
)


class Unread(NamedTuple):
    """A job whose nodes are to be read."""

    id: int
    workdir: str
    number: int
    run: ObjectId
    method: str
    caption: str

    @property
    def label(self) -> str:
        """The label."""
        return f"{self.workdir}-{self.number}"


class Filler:
    """Fills the catalogue; of one project one process does so at a time, in one thread.

    Parameters
    ----------
    refs_file
        Where the refs lie: in another file, everything may be different.
    give_way
        Called between pieces of work; returns when there is time for the next.
    """

    def __init__(
        self,
        database: Database,
        index: JobIndex,
        store: LocalStore,
        refs_file: Path,
        give_way: Callable[[], None],
    ) -> None:
        self._database = database
        self._index = index
        self._reader = JobReader(store)
        self._give_way = give_way
        self._refs_file = refs_file
        self._seen: object = None
        self._compared: object = None
        # rows of the listing that cannot be read
        self._damaged = 0

    # -- the listing -------------------------------------------------------------------------------------------

    def follow(self) -> bool:
        """Take over what has changed in the listing; return whether anything has."""
        # another file: somebody has made the refs again
        basis = (self._database.generation, _inode(self._refs_file))
        listed = self._index.count()
        now = (basis, listed, self._newest(1))
        if now == self._seen:
            return False
        self._insert(takewhile(lambda row: not self._knows(row), self._newest(_NEWEST)))
        if basis != self._compared or listed - self._count() != self._damaged:
            self._compare()
            self._compared = basis
            self._damaged = listed - self._count()
        self._seen = now
        return True

    def _newest(self, limit: int) -> list[JobRow]:
        """Return the newest jobs; none when the row of one of them is damaged."""
        try:
            return self._index.rows(limit)
        except CorruptRefs:
            return []

    def _count(self) -> int:
        ((count,),) = self._database.run("SELECT count(*) FROM jobs")
        return int(count)

    def _knows(self, row: JobRow) -> bool:
        sql = "SELECT 1 FROM jobs WHERE workdir = ? AND number = ? AND run = ?"
        return bool(self._database.run(sql, (row.workdir, row.number, row.run)))

    def _compare(self) -> None:
        """Compare all labels with those that are known: old jobs may have come, some have gone or are called anew."""
        there: dict[Label, ObjectId] = {}
        for name, run in self._index.refs.names(LABELS):
            label = find_label(name)
            if label is not None:
                there[label] = run
            if len(there) % _ROWS == 0:
                self._give_way()
        known = self._database.run("SELECT workdir, number, run, id FROM jobs")
        here: dict[Label, ObjectId] = {(workdir, number): run for workdir, number, run, _ in known}
        gone = [key for workdir, number, run, key in known if there.get((workdir, number)) != run]
        for start in range(0, len(gone), _JOBS):
            self._remove(gone[start : start + _JOBS])
            self._give_way()
        came = (label for label, run in there.items() if here.get(label) != run)
        # the newest first, as far as numbers tell
        waiting = iter(sorted(came, key=lambda label: -label[1]))
        while labels := [*islice(waiting, _ROWS)]:
            self._insert(self._rows_of(labels))
            self._give_way()

    def _rows_of(self, labels: Sequence[Label]) -> list[JobRow]:
        try:
            return [*self._index.of_labels(labels).values()]
        except AccError:  # one of the rows is damaged: the others are not
            rows: list[JobRow] = []
            for workdir, number in labels:
                with suppress(AccError):
                    rows += filter(None, [self._index.find(workdir, number)])
            return rows

    def _insert(self, rows: Iterable[JobRow]) -> None:
        sql = (
            "INSERT INTO jobs (id, workdir, number, run, method, state, ended, micros, caption)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        with self._database.transaction() as connection:
            for row in sorted(rows, key=lambda row: row.ended):
                for (old,) in _ids_of(connection, row.workdir, row.number):
                    _forget(connection, old)
                key = _free_id(connection, row)
                name = (row.workdir, row.number, row.run, _text(row.method), row.state)
                connection.execute(sql, (key, *name, row.ended, row.micros, _text(row.caption)))

    def _remove(self, ids: Iterable[int]) -> None:
        with self._database.transaction() as connection:
            for key in ids:
                _forget(connection, key)

    # -- nodes -------------------------------------------------------------------------------------------------

    def read_jobs(self) -> bool:
        """Read the nodes of the newest jobs of which they are not known; return whether there were any."""
        sql = (
            "SELECT id, workdir, number, run, method, caption FROM jobs"
            " WHERE stored IS NULL ORDER BY id DESC LIMIT ?"
        )
        jobs = [Unread(*row) for row in self._database.run(sql, (_JOBS,))]
        self._read(jobs)
        return bool(jobs)

    def read_again(self, limit: int) -> None:
        """Read the newest jobs of which something was not here: it may have come."""
        sql = "SELECT id, workdir, number, run, method, caption FROM jobs WHERE lacking ORDER BY id DESC LIMIT ?"
        jobs = [Unread(*row) for row in self._database.run(sql, (limit,))]
        for start in range(0, len(jobs), _JOBS):
            self._read(jobs[start : start + _JOBS])

    def _read(self, jobs: Sequence[Unread]) -> None:
        if not jobs:
            return
        told = []
        for job in jobs:
            self._give_way()
            told.append((job, self._reader.read(job.run)))
        with self._database.transaction() as connection:
            # upwards: FTS5 writes out what it has when an id is not above the one before
            for job, found in sorted(told, key=lambda pair: pair[0].id):
                _release(connection, job.id)
                _take(connection, job, found)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _take(connection: sqlite3.Connection, job: Unread, told: Told) -> None:
    """Note what the nodes of a job tell."""
    raw = sum(sizes.raw_bytes for sizes in told.sizes.values())
    stored = sum(sizes.stored_bytes for sizes in told.sizes.values())
    noted = connection.execute(
        "UPDATE jobs SET raw = ?, stored = ?, lacking = ? WHERE id = ? AND run = ?",
        (raw, stored, told.lacking or None, job.id, job.run),
    )
    if not noted.rowcount:
        return
    connection.executemany(
        "INSERT INTO objects (oid, raw, stored, holders, first) VALUES (?, ?, ?, 1, ?)"
        " ON CONFLICT (oid) DO UPDATE SET holders = holders + 1, first = min(first, excluded.first)",
        [(bytes.fromhex(oid), *sizes, job.id) for oid, sizes in told.sizes.items()],
    )
    connection.executemany(
        "INSERT INTO held SELECT ?, id FROM objects WHERE oid = ?",
        [(job.id, bytes.fromhex(oid)) for oid in told.sizes],
    )
    connection.executemany("INSERT INTO given VALUES (?, ?, ?)", rows_for(job.id, told.given))
    fields = [joined(told.texts.get(field, ())) for field in _READ_FIELDS]
    connection.execute(_INSERT_TEXT, (job.id, _text(job.label), job.method, job.caption, *fields))


def _release(connection: sqlite3.Connection, key: int) -> None:
    """Take back all that the nodes of a job told."""
    held = connection.execute("SELECT object FROM held WHERE job = ?", (key,)).fetchall()
    if held:
        connection.execute("DELETE FROM held WHERE job = ?", (key,))
        connection.executemany(
            "UPDATE objects SET holders = holders - 1,"
            " first = coalesce((SELECT min(job) FROM held WHERE object = id), first) WHERE id = ?",
            held,
        )
        connection.executemany("DELETE FROM objects WHERE id = ? AND holders = 0", held)
    connection.execute("DELETE FROM given WHERE job = ?", (key,))
    connection.execute("DELETE FROM texts WHERE rowid = ?", (key,))


def _forget(connection: sqlite3.Connection, key: int) -> None:
    """Know a job no more."""
    _release(connection, key)
    connection.execute("DELETE FROM jobs WHERE id = ?", (key,))


def _ids_of(connection: sqlite3.Connection, workdir: str, number: int) -> list[tuple[int]]:
    sql = "SELECT id FROM jobs WHERE workdir = ? AND number = ?"
    return connection.execute(sql, (workdir, number)).fetchall()


def _free_id(connection: sqlite3.Connection, row: JobRow) -> int:
    """Return an id that no job has: when it ended, or up to a second later if others claim to have ended then."""
    ended = max(-_BOUND, min(row.ended, _BOUND))
    later = (int(row.run[place : place + 5], 16) for place in range(len(row.run) - 4))
    for key in (ended, *(ended + micros for micros in later)):
        if not connection.execute("SELECT 1 FROM jobs WHERE id = ?", (key,)).fetchone():
            return key
    ((last,),) = connection.execute("SELECT max(id) FROM jobs")
    return int(last) + 1


def _text(text: str) -> str:
    """Return a text of the listing as one that can be searched: a line."""
    return joined([text])
