"""The SQLite database of refs: made whole, checked when opened, one connection a thread, none over a fork."""

import errno
import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from cas.errors import CorruptRefs, StoreReadOnly, UnknownFormat
from cas.files import Locked, link_or_copy, place_new, rename_durably, sync_folder, temporary_path
from cas.refs import Cell, Table

FORMAT: Final = 1

_APPLICATION_ID: Final = 0x61636372  # "accr": tells our databases from others', as file(1) does
_BUSY_SECONDS: Final = 60.0
_NOWHERE: Final = ":memory:"
_OWN: Final = {
    "refs": "CREATE TABLE refs (name TEXT PRIMARY KEY, id TEXT NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID",
    "log": "CREATE TABLE log (entry INTEGER PRIMARY KEY, time REAL, name TEXT, old TEXT, new TEXT, why TEXT)",
    "log_by_name": "CREATE INDEX log_by_name ON log (name)",
}
_SCHEMA: Final = f"""
    PRAGMA journal_mode = WAL;
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {FORMAT};
    {";".join(_OWN.values())};
"""

# "later": the log is synced when it is written back, and before that a power failure takes the last commits, whole ones
_SYNCHRONOUS: Final[Mapping[str, str]] = {"none": "OFF", "later": "NORMAL"}


class Database:
    """Where refs and declared tables lie, and how connections to them are made."""

    def __init__(
        self, path: Path, tables: Sequence[Table], *, durability: str, read_only: bool, may_create: bool
    ) -> None:
        self.path = path.absolute()  # a job changes its working directory
        self.tables: Mapping[str, Table] = {table.name: table for table in tables}
        self.read_only = read_only
        self.durability = durability
        self._may_create = may_create
        self._threads = threading.local()

    def connection(self) -> "Connection":
        """Return the connection of this thread."""
        try:
            connection: Connection = self._threads.connection
        except AttributeError:
            connection = self._threads.connection = Connection(self)
        return connection

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in _all_connections():
            if connection.database is self:
                connection.close()

    def connect(self) -> sqlite3.Connection:
        """Return a new connection of SQLite's, with the format checked and the tables there."""
        if not self.path.exists():
            if not self._may_create:
                raise CorruptRefs(f"refs '{self.path}' are gone")
            if not self.read_only:
                self.create()
        uri = self._uri()
        connection = _sqlite(uri)
        try:
            self._set_up(connection)
            if uri == _NOWHERE:
                connection.executescript(_SCHEMA)
            self._check_format(connection)
            self._make_tables(connection)
        except BaseException as err:
            connection.close()
            # nothing is asked here that a sound database could not answer
            if getattr(err, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                raise CorruptRefs(f"refs '{self.path}' are damaged: {err}") from err
            raise
        return connection

    def create(self) -> None:
        """Make the database, unless it is there: under another name at first, so nobody ever sees half of it."""
        if self.path.exists():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_path(self.path.parent)
        try:
            with closing(_sqlite(temporary.as_uri() + "?mode=rwc")) as connection:
                self._set_up(connection)
                connection.executescript(_SCHEMA)
            # of two that come here together, one finds what the other made
            place_new(temporary, self.path)
        finally:
            remove(temporary)
        if self.durability != "none":
            sync_folder(self.path.parent)

    def replace_by(self, path: Path) -> Path | None:
        """Give the database at `path`, which nobody has open, the place of this one.

        Returns
        -------
        Path or None
            Where this one is now; None when it was gone.
        """
        aside = next(
            place for place in map(self._aside, count(1)) if not any(map(Path.exists, _files(place)))
        )
        main, *logs = zip(_files(self.path), _files(aside), strict=True)
        for there, then in logs:
            # before the other comes: SQLite would read the log of this one into it
            with suppress(FileNotFoundError):
                there.rename(then)
        with suppress(FileNotFoundError):
            link_or_copy(*main)  # and not renamed: at no moment is there no database
        rename_durably(path, self.path, durable=self.durability != "none")
        return aside if aside.exists() else None

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.damaged-{number}")

    def _uri(self) -> str:
        if not self.read_only:
            return self.path.as_uri() + "?mode=rw"
        if not self.path.exists():
            return _NOWHERE
        return self.path.as_uri() + ("?mode=ro&immutable=1" if self._is_at_rest() else "?mode=ro")

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS.get(self.durability, 'FULL')}")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: what sync_file does

    def _is_at_rest(self) -> bool:
        # readers and writers share a memory file in the folder; who cannot make one must not ask for it
        log = self.path.with_name(self.path.name + "-wal")
        return not os.access(self.path.parent, os.W_OK) and not log.exists()

    def _check_format(self, connection: sqlite3.Connection) -> None:
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        if application != _APPLICATION_ID:
            raise CorruptRefs(f"'{self.path}' holds no refs of acc")
        if version != FORMAT:
            raise UnknownFormat(
                f"refs '{self.path}' are of format {version}; this acc reads format {FORMAT}",
                hint="they were written by another version of acc",
            )
        found = _definitions_in(connection)
        if any(found.get(name) != sql for name, sql in _OWN.items()):
            raise self._not_as_made()

    def _not_as_made(self) -> CorruptRefs:
        return CorruptRefs(f"refs '{self.path}' are damaged: their tables are not as they were made")

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        missing = self._missing(connection)
        if missing and self.read_only:
            for name in self.tables.keys() & missing:
                connection.execute(_create_table(self.tables[name], temporary=True))
        elif missing:
            connection.execute("BEGIN IMMEDIATE")
            for name in self._missing(connection):  # again: another process may just have made them
                connection.execute(self._definitions()[name])
            connection.execute("COMMIT")
        for table in self.tables.values():
            self._check_columns(connection, table)

    def _missing(self, connection: sqlite3.Connection) -> list[str]:
        present = _definitions_in(connection)
        missing = {name: sql for name, sql in self._definitions().items() if name not in present}
        if any(sql in present.values() for sql in missing.values()):
            raise self._not_as_made()
        return [*missing]

    def _definitions(self) -> dict[str, str]:
        """Return the SQL of each declared table and index, by its name, tables first."""
        definitions = {table.name: _create_table(table) for table in self.tables.values()}
        for table in self.tables.values():
            for columns in table.indexes:
                name = f"{table.name}_by_{'_'.join(columns)}"
                definitions[name] = f'CREATE INDEX "{name}" ON "{table.name}" ({", ".join(quoted(columns))})'
        return definitions

    def _check_columns(self, connection: sqlite3.Connection, table: Table) -> None:
        found, declared = _columns_in(connection, table), _declared_columns(table)
        if found != declared and found == declared[: len(found)] and not self.read_only:
            connection.execute("BEGIN IMMEDIATE")
            found = _columns_in(connection, table)  # again: another process may just have added some
            for name, kind, _ in declared[len(found) :]:
                connection.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{name}" {kind}')
            connection.execute("COMMIT")
            found = _columns_in(connection, table)
        if found != declared:
            raise UnknownFormat(
                f"table '{table.name}' in '{self.path}' has other columns than this acc knows",
                hint="it was written by another version of acc; 'acc update-ref --rebuild' makes it again",
            )


class Connection:
    """The connection of one thread to the database, opened when first used.

    SQLite keeps the locks of a process in its memory. A child forked while a connection is open believes that
    it holds what its parent holds, so another process may take the write-ahead log away under it. Hence all
    connections are closed before a fork, and opened again by whoever needs one.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lock = threading.RLock()  # held for the length of a transaction; a fork waits for it
        self._sqlite: sqlite3.Connection | None = None
        self._stands_for_nothing = False
        self._is_parents = False
        _CONNECTIONS[id(self)] = self

    def __del__(self) -> None:
        # at the end of a process sqlite3 may have closed it first
        with suppress(sqlite3.Error):
            self.close()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._sqlite is not None and self._sqlite.in_transaction

    def run(self, sql: str, arguments: Sequence[Cell | bytes] = ()) -> list[Any]:
        """Return all rows of one statement."""
        with self.lock:
            try:
                return _fetch(self._open(), sql, arguments)
            except sqlite3.Error as err:
                if (meaning := _explain(err, self.database.path)) is None:
                    raise
                raise meaning from err
            except UnicodeDecodeError as err:  # SQLite complains of a definition, and cites it
                raise CorruptRefs(f"refs '{self.database.path}' are damaged: malformed schema") from err

    def roll_back(self) -> None:
        """End a transaction without effect, if one is still open."""
        if self._sqlite is not None and self._sqlite.in_transaction:
            # the reason is already on its way to the caller
            with suppress(sqlite3.Error):
                self._sqlite.execute("ROLLBACK")

    def close(self) -> None:
        """Close it, unless it is in a transaction."""
        with self.lock:
            if self._sqlite is not None and not self._sqlite.in_transaction:
                self._sqlite.close()
                self._sqlite = None

    def begin_anew(self) -> None:
        """Be the connection of a forked child; what is still open belongs to a transaction of its parent."""
        self.lock = threading.RLock()
        if self._sqlite is not None:
            _PARENTS.append(self._sqlite)
            self._sqlite = None
            self._is_parents = True

    def _open(self) -> sqlite3.Connection:
        assert not self._is_parents, "a process was forked inside a ref transaction, and used it"
        if self._stands_for_nothing and self.database.path.exists():
            self.close()
        if self._sqlite is None:
            self._sqlite = self.database.connect()
            self._stands_for_nothing = not self.database.path.exists()
        return self._sqlite


def remove(path: Path) -> None:
    """Remove the database at `path`, which nobody has open."""
    for file in _files(path):
        file.unlink(missing_ok=True)


def quoted(names: Iterable[str]) -> list[str]:
    """Return `names` as SQL takes them."""
    return [f'"{name}"' for name in names]


def _files(path: Path) -> list[Path]:
    """Return the files that a database may have: its own, its write-ahead log, and the memory for that."""
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]


def _sqlite(uri: str) -> sqlite3.Connection:
    # check_same_thread: off, since whoever forks closes the connections of all threads, each under its lock
    return sqlite3.connect(
        uri, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )


def _fetch(connection: sqlite3.Connection, sql: str, arguments: Sequence[Cell | bytes]) -> list[Any]:
    try:
        return connection.execute(sql, arguments).fetchall()
    except sqlite3.OperationalError as err:
        if "UTF-8" not in str(err):
            raise
    # a damaged text is no reason to keep the other rows back; the checksum of its row tells of it
    connection.text_factory = _decode_leniently
    try:
        return connection.execute(sql, arguments).fetchall()
    finally:
        connection.text_factory = str


def _decode_leniently(text: bytes) -> str:
    return text.decode(errors="replace")


def _definitions_in(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the SQL of each table and index that is there, by its name."""
    return dict(_fetch(connection, "SELECT name, sql FROM sqlite_master", ()))


def _columns_in(connection: sqlite3.Connection, table: Table) -> list[tuple[str, str, int]]:
    """Return name, type and place in the key of each column of a table that is there."""
    return _fetch(connection, "SELECT name, type, pk FROM pragma_table_info(?)", (table.name,))


def _declared_columns(table: Table) -> list[tuple[str, str, int]]:
    places = {name: place for place, name in enumerate(table.key, start=1)}
    return [(name, kind.upper(), places.get(name, 0)) for name, kind in table.columns.items()]


def _create_table(table: Table, *, temporary: bool = False) -> str:
    columns = ", ".join(f'"{name}" {kind.upper()}' for name, kind in table.columns.items())
    key = ", ".join(quoted(table.key))
    what = "TEMP TABLE" if temporary else "TABLE"
    return f'CREATE {what} "{table.name}" ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID'


def _explain(err: sqlite3.Error, path: Path) -> Exception | None:
    """Return what `err` means to our callers, or None when it can only be a mistake of ours."""
    code = getattr(err, "sqlite_errorcode", None)
    match code and code & 0xFF:  # without SQLite's details
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Locked(f"refs '{path}' are in use by another process")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return CorruptRefs(f"refs '{path}' are damaged: {err}")
        case sqlite3.SQLITE_READONLY:
            return StoreReadOnly(f"refs '{path}' are only read")
        case sqlite3.SQLITE_FULL:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
            return OSError(errno.EIO, str(err), str(path))
    return None


# ---- forks


_CONNECTIONS: Final[WeakValueDictionary[int, Connection]] = WeakValueDictionary()
_HELD: Final[list[Connection]] = []  # while a fork runs
_PARENTS: Final[list[sqlite3.Connection]] = []  # never to be closed by this process


def _all_connections() -> list[Connection]:
    found = (reference() for reference in _CONNECTIONS.valuerefs())
    return [connection for connection in found if connection is not None]


def _before_fork() -> None:
    # waits for what other threads are doing with theirs
    for connection in _all_connections():
        connection.lock.acquire()
        connection.close()
        _HELD.append(connection)


def _after_fork_in_parent() -> None:
    while _HELD:
        _HELD.pop().lock.release()


def _after_fork_in_child() -> None:
    while _HELD:
        _HELD.pop().begin_anew()


os.register_at_fork(
    before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
)
