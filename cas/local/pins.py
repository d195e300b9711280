"""Pins: what a living writer relies on, so that gc keeps it though no ref reaches it yet.

A writer appends an id to its pins *before* it looks whether the object is there. Whoever removes objects moves them
away *before* it reads the pins again. So either the writer misses the object and stores it anew, or the pin is seen
and the object comes back. A lock tells living writers from dead ones; what a dead one had pinned is nobody's.

Notes
-----
Source: docs/reference/formats/store.md.
"""

import atexit
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Protocol

from cas.files import (
    TEMPORARY_PREFIX,
    hold_lock,
    is_locked,
    kind_of,
    read_file,
    write_all,
    write_atomically,
    writing_in,
)
from cas.oid import ObjectId, is_oid

_ALIVE: Final = "alive"
_IDS: Final = "ids"
_WRITER: Final = re.compile(r"(?!\.tmp-).*-[0-9]+-[0-9]+", re.DOTALL)
# the lock of a writer on another host may not be seen here: it counts as dead when its pins stood still so long
_FOREIGN_SECONDS: Final = 86400.0
# from making its folder to having its lock a writer takes microseconds
_DRAFT_SECONDS: Final = 3600.0


# those that have a folder. Whoever was told an id may rely on it when the store that put it is forgotten
_ALL: "Final[set[Pins]]" = set()


class Pinner(Protocol):
    """What notes the ids that a writer relies on."""

    def add(self, digests: Iterable[bytes]) -> None:
        """Pin objects; to be called before it is asked whether they are there."""


class Pins:
    """The pins of this process and the children that it forks: a folder of its own, made at the first pin.

    Parameters
    ----------
    folder
        The folder `pins/` of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: Path | None = None
        self._owner = 0
        self._alive = -1
        self._ids = -1

    def join(self, ids: Path) -> None:
        """Add to the list `ids` of another process, which outlives this one: pins of a job are its builder's."""
        if self._own != ids.parent:
            self._ids = os.open(ids, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            self._own, self._owner = ids.parent, 0

    @property
    def ids(self) -> Path:
        """The list of this writer, made if need be, in a folder by whose name it is known."""
        if self._own is None:
            self._begin()
        assert self._own is not None
        return self._own / _IDS

    @property
    def has_begun(self) -> bool:
        """Whether this writer has pinned anything."""
        return self._own is not None

    @property
    def name(self) -> str:
        """What this writer is known by."""
        return self.ids.parent.name

    def add(self, digests: Iterable[bytes]) -> None:
        """Pin objects; to be called before it is asked whether they are there."""
        if self._own is None:
            self._begin()
        _append(self._ids, digests)

    def release(self) -> None:
        """Rely on nothing any more: what is to stay is reached by refs. Does nothing in a forked child."""
        if self._own is not None and self._owner == os.getpid():
            _remove(self._own)
            os.close(self._ids)
            os.close(self._alive)
            self._own = None
            _ALL.discard(self)

    def _begin(self) -> None:
        # the time: process ids come again
        own = self._folder / f"{_host()}-{os.getpid()}-{time.time_ns()}"
        draft = self._folder / (TEMPORARY_PREFIX + own.name)
        with writing_in(self._folder.parent):
            draft.mkdir(parents=True)
        with ExitStack() as undo:
            undo.callback(_remove, draft)
            alive = hold_lock(draft / _ALIVE)
            undo.callback(os.close, alive)
            ids = os.open(draft / _IDS, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            undo.callback(os.close, ids)
            # it has its name only once it is locked, or somebody could take it for a dead one's
            draft.rename(own)
            undo.pop_all()
        self._alive, self._ids = alive, ids
        self._own, self._owner = own, os.getpid()
        _ALL.add(self)


@atexit.register
def release_all() -> None:
    """Release the pins of this process, as its end does."""
    for pins in list(_ALL):
        pins.release()


class NoPins:
    """The pins of whoever only reads."""

    def add(self, digests: Iterable[bytes]) -> None:
        """Do nothing."""


def _append(descriptor: int, digests: Iterable[bytes]) -> None:
    lines = "\n".join([digest.hex() for digest in digests])
    data = f"\n{lines}\n".encode()
    # one write, so that those of several processes never mix: what a nearly full disk took only part of is written
    # again, and the first line ends what was torn
    if lines and os.write(descriptor, data) < len(data):
        write_all(descriptor, data)


def _host() -> str:
    return os.uname().nodename


def _remove(folder: Path) -> None:
    import shutil  # a third of what this room takes to load, and a reader pins nothing

    shutil.rmtree(folder, ignore_errors=True)


def _read(ids: Path) -> Iterator[ObjectId]:
    lines = read_file(ids).decode("ascii", "replace").split("\n")
    yield from (ObjectId(line) for line in lines if is_oid(line))


def _is_writer(path: Path) -> bool:
    return _WRITER.fullmatch(path.name) is not None and kind_of(path) == "folder"


def _is_old(draft: Path) -> bool:
    """Return whether a folder that is not locked yet must be that of a dead writer."""
    with suppress(FileNotFoundError):
        return time.time() - draft.stat().st_mtime > _DRAFT_SECONDS
    return False


class AllPins:
    """The pins of all writers, as gc sees them.

    Parameters
    ----------
    folder
        The folder `pins/`.
    notes
        A file that may be lost: since when the pins of other hosts have stood still.
    """

    def __init__(self, folder: Path, notes: Path) -> None:
        self._folder = folder
        self._notes = notes

    def living(self) -> Iterator[ObjectId]:
        """Yield what living writers have pinned; some ids several times, some that are not there (yet).

        Raises `UnreadableFile` when the pins of one cannot be told.
        """
        for path in self._writers():
            if not self._is_dead(path):
                with suppress(FileNotFoundError):  # its writer has just released it
                    yield from _read(path / _IDS)

    def writers(self) -> set[str]:
        """Return the names of living writers."""
        return {path.name for path in self._writers() if not self._is_dead(path)}

    def is_dead(self, name: str) -> bool:
        """Return whether the writer of that name does not live any more."""
        return self._is_dead(self._folder / name)

    def sweep(self) -> int:
        """Remove the pins of dead writers; return how many there were."""
        dead = [path for path in self._writers() if self._is_dead(path)]
        drafts = [
            path
            for path in self._folder.glob(TEMPORARY_PREFIX + "*")
            if kind_of(path) == "folder" and _is_old(path)
        ]
        for path in dead + drafts:
            _remove(path)
        return len(dead)

    def foreign(self) -> Iterator[Path]:
        """Yield what lies in the folder and was not made by a writer."""
        for path in sorted(self._folder.glob("*")):
            named = _WRITER.fullmatch(path.name.removeprefix(TEMPORARY_PREFIX)) is not None
            if not named or kind_of(path) in ("file", "other"):
                yield path

    def _writers(self) -> list[Path]:
        return sorted(filter(_is_writer, self._folder.glob("*")))

    def _is_dead(self, path: Path) -> bool:
        try:
            if is_locked(path / _ALIVE):
                return False
        except FileNotFoundError:
            return True  # its writer is taking it away, or died of that
        return path.name.rsplit("-", 2)[0] == _host() or self._stood_still(path)

    def _stood_still(self, path: Path) -> bool:
        """Return whether the pins of a writer on another host have not changed for a day, by our own clock."""
        import json  # for stores that hosts share

        try:
            notes = json.loads(self._notes.read_bytes())
        except (FileNotFoundError, ValueError):
            notes = {}
        try:
            size = (path / _IDS).lstat().st_size
        except FileNotFoundError:
            return True
        seen = notes.get(path.name)
        if not isinstance(seen, list) or seen[0] != size:
            notes = {name: note for name, note in notes.items() if (self._folder / name).exists()}
            notes[path.name] = [size, time.time()]
            self._notes.parent.mkdir(exist_ok=True)
            write_atomically(self._notes, json.dumps(notes).encode(), durable=False)
            return False
        return bool(time.time() - seen[1] > _FOREIGN_SECONDS)
