"""The user's part of a traceback: without the frames of acc that stand above and below it."""

import traceback
from pathlib import Path
from typing import Final

import cas
import jobs

_FLOORS: Final = tuple(str(Path(floor.__path__[0]).resolve()) for floor in (cas, jobs))
_ROOT: Final = str(Path(jobs.__path__[0]).resolve().parent)
_OURS: Final = (*_FLOORS, str(Path(_ROOT) / "porcelain"), str(Path(_ROOT) / "acc"))


def user_traceback(error: BaseException) -> str:
    """Return the traceback of `error` as Python prints it, but for the frames of acc."""
    report = traceback.TracebackException.from_exception(error, compact=True)
    _strip(report)
    return "".join(report.format())


def _strip(report: traceback.TracebackException) -> None:
    theirs = [frame for frame in report.stack if not _is_ours(frame.filename)]
    if theirs:
        report.stack = traceback.StackSummary.from_list(theirs)
    for other in (report.__cause__, report.__context__):
        if other is not None:
            _strip(other)


def _is_ours(filename: str) -> bool:
    return filename.startswith((*(f"{folder}/" for folder in _OURS), "<frozen"))


def is_ours(error: BaseException) -> bool:
    """Return whether `error` was raised by a line of acc's: then it is a bug of acc, unless it is an `AccError`."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and _is_ours(frames[-1].filename)


def one_line(error: BaseException) -> str:
    """Return the type and message of `error` as its traceback ends.

    >>> one_line(ValueError("no such colour"))
    'ValueError: no such colour'
    """
    return traceback.format_exception_only(error)[-1].strip()
