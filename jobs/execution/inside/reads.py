"""The audit hook: what a job opens and lists outside its directory, its inputs and the installation.

It sees what Python opens (`open`, `os.open`, `pathlib`, numpy, sqlite3), also in processes that the job forks; not
what a C library, another program or a spawned interpreter opens, nor a question whether a file is there.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from cas.formats.canonical import Json
from jobs.execution.events import FileRead
from jobs.execution.territory import Territory
from jobs.method.closure import Closure
from jobs.method.definition import describe

# so opened, nothing that was in the file is read; "r+" and "a+" may read
_WRITING: Final = os.O_WRONLY | os.O_TRUNC | os.O_EXCL
# so opened, all that will be in the file is the job's own
_MAKING: Final = os.O_TRUNC | os.O_EXCL
# the clock that files are stamped by may be a tick behind; ticks are 10 ms at most
_TICK_NS: Final = 20_000_000
# imports list folders to find modules, which are noted themselves
_IMPORTS: Final = "<frozen importlib"
_MODULES: Final = "jobs.method.modules"


class ReadWatch:
    """Notes the files that this process opens for reading, with their stat at the first time.

    Parameters
    ----------
    territory
        Whose files are noted.
    declared
        Paths of files that count in the key already, as they are written and real.
    log
        Where processes that this one forks leave word of what they read.
    """

    def __init__(
        self, territory: Territory, declared: frozenset[str] = frozenset(), log: Path | None = None
    ) -> None:
        self._territory = territory
        self._declared = declared
        self._log = log
        self._pid = os.getpid()
        self._begun = time.time_ns() - _TICK_NS
        self._seen: dict[str, FileRead] = {}
        self._made: set[str] = set()

    def reads(self) -> list[FileRead]:
        """Return the files read so far, in the order of their first opening."""
        return list(self._seen.values())

    def add(self, reads: Sequence[FileRead]) -> None:
        """Add what another process of the job has read."""
        for read in reads:
            self._seen.setdefault(read.path, read)

    def forget(self, path: Path) -> None:
        """Drop a file that counts otherwise."""
        self._seen.pop(os.path.abspath(path), None)

    def settle_in(self) -> None:
        """Take this process, which the one before has forked, for one that hands in its reads itself."""
        self._pid = os.getpid()

    def collect(self) -> None:
        """Add what processes have read that the method forked itself."""
        if self._log is None or not self._log.exists():
            return
        for line in self._log.read_text(encoding="utf-8").splitlines():
            path, stat = json.loads(line)
            self.add([FileRead(path, None if stat is None else (stat[0], stat[1], stat[2]))])
        self._log.unlink()

    # -- what happens ------------------------------------------------------------------------------------------

    def opened(self, path: Any, flags: int) -> None:
        """Take note that `path` is about to be opened."""
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.path.abspath(_source_of(os.fsdecode(path)))
        if flags & _MAKING and _can_make(name, flags):
            self._made.add(name)
        if flags & _WRITING or name in self._seen or name in self._declared or name in self._made:
            return
        real = os.path.realpath(name)
        # a link counts as itself: where it leads may change as well as what is there
        noted = real if self._territory.is_quiet(name) else name
        if noted in self._seen or noted in self._declared or self._territory.is_quiet(noted):
            return
        stat = stat_of(noted)
        if (stat is None or os.path.isfile(noted)) and not self._has_come_since(noted):
            self._note(FileRead(noted, stat))

    def listed(self, path: Any) -> None:
        """Take note that the names in the folder `path` are asked for."""
        if isinstance(path, int):
            path = Path(
                f"/proc/self/fd/{path}"
            ).readlink()  # where there is no such thing, that is an OSError
        name = os.path.abspath(os.fsdecode(path or "."))
        inside = os.path.join(name, "")
        if name not in self._seen and not self._territory.is_quiet(inside) and not self._has_come_since(name):
            self._note(FileRead(name, stat_of(name)))

    def connected(self, database: Any) -> None:
        """Take note that a database of SQLite is opened, with what is not yet written into its file."""
        path = os.fsdecode(database)
        if path.startswith("file:"):
            path = unquote(urlsplit(path).path)
        if os.path.isfile(path):
            self.opened(path, 0)
            self.opened(f"{path}-wal", 0)

    def distrusts(self, path: Any) -> bool:
        """Return whether `path` is what Python compiled of a file that is noted: it may be older than the file."""
        if not (isinstance(path, str) and path.endswith(".pyc")):
            return False
        return not self._territory.is_quiet(os.path.abspath(path))

    def _has_come_since(self, name: str) -> bool:
        if not self._territory.is_passing(name):
            return False
        try:
            return os.stat(name).st_ctime_ns >= self._begun
        except OSError:
            return True  # nothing was there

    def _note(self, read: FileRead) -> None:
        self._seen[read.path] = read
        if self._log is not None and os.getpid() != self._pid:
            line = json.dumps([read.path, read.stat]) + "\n"
            descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line.encode())  # in one piece: others write there too
            finally:
                os.close(descriptor)


def _can_make(name: str, flags: int) -> bool:
    """Return whether opening a file to write it anew will do: who cannot may read what is there."""
    if not os.path.lexists(name):
        return True
    return not flags & os.O_EXCL and os.access(name, os.W_OK)


def _source_of(path: str) -> str:
    """Return the file that Python compiled into `path`, which it reads in place of it while it is unchanged."""
    if path.endswith(".pyc"):
        try:
            return source_from_cache(path)
        except ValueError:
            pass
    return path


def stat_of(path: str) -> tuple[int, int, int] | None:
    """Return inode, size and time of change (ns) of a file, or None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


# -- the hook --------------------------------------------------------------------------------------------------

_watch: dict[str, ReadWatch | None] = {"active": None}
_hooked: set[int] = set()
_looking = threading.local()
# which threads read a remote, and what those are called that do it for them
_away: set[int] = set()
_REMOTE_THREADS: Final = ("acc-remote", "fsspecIO")


def watch(active: ReadWatch | None) -> ReadWatch | None:
    """Make `active` the watch of this process and return the one before.

    An audit hook stays for good, so there is one for all watches.
    """
    before, _watch["active"] = _watch["active"], active
    if active is not None and not _hooked:
        _hooked.add(os.getpid())
        sys.addaudithook(_hook)
    return before


@contextmanager
def unwatched() -> Iterator[None]:
    """Look away inside the block from what acc reads for the job: from a remote, which the bytes cannot depend on.

    What other threads of the job open meanwhile is seen, but for those that read the remote.
    """
    if getattr(_looking, "now", False):
        yield
        return
    me = threading.get_ident()
    _looking.now = True
    _away.add(me)
    try:
        yield
    finally:
        _away.discard(me)
        _looking.now = False


def _is_away() -> bool:
    """Return whether this thread reads a remote."""
    return bool(_away) and threading.current_thread().name.startswith(_REMOTE_THREADS)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    active = _watch["active"]
    if active is None or event not in _EVENTS or getattr(_looking, "now", False) or _is_away():
        return
    # looking at a file must not be seen as opening it; other threads are seen all the while
    _looking.now = True
    try:
        # where there is no current folder any more, or no such path can be, Python will say so itself
        with suppress(OSError, ValueError, TypeError):
            _EVENTS[event](active, arguments)
        if event == "open" and active.distrusts(arguments[0]) and _is_import():
            raise FileNotFoundError("what Python compiled is not trusted")  # then it reads the source
    finally:
        _looking.now = False


def _is_import() -> bool:
    """Return whether it is Python that looks for a module, or acc."""
    frame = sys._getframe(2)  # noqa: SLF001 - there is no other way to see who opens a file
    while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename.startswith(_IMPORTS) or frame.f_globals.get("__name__") == _MODULES


def _opened(active: ReadWatch, arguments: tuple[Any, ...]) -> None:
    active.opened(arguments[0], arguments[2])


def _listed(active: ReadWatch, arguments: tuple[Any, ...]) -> None:
    if not _is_import():
        active.listed(arguments[0])


def _taken(active: ReadWatch, arguments: tuple[Any, ...]) -> None:
    """Take note of a file that gets another name, under which nobody need open it."""
    active.opened(arguments[0], 0)


def _loaded(active: ReadWatch, arguments: tuple[Any, ...]) -> None:
    # without a folder it is a library of the system
    if isinstance(arguments[0], str) and os.sep in arguments[0]:
        active.opened(arguments[0], 0)


def _connected(active: ReadWatch, arguments: tuple[Any, ...]) -> None:
    active.connected(arguments[0])


_EVENTS: Final[Mapping[str, Callable[[ReadWatch, tuple[Any, ...]], None]]] = {
    "open": _opened,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "os.link": _taken,
    "os.rename": _taken,
    "ctypes.dlopen": _loaded,
    "sqlite3.connect": _connected,
}


def describe_watched(closure: Closure, packages: Mapping[str, Path], territory: Territory) -> dict[str, Json]:
    """Return the declarations of a method as JSON; undeclared files that it read for them leave them unsettled."""
    reads = ReadWatch(territory)
    before = watch(reads)
    try:
        body = describe(closure, packages)
    finally:
        watch(before)
    return {**body, "settled": body["settled"] is True and not reads.reads()}
