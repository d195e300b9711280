"""The audit hook: what a job opens and lists outside its directory, its inputs and the installation.

It sees what Python opens (`open`, `os.open`, `pathlib`, numpy), not what a C library or a subprocess opens.
"""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any, Final

from cas.formats.canonical import Json
from jobs.execution.events import FileRead
from jobs.method.closure import Closure
from jobs.method.definition import describe

# so opened, nothing that was in the file is read; "r+" and "a+" may read
_WRITING = os.O_WRONLY | os.O_TRUNC | os.O_EXCL
_LISTINGS: Final = frozenset({"os.listdir", "os.scandir"})


class ReadWatch:
    """Notes the files that this process opens for reading, with their stat at the first time.

    Parameters
    ----------
    own, noted, quiet
        What real paths begin with (see `prefixes`): of acc, the jobs and the installation, which are never noted;
        of the project, which are noted otherwise; and of the rest of the system, which are not.
    declared
        Real paths of files that count in the key already.
    listed
        What paths of folders begin with that are noted when their names are asked for.
    """

    def __init__(
        self,
        own: tuple[str, ...],
        noted: tuple[str, ...],
        quiet: tuple[str, ...],
        declared: frozenset[str],
        listed: tuple[str, ...] = (),
    ) -> None:
        self._own = own
        self._noted = noted
        self._quiet = quiet
        self._declared = declared
        self._listed = listed
        self._seen: dict[str, FileRead] = {}

    def reads(self) -> list[FileRead]:
        """Return the files read so far, in the order of their first opening."""
        return list(self._seen.values())

    def add(self, reads: Sequence[FileRead]) -> None:
        """Add what another process of the job has read."""
        for read in reads:
            self._seen.setdefault(read.path, read)

    def opened(self, path: Any, flags: int) -> None:
        """Take note that `path` is about to be opened."""
        if flags & _WRITING or not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.path.abspath(_source_of(os.fsdecode(path)))
        if name in self._seen:
            return
        real = os.path.realpath(name)
        # a link counts as itself: where it leads may change as well as what is there
        noted = real if self._is_quiet(name) else name
        if noted in self._seen or real in self._declared or (self._is_quiet(real) and noted == real):
            return
        stat = stat_of(noted)
        if stat is None or os.path.isfile(noted):
            self._seen[noted] = FileRead(noted, stat)

    def listed(self, path: Any) -> None:
        """Take note that the names in the folder `path` are asked for."""
        if isinstance(path, str | bytes | os.PathLike):
            name = os.path.abspath(os.fsdecode(path))
            inside = os.path.join(name, "")
            if (
                name not in self._seen
                and inside.startswith(self._listed)
                and not inside.startswith(self._own)
            ):
                self._seen[name] = FileRead(name, stat_of(name))

    def _is_quiet(self, name: str) -> bool:
        if name.startswith(self._own):
            return True
        return name.startswith(self._quiet) and not name.startswith(self._noted)


def prefixes(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what the paths of all files under `folders` begin with, as they are written and real."""
    return tuple(
        os.path.join(path, "")
        for folder in folders
        for path in dict.fromkeys((os.path.realpath(folder), os.path.abspath(folder)))
    )


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


_watch: dict[str, ReadWatch | None] = {"active": None}
_hooked: set[int] = set()
_looking = threading.local()


def watch(active: ReadWatch | None) -> ReadWatch | None:
    """Make `active` the watch of this process and return the one before.

    An audit hook stays for good, so there is one for all watches.
    """
    before, _watch["active"] = _watch["active"], active
    if active is not None and not _hooked:
        _hooked.add(os.getpid())
        sys.addaudithook(_hook)
    return before


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    active = _watch["active"]
    if active is None or (event != "open" and event not in _LISTINGS) or getattr(_looking, "now", False):
        return
    # looking at a file must not be seen as opening it; other threads are seen all the while
    _looking.now = True
    try:
        # where there is no current folder any more, or no such path can be, Python will say so itself
        with suppress(OSError, ValueError):
            if event == "open":
                active.opened(arguments[0], arguments[2])
            else:
                active.listed(arguments[0])
    finally:
        _looking.now = False


def describe_watched(closure: Closure, packages: Mapping[str, Path]) -> dict[str, Json]:
    """Return the declarations of a method as JSON; files of the project that it read for them leave them unsettled."""
    installed = [Path(sys.prefix), Path(sys.base_prefix)]
    projects = [folder.parents[name.count(".")] for name, folder in packages.items()]
    reads = ReadWatch(prefixes(installed), prefixes(projects), (os.sep,), frozenset())
    before = watch(reads)
    try:
        body = describe(closure, packages)
    finally:
        watch(before)
    return {**body, "settled": body["settled"] is True and not reads.reads()}
