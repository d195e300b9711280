"""What can be found again: contents of input files by their stat, and small JSON values.

The file may be deleted or damaged at any time, also by another process, and then starts empty; nothing that
goes wrong here is ever the user's problem, since every answer can be had without it.
"""

import json
import logging
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from blake3 import blake3

from cas.formats.canonical import Json
from cas.oid import ObjectId, oid_of_stream

log = logging.getLogger(__name__)

_VERSION: Final = 1
_TABLE: Final = "CREATE TABLE known (kind TEXT, key TEXT, value TEXT, checksum TEXT, PRIMARY KEY (kind, key))"
_FIND: Final = "SELECT value, checksum FROM known WHERE kind = ? AND key = ?"
_PUT: Final = "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)"

_FAILURES: Final = (sqlite3.Error, OSError, UnicodeError)
_DAMAGED: Final = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_NOTADB}

# A file that changes twice within one tick of the filesystem's clock looks the same both times. Ticks are
# 10 ms on ext4 and up to 2 s on FAT, so what changed less than 2 s before it was read is not remembered.
RACY_NS: Final = 2_000_000_000

# Who writes into a mapped file changes its times only when he first touches a page, and again when the page has been
# written to the disk, which is after 35 s unless somebody asks for it. So of a younger file that is asked for.
MAPPED_NS: Final = 60_000_000_000

# for others who write at the same moment; a miss is cheaper than a long wait
_BUSY_SECONDS: Final = 0.2


class Stamp(NamedTuple):
    """What the filesystem says of a file without reading it; times in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of the file at `path`, links followed."""
    return _stamp(path.stat())


def _stamp(stat: os.stat_result) -> Stamp:
    return Stamp(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


class Cache:
    """A small database of what was found out before.

    Opened at its first use, and again in a forked process.

    Parameters
    ----------
    path : Path
        The database file; its folder is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[Stamp, ObjectId] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        # connections of a parent process: neither used nor closed in this one
        self._inherited: list[sqlite3.Connection] = []

    def __del__(self) -> None:
        self.close()  # since 3.13 sqlite3 warns of a connection that nobody has closed

    def file_id(self, path: Path) -> ObjectId:
        """Return the object id of the content of the file at `path`.

        The file is read only when its stamp is not known, or when it was so young at its last reading that it
        could have changed since without its stamp showing it.

        Raises
        ------
        OSError
            When the file cannot be read.
        """
        stamp = stamp_of(path)
        known = self._files.get(stamp) or self._find_file(stamp)
        if known is None:
            return self._read_file(path)
        self._files[stamp] = known
        return known

    def _find_file(self, stamp: Stamp) -> ObjectId | None:
        found = self.get("file", _file_key(stamp))
        if isinstance(found, list) and found[:-1] == list(stamp):
            return ObjectId(str(found[-1]))
        return None

    def _read_file(self, path: Path) -> ObjectId:
        began = time.time_ns()
        with open(path, "rb") as stream:
            # of the open file: another may get its path meanwhile
            stamp = _settled_stamp(stream.fileno(), began)
            oid = oid_of_stream(stream)
            settled = _stamp(os.fstat(stream.fileno())) == stamp
        if settled and _changed(stamp) < began - RACY_NS:
            self._files[stamp] = oid
            self.put("file", _file_key(stamp), [*stamp, oid])
        return oid

    def get(self, kind: str, key: str) -> Json:
        """Return what was put under `kind` and `key`, or None."""
        text = self._known.get((kind, key)) or self._find(kind, key)
        if text is None:
            return None
        self._known[kind, key] = text
        value: Json = json.loads(text)
        return value

    def put(self, kind: str, key: str, value: Json) -> None:
        """Keep `value` under `kind` and `key`, in place of what was there."""
        text = json.dumps(value)
        self._known[kind, key] = text
        try:
            self._opened().execute(_PUT, (kind, key, text, _checksum(kind, key, text)))
        except _FAILURES as err:
            self._failed(err)

    def close(self) -> None:
        """Close the database; using the cache opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None and self._pid == os.getpid():
            with suppress(sqlite3.Error):
                connection.close()

    def _find(self, kind: str, key: str) -> str | None:
        try:
            row = self._opened().execute(_FIND, (kind, key)).fetchone()
        except _FAILURES as err:
            self._failed(err)
            return None
        if row is None or row[1] != _checksum(kind, key, row[0]):
            return None
        return str(row[0])

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._pid != os.getpid():
            self._inherited.append(self._connection)
            self._connection = None
        if self._connection is None:
            self._connection = _open(self._path)
            self._pid = os.getpid()
        return self._connection

    def _failed(self, err: Exception) -> None:
        log.debug("the cache '%s' could not be used: %s", self._path, err)
        if getattr(err, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            self.close()
            for suffix in ("", "-journal"):
                with suppress(OSError):
                    self._path.with_name(self._path.name + suffix).unlink()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # nothing here is worth an fsync
        connection.execute("PRAGMA synchronous = OFF")
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.executescript(
                "BEGIN IMMEDIATE; DROP TABLE IF EXISTS known;"
                f"{_TABLE} WITHOUT ROWID; PRAGMA user_version = {_VERSION}; COMMIT"
            )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _settled_stamp(descriptor: int, now: int) -> Stamp:
    """Return the stamp of an open file that will change when anybody writes to the file from now on."""
    stamp = _stamp(os.fstat(descriptor))
    if now - MAPPED_NS < _changed(stamp) < now - RACY_NS:
        with suppress(OSError):  # a filesystem without it
            os.fsync(descriptor)
        stamp = _stamp(os.fstat(descriptor))
    return stamp


def _changed(stamp: Stamp) -> int:
    return max(stamp.mtime, stamp.ctime)


def _file_key(stamp: Stamp) -> str:
    return f"{stamp.device}-{stamp.inode}"


def _checksum(*cells: str) -> str:
    # SQLite has none of its own, and a flipped bit must be a miss, never an answer
    return blake3(repr(cells).encode()).hexdigest(length=8)
