"""How far a long command is: one line on a terminal, replaced a few times a second; nothing elsewhere."""

import time
from types import TracebackType
from typing import Self

from porcelain import term

_BETWEEN_SECONDS = 0.1
_BAR_WIDTH = 24


class Ticker:
    """Shows how many of something are done; `with` a ticker its line goes away at the end.

    Parameters
    ----------
    doing
        What is done, as "checking".
    noun
        What is counted, in the singular.
    """

    def __init__(self, doing: str, noun: str) -> None:
        self._doing = doing
        self._noun = noun
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        term.tick("")

    def show(self, done: int, total: int = 0) -> None:
        """Show that `done` are done, of `total` if that is known."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _BETWEEN_SECONDS
            term.tick(f"{self._doing}  {_bar(done, total)}{term.count(done, self._noun)}{_of(total)}")


def _bar(done: int, total: int) -> str:
    if not total:
        return ""
    part = min(1.0, done / total)
    filled = round(part * _BAR_WIDTH)
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {part:4.0%}  "


def _of(total: int) -> str:
    return f" of {total:,}" if total else ""
