"""Boards that run, in processes of their own, and what asks them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import anyio

HTML, JSON = "text/html", "application/json"


class Answer(NamedTuple):
    """What a board answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def body_of(answer: Any) -> bytes:
    """Return all that a streamed answer sends; in a thread of its own, since where a browser is driven a loop runs."""

    async def collect() -> bytes:
        return b"".join([bytes(piece) async for piece in answer.body_iterator])

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, collect).result()


class RunningBoard:
    """`acc board` of a project, at a free port, from the beginning of a block to its end.

    Attributes
    ----------
    url : str
        Where it is, without a slash at the end; without the token, if there is one.
    complains : bool
        Whether it may say something is wrong, which else only a bug has it do; `complaint` has it at the end.
    """

    complains = False
    complaint = ""

    def __init__(self, root: Path, *options: str, listen: str = "localhost:0") -> None:
        self.root = root
        self._command = [sys.executable, "-m", "acc", "board", "--listen", listen, *options]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.printed = self.process.stdout.readline().strip()
        assert self.printed, self.process.communicate()[1]
        self.url = self.printed.split("/?", 1)[0].rstrip("/")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        _, self.complaint = self.process.communicate(timeout=20)
        # a page that failed by a bug of ours says so here
        assert self.complains or self.complaint == ""

    def ask(
        self, path: str, accept: str = HTML, *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return what the board answers; the path goes out as it is, which a browser would not do."""
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host="Host" in (headers or {}))
            for name, value in {"Accept": accept, **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer: HTTPResponse = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        """Return what a page says as JSON; it must be there."""
        answer = self.ask(path, JSON)
        assert answer.status == 200, answer.text
        return answer.json

    def html(self, path: str) -> str:
        """Return a page; it must be there."""
        answer = self.ask(path)
        assert answer.status == 200, answer.text
        return answer.text
