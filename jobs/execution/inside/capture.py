"""Standard output and error of a stage or slice: kept in a file of their own, and echoed from there."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from jobs.execution.scratch import Scratch


@contextmanager
def captured(path: Path) -> Iterator[None]:
    """Send all that this process and its children print inside the block into the file at `path`.

    A file, not a pipe: what was printed survives any death, and nobody has to read for the job to go on.
    """
    _flush()
    saved = os.dup(1), os.dup(2)
    # line by line: what was printed is to be seen at once, and to be there when the process is killed
    with open(path, "a", buffering=1, encoding="utf-8", errors="backslashreplace") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            # the objects too: a notebook or a test has put others in their place
            with redirect_stdout(stream), redirect_stderr(stream):
                yield
        finally:
            _give_back(saved)


@contextmanager
def shown(path: Path) -> Iterator[None]:
    """Keep what this process prints inside the block in the file at `path` too, and show it as ever.

    What its children print is only shown.
    """
    with (
        open(path, "a", buffering=1, encoding="utf-8", errors="backslashreplace") as kept,
        redirect_stdout(_Both(sys.stdout, kept)),
        redirect_stderr(_Both(sys.stderr, kept)),
    ):
        yield


class _Both:
    """A stream of text that is written to the terminal and to a file; all else is the terminal's.

    So a debugger finds the terminal that it edits lines at.
    """

    def __init__(self, terminal: TextIO, kept: TextIO) -> None:
        self._terminal = terminal
        self._kept = kept

    def write(self, text: str) -> int:
        self._kept.write(text)
        return self._terminal.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


def _give_back(saved: tuple[int, int]) -> None:
    for number, original in zip((1, 2), saved, strict=True):
        os.dup2(original, number)
        os.close(original)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


class Echo:
    """Follows the output files of a running job and hands on what is new, whole lines where it can.

    Parameters
    ----------
    scratch
        Where the job's output is.
    say
        Called with the name of the part ("prepare", "0", "synthesis" ...) and the new text.
    """

    def __init__(self, scratch: Scratch, say: Callable[[str, str], None]) -> None:
        self._scratch = scratch
        self._say = say
        self._positions: dict[str, int] = {}

    def follow(self, part: str) -> None:
        """Begin to follow one part."""
        self._positions.setdefault(part, 0)

    def poll(self) -> None:
        """Hand on the whole lines that have come since."""
        for part in self._positions:
            self._read(part, last=False)

    def finish(self, part: str) -> None:
        """Hand on the rest of a part, and follow it no longer."""
        if part in self._positions:
            self._read(part, last=True)
            del self._positions[part]

    def finish_all(self) -> None:
        """Hand on the rest of every part."""
        for part in list(self._positions):
            self.finish(part)

    def _read(self, part: str, *, last: bool) -> None:
        try:
            with open(self._scratch.output(part), "rb") as stream:
                stream.seek(self._positions[part])
                data = stream.read()
        except FileNotFoundError:
            return
        if not last:
            data = data[: data.rfind(b"\n") + 1]
        if data:
            self._positions[part] += len(data)
            self._say(part, data.decode("utf-8", "replace"))
