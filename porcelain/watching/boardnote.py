"""The notes that boards leave in `.acc/boards` while they run: which process each is, and where to look at it."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.files import create_temporary, is_locked, write_all
from porcelain.config import Config
from porcelain.views.plain import View

FOLDER: Final = "boards"
# a url may have the token in it
_MODE: Final = 0o600


class BoardNote(NamedTuple):
    """A board that runs on this machine.

    Attributes
    ----------
    process : int
        Its id.
    url : str
        Where to look, with the token if it wants one.
    address : str
        Where it listens, as it was told.
    path : Path or None
        The file that says so.
    """

    process: int
    url: str
    address: str
    path: Path | None = None

    def to_view(self) -> View:
        """Return what JSON says of it."""
        return {"process": self.process, "url": self.url}

    def is_running(self) -> bool:
        """Return whether the board that left the note has not ended yet."""
        return self.path is not None and _is_held(self.path)


@contextmanager
def noted(config: Config, url: str, address: str) -> Iterator[None]:
    """Leave a note of the board that this process is while the block runs; those of dead boards are taken away."""
    folder = config.data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if not _is_held(path):
            path.unlink(missing_ok=True)
    # it has its name only once it is locked: what is not locked is a dead one's
    draft, descriptor = create_temporary(folder, _MODE)
    path = folder / f"{os.getpid()}-{time.time_ns()}.json"
    try:
        said = {"process": os.getpid(), "host": os.uname().nodename, "url": url, "address": address}
        write_all(descriptor, json.dumps(said).encode())
        draft.rename(path)
        yield
    finally:
        for each in (draft, path):
            each.unlink(missing_ok=True)
        os.close(descriptor)


def running_boards(config: Config) -> list[BoardNote]:
    """Return the boards of a project that run on this machine, the oldest first."""
    found = []
    for path in (config.data / FOLDER).glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # it has just ended
            said = json.loads(path.read_bytes())
            if _is_held(path) and said["host"] == os.uname().nodename:
                note = BoardNote(int(said["process"]), str(said["url"]), str(said["address"]), path)
                found.append((path.stat().st_mtime_ns, note))
    return [note for _, note in sorted(found)]


def _is_held(path: Path) -> bool:
    try:
        return is_locked(path)
    except (OSError, AccError):
        return False
