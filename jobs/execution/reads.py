"""The audit hook: which files a job opens outside its directory, its inputs and the installation.

It sees what Python opens (`open`, `os.open`, `pathlib`, numpy), not what a C library or a subprocess opens.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.execution.events import FileRead

_WRITING = os.O_WRONLY | os.O_RDWR


class ReadWatch:
    """Notes the files that this process opens for reading, with their stat at the first time.

    Parameters
    ----------
    own, noted, quiet
        What real paths begin with (see `prefixes`): of acc, the jobs and the installation, which are never noted;
        of the project, which are noted otherwise; and of the rest of the system, which are not.
    declared
        Real paths of files that count in the key already.
    """

    def __init__(
        self, own: tuple[str, ...], noted: tuple[str, ...], quiet: tuple[str, ...], declared: frozenset[str]
    ) -> None:
        self._own = own
        self._noted = noted
        self._quiet = quiet
        self._declared = declared
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
        name = os.path.realpath(os.fsdecode(path))
        if name in self._seen or name in self._declared or self._is_quiet(name):
            return
        stat = stat_of(name)
        if stat is None or os.path.isfile(name):
            self._seen[name] = FileRead(name, stat)

    def _is_quiet(self, name: str) -> bool:
        if name.startswith(self._own):
            return True
        return name.startswith(self._quiet) and not name.startswith(self._noted)


def prefixes(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what the real paths of all files under `folders` begin with."""
    return tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)


def stat_of(path: str) -> tuple[int, int, int] | None:
    """Return inode, size and time of change (ns) of a file, or None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


_watch: dict[str, ReadWatch | None] = {"active": None}
_hooked: set[int] = set()


def watch(active: ReadWatch | None) -> None:
    """Make `active` the watch of this process; an audit hook stays for good, so there is one for all watches."""
    _watch["active"] = active
    if active is not None and not _hooked:
        _hooked.add(os.getpid())
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    active = _watch["active"]
    if event != "open" or active is None:
        return
    _watch["active"] = None  # looking at a file must not be seen as opening it
    try:
        active.opened(arguments[0], arguments[2])
    finally:
        _watch["active"] = active
