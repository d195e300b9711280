"""Requests and answers of HTTP/1.1, read from a connection as they are and written on as they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PIECE_BYTES = 65536


class Cut(Exception):
    """The other side ended the connection in the middle of a message."""


@dataclass
class Head:
    """The first line and the headers of a request or an answer."""

    first: str
    headers: list[tuple[str, str]]

    def find(self, name: str) -> str | None:
        """Return the value of a header, None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def drop(self, *names: str) -> None:
        """Take headers away."""
        self.headers = [(key, value) for key, value in self.headers if key.lower() not in names]

    @property
    def length(self) -> int | None:
        """Bytes of the body, None if the head does not say."""
        value = self.find("content-length")
        return None if value is None else int(value)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks that say their sizes."""
        return (self.find("transfer-encoding") or "").lower() == "chunked"

    def encode(self) -> bytes:
        """Return the head as it is sent."""
        lines = [self.first, *(f"{key}: {value}" for key, value in self.headers)]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def read_head(stream: BinaryIO) -> Head | None:
    """Return the next head, None if the connection ends before it begins."""
    first = stream.readline()
    if not first:
        return None
    headers = []
    while (line := _line(stream)) not in (b"\r\n", b"\n"):
        key, _, value = line.decode("latin-1").partition(":")
        headers.append((key.strip(), value.strip()))
    return Head(first.decode("latin-1").rstrip("\r\n"), headers)


def body_of(head: Head, stream: BinaryIO, *, to_the_end: bool = False) -> Iterator[bytes]:
    """Yield the body that follows a head, chunk sizes and all, in pieces of some size.

    to_the_end
        A body of which the head does not say the length ends with the connection.
    """
    if head.chunked:
        yield from _chunks(stream)
    elif head.length is not None:
        yield from _pieces(stream, head.length)
    elif to_the_end:
        while piece := stream.read(PIECE_BYTES):
            yield piece


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise Cut
    return line


def _pieces(stream: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, PIECE_BYTES))
        if not piece:
            raise Cut
        length -= len(piece)
        yield piece


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        line = _line(stream)
        yield line
        size = int(line.split(b";", 1)[0], 16)
        yield from _pieces(stream, size)
        if not size:
            break
        yield _line(stream)
    while True:  # what may follow the last chunk: headers, and an empty line
        line = _line(stream)
        yield line
        if line in (b"\r\n", b"\n"):
            return
