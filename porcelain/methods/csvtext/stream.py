"""The bytes of CSV files: plain, compressed, or in a zip file."""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import zstandard

from jobs.errors import DatasetError
from jobs.method.options import InputPath
from porcelain.methods.csvtext.blocks import Readable
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.zips import open_member

_GZIP: Final = b"\x1f\x8b"
# a frame, or a skippable one as some programs begin with
_ZSTD: Final = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# a kilobyte of zstd can become 32 MB
_ZSTD_BYTES: Final = 1 << 10


@contextmanager
def open_text(file: InputPath, member: str | int | None = None) -> "Iterator[TextStream]":
    """Give the text of a file, or of a member of a zip file, and close it at the end of the block.

    Parameters
    ----------
    file
        What is read.
    member
        Name of the member, or its number, counted from 0; None when it is no zip file.
    """
    if member is None:
        with file.open("rb") as stream:
            yield TextStream(stream, str(file))
    else:
        with open_member(file, member) as (stream, name):
            yield TextStream(stream, name)


class ZstdFile:
    """The bytes in zstd frames."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False

    def read(self, size: int) -> bytes:
        """Return at least `size` bytes, fewer at the end; raise EOFError when a frame has no end."""
        pieces: list[bytes] = []
        while size > 0 and (data := self._next_data()):
            piece = self._frame.decompress(data)
            size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _next_data(self) -> bytes:
        if not self._frame.eof:
            data = self._stream.read(_ZSTD_BYTES)
            if not data and self._begun:
                raise EOFError("it ends within a frame")
            self._begun = True
            return data
        data = self._frame.unused_data or self._stream.read(_ZSTD_BYTES)
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = bool(data)
        return data


class _Rewound:
    """A stream, its beginning once more."""

    def __init__(self, start: bytes, stream: Readable) -> None:
        self._start = start
        self._stream = stream

    def read(self, size: int) -> bytes:
        start, self._start = self._start[:size], self._start[size:]
        return start + self._stream.read(size - len(start)) if size > len(start) else start


def _gzip_file(stream: Any) -> Readable:
    # it asks for no more than a `read`
    return gzip.GzipFile(fileobj=stream)


class TextStream:
    """The bytes of a CSV file, uncompressed when they are gzip or zstd, without a byte order mark.

    Parameters
    ----------
    stream
        The file.
    name
        What errors call it.
    """

    def __init__(self, stream: Readable, name: str) -> None:
        self.name = name
        start = stream.read(4)
        self._stream: Readable = _Rewound(start, stream)
        self._format = ""
        if start.startswith(_GZIP):
            self._stream, self._format = _gzip_file(self._stream), "gzip"
        elif _ZSTD.match(start):
            self._stream, self._format = ZstdFile(self._stream), "zstd"
        self._rest = b""
        self._rest = self.read(1 << 16).removeprefix(_BYTE_ORDER_MARK)

    def read(self, size: int) -> bytes:
        """Return some bytes, none at the end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as err:
            raise DatasetError(f"'{self.name}' is a damaged {self._format} file", hint=str(err)) from err

    def read_lines(self, count: int, dialect: Dialect) -> list[bytes]:
        """Return the next lines without what ends them, fewer at the end; quotes mean nothing."""
        lines: list[bytes] = []
        while len(lines) < count:
            text = self._read_to(dialect.line_end)
            if not text:
                break
            line = text.removesuffix(dialect.line_end)
            lines.append(line if dialect.newline else line.removesuffix(b"\r"))
        return lines

    def _read_to(self, line_end: bytes) -> bytes:
        pieces = []
        while piece := self.read(1 << 16):
            end = piece.find(line_end) + 1
            if end:
                pieces.append(piece[:end])
                self._rest = piece[end:]
                break
            pieces.append(piece)
        return b"".join(pieces)
