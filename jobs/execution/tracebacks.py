"""The user's part of a traceback: without the frames of acc that stand above and below it."""

import importlib
import traceback
from pathlib import Path
from typing import Final

import jobs
from cas.errors import AccError

_ROOT: Final = Path(jobs.__path__[0]).resolve().parent
_OURS: Final = tuple(f"{_ROOT / floor}/" for floor in ("acc", "porcelain", "jobs", "cas"))
# between a line that imports and the module that it imports
_MACHINERY: Final = (f"{Path(importlib.__file__).parent}/", "<frozen ")


def user_traceback(error: BaseException) -> str:
    """Return the traceback of `error` as Python prints it, but for the frames of acc.

    An error of acc's own that no line of the user's led to has none: its message says it all.
    """
    report = traceback.TracebackException.from_exception(error, compact=True)
    if not _strip(report) and isinstance(error, AccError):
        return ""
    return _storable("".join(report.format()))


def _strip(report: traceback.TracebackException) -> bool:
    """Leave out the frames of acc, unless there would be none left; return whether there are others."""
    theirs = [frame for frame in report.stack if not frame.filename.startswith((*_OURS, *_MACHINERY))]
    if theirs:
        report.stack = traceback.StackSummary.from_list(theirs)
    for other in (report.__cause__, report.__context__):
        if other is not None:
            _strip(other)
    return bool(theirs)


def is_ours(error: BaseException) -> bool:
    """Return whether `error` was raised by a line of acc's: then it is a bug of acc, unless it is an `AccError`."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_MACHINERY)
    ]
    return bool(frames) and frames[-1].filename.startswith(_OURS)


def one_line(error: BaseException) -> str:
    """Return the type and message of `error` as its traceback ends.

    >>> one_line(ValueError("no such colour"))
    'ValueError: no such colour'
    """
    report = traceback.TracebackException(type(error), error, None, compact=True)
    report.__notes__ = None  # they would stand behind the message
    return _storable(list(report.format_exception_only())[-1].strip())


def _storable(text: str) -> str:
    """Return `text` with escapes for what is no Unicode and so cannot be stored: halves of surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
