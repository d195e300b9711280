"""A proxy between a client and an S3 server that spoils what passes, and counts it."""

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from tests.servers.messages import PIECE_BYTES, Cut, Head, body_of, read_head

REFUSALS = {
    "429": ("Too Many Requests", "TooManyRequests"),
    "500": ("Internal Server Error", "InternalError"),
    "503": ("Service Unavailable", "SlowDown"),
}
# beside those: the connection ends in the middle of the request, or of the answer; the server has done what it was
# asked and the answer never comes; at this request, before or after the server has seen it, the network goes down
CUTS = ("cut request", "cut answer")
FAULTS = (*REFUSALS, *CUTS, "slow", "lost answer", "stop before", "stop after")


class Chances(NamedTuple):
    """How many of the requests, from 0 to 1, are refused, cut, or kept waiting for how long."""

    refused: float = 0.0
    cut: float = 0.0
    slow: float = 0.0
    seconds: float = 0.05


FAULTY = Chances(refused=0.05, cut=0.02, slow=0.2)


@dataclass
class Request:
    """One request; bytes are those of its body and of the answer's, as they came."""

    number: int
    method: str
    path: str
    kind: str
    sent_bytes: int = 0
    received_bytes: int = 0
    status: int | None = None
    fault: str | None = None


class FaultyProxy:
    """Listens on a port of its own, and is closed at the end of the block.

    What befalls which request (they count from 0) stands in `plan`; others have bad luck by `chances` and `seed`.
    """

    def __init__(self, target: str, chances: Chances | None = None, *, seed: int = 0) -> None:
        self._target = urlsplit(target)
        self._chances = chances or Chances()
        self._seed = seed
        self.plan: dict[int, str] = {}
        self.requests: list[Request] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._is_down = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._listings: dict[str, bytes] | None = None
        self._listings_are_stale = False
        self._port = 0
        self.up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()
        for thread in [*self._threads]:
            thread.join(30)
            assert not thread.is_alive()

    @property
    def url(self) -> str:
        """Where a client finds the proxy."""
        return f"http://127.0.0.1:{self._port}"

    # -- what passed -------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counter[str]:
        """How many requests there were of each kind."""
        return Counter(request.kind for request in self.requests)

    @property
    def sent_bytes(self) -> int:
        """All bytes that clients have sent in bodies."""
        return sum(request.sent_bytes for request in self.requests)

    @property
    def received_bytes(self) -> int:
        """All bytes that clients have received in bodies."""
        return sum(request.received_bytes for request in self.requests)

    def forget(self) -> None:
        """Count anew, from request 0."""
        with self._lock:
            self.requests = []

    # -- what is spoilt ----------------------------------------------------------------------------------------

    def down(self) -> None:
        """End all connections, and refuse new ones."""
        with self._lock:
            if self._is_down.is_set():
                return
            self._is_down.set()
            connections = [*self._open]
        with suppress(OSError):  # wakes the one who accepts
            socket.create_connection(("127.0.0.1", self._port)).close()
        self._accepting.join()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def up(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        self._port = listener.getsockname()[1]
        self._is_down.clear()
        self.stopped.clear()
        self._accepting = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self._accepting.start()

    def remember_listings(self) -> None:
        """Keep each listing from now on."""
        self._listings = {}

    def serve_stale_listings(self, stale: bool = True) -> None:
        """Answer who asks for a listing that is kept with what it was, or as it is again."""
        self._listings_are_stale = stale

    def _fault(self, number: int) -> str | None:
        if number in self.plan:
            return self.plan[number]
        # by number: whatever order threads come in, the same requests have the same luck
        rng = random.Random(f"{self._seed} {number}")
        luck, chances = rng.random(), self._chances
        if luck < chances.refused:
            return rng.choice([*REFUSALS])
        if luck < chances.refused + chances.cut:
            return rng.choice(CUTS)
        return "slow" if luck < chances.refused + chances.cut + chances.slow else None

    # -- connections -------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                connection, _ = listener.accept()
                if self._is_down.is_set():
                    connection.close()
                    return
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                with self._lock:
                    self._open.add(connection)
                    self._threads.add(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, client.makefile("rb", PIECE_BYTES) as stream, suppress(OSError, Cut):
            while not self._is_down.is_set() and (head := read_head(stream)):
                if not self._exchange(client, stream, head):
                    break
        with self._lock:
            self._open.discard(client)
            self._threads.discard(threading.current_thread())

    def _exchange(self, client: socket.socket, stream: BinaryIO, head: Head) -> bool:
        """Pass one request and its answer; return whether the connection goes on."""
        request = self._note(head)
        if request.fault == "stop before":
            return self._stop()
        if head.find("expect"):
            head.drop("expect")
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.fault == "slow":
            self._is_down.wait(self._chances.seconds)
        body = _counted(body_of(head, stream), request)
        if request.fault in REFUSALS:
            return self._answer(client, request, body, _refusal(request))
        if self._listings_are_stale and (kept := (self._listings or {}).get(request.path)):
            return self._answer(client, request, body, kept)
        with socket.create_connection((self._target.hostname, self._target.port)) as server:
            with self._lock:
                self._open.add(server)
            try:
                with server.makefile("rb", PIECE_BYTES) as answers:
                    return self._ask(server, request, head, body) and self._pass(client, answers, request)
            finally:
                with self._lock:
                    self._open.discard(server)

    def _note(self, head: Head) -> Request:
        method, path, _ = head.first.split(" ", 2)
        with self._lock:
            request = Request(len(self.requests), method, path, kind_of(method, path, head))
            request.fault = self._fault(request.number)
            self.requests.append(request)
        return request

    def _stop(self) -> bool:
        # before the client can notice: who waits for it may look at once
        self.stopped.set()
        self.down()
        return False

    def _ask(self, server: socket.socket, request: Request, head: Head, body: Iterator[bytes]) -> bool:
        """Send a request on; return whether as a whole."""
        head.drop("connection")
        head.headers.append(("Connection", "close"))
        server.sendall(head.encode())
        if request.fault == "cut request" and (head.length or head.chunked):
            for piece in _first_half(body, head.length):
                server.sendall(piece)
            return False
        for piece in body:
            server.sendall(piece)
        return True

    def _pass(self, client: socket.socket, answers: BinaryIO, request: Request) -> bool:
        """Send an answer on; return whether the connection goes on."""
        head = _read_answer(answers)
        request.status = int(head.first.split()[1])
        bare = request.method == "HEAD" or request.status in (204, 304)
        body: Iterable[bytes] = () if bare else body_of(head, answers, to_the_end=True)
        if request.fault in ("lost answer", "stop after"):
            for _ in body:
                pass
            return request.fault == "stop after" and self._stop()
        # the server ends its connection with each answer; that of the client lasts if the answer says its length
        ends = not (bare or head.chunked or head.length is not None)
        head.drop("connection")
        if ends:
            head.headers.append(("Connection", "close"))
        if request.fault in CUTS:
            self._cut(client, request, head, body)
            return False
        if request.kind == "list":
            body = [b"".join(body)]
            self._keep(request.path, head.encode() + body[0])
        client.sendall(head.encode())
        for piece in body:
            request.received_bytes += len(piece)
            client.sendall(piece)
        return not ends

    def _keep(self, path: str, listing: bytes) -> None:
        if self._listings is not None and not self._listings_are_stale:
            self._listings[path] = listing

    def _cut(self, client: socket.socket, request: Request, head: Head, body: Iterable[bytes]) -> None:
        encoded = head.encode()
        if not (head.length or head.chunked) or request.method == "HEAD":
            client.sendall(encoded[: len(encoded) // 2])
            return
        client.sendall(encoded)
        for piece in _first_half(body, head.length):
            request.received_bytes += len(piece)
            client.sendall(piece)

    def _answer(self, client: socket.socket, request: Request, body: Iterator[bytes], answer: bytes) -> bool:
        """Answer in the server's place, once the client has said all."""
        for _ in body:
            pass
        request.status = int(answer.split(b" ", 2)[1])
        client.sendall(answer)
        return True


def kind_of(method: str, path: str, head: Head) -> str:
    """Return what a request of S3 is about, in a word or two."""
    url = urlsplit(path)
    query = parse_qs(url.query, keep_blank_values=True)
    if method == "GET":
        return "list" if "list-type" in query else "range" if head.find("range") else "get"
    if method == "PUT":
        return _kind_of_put(query, head, of_bucket=not url.path.strip("/").partition("/")[2])
    if method == "POST":
        return "delete many" if "delete" in query else "begin parts" if "uploads" in query else "end parts"
    return "abort parts" if "uploadId" in query else method.lower()


def _kind_of_put(query: dict[str, list[str]], head: Head, *, of_bucket: bool) -> str:
    if of_bucket:
        return "bucket"
    if "partNumber" in query:
        return "part"
    return "create" if head.find("if-none-match") else "replace" if head.find("if-match") else "put"


def _read_answer(answers: BinaryIO) -> Head:
    """Return the head of the answer behind those that only let a request go on."""
    while head := read_head(answers):
        if head.first.split()[1] != "100":
            return head
    raise Cut


def _counted(body: Iterator[bytes], request: Request) -> Iterator[bytes]:
    for piece in body:
        request.sent_bytes += len(piece)
        yield piece


def _first_half(body: Iterable[bytes], length: int | None) -> Iterator[bytes]:
    """Yield half of a body; of one of which nobody knows the length, half of its first piece."""
    left = None if length is None else length // 2
    for piece in body:
        if left is None:
            left = len(piece) // 2
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _refusal(request: Request) -> bytes:
    reason, code = REFUSALS[str(request.fault)]
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{reason}</Message></Error>".encode()
    head = f"HTTP/1.1 {request.fault} {reason}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + (b"" if request.method == "HEAD" else body)
