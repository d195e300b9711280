"""What packs and loose objects take: each pack is counted once, each folder of loose objects when it has changed."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from cas.local.census import Tally, count_loose, count_packed
from cas.local.store import LocalStore
from porcelain.board.catalogue.database import Database

# a folder that has changed only just now may change again and keep its time
_RACY_NS: Final = 2_000_000_000
_UNSETTLED: Final = -1
# the trash is counted so often: it changes when gc runs
_TRASH_SECONDS: Final = 30.0


class Stored(NamedTuple):
    """What lies in a store: objects in packs (each copy) and loose ones; files that gc has moved away, and their bytes.

    Attributes
    ----------
    is_known : bool
        It has been counted.
    """

    packs: int
    packed: Tally
    loose: Tally
    trash: int
    trash_bytes: int
    is_known: bool


class Census:
    """Keeps count of a store."""

    def __init__(self, database: Database, store: LocalStore, give_way: Callable[[], None]) -> None:
        self._database = database
        self._store = store
        self._give_way = give_way
        self._trash_counted = -_TRASH_SECONDS

    def take(self) -> bool:
        """Count what is new or has changed; return whether anything was."""
        known = dict(self._database.run("SELECT name, stamp FROM places"))
        there = dict(self._places())
        gone = [(name,) for name in known if name not in there]
        changed = [name for name, stamp in there.items() if stamp == _UNSETTLED or known.get(name) != stamp]
        packs = {pack.name: pack for pack in self._store.packs.packs()} if changed else {}
        counted = []
        for name in changed:
            self._give_way()
            with suppress(OSError):
                tally = count_packed(packs[name]) if name in packs else count_loose(self._store, name)
                counted.append((name, there[name], *tally))
        if gone or counted:
            with self._database.transaction() as connection:
                connection.executemany("DELETE FROM places WHERE name = ?", gone)
                connection.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)", counted)
        if time.monotonic() - self._trash_counted > _TRASH_SECONDS:
            files, size = _trash(self._store.root / "trash", self._give_way)
            with self._database.transaction() as connection:
                notes = [("trash", files), ("trash_bytes", size)]
                connection.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?)", notes)
            self._trash_counted = time.monotonic()
        return bool(gone or counted)

    def _places(self) -> Iterator[tuple[str, int]]:
        """Yield packs and folders of loose objects, each with a number that is another one when it has changed."""
        for pack in self._store.packs.packs():
            yield pack.name, 0  # a pack never changes
        now = time.time_ns()
        with suppress(OSError):
            for entry in os.scandir(self._store.loose.folder):
                if len(entry.name) == 2 and entry.is_dir():
                    changed = entry.stat().st_mtime_ns
                    yield entry.name, changed if now - changed > _RACY_NS else _UNSETTLED


def stored_now(database: Database) -> Stored:
    """Return what lies in the store, as of the last census."""
    sql = "SELECT length(name) > 2, count(*), sum(objects), sum(raw), sum(stored) FROM places GROUP BY 1 ORDER BY 1"
    found = {bool(packed): (count, Tally(*sums)) for packed, count, *sums in database.run(sql)}
    nothing = (0, Tally(0, 0, 0))
    packs, packed = found.get(True, nothing)
    notes = dict(database.run("SELECT name, value FROM notes"))
    loose = found.get(False, nothing)[1]
    return Stored(
        packs, packed, loose, notes.get("trash", 0), notes.get("trash_bytes", 0), is_known="trash" in notes
    )


def _trash(folder: Path, give_way: Callable[[], None]) -> tuple[int, int]:
    """Return how many files gc has moved away below a folder, and how many bytes these are."""
    files = size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            give_way()
            with suppress(OSError):
                size += Path(path, name).lstat().st_size
                files += 1
    return files, size
