"""A person at a terminal: a program under a pseudo-terminal, what it shows, and what is typed there."""

import fcntl
import os
import pty
import selectors
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

COLUMNS, LINES = 80, 24


class Terminal:
    """Runs a program at a terminal of 80 columns; at the end of the block it is killed if it still runs."""

    def __init__(self, command: Sequence[str], folder: Path, **environment: str) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", **environment},
        )
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._own)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._own, text.encode() + b"\n")

    def await_text(self, text: str, seconds: float = 30) -> str:
        """Return what is shown up to `text`, once that is, and begin to look behind it."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"no {text!r} in {self.shown!r}"
            assert self._read(), f"no {text!r} in {self.shown!r}"
        before, _, self.shown = self.shown.partition(text)
        return before

    def end(self, seconds: float = 30) -> int:
        """Wait for the end of the program, and return its exit code."""
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, f"no end after {self.shown!r}"
        return self.process.wait()

    def _read(self) -> bool:
        with selectors.PollSelector() as selector:  # which takes descriptors from 1024 on, unlike select
            selector.register(self._own, selectors.EVENT_READ)
            if not selector.select(0.1):
                return True
        try:
            data = os.read(self._own, 65536)
        except OSError:  # what Linux says when nobody has the other end any more
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)
