"""Many objects in one file: segments that grow, packs that are written once, and reading both.

A segment is a pack that is not ended yet: it has no index. Each object stands behind its seal, so both can be
scanned without one.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from cas.errors import CorruptObject
from cas.files import rename_durably, sync_file, temporary_path
from cas.formats.frame import SEAL_BYTES, SEAL_START, SKIPPABLE, Seal, encode_seal, find_seal
from cas.formats.packindex import (
    FOOTER_BYTES,
    Entry,
    IndexBytes,
    PackIndex,
    encode_index,
    find_index,
    find_index_bytes,
)
from cas.formats.stream import StoredForm, verify_object
from cas.oid import Buffer, oid_of

PACK_START = struct.pack("<4sI4sI", SKIPPABLE, 8, b"accP", 1)
SUFFIX = ".pack"

# one read of the end brings the whole index of a pack of up to 60 objects
_END_BYTES = 4096
# larger indexes are mapped: processes then share their memory, and a lookup touches a few pages of it
_MAPPED_BYTES = 1 << 18
_BUFFER_BYTES = 1 << 17


def open_entry(path: str, entry: Entry) -> StoredForm:
    """Return the stored form of an object in the pack or segment at `path`; the caller closes its file."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return StoredForm(fd, entry.offset + SEAL_BYTES, entry.seal, path)
    except BaseException:
        os.close(fd)
        raise


class Segment:
    """A file that one process appends objects to; others may read it meanwhile.

    Attributes
    ----------
    end : int
        Where the last whole entry ends.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.end = 0
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._append(PACK_START)

    def add(self, seal: Seal, stored: bytes) -> Entry:
        """Append an object.

        When that fails, the segment may end in part of an entry: it must not be added to again.
        """
        entry = Entry(*seal, self.end)
        self._append(encode_seal(seal) + stored)
        return entry

    def sync(self) -> None:
        """Return when all that was added is on the disk."""
        sync_file(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _append(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        # less is written when the disk is nearly full: the next write then says so
        while written < len(data):
            written += os.write(self._fd, data[written:])
        self.end += len(data)


def scan_file(path: str, start: int) -> list[Entry]:
    """Return the whole entries of the segment at `path` from the offset `start` on; none when it is gone."""
    try:
        if os.stat(path).st_size <= start:
            return []
        with _mapped(path) as data:
            return list(scan(data, max(start, len(PACK_START))))
    except FileNotFoundError:
        return []


def read_entries(path: str, entries: Iterable[Entry] | None = None) -> Iterator[tuple[Seal, bytes]]:
    """Yield seal and stored form of objects in the pack or segment at `path`, to be written elsewhere.

    Parameters
    ----------
    entries
        Which; without them, all that a scan finds whole.

    Raises
    ------
    CorruptObject
        When the stored bytes are not those that were written: they are not copied on.
    """
    with _mapped(path) as data:
        for entry in scan(data, len(PACK_START)) if entries is None else entries:
            start = entry.offset + SEAL_BYTES
            stored = data[start : start + entry.stored_bytes]
            if crc32(stored) != entry.crc:
                raise CorruptObject(entry.oid, "its stored bytes have changed", where=path)
            yield entry.seal, stored


def scan(data: IndexBytes, start: int, *, resume: bool = False) -> Iterator[Entry]:
    """Yield the entries that stand in `data` from `start` on, up to the first that is not whole.

    Parameters
    ----------
    resume
        Go on behind what is not whole, with the next entry that is.
    """
    at = start
    while at >= 0:
        seal = find_seal(data, at)
        end = at + SEAL_BYTES + seal.stored_bytes if seal else 0
        if seal and end <= len(data):
            yield Entry(*seal, at)
            at = end
        elif resume:
            at = data.find(SEAL_START, at + 1)
        else:
            return


class Pack:
    """A pack that is there to be read; `open_pack` makes it.

    Attributes
    ----------
    damaged : bool
        Its index could not be read, so its objects were found by a scan.
    """

    __slots__ = ("damaged", "index", "path")

    def __init__(self, path: str, index: PackIndex, *, damaged: bool = False) -> None:
        self.path = path
        self.index = index
        self.damaged = damaged

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.rpartition("/")[2]

    def find_open(self, digest: bytes) -> StoredForm | None:
        """Return the stored form of an object, whose file the caller closes, or None when it is not here."""
        entry = self.index.find(digest)
        return open_entry(self.path, entry) if entry else None

    def verify(self, entry: Entry) -> None:
        """Raise `CorruptObject` unless every byte of the entry, and of the pack around it, is as written."""
        stored = open_entry(self.path, entry)
        try:
            if self.damaged:
                raise stored.corrupt("the index of its pack is damaged")
            if os.pread(stored.fd, len(PACK_START), 0) != PACK_START:
                raise stored.corrupt("the start of its pack is damaged")
            if os.pread(stored.fd, SEAL_BYTES, entry.offset) != encode_seal(entry.seal):
                raise stored.corrupt("its seal is damaged")
            verify_object(stored)
        finally:
            stored.close()


def open_pack(path: str) -> Pack:
    """Return the pack at `path`, its index read or, where that is damaged, made again by a scan."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        end = os.pread(fd, _END_BYTES, max(0, size - _END_BYTES))
        index = _find_index(fd, size, end, path)
    finally:
        os.close(fd)
    if index is None:
        return Pack(path, _scanned_index(path), damaged=True)
    return Pack(path, index)


def _find_index(fd: int, size: int, end: bytes, path: str) -> PackIndex | None:
    length = find_index_bytes(end[-FOOTER_BYTES:])
    if length is None or length > size:
        return None
    start = size - length
    data: IndexBytes
    if length <= len(end):
        data, start = end[-length:], 0
    elif length <= _MAPPED_BYTES:
        data, start = os.pread(fd, length, start), 0
    else:
        data = mmap(fd, 0, access=ACCESS_READ)
    index = find_index(data, start, path)
    return index if index and index.end + length == size else None


def _scanned_index(path: str) -> PackIndex:
    with _mapped(path) as data:
        entries = {entry.digest: entry for entry in scan(data, 0, resume=True)}
    index = find_index(encode_index(list(entries.values()), 0), 0, path)
    assert index is not None
    return index


def write_pack(folder: Path, parts: Iterable[tuple[Seal, Buffer]], *, durable: bool) -> Pack | None:
    """Write the objects `parts`, each id once, as a pack in `folder` and return it; None when there are none.

    It has its name, and so is seen, only when all of it is there (and, if `durable`, on the disk).
    """
    temporary = temporary_path(folder)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        with open(fd, "wb", buffering=_BUFFER_BYTES) as file:
            index = _write_parts(file, parts)
            file.flush()
            if index and durable:
                sync_file(fd)
        if not index:
            temporary.unlink()
            return None
        # the index holds id, place and CRC of all there is, so its id is as good a name as that of the whole
        path = folder / (oid_of(index) + SUFFIX)
        rename_durably(temporary, path, durable=durable)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    found = find_index(index, 0, str(path))
    assert found is not None
    return Pack(str(path), found)


def _write_parts(file: BinaryIO, parts: Iterable[tuple[Seal, Buffer]]) -> bytes:
    """Write a pack and return its index, or nothing when there is nothing to write."""
    entries = []
    end = file.write(PACK_START)
    for seal, stored in parts:
        entries.append(Entry(*seal, end))
        end += file.write(encode_seal(seal)) + file.write(stored)
    if not entries:
        return b""
    index = encode_index(entries, end)
    file.write(index)
    return index


@contextmanager
def _mapped(path: str) -> Iterator[IndexBytes]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not os.fstat(fd).st_size:
            yield b""  # mmap refuses an empty file
            return
        with mmap(fd, 0, access=ACCESS_READ) as data:
            yield data
    finally:
        os.close(fd)
