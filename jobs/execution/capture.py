"""Standard output and error of a stage or slice: kept in a file of their own, and echoed from there."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

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
