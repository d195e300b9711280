"""Stored forms to objects, verified: small ones in one frame, large ones a frame at a time.

Notes
-----
Source: docs/reference/formats/object.md.
"""

import io
import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, NoReturn
from zlib import crc32

from blake3 import blake3

from cas.errors import CorruptObject
from cas.files import write_all
from cas.formats.frame import (
    FRAME_BYTES,
    STORED_FRAME_BYTES,
    TABLE_FOOTER_BYTES,
    FrameTable,
    check_of,
    decode_table,
    decompress_frame,
    decompress_into,
    find_table_bytes,
)
from cas.formats.seal import Seal
from cas.oid import Buffer
from cas.threads import in_order

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# up to here a CRC-32 on every read costs less than a microsecond per 2 KB of stored bytes, and finds what
# decompression forgives
_CHECKED_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 17


class StoredForm:
    """The stored form of one object in an open file, read by position: forked processes can share it."""

    __slots__ = ("fd", "offset", "seal", "where")

    def __init__(self, fd: int, offset: int, seal: Seal, where: str) -> None:
        self.fd = fd
        self.offset = offset
        self.seal = seal
        self.where = where

    def read(self, start: int, end: int) -> bytes:
        """Return the stored bytes from `start` to `end`."""
        data = os.pread(self.fd, end - start, self.offset + start)
        if len(data) != end - start:
            raise self.corrupt("it is cut short")
        return data

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def check_end(self) -> None:
        """Raise `CorruptObject` unless the file is so long that all of the stored form can be in it."""
        if os.fstat(self.fd).st_size < self.offset + self.seal.stored_bytes:
            raise self.corrupt("it is cut short")

    def corrupt(self, reason: str) -> CorruptObject:
        """Return the error that says so."""
        return CorruptObject(self.seal.oid, reason, where=self.where)


class HeldForm(StoredForm):
    """The stored form of one object in memory."""

    __slots__ = ("_stored",)

    def __init__(self, seal: Seal, stored: bytes, where: str = "memory") -> None:
        super().__init__(-1, 0, seal, where)
        self._stored = stored

    def read(self, start: int, end: int) -> bytes:
        """Return the stored bytes from `start` to `end`."""
        if end > len(self._stored):
            raise self.corrupt("it is cut short")
        return self._stored[start:end]

    def close(self) -> None:
        """Do nothing."""

    def check_end(self) -> None:
        """Do nothing: all of it is here."""


def read_object(stored: StoredForm) -> bytes:
    """Return the whole object, verified."""
    if stored.seal.raw_bytes <= FRAME_BYTES:
        return _read_frame(stored)
    return b"".join(Frames(stored).pieces())


def read_pieces(stored: StoredForm) -> Iterator[bytes]:
    """Yield the object piece by piece, each verified, those of a large one decompressed on several threads.

    When the id of all does not fit, the last piece is not handed out. Closes `stored`.
    """
    try:
        if stored.seal.raw_bytes <= FRAME_BYTES:
            yield _read_frame(stored)
        else:
            yield from Frames(stored).pieces()
    finally:
        stored.close()


def export_object(stored: StoredForm, descriptor: int) -> None:
    """Make the object all that is in a file open for writing. Closes `stored`.

    Only at the end is it verified, as a whole: when `CorruptObject` is raised, what is in the file is worth nothing.
    """
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        if stored.seal.raw_bytes <= FRAME_BYTES:
            write_all(descriptor, _read_frame(stored))
        else:
            Frames(stored).export(descriptor)
    finally:
        stored.close()


def open_object(stored: StoredForm) -> BinaryIO:
    """Return a seekable stream of the object, verified frame by frame; it closes `stored`."""
    if stored.seal.raw_bytes > FRAME_BYTES:
        return io.BufferedReader(_FrameStream(stored), _BUFFER_BYTES)
    try:
        return _SmallStream(_read_frame(stored))
    finally:
        stored.close()


def verify_object(stored: StoredForm) -> None:
    """Raise `CorruptObject` unless every stored byte is as written, also those that reading forgives."""
    seal = stored.seal
    if seal.raw_bytes <= FRAME_BYTES:
        _read_frame(stored)
        crc = seal.crc if seal.stored_bytes <= _CHECKED_BYTES else crc32(stored.read(0, seal.stored_bytes))
    else:
        frames = Frames(stored)
        for _ in frames.pieces():
            pass
        crc = 0
        for part in frames.parts():
            crc = crc32(part, crc)
    if crc != seal.crc:
        raise stored.corrupt("its stored bytes have changed, though they still decompress to it")


def verify_stored(stored: StoredForm) -> None:
    """Raise `CorruptObject` unless the stored bytes are those that were written; nothing is decompressed."""
    crc, total = 0, stored.seal.stored_bytes
    for start in range(0, total, FRAME_BYTES):
        crc = crc32(stored.read(start, min(start + FRAME_BYTES, total)), crc)
    if crc != stored.seal.crc:
        raise stored.corrupt("its stored bytes have changed")


def read_table(stored: StoredForm) -> FrameTable | None:
    """Return the frame table of a large object, verified; None for one of a single frame."""
    seal = stored.seal
    if seal.raw_bytes <= FRAME_BYTES:
        return None
    # nothing is read on the word of a length before the file is seen to be that long
    stored.check_end()
    end = seal.stored_bytes
    length = find_table_bytes(stored.read(max(0, end - TABLE_FOOTER_BYTES), end))
    if length is None or length > end:
        raise stored.corrupt("its frame table is missing")
    return decode_table(stored.read(end - length, end), seal, stored.where)


def _read_frame(stored: StoredForm) -> bytes:
    seal = stored.seal
    if seal.stored_bytes > STORED_FRAME_BYTES:
        raise stored.corrupt(f"one frame of {seal.stored_bytes} bytes cannot be")
    frame = stored.read(0, seal.stored_bytes)
    if len(frame) <= _CHECKED_BYTES and crc32(frame) != seal.crc:
        raise stored.corrupt("its stored bytes have changed")
    data = decompress_frame(frame, seal.raw_bytes, seal.oid, stored.where)
    if blake3(data).digest() != seal.digest:
        raise stored.corrupt("its bytes have another id")
    return data


class Frames:
    """The frames of a large object: verified one by one, and the id too once all have been read in order."""

    def __init__(self, stored: StoredForm) -> None:
        table = read_table(stored)
        assert table is not None
        self.table = table
        self._stored = stored
        self._hasher = blake3()
        self._hashed = 0
        self._number = -1
        self._room = bytearray()
        self._frame = memoryview(self._room)

    def __len__(self) -> int:
        return len(self.table.checks)

    def get(self, number: int) -> memoryview:
        """Return the raw bytes of one frame, to be used before another is read; the one read last is kept."""
        if number != self._number:
            self._number = -1
            self._frame = self._read(number)
            self._number = number
        return self._frame

    def pieces(self) -> Iterator[bytes]:
        """Yield the raw bytes frame by frame, decompressed on several threads; the last only if the id fits."""
        hasher = blake3()
        last = len(self) - 1
        for number, frame in enumerate(in_order(self._decode, range(len(self)))):
            hasher.update(frame)
            if number == last and hasher.digest() != self._stored.seal.digest:
                raise self._stored.corrupt("its bytes have another id")
            yield frame

    def export(self, descriptor: int) -> None:
        """Write the raw bytes of all frames, decompressed on several threads; raise at the end unless the id fits."""
        hasher = blake3()
        spare: list[bytearray] = []

        def fill(number: int) -> tuple[bytearray, int]:
            try:
                buffer = spare.pop()
            except IndexError:
                buffer = bytearray(FRAME_BYTES)
            frame, raw_bytes = self._read_stored(number)
            with memoryview(buffer)[:raw_bytes] as room:
                decompress_into(room, frame, self._stored.seal.oid, self._stored.where)
            return buffer, raw_bytes

        with closing(in_order(fill, range(len(self)))) as filled:
            for buffer, raw_bytes in filled:
                with memoryview(buffer)[:raw_bytes] as frame:
                    write_all(descriptor, frame)
                    hasher.update(frame)
                spare.append(buffer)
        if hasher.digest() != self._stored.seal.digest:
            raise self._stored.corrupt("its bytes have another id")

    def parts(self) -> Iterator[bytes]:
        """Yield the stored form, unverified, frame by frame and the frame table last."""
        start = 0
        for end in (*self.table.stored_ends, self._stored.seal.stored_bytes):
            yield self._stored.read(start, end)
            start = end

    def _read(self, number: int) -> memoryview:
        stored = self._stored
        data, raw_bytes = self._read_stored(number)
        if not self._room:
            self._room = bytearray(FRAME_BYTES)
        # into the memory of the frame before: new pages cost as much as all else
        frame = memoryview(self._room)[:raw_bytes]
        decompress_into(frame, data, stored.seal.oid, stored.where)
        self._check(number, frame)
        if number == self._hashed:
            self._hasher.update(frame)
            if number == len(self) - 1 and self._hasher.digest() != self._stored.seal.digest:
                raise self._stored.corrupt("its bytes have another id")
            self._hashed += 1
        return frame

    def _decode(self, number: int) -> bytes:
        stored = self._stored
        frame = decompress_frame(*self._read_stored(number), stored.seal.oid, stored.where)
        self._check(number, frame)
        return frame

    def _check(self, number: int, frame: Buffer) -> None:
        if check_of(frame) != self.table.checks[number]:
            raise self._stored.corrupt(f"frame {number} holds other bytes than its frame table says")

    def _read_stored(self, number: int) -> tuple[bytes, int]:
        """Return one frame as it is stored, and how many raw bytes it is said to hold."""
        table, before = self.table, number - 1
        raw_start, stored_start = (table.raw_ends[before], table.stored_ends[before]) if number else (0, 0)
        return self._stored.read(stored_start, table.stored_ends[number]), table.raw_ends[number] - raw_start


class _FrameStream(io.RawIOBase):
    """A large object as a raw stream."""

    def __init__(self, stored: StoredForm) -> None:
        self._stored = stored
        self._position = 0
        try:
            self._frames = Frames(stored)
        except BaseException:
            self.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._stored.seal.raw_bytes}[
            whence
        ]
        if origin + offset < 0:
            raise ValueError(f"negative seek position {origin + offset}")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        piece = self._rest_of_frame()[: len(room)]
        room[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def readall(self) -> bytes:
        pieces = []
        while piece := self._rest_of_frame():
            pieces.append(bytes(piece))
            self._position += len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        if not self.closed:
            self._stored.close()
        super().close()

    def _rest_of_frame(self) -> memoryview:
        """Return what is left, from the position on, of the frame that it stands in."""
        ends = self._frames.table.raw_ends
        number = bisect_right(ends, self._position)
        if number == len(ends):
            return memoryview(b"")
        frame = self._frames.get(number)
        return frame[self._position - ends[number] :]


class _SmallStream(io.BytesIO):
    """A small object, read-only: `BytesIO` itself would let its reader write."""

    def writable(self) -> bool:
        return False

    def write(self, _data: object, /) -> NoReturn:
        raise io.UnsupportedOperation("an object is only read")

    def writelines(self, _lines: object, /) -> NoReturn:
        raise io.UnsupportedOperation("an object is only read")

    def truncate(self, _size: int | None = None, /) -> NoReturn:
        raise io.UnsupportedOperation("an object is only read")
