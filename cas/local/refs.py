"""Refs in SQLite: one transaction changes any number of them, and the tables that a floor above declares."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from blake3 import blake3

from cas.errors import CorruptRefs, RefConflict, StoreReadOnly
from cas.files import check_name, temporary_path
from cas.local.database import Connection, Database, quoted, remove
from cas.oid import ObjectId, parse_oid
from cas.refs import ANY, Cell, Expected, LogEntry, Row, Table

# Names and log entries are read a page at a time. One cursor over all of them would hold a snapshot, and with it the
# write-ahead log, for as long as the caller takes for each, and no cursor crosses a fork. By 256 rows a million are
# read as fast as by one cursor (1.7 s), and the first of them come in 0.5 ms (by 1,000: 1.9 ms).
_PAGE_ROWS: Final = 256
_MOST_CELLS: Final = 500  # in one statement; SQLite takes 999 at least
_NAMES: Final = (
    "SELECT name, id, checksum FROM refs WHERE name >= ? AND name < CAST(? AS TEXT)"
    f" ORDER BY name LIMIT {_PAGE_ROWS}"
)
_BEHIND_ALL_ENTRIES: Final = (1 << 63) - 1
# the log is trimmed in steps of 0.1 s (of a million entries), which is how long others may have to wait
_TRIMMED_ROWS: Final = 1_000


class LocalRefs:
    """The refs of one `.acc`, on a local disk; a `Refs`.

    The database is opened when first used. Threads and forked children may use the same `LocalRefs`.

    Parameters
    ----------
    path : Path
        The database.
    tables : sequence of Table
        Tables that are written in the same transactions; made when they are missing.
    durability : str
        "none": a commit survives a killed process, but not a power failure, which may hurt the database; "later": a
        power failure may undo the last commits and nothing else; else they survive both.
    read_only : bool
        Never write.
    create : bool
        Make a database that is not there, or when read only take it as an empty one. Else that is an error: it is
        gone, and new refs would give the numbers of old labels again.
    """

    def __init__(
        self,
        path: Path,
        tables: Sequence[Table] = (),
        *,
        durability: str = "batch",
        read_only: bool = False,
        create: bool = True,
    ) -> None:
        self._database = Database(path, tables, durability=durability, read_only=read_only, may_create=create)

    @property
    def path(self) -> Path:
        """Where the database is."""
        return self._database.path

    def create(self) -> None:
        """Make the database, unless it is there."""
        self._database.create()

    def find(self, name: str) -> ObjectId | None:
        """Return what `name` points at, or None; raise `CorruptRefs` when its checksum does not fit."""
        return _find(self._database.connection(), name)

    def names(self, prefix: str = "") -> Iterator[tuple[str, ObjectId]]:
        """Yield name and id of each ref that begins with `prefix`, sorted by name.

        What others change meanwhile is seen or not; nothing is held open while the caller works.
        """
        for name, oid in self.scan(prefix):
            if oid is None:
                raise _bad_checksum(name)
            yield name, oid

    def scan(self, prefix: str = "") -> Iterator[tuple[str, ObjectId | None]]:
        """Yield as `names` does, with None for the id of each ref whose checksum does not fit."""
        # no UTF-8 has a byte above f4, so this is behind all names with the prefix and before all others
        bound = prefix.encode() + b"\xff"
        start = prefix
        while True:
            page, begin = self._database.connection().run(_NAMES, (start, bound)), start
            for name, oid, checksum in page:
                fits = checksum == _checksum(name, oid)
                if fits and name < start:
                    raise CorruptRefs(f"refs '{self.path}' are damaged: names out of order")
                # only a name that fits leads on: a damaged one may belong anywhere
                start = name + "\0" if fits else start  # the least text behind it
                yield str(name), ObjectId(oid) if fits else None
            if len(page) < _PAGE_ROWS:
                return
            if start == begin:
                raise CorruptRefs(f"refs '{self.path}' are damaged: no name in a page of them")

    @contextmanager
    def transaction(self, why: str) -> Iterator["LocalTransaction"]:
        """Return a transaction, committed durably when its block ends and rolled back when it raises.

        It waits for the transactions of others, at most a minute.
        """
        if self._database.read_only:
            raise StoreReadOnly(f"refs '{self._database.path}' are only read")
        connection = self._database.connection()
        with connection.lock:
            assert not connection.in_transaction, "a transaction inside a transaction"
            try:
                connection.run("BEGIN IMMEDIATE")
                yield LocalTransaction(connection, self._database.tables, why)
                connection.run("COMMIT")
            finally:
                connection.roll_back()

    def log(self, name: str | None = None) -> Iterator[LogEntry]:
        """Yield the changes of one ref, or of all, newest first."""
        test, arguments = ("", ()) if name is None else (" AND name = ?", (name,))
        sql = (
            f"SELECT entry, time, name, old, new, why FROM log WHERE entry < ?{test}"
            f" ORDER BY entry DESC LIMIT {_PAGE_ROWS}"
        )
        before = _BEHIND_ALL_ENTRIES
        while rows := self._database.connection().run(sql, (before, *arguments)):
            for entry, *cells in rows:
                if entry >= before:
                    raise CorruptRefs(f"refs '{self.path}' are damaged: log entries out of order")
                before = entry
                yield LogEntry(*cells)

    def newest_changes(self, prefix: str) -> dict[str, LogEntry]:
        """Return the newest change of each ref whose name begins with `prefix`, as far back as the log goes.

        Those that were deleted are among them; those that nobody has changed since are not.
        """
        newest = "SELECT max(entry) FROM log WHERE name >= ? AND name < CAST(? AS TEXT) GROUP BY name"
        sql = f"SELECT time, name, old, new, why FROM log WHERE entry IN ({newest})"
        rows = self._database.connection().run(sql, (prefix, prefix.encode() + b"\xff"))
        return {entry.name: entry for entry in map(LogEntry._make, rows)}

    def select(
        self,
        table: str,
        where: Row | None = None,
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        limit: int | None = None,
    ) -> list[dict[str, Cell]]:
        """Return rows of a declared table whose cells equal those of `where`, by `order` or else by key."""
        declared = self._database.tables[table]
        tail = _order_by(tuple(order or declared.key), descending=descending, limit=limit)
        return _select(self._database.connection(), declared, where or {}, tail)

    def select_any(
        self, table: str, column: str, cells: Iterable[Cell], where: Row | None = None
    ) -> list[dict[str, Cell]]:
        """Return those rows, in any order, that besides have one of `cells` in `column`; None equals nothing."""
        declared, chosen = self._database.tables[table], where or {}
        _check_columns(declared, {column: None, **chosen})
        connection, sought = self._database.connection(), list(cells)
        found: list[dict[str, Cell]] = []
        for start in range(0, len(sought), _MOST_CELLS):
            part = sought[start : start + _MOST_CELLS]
            marks = ", ".join("?" * len(part))
            tail = f'{" AND" if chosen else " WHERE"} "{column}" IN ({marks})'
            found += _select(connection, declared, chosen, tail, part)
        return found

    def select_beyond(
        self, table: str, where: Row, edge: tuple[str, Cell], *, descending: bool = False, limit: int
    ) -> list[dict[str, Cell]]:
        """Return at most `limit` of those rows whose cells equal those of `where`, and which lie beyond an edge.

        Parameters
        ----------
        edge
            A column and a cell: rows that have a higher one there come, the lowest first; with `descending` the rows
            that have a lower one, the highest first.
        """
        (column, cell), declared = edge, self._database.tables[table]
        _check_columns(declared, {column: None})
        test = f'{" AND" if where else " WHERE"} "{column}" {"<" if descending else ">"} ?'
        tail = test + _order_by((column,), descending=descending, limit=limit)
        return _select(self._database.connection(), declared, where, tail, (cell,))

    def follow(self, table: str, column: str, onward: str, cell: Cell, limit: int) -> list[dict[str, Cell]]:
        """Return the row that has `cell` in `column`, the row that has there what that one has in `onward`, and so on.

        At most `limit` rows. When several rows have the same in `column`, all of them come, and all that follow each.
        """
        columns = tuple(self._database.tables[table].columns)
        _check_columns(self._database.tables[table], {column: None, onward: None})
        # a queue: one row goes in for each that comes out, so the rows come as they follow each other
        sql = (
            f"WITH RECURSIVE links AS ({_selection(table, columns, (column,), '')} UNION ALL"
            f' SELECT {", ".join(f"t.{each}" for each in quoted(columns))} FROM links JOIN "{table}" t'
            f' ON t."{column}" = links."{onward}" LIMIT ?) SELECT * FROM links'
        )
        rows = self._database.connection().run(sql, (cell, limit))
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def count(self, table: str, where: Row | None = None) -> int:
        """Return the number of rows that `select` would return."""
        chosen = where or {}
        _check_columns(self._database.tables[table], chosen)
        sql = f'SELECT count(*) FROM "{table}"{_tests(tuple(chosen))}'
        rows = self._database.connection().run(sql, (*chosen.values(),))
        return sum(number for (number,) in rows)

    def trim_log(self, before: float) -> int:
        """Forget the changes before a time (seconds since 1970); return their number. The refs stay as they are."""
        connection = self._database.connection()
        younger = connection.run("SELECT entry FROM log WHERE time >= ? ORDER BY entry LIMIT 1", (before,))
        bound = younger[0][0] if younger else _BEHIND_ALL_ENTRIES
        old = f"SELECT entry FROM log WHERE entry < ? ORDER BY entry LIMIT {_TRIMMED_ROWS}"
        total = 0
        while entries := connection.run(old, (bound,)):
            connection.run("DELETE FROM log WHERE entry <= ?", entries[-1])
            total += len(entries)
        return total

    def damage(self) -> list[str]:
        """Return what SQLite finds wrong with the database; this reads all of it."""
        findings = [row[0] for row in self._database.connection().run("PRAGMA integrity_check")]
        return [finding for finding in findings if finding != "ok"]

    @contextmanager
    def draft(self) -> Iterator["LocalRefs"]:
        """Return new, empty refs that nobody sees, for `replace_by`; when the block ends they are gone, or taken."""
        database = self._database
        draft = LocalRefs(
            temporary_path(self.path.parent),
            [*database.tables.values()],
            durability=database.durability,
        )
        try:
            draft.create()
            yield draft
        finally:
            draft.close()
            remove(draft.path)

    def replace_by(self, draft: "LocalRefs") -> Path | None:
        """Put a draft in place of these refs, whose database stays beside it, as `<name>.damaged-<n>`.

        A process that is killed meanwhile leaves the one or the other.

        Returns
        -------
        Path or None
            Where the database that was there is now; None when it was gone.
        """
        draft.close()
        self.close()
        return self._database.replace_by(draft.path)

    def close(self) -> None:
        """Close the connections of all threads; the next use opens one again."""
        self._database.close()


class LocalTransaction:
    """Changes that become visible together; a `Transaction`. Made by `LocalRefs.transaction`."""

    def __init__(self, connection: Connection, tables: Mapping[str, Table], why: str) -> None:
        self._connection = connection
        self._tables = tables
        self._why = why

    def find(self, name: str) -> ObjectId | None:
        """Return what `name` points at, seen inside this transaction."""
        return _find(self._connection, name)

    def set(self, name: str, new: ObjectId, *, old: Expected = ANY) -> None:
        """Point `name` at `new`; raise `RefConflict` when it is not at `old` (None: it must not exist)."""
        check_name(name)
        parse_oid(new)
        found = self._expect(name, old)
        row = (name, new, _checksum(name, new))
        self._run("INSERT OR REPLACE INTO refs (name, id, checksum) VALUES (?, ?, ?)", row)
        self._note(name, found, new)

    def delete(self, name: str, *, old: Expected = ANY) -> None:
        """Remove `name`; raise `RefConflict` when it is not at `old`."""
        found = self._expect(name, old)
        if found is not None:
            self._run("DELETE FROM refs WHERE name = ?", (name,))
            self._note(name, found, None)

    def insert(self, table: str, row: Row) -> None:
        """Write `row`, in place of one with the same key."""
        _check_columns(self._tables[table], row)
        columns, marks = ", ".join(quoted(row)), ", ".join("?" * len(row))
        self._run(f'INSERT OR REPLACE INTO "{table}" ({columns}) VALUES ({marks})', (*row.values(),))

    def select(self, table: str, where: Row | None = None) -> list[dict[str, Cell]]:
        """Return the rows of `table` whose cells equal those of `where`, by their key."""
        declared = self._tables[table]
        tail = _order_by(tuple(declared.key), descending=False, limit=None)
        return _select(self._connection, declared, where or {}, tail)

    def remove(self, table: str, where: Row) -> None:
        """Remove the rows whose cells equal those of `where`."""
        _check_columns(self._tables[table], where)
        self._run(f'DELETE FROM "{table}"{_tests(tuple(where))}', (*where.values(),))

    def _run(self, sql: str, arguments: Sequence[Cell] = ()) -> None:
        assert self._connection.in_transaction, "a transaction used after its end"
        self._connection.run(sql, arguments)

    def _expect(self, name: str, old: Expected) -> ObjectId | None:
        if old is not ANY:
            found = self.find(name)
            if found != old:
                raise RefConflict(name, old, found)
            return found
        # whatever it is will be replaced, so a bad checksum does not stand in the way
        rows = self._connection.run("SELECT id FROM refs WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def _note(self, name: str, old: ObjectId | None, new: ObjectId | None) -> None:
        row = (time.time(), name, old, new, self._why)
        self._run("INSERT INTO log (time, name, old, new, why) VALUES (?, ?, ?, ?, ?)", row)


# ---- refs and rows


def _checksum(name: str, oid: str) -> str:
    return blake3(f"{name}\0{oid}".encode()).hexdigest(length=8)


def _bad_checksum(name: str) -> CorruptRefs:
    return CorruptRefs(f"ref '{name}' is corrupt: its checksum does not fit")


def _find(connection: Connection, name: str) -> ObjectId | None:
    for oid, checksum in connection.run("SELECT id, checksum FROM refs WHERE name = ?", (name,)):
        if checksum != _checksum(name, oid):
            raise _bad_checksum(name)
        return ObjectId(oid)
    return None


def _select(
    connection: Connection, table: Table, where: Row, tail: str, more: Sequence[Cell] = ()
) -> list[dict[str, Cell]]:
    columns = tuple(table.columns)
    _check_columns(table, where)
    sql = _selection(table.name, columns, tuple(where), tail)
    return [dict(zip(columns, row, strict=True)) for row in connection.run(sql, (*where.values(), *more))]


# statements are few, and putting one together costs as much as running it (8 of 16 us)
@lru_cache(maxsize=256)
def _selection(table: str, columns: tuple[str, ...], where: tuple[str, ...], tail: str) -> str:
    return f'SELECT {", ".join(quoted(columns))} FROM "{table}"{_tests(where)}{tail}'


@lru_cache(maxsize=256)
def _order_by(columns: tuple[str, ...], *, descending: bool, limit: int | None) -> str:
    direction = " DESC" if descending else ""
    tail = " ORDER BY " + ", ".join(column + direction for column in quoted(columns))
    return tail if limit is None else f"{tail} LIMIT {int(limit)}"


def _tests(columns: tuple[str, ...]) -> str:
    tests = [f"{column} IS ?" for column in quoted(columns)]  # IS: a None equals a NULL
    return " WHERE " + " AND ".join(tests) if tests else ""


def _check_columns(table: Table, row: Row) -> None:
    assert row.keys() <= table.columns.keys(), f"table {table.name} lacks one of {', '.join(row)}"
