"""A command that answers each line before it is sent the next."""

import selectors
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.porcelain.test_cli import BUFFERED, RUN

# a command that keeps its answer back fails the test instead of hanging it
_PATIENCE_SECONDS = 30


class Conversation:
    def __init__(self, folder: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*RUN, *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=BUFFERED,
        )
        self._answers = selectors.DefaultSelector()
        self._answers.register(self._process.stdout, selectors.EVENT_READ)

    def ask(self, line: bytes) -> bytes:
        """Send a line and return the first that comes back."""
        self._process.stdin.write(line + b"\n")
        assert self._answers.select(_PATIENCE_SECONDS), "no answer"
        return self._process.stdout.readline()

    def read(self, size: int) -> bytes:
        """Return so many bytes of the answer."""
        data = b""
        while len(data) < size and self._answers.select(_PATIENCE_SECONDS):
            piece = self._process.stdout.read(size - len(data))
            if not piece:
                break
            data += piece
        return data

    def end(self) -> int:
        """Send nothing more and return the exit code."""
        self._process.stdin.close()
        return self._process.wait(_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: object, where: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        with self._answers, self._process:
            pass
