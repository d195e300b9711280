"""Operations stopped at step k: killed, refused by the disk, or cut off from the power.

An operation runs in a forked child, where each call into the system that changes a file is a step. The child tells
its parent through a pipe what it has acknowledged, and how it ended. Nothing of our own code is replaced: what is
wrapped is `os`, and SQLite tells of its statements itself.

With the power goes what was not synced. The model is that of a journaling filesystem at its worst: bytes of a file
that were written and not synced are gone or zero, changes of names in a folder that was not synced since are undone,
from the last one back; a rename happens in both folders or in none.
"""

import errno
import json
import os
import random
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

# the names of steps are those of functions of `os`; "statement": one of SQLite's, which can be killed at but not fail
TAKES_ROOM = {"open", "write", "mkdir", "rename", "link"}
_KILLED = 77
_PLENTY = 10**9


class Fault(NamedTuple):
    """What happens at which step.

    "kill": the process ends before it, a write half done. "full": from this step on the disk takes nothing more.
    "broken": this step fails, and it alone. "power": the process ends before it, and what was not synced is lost:
    by `seed` 0 all of it, by 1 names stay and bytes turn to zero, by others some of it.
    """

    kind: str
    step: int = _PLENTY
    seed: int = 0


@dataclass
class Ended:
    """How an operation ended.

    `steps` are the names of those it began, unless it was killed; `error` is what it raised: (name of the type,
    errno, text).
    """

    acknowledged: list[Any]
    steps: Sequence[str] = ()
    killed: bool = False
    error: tuple[str, int | None, str] | None = None

    @property
    def done(self) -> bool:
        """Whether it came to its end."""
        return not self.killed and self.error is None


def run(
    operation: Callable[[Callable[[Any], None]], object], folder: Path, fault: Fault | None = None
) -> Ended:
    """Run `operation` in a child, which changes files in `folder` only, and stop it as `fault` says.

    `operation` is given a function to acknowledge with: what it has said is certain.
    """
    shutil.rmtree(_saved(folder), ignore_errors=True)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _Child(folder, fault or Fault("none"), writing).run(operation)
    os.close(writing)
    ended = Ended([])
    with open(reading, encoding="utf-8") as lines:
        for kind, value in map(json.loads, lines):
            if kind == "acknowledged":
                ended.acknowledged.append(value)
            else:
                ended.steps, ended.error = value
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    ended.killed = code == _KILLED
    assert code in (0, _KILLED), (code, ended)
    return ended


def _saved(folder: Path) -> str:
    """Return where files are kept that may have to come back."""
    return f"{folder}.saved"


class _Undo(NamedTuple):
    """How to undo a change of names that was not synced, and the folders (inodes) whose sync makes it last."""

    folders: set[int]
    undo: Callable[[], object]


class _Child:
    """The side of the child: counts steps, knows what is not synced, and ends."""

    def __init__(self, folder: Path, fault: Fault, pipe: int) -> None:
        self._folder = folder
        self._fault = fault
        self._pipe = pipe
        self._real = {name: getattr(os, name) for name in dir(os)}
        self._steps: list[str] = []
        # what of each file (inode) is not synced: its length when it last was
        self._loose_bytes: dict[int, int] = {}
        self._names: list[_Undo] = []
        self._saved = 0

    def run(self, operation: Callable[[Callable[[Any], None]], object]) -> None:
        """Run the operation and end the process."""
        error = None
        try:
            self._wrap()
            operation(lambda value: self._tell("acknowledged", value))
            if self._fault.kind == "power":
                self._stop()
        except Exception as err:  # noqa: BLE001 - the parent judges
            error = (type(err).__name__, getattr(err, "errno", None), str(err))
        self._tell("ended", (self._steps, error))
        self._real["_exit"](0)

    def _tell(self, kind: str, value: object) -> None:
        self._real["write"](self._pipe, (json.dumps([kind, value]) + "\n").encode())

    def _wrap(self) -> None:
        for name in ("open", "write", "fsync", "mkdir", "rmdir", "rename", "replace", "link", "unlink"):
            setattr(os, name, getattr(self, "_" + name))
        connect = sqlite3.connect

        def connect_counting(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = connect(*args, **kwargs)
            # it cannot be made to fail from here, but to end
            connection.set_trace_callback(lambda _: self._step("statement"))
            return connection

        sqlite3.connect = connect_counting  # type: ignore[assignment]

    # -- steps -------------------------------------------------------------------------------------------------

    def _step(self, name: str) -> None:
        fault, number = self._fault, len(self._steps)
        self._steps.append(name)
        if number == fault.step and fault.kind in ("kill", "power"):
            self._stop()
        if number >= fault.step and fault.kind == "full" and name in TAKES_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if number == fault.step and fault.kind == "broken" and name != "statement":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _stop(self) -> None:
        if self._fault.kind == "power":
            self._lose()
        self._real["_exit"](_KILLED)

    # -- what is wrapped ---------------------------------------------------------------------------------------

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if not flags & os.O_CREAT or dir_fd is not None:
            return self._real["open"](path, flags, mode, dir_fd=dir_fd)
        self._step("open")
        new = not os.path.lexists(path)
        descriptor = self._real["open"](path, flags, mode)
        if new:
            self._loose_bytes[os.fstat(descriptor).st_ino] = 0
            self._note(lambda: self._real["unlink"](path), path)
        return descriptor

    def _write(self, descriptor: int, data: Any) -> int:
        status = os.fstat(descriptor)
        if self._fault.kind == "kill" and len(self._steps) == self._fault.step:
            self._real["write"](descriptor, bytes(data)[: len(data) // 2])
        self._step("write")
        self._loose_bytes.setdefault(status.st_ino, status.st_size)
        return self._real["write"](descriptor, data)

    def _fsync(self, descriptor: int) -> None:
        # the disk is not asked: that is the slow part, and what it has is modelled here
        self._step("fsync")
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self._names = [change for change in self._names if status.st_ino not in change.folders]
        else:
            self._loose_bytes.pop(status.st_ino, None)

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._step("mkdir")
        self._real["mkdir"](path, mode, dir_fd=dir_fd)
        self._note(lambda: self._remove_tree(path), path)

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._step("rmdir")
        self._real["rmdir"](path, dir_fd=dir_fd)
        if dir_fd is None:
            self._note(lambda: self._real["mkdir"](path), path)

    def _rename(self, source: Any, target: Any, **folders: int | None) -> None:
        self._step("rename")
        replaced = self._save(target)
        self._real["rename"](source, target, **folders)

        def undo() -> None:
            self._real["rename"](target, source)
            if replaced:
                self._real["link"](replaced, target)

        self._note(undo, source, target)

    _replace = _rename

    def _link(self, source: Any, target: Any, **options: Any) -> None:
        self._step("link")
        self._real["link"](source, target, **options)
        self._note(lambda: self._real["unlink"](target), target)

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._step("unlink")
        saved = None if dir_fd is not None else self._save(path)
        self._real["unlink"](path, dir_fd=dir_fd)
        if saved:
            self._note(lambda: self._real["link"](saved, path), path)

    # -- the power goes ----------------------------------------------------------------------------------------

    def _note(self, undo: Callable[[], object], *paths: Any) -> None:
        folders = {os.stat(os.path.dirname(os.fspath(path)) or ".").st_ino for path in paths}
        self._names.append(_Undo(folders, undo))

    def _save(self, path: Any) -> str | None:
        """Give a file that is about to go a second name out of sight; return that."""
        if self._fault.kind != "power" or not os.path.isfile(path):
            return None
        folder = _saved(self._folder)
        with suppress(FileExistsError):
            self._real["mkdir"](folder)
        self._saved += 1
        saved = f"{folder}/{self._saved}"
        self._real["link"](path, saved)
        return saved

    def _lose(self) -> None:
        rng = random.Random(self._fault.seed)
        kept = {0: 0, 1: len(self._names)}.get(self._fault.seed, rng.randint(0, len(self._names)))
        for change in reversed(self._names[kept:]):
            try:
                change.undo()
            except FileNotFoundError:  # a later change that lasts has taken it away
                continue
        for path in [*self._folder.rglob("*")]:
            with suppress(FileNotFoundError):  # SQLite takes its files away by itself
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_ino in self._loose_bytes:
                    self._lose_bytes(path, status.st_size, rng)

    def _lose_bytes(self, path: Path, size: int, rng: random.Random) -> None:
        synced = self._loose_bytes[path.stat().st_ino]
        path.chmod(0o644)
        how = {0: "short", 1: "zero"}.get(self._fault.seed, rng.choice(["short", "zero", "part"]))
        os.truncate(path, synced if how != "part" else rng.randint(min(synced, size), size))
        if how == "zero":
            os.truncate(path, size)

    def _remove_tree(self, path: Any) -> None:
        for inner in sorted(Path(path).rglob("*"), reverse=True):
            self._real["rmdir" if inner.is_dir() else "unlink"](inner)
        self._real["rmdir"](path)


# ---- what is left


def temporaries(folder: Path) -> list[Path]:
    """Return all temporary files and folders under `folder`."""
    return sorted(path for path in folder.rglob(".tmp-*"))


def age(folder: Path) -> None:
    """Make temporary files look as if they had been left long ago."""
    long_ago = time.time() - 1e6
    for path in temporaries(folder):
        os.utime(path, (long_ago, long_ago))
