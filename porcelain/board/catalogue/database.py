"""The database of the catalogue: one connection a thread, thrown away when it is damaged, in memory when it must be."""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias
from weakref import WeakSet

from porcelain.board.catalogue.schema import FORMAT, SCHEMA

log = logging.getLogger(__name__)

Cell: TypeAlias = str | int | bytes | None

_BUSY_SECONDS: Final = 10.0
# who fills it inserts all over many indexes: with SQLite's 2 MB of cache that takes three times as long
_FILLER_CACHE: Final = "PRAGMA cache_size = -64000"
# what SQLite says of a file that holds something else than it should
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_NOTADB}
# what it says where nothing can be written: a folder that is only read, a full disk
_REFUSED: Final = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
# what it says of a table that somebody has taken away
_LACKING: Final = "no such table"
_MEMORY: Final = ":memory:"


class Connection:
    """A connection to the database, as it was when this was opened; in memory one that all threads share."""

    def __init__(self, sqlite: sqlite3.Connection, generation: int) -> None:
        self.sqlite = sqlite
        self.generation = generation
        self.lock = threading.RLock()

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.sqlite.close()


class Database:
    """A file of SQLite that holds nothing which cannot be found again.

    Whoever asks never hears of what is wrong with it: a damaged one, or one of another format, is thrown away, and
    where none can be written it is in memory; then it is empty, and filled anew.

    Parameters
    ----------
    path
        Where it lies; its folder is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._connections: WeakSet[Connection] = WeakSet()
        self._lock = threading.Lock()
        self._generation = 0
        self._file = 0
        self._shared: Connection | None = None

    @property
    def is_in_memory(self) -> bool:
        """Whether it is lost with this process, and no other one sees it."""
        return self._shared is not None

    @property
    def generation(self) -> int:
        """How often it has begun anew."""
        return self._generation

    def run(self, sql: str, arguments: Sequence[Cell] = ()) -> list[Any]:
        """Return all rows of a statement that only reads."""
        generation = self._generation
        try:
            return self._run(sql, arguments)
        except sqlite3.Error as err:
            if not self.begin_anew(err, generation):
                raise
        return self._run(sql, arguments)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Return a connection whose changes are seen together at the end of the block; errors of SQLite's come out."""
        connection = self._connection()
        with connection.lock:
            connection.sqlite.execute(_FILLER_CACHE)
            connection.sqlite.execute("BEGIN IMMEDIATE")
            try:
                yield connection.sqlite
                connection.sqlite.execute("COMMIT")
            finally:
                if connection.sqlite.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.sqlite.execute("ROLLBACK")

    def begin_anew(self, err: sqlite3.Error, generation: int) -> bool:
        """Make the best of an error of the database of that generation; return whether it is worth to try again."""
        code = (getattr(err, "sqlite_errorcode", None) or 0) & 0xFF
        is_damaged = code in _DAMAGED or str(err).startswith(_LACKING)
        if self.is_in_memory or not (is_damaged or code in _REFUSED):
            return False
        with self._lock:
            if generation != self._generation:
                return True  # another thread was quicker
            log.debug("the catalogue '%s' could not be used: %s", self.path, err)
            self._generation += 1
            if not is_damaged or not self._remove():
                self._shared = Connection(_open(_MEMORY), self._generation)
        return True

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in list(self._connections):
            with connection.lock, suppress(sqlite3.Error):
                connection.sqlite.close()

    def _run(self, sql: str, arguments: Sequence[Cell]) -> list[Any]:
        connection = self._connection()
        with connection.lock:
            return connection.sqlite.execute(sql, arguments).fetchall()

    def _connection(self) -> Connection:
        if self._shared is not None:
            return self._shared
        found: Connection | None = getattr(self._threads, "connection", None)
        if found is None or found.generation != self._generation or self._inode() != self._file:
            found = self._threads.connection = self._open()
            self._connections.add(found)
        return found

    def _open(self) -> Connection:
        with self._lock:
            if self._shared is not None:
                return self._shared
            with suppress(OSError):  # SQLite says it again
                self.path.parent.mkdir(parents=True, exist_ok=True)
            sqlite = _open(str(self.path))
            if self._inode() != self._file:
                # somebody has removed it, or this is the first
                self._file = self._inode()
                self._generation += 1
            return Connection(sqlite, self._generation)

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except OSError:
            return 0

    def _remove(self) -> bool:
        """Remove the files, and return whether they are gone."""
        # its log first: SQLite would read it into the next
        for suffix in ("-wal", "-shm", ""):
            try:
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            except OSError:
                return False
        return True


def _open(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # a power failure may take the last of it, which is found again
        connection.execute("PRAGMA synchronous = NORMAL")
        if _format_of(connection) == 0:
            _make_tables(connection)
        if _format_of(connection) != FORMAT:
            raise _another_format()
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _format_of(connection) == 0:  # again: another process may just have made them
        for statement in _statements(SCHEMA):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would commit the transaction that it is in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _format_of(connection: sqlite3.Connection) -> int:
    ((found,),) = connection.execute("PRAGMA user_version")
    return int(found)


def _another_format() -> sqlite3.Error:
    err = sqlite3.DatabaseError("of another format")
    err.sqlite_errorcode = sqlite3.SQLITE_FORMAT
    return err
