"""`main`: a plumbing command at once, any other through the app; errors to exit codes."""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from cas.errors import AccError
from porcelain import term

PLUMBING = (
    "action-key",
    "cat-dataset",
    "cat-file",
    "cat-job",
    "count-objects",
    "fsck",
    "gc",
    "hash-object",
    "ls-objects",
    "ls-remote",
    "repack",
    "rev-parse",
    "show-ref",
    "update-ref",
    "verify-pack",
)

DONE, FAILED, USAGE, BUG = 0, 1, 2, 70
_BY_SIGNAL = 128  # and its number, as shells have it
_CTRL_C = 2  # SIGINT, for which no module need be loaded

# what the machine lacks or forbids, as against files that we got wrong
_NOT_OUR_FAULT = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.EAGAIN,  # no more processes
    errno.ENOMEM,
}


# commands that run code of the user in this process, which may count on an orderly end
_RUNS_USER_CODE = {"build"}
_COLLECT_AFTER = 100_000


def run() -> NoReturn:
    """Run the command of this process, and end the process with its exit code."""
    arguments = sys.argv[1:]
    if _RUNS_USER_CODE.intersection(arguments[:1]):
        sys.exit(main(arguments))
    # a command that only looks is over before its garbage matters (5 of 87 ms), and to take all modules apart at
    # the end is work for nobody (13 of 87 ms)
    gc.set_threshold(_COLLECT_AFTER)
    code = main(arguments)
    _let_go()
    os._exit(code)


def _let_go() -> None:
    """Release what this process has pinned in a store, if it has opened one."""
    if pins := sys.modules.get("cas.local.pins"):
        pins.release_all()


def main(arguments: Sequence[str]) -> int:
    """Run one command of acc; return 0 when done, 1 for the user's problem, 2 for bad usage, 70 for a bug."""
    term.prepare()
    try:
        try:
            code = _dispatch(list(arguments))
        except SystemExit as stop:
            code = _code_of(stop)
        term.flush()
    except AccError as err:
        term.error(err)
        return FAILED
    except KeyboardInterrupt as err:
        with suppress(OSError):  # the terminal may be what is gone
            term.note("acc: interrupted")
        return _BY_SIGNAL + getattr(err, "number", _CTRL_C)
    except BrokenPipeError:
        term.abandon()
        return FAILED
    except Exception as err:  # noqa: BLE001 - the border: what gets here is a machine's limit or our bug
        return _explain(err)
    return code


def _code_of(stop: SystemExit) -> int:
    """Return the exit code that Python gives to `sys.exit(...)`, which a build script may call."""
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or DONE
    term.note(str(stop.code))
    return FAILED


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in PLUMBING:
        room = import_module("porcelain.plumbing." + arguments[0].replace("-", "_"))
        return int(room.main(arguments[1:]))
    from porcelain.app import run

    return run(arguments)


def _explain(err: Exception) -> int:
    if isinstance(err, OSError) and err.errno in _NOT_OUR_FAULT:
        where = f": '{err.filename}'" if err.filename else ""
        term.error(AccError(f"{(err.strerror or str(err)).lower()}{where}"))
        return FAILED
    term.bug(err)
    return BUG
