"""What the catalogue knows besides jobs: result links, builds and urd lists, to be searched."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Final

from cas.errors import AccError
from cas.formats.node import get_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.refs import Refs
from jobs.nodes.build import DONE, Build
from jobs.nodes.result import Result
from jobs.reuse.refnames import AUTO, BUILDS, RESULTS
from porcelain.board.catalogue.database import Database
from porcelain.board.catalogue.reading import joined
from porcelain.sessions.urdlog import UrdLog

KINDS: Final = ("result", "build", "urd list")
# comparing all names takes so many times longer than it may: a fiftieth of the time goes there at most
_PATIENCE: Final = 50
_BATCH: Final = 200


class Things:
    """Follows the refs of results, builds and urd lists."""

    def __init__(
        self, database: Database, refs: Refs, store: LocalStore, give_way: Callable[[], None]
    ) -> None:
        self._database = database
        self._refs = refs
        self._store = store.alone()
        self._give_way = give_way
        self._seen: object = None
        self._not_before = 0.0

    def follow(self) -> bool:
        """Take over what has changed; return whether anything may have."""
        now = (self._database.generation, next(self._refs.log(), None))
        if now == self._seen or time.monotonic() < self._not_before:
            return False
        begun = time.monotonic()
        self._compare()
        ended = time.monotonic()
        self._seen, self._not_before = now, ended + (ended - begun) * _PATIENCE
        return True

    def _compare(self) -> None:
        there = self._there()
        known = self._database.run("SELECT kind, name, oid, id FROM things")
        here = {(kind, name): oid for kind, name, oid, _ in known}
        gone = [key for kind, name, oid, key in known if there.get((kind, name)) != oid]
        came = [thing for thing, oid in there.items() if here.get(thing) != oid]
        for start in range(0, max(len(gone), len(came)), _BATCH):
            told = [
                (*thing, there[thing], *self._told(*thing, there[thing])) for thing in came[start:][:_BATCH]
            ]
            with self._database.transaction() as connection:
                for key in gone[start:][:_BATCH]:
                    connection.execute("DELETE FROM things WHERE id = ?", (key,))
                    connection.execute("DELETE FROM thing_texts WHERE rowid = ?", (key,))
                for each in told:
                    _insert(connection, *each)

    def _there(self) -> Mapping[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for kind, wing, called in (("result", RESULTS, ""), ("build", BUILDS, "build-")):
            for name, oid in self._refs.names(wing):
                found[kind, called + name.removeprefix(wing)] = oid
                self._give_way()
        lists = UrdLog(self._store, self._refs, only_look=True).lists()
        return found | {("urd list", str(path)): "" for path in lists if path.name != AUTO}

    def _told(self, kind: str, name: str, oid: str) -> tuple[str, ObjectId | None]:
        """Return what a thing is found by beside its name, and the blob of a result; nothing of what is damaged."""
        del name
        self._give_way()
        try:
            if kind == "result":
                result = get_node(self._store, ObjectId(oid), Result)
                return joined(filter(None, [result.header, result.description, result.name])), result.blob
            if kind == "build":
                build = get_node(self._store, ObjectId(oid), Build)
                failed = [] if build.status == DONE else [build.status]
                return joined(filter(None, [build.script, build.user, *failed])), None
        except AccError:
            pass
        return "", None


def find_results(database: Database, names: Mapping[str, str], blob: ObjectId) -> list[str] | None:
    """Return those of the result links `names` that lead to a blob; None when not all of them are known yet."""
    known = dict(database.run("SELECT name, oid FROM things WHERE kind = 'result'"))
    if known != names:
        return None
    found = database.run("SELECT name FROM things WHERE kind = 'result' AND blob = ? ORDER BY name", (blob,))
    return [name for (name,) in found]


def _insert(
    connection: sqlite3.Connection, kind: str, name: str, oid: str, text: str, blob: str | None
) -> None:
    cursor = connection.execute(
        "INSERT OR REPLACE INTO things (kind, name, oid, blob) VALUES (?, ?, ?, ?)", (kind, name, oid, blob)
    )
    connection.execute(
        "INSERT OR REPLACE INTO thing_texts (rowid, name, text) VALUES (?, ?, ?)",
        (cursor.lastrowid, joined([name]), text),
    )
