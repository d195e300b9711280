"""A board in the background: started by a build, ended by `acc board --stop`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from cas.errors import AccError
from cas.files import hold_lock, is_locked, lock_file
from porcelain.board.listening import CannotListen, listening
from porcelain.config import Config
from porcelain.settings.board import Address, BoardSettings
from porcelain.watching.boardnote import BoardNote, running_boards

LOG: Final = "board.log"
NEEDED: Final = ("jinja2", "starlette", "uvicorn")
_LOCK: Final = "board"
_STARTING: Final = "board-starts"
_ENDS_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02


class BoardStays(AccError):
    """A board that does not end."""


def start_unless_there(config: Config, is_news: Callable[[str], bool]) -> tuple[str, bool] | None:
    """Start the board of a project in the background, unless it runs or cannot.

    Returns what the user is to be told, and whether that is a warning; None: nothing.

    Parameters
    ----------
    is_news
        Whether the user has not been told a text yet.
    """
    if running_boards(config):
        return None
    locks = config.data / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with lock_file(locks / _STARTING):
        lock = hold_lock(locks / _LOCK) if not _is_held(config) else None
        if lock is None:
            return None  # another build has started it just now
        try:
            address = (config.board or BoardSettings()).listen
            trouble = _trouble(address)
            if trouble:
                return (trouble, True) if is_news(trouble) else None
            _start(config, lock)
        finally:
            os.close(lock)
    where = "'acc status' tells where" if not address.port or _wants_token(address) else f"http://{address}/"
    return f"board: {where}  (its output: {config.data.name}/{LOG}; 'acc board --stop' ends it)", False


def _is_held(config: Config) -> bool:
    path = config.data / "locks" / _LOCK
    return path.exists() and is_locked(path)


def _trouble(address: Address) -> str:
    """Return why a board cannot start, or ""."""
    missing = next((name for name in NEEDED if find_spec(name) is None), None)
    if missing:
        return f"no board was started: it needs '{missing}'; pip install 'acc[board]'"
    try:
        with listening(address):
            return ""
    except CannotListen as err:
        if err.taken:
            return (
                f"no board was started: another program, or another project's board, listens at '{address}'; "
                f"'listen' of [board] in acc.toml gives this project an address of its own"
            )
        return f"no board was started: {err}"


def _wants_token(address: Address) -> bool:
    return address.host not in ("localhost", "127.0.0.1", "::1")


def _start(config: Config, lock: int) -> None:
    """Start a process that outlives this one, and holds the lock as long as it runs."""
    # what it prints may have its token in it
    descriptor = os.open(config.data / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "acc", "board"],
            cwd=config.root,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            pass_fds=(lock,),
        )
    finally:
        os.close(descriptor)


def stop(note: BoardNote) -> None:
    """Ask a board to end, and wait until it has."""
    try:
        os.kill(note.process, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError as err:
        raise BoardStays(f"process {note.process} is another user's") from err
    deadline = time.monotonic() + _ENDS_SECONDS
    while note.is_running():
        if time.monotonic() > deadline:
            raise BoardStays(
                f"the board does not end: process {note.process}", hint=f"'kill -9 {note.process}' ends it"
            )
        time.sleep(_LOOK_SECONDS)
