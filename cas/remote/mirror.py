"""What this machine knows of a remote: its state, and copies of its indexes. It may be deleted at any time.

Notes
-----
Source: docs/adr/0019-a-remote-is-a-log.md.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, cast

from blake3 import blake3

from cas.errors import CorruptRemote
from cas.files import TEMPORARY_PREFIX, lock_file, write_atomically
from cas.formats.multiindex import MultiIndex, open_multi_index
from cas.formats.packindex import Entry
from cas.local.refs import LocalRefs, LocalTransaction
from cas.oid import ObjectId
from cas.refs import Table
from cas.remote.filesystem.kinds import nonce
from cas.remote.transaction import Change, LargeObject

_NOTES: Final = Table("notes", {"name": "text", "value": "text"}, ("name",))
_PACKS: Final = Table("packs", {"idx": "text", "pack": "text", "bytes": "integer"}, ("idx", "pack"))
_LARGE: Final = Table(
    "large", {"id": "text", "raw": "integer", "stored": "integer", "file": "integer"}, ("id",)
)
_DROPPED: Final = Table("dropped", {"file": "text", "since": "integer"}, ("file",))
_DELETING: Final = Table("deleting", {"file": "text", "since": "integer"}, ("file",))
_OLD_SECONDS: Final = 86_400.0
_TABLES: Final = (_NOTES, _PACKS, _LARGE, _DROPPED, _DELETING)


class PackedObject(NamedTuple):
    """Where an object lies at a remote: in which pack, and where there."""

    pack: str
    entry: Entry


class Mirror:
    """The state of a remote as of the last look, in a folder of this machine.

    Parameters
    ----------
    folder
        Where it lies; made when something is written.

    Attributes
    ----------
    refs : LocalRefs
        The refs that the remote had.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refs = LocalRefs(folder / "state.sqlite", _TABLES, durability="none")
        self._indexes: dict[str, MultiIndex] | None = None
        self._large: dict[ObjectId, LargeObject] | None = None
        self._number = 0

    @property
    def is_new(self) -> bool:
        """Whether nothing is known."""
        return not self.refs.path.exists()

    @property
    def uuid(self) -> str:
        """The name that the remote gave itself when it was made, or ""."""
        return "" if self.is_new else self.note("uuid")

    @property
    def number(self) -> int:
        """The number of the last transaction that is known, or 0."""
        return 0 if self.is_new else int(self.note("number") or 0)

    @property
    def deletions(self) -> int:
        """The number of the last known transaction that tells of files that somebody deletes, or has deleted."""
        return 0 if self.is_new else int(self.note("deletions") or 0)

    def note(self, name: str) -> str:
        """Return what was noted under a name, or ""."""
        rows = [] if self.is_new else self.refs.select("notes", {"name": name})
        return str(rows[0]["value"]) if rows else ""

    def keep_note(self, name: str, value: str) -> None:
        """Note something that is no part of the state."""
        with self._transaction() as transaction:
            transaction.insert("notes", {"name": name, "value": value})

    def begin(self, uuid: str) -> None:
        """Be a mirror of the remote that gave itself this name: what is known of another one is forgotten.

        What is of none yet stays: another thread may just write into it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with lock_file(self.folder / "begin"):
            known = self.uuid
            if not known:
                self.keep_note("uuid", uuid)
            elif known != uuid:
                self.forget(uuid)

    def forget(self, uuid: str) -> None:
        """Forget all that is known of the remote of that name."""
        self.close()
        for path in (*self.folder.glob("state.sqlite*"), *self.folder.glob("idx/*")):
            path.unlink(missing_ok=True)
        self.keep_note("uuid", uuid)

    def apply(self, change: Change, number: int, *, whole: bool = False) -> None:
        """Know what a change tells, which is that of all transactions up to `number` since the last one known.

        Parameters
        ----------
        whole
            It tells of all since the first, so of what it does not name there is none.
        """
        with self._transaction() as transaction:
            notes = transaction.select("notes", {"name": "number"})
            if notes and int(str(notes[0]["value"])) >= number:
                return  # another process of this machine was quicker
            if whole and notes:
                self._forget(transaction, change)
            for name, oid in change.refs.items():
                if oid is None:
                    transaction.delete(name)
                else:
                    transaction.set(name, oid)
            self._apply_objects(transaction, change)
            if change.deleting or (whole and notes):
                transaction.insert("notes", {"name": "deletions", "value": str(number)})
            transaction.insert("notes", {"name": "number", "value": str(number)})

    def indexes(self) -> dict[str, dict[str, int]]:
        """Return the indexes of the remote, each with its packs and their lengths in bytes."""
        found: dict[str, dict[str, int]] = {}
        for row in [] if self.is_new else self.refs.select("packs"):
            found.setdefault(str(row["idx"]), {})[str(row["pack"])] = cast("int", row["bytes"])
        return found

    def packs(self) -> dict[str, int]:
        """Return the packs of the remote and their lengths in bytes."""
        return {pack: length for packs in self.indexes().values() for pack, length in packs.items()}

    def large(self) -> Iterator[tuple[ObjectId, LargeObject]]:
        """Yield the objects that have files of their own."""
        for row in [] if self.is_new else self.refs.select("large"):
            yield ObjectId(str(row["id"])), _to_large(row)

    def dropped(self) -> dict[str, int]:
        """Return the files that are no longer needed, and since when by the server's clock."""
        rows = [] if self.is_new else self.refs.select("dropped")
        return {str(row["file"]): cast("int", row["since"]) for row in rows}

    def deleting(self) -> dict[str, int]:
        """Return the files that somebody is deleting, and since when by the server's clock."""
        rows = [] if self.is_new else self.refs.select("deleting")
        return {str(row["file"]): cast("int", row["since"]) for row in rows}

    def as_change(self) -> Change:
        """Return the change that makes this state of nothing."""
        return Change(
            nonce=nonce(),
            why="merged",
            refs=dict(self.refs.names()),
            indexes=self.indexes(),
            objects=dict(self.large()),
            dropped=self.dropped(),
            deleting=self.deleting(),
        )

    def find_large(self, oid: ObjectId) -> LargeObject | None:
        """Return an object that has a file of its own, or None, as of the last `refresh`."""
        if self._large is None:
            self.refresh()
        assert self._large is not None
        return self._large.get(oid)

    def find_packed(self, oid: ObjectId) -> PackedObject | None:
        """Return where an object lies in a pack, or None."""
        digest = bytes.fromhex(oid)
        for index in self.opened().values():
            found = index.find(digest)
            if found is not None:
                return PackedObject(index.packs[found[0]], found[1])
        return None

    def has(self, oid: ObjectId) -> bool:
        """Return whether the remote had an object."""
        return self.find_packed(oid) is not None or self.find_large(oid) is not None

    def entries(self) -> dict[str, list[Entry]]:
        """Return the packs of the remote, each with all that is told of it: 300 bytes of memory an object."""
        found: dict[str, list[Entry]] = {name: [] for name in self.packs()}
        for index in self.opened().values():
            for place, entry in index.entries():
                found.setdefault(index.packs[place], []).append(entry)
        return found

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield the ids of all objects, some of them several times."""
        for index in self.opened().values():
            yield from index.records.digests(prefix)
        yield from (bytes.fromhex(oid) for oid, _ in self.large() if oid.startswith(prefix))

    # -- indexes -----------------------------------------------------------------------------------------------

    def lacking(self) -> list[str]:
        """Return the indexes of which no copy is here."""
        return [name for name in self.indexes() if not self._path(name).is_file()]

    def keep_index(self, name: str, data: bytes) -> None:
        """Keep a copy of an index; raise `CorruptRemote` when it is not the one of that name."""
        if blake3(data).hexdigest() != name:
            raise CorruptRemote(f"index '{name}' is not what its name says")
        self._path(name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), data, durable=False)
        self._forget_old()

    def find_index(self, name: str) -> bytes | None:
        """Return the copy of an index, or None when there is none that is sound."""
        path = self._path(name)
        data = path.read_bytes() if path.is_file() else b""
        return data if blake3(data).hexdigest() == name else None

    def index_bytes(self, name: str) -> int | None:
        """Return how long an index is of which a copy is here, or None."""
        path = self._path(name)
        return path.stat().st_size if path.is_file() else None

    def opened(self) -> dict[str, MultiIndex]:
        """Return the indexes that are here, by name, as of the last `refresh`."""
        if self._indexes is None:
            self.refresh()
        assert self._indexes is not None
        return self._indexes

    def refresh(self) -> None:
        """Read what other processes of this machine may have learned meanwhile."""
        self._number = self.number
        before, found = self._indexes or {}, {}
        for name, packs in self.indexes().items():
            index = before.get(name) or open_multi_index(str(self._path(name)))
            # whoever can write there can send an index of packs that no transaction tells of
            if index is not None and packs.keys() >= set(index.packs):
                found[name] = index
        self._indexes, self._large = found, dict(self.large())

    def catch_up(self) -> bool:
        """Return whether somebody else has looked at the remote since the last `refresh`, which is done then."""
        if self.number == self._number:
            return False
        self.refresh()
        return True

    def make_scratch(self) -> Path:
        """Return a new folder for files on their way; what dead processes have left of theirs goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for entry in os.scandir(self.folder):
            with suppress(FileNotFoundError):
                if (
                    entry.name.startswith(TEMPORARY_PREFIX)
                    and time.time() - entry.stat().st_mtime > _OLD_SECONDS
                ):
                    shutil.rmtree(entry.path, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self.folder, prefix=TEMPORARY_PREFIX))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Have a folder for files on their way while the block runs."""
        folder = self.make_scratch()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Close what is open."""
        self.refs.close()
        self._indexes = self._large = None

    def _forget(self, transaction: LocalTransaction, change: Change) -> None:
        """Forget what a change does not name, which tells of all there is."""
        for name in [name for name, _ in self.refs.names() if name not in change.refs]:
            transaction.delete(name)
        for table in (_PACKS, _LARGE, _DROPPED, _DELETING):
            transaction.remove(table.name, {})

    def _apply_objects(self, transaction: LocalTransaction, change: Change) -> None:
        for name, packs in change.indexes.items():
            transaction.remove("packs", {"idx": name})
            for pack, length in (packs or {}).items():
                transaction.insert("packs", {"idx": name, "pack": pack, "bytes": length})
        for oid, large in change.objects.items():
            transaction.remove("large", {"id": oid})
            if large is not None:
                raw, stored, file = large
                transaction.insert("large", {"id": oid, "raw": raw, "stored": stored, "file": file})
        for table, files in ((_DROPPED, change.dropped), (_DELETING, change.deleting)):
            for key, since in files.items():
                transaction.remove(table.name, {"file": key})
                if since is not None:
                    transaction.insert(table.name, {"file": key, "since": since})

    def _transaction(self) -> AbstractContextManager[LocalTransaction]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.refs.transaction("seen")

    def _path(self, name: str) -> Path:
        return self.folder / "idx" / name

    def _forget_old(self) -> None:
        """Remove copies of indexes that nobody needs any more; young ones another process may just have brought."""
        with suppress(OSError):
            known = self.indexes()
            for entry in os.scandir(self.folder / "idx"):
                if entry.name not in known and time.time() - entry.stat().st_mtime > _OLD_SECONDS:
                    Path(entry.path).unlink(missing_ok=True)


def _to_large(row: Mapping[str, object]) -> LargeObject:
    return LargeObject(cast("int", row["raw"]), cast("int", row["stored"]), cast("int", row["file"]))
