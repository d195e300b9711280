"""Many objects in one file: packs are written once, read by their index, and scanned when that is damaged.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from mmap import ACCESS_READ, mmap
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zlib import crc32

from cas.errors import CorruptObject
from cas.files import (
    UnreadableFile,
    create_temporary,
    open_file,
    rename_durably,
    sync_file,
    sync_folder,
    write_all,
)
from cas.formats.packindex import (
    FOOTER_BYTES,
    VERSION,
    Entry,
    PackIndex,
    encode_index,
    find_index,
    find_index_bytes,
)
from cas.formats.records import IndexBytes, Records
from cas.formats.seal import (
    MOST_BYTES,
    SEAL_BYTES,
    SKIPPABLE,
    Seal,
    encode_named_seal,
    encode_seal,
    find_named_seal,
    find_seal,
)
from cas.formats.stream import StoredForm
from cas.oid import Buffer, oid_of

if TYPE_CHECKING:
    from cas.formats.salvage import HeldIndex

SUFFIX: Final = ".pack"
PACK_START_1: Final = struct.pack("<4sI4sI", SKIPPABLE, 8, b"accP", 1)
PACK_START: Final = struct.pack("<4sI4sI", SKIPPABLE, 8, b"accP", VERSION)

# one read of the end brings the whole index of a pack of up to 90 objects
_END_BYTES: Final = 4096
# larger indexes are mapped: processes then share their memory, and a lookup touches a few pages of it
_MAPPED_BYTES: Final = 1 << 18
# a pack of this length gets no more objects
PACK_BYTES: Final = 64 << 20
# one write for so many bytes of small objects
_WRITE_BYTES: Final = 1 << 20


def open_entry(path: str, entry: Entry) -> StoredForm:
    """Return the stored form of an object in the pack or segment at `path`; the caller closes its file."""
    try:
        fd, size = open_file(path)
    except UnreadableFile as err:
        raise CorruptObject(entry.oid, err.reason, where=path) from err
    try:
        if entry.end > size:
            raise CorruptObject(entry.oid, "its place is behind the end of the file", where=path)
        return stored_form(fd, entry, path)
    except BaseException:
        os.close(fd)
        raise


def stored_form(fd: int, entry: Entry, path: str) -> StoredForm:
    """Return the stored form of an object in the pack or segment `path`, which is open as `fd`."""
    seal = seal_of(entry, os.pread(fd, entry.seal_bytes, entry.offset), path)
    return StoredForm(fd, entry.start, seal, path)


def seal_of(entry: Entry, data: bytes, path: str) -> Seal:
    """Return the seal of `entry`, with which `data` begins."""
    seal = find_seal(data, 0, entry.digest) if entry.seal_bytes == SEAL_BYTES else find_named_seal(data)
    if seal is None or seal[:3] != (entry.digest, entry.raw_bytes, entry.stored_bytes):
        raise CorruptObject(entry.oid, "its seal is damaged, or that of another object", where=path)
    return seal


def has_good_seal(entry: Entry, data: bytes, at: int, stored: Buffer) -> bool:
    """Return whether the seal at `at` in `data` is that of `entry`, whose stored form is `stored`."""
    seal = Seal(entry.digest, entry.raw_bytes, entry.stored_bytes, crc32(stored))
    return data.startswith(
        encode_seal(seal) if entry.seal_bytes == SEAL_BYTES else encode_named_seal(seal), at
    )


def read_entries(path: str, entries: Sequence[Entry]) -> Iterator[tuple[Seal, bytes]]:
    """Yield seal and stored form of objects in the pack or segment at `path`, to be written elsewhere.

    Raises
    ------
    CorruptObject
        When the stored bytes are not those that were written: they are not copied on.
    """
    if not entries:
        return
    try:
        with mapped(path) as data:
            for entry in entries:
                seal = seal_of(entry, data[entry.offset : entry.start], path)
                stored = data[entry.start : entry.end]
                if crc32(stored) != seal.crc:
                    raise CorruptObject(entry.oid, "its stored bytes have changed", where=path)
                yield seal, stored
    except UnreadableFile as err:
        raise CorruptObject(entries[0].oid, err.reason, where=path) from err


class Pack:
    """A pack that is there to be read; its index is read, or mapped, when it is first asked for.

    Attributes
    ----------
    damaged : bool
        Its index could not be read, so its objects are found by a scan. What is no file has none.
    """

    __slots__ = ("_index", "damaged", "path")

    def __init__(self, path: str, index: "PackIndex | HeldIndex | None" = None) -> None:
        self.path = path
        self.damaged = False
        self._index = index

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.rpartition("/")[2]

    @property
    def index(self) -> "PackIndex | HeldIndex":
        """Its index, or one made by a scan."""
        if self._index is None:
            with suppress(UnreadableFile):
                self._index = _read_index(self.path)
        if self._index is None:
            self._index = _scan(self.path)
            self.damaged = True
        return self._index

    @property
    def records(self) -> Records | None:
        """The records of its index, for an index over many packs; None when they are of another kind."""
        index = self.index
        return index.records if isinstance(index, PackIndex) and index.seal_bytes == SEAL_BYTES else None

    def find_open(self, digest: bytes) -> StoredForm | None:
        """Return the stored form of an object, whose file the caller closes, or None when it is not here."""
        entry = self.index.find(digest)
        return open_entry(self.path, entry) if entry else None

    def flaws(self) -> Iterator[str]:
        """Yield what is wrong with the pack around its objects: its start, its index, or bytes between objects."""
        entries = sorted(self.index, key=attrgetter("offset"))
        if self.damaged:
            yield f"its index is damaged or missing; {len(entries)} objects were found by a scan"
            return
        start = PACK_START if self.index.seal_bytes == SEAL_BYTES else PACK_START_1
        try:
            with mapped(self.path) as data:
                if data[: len(start)] != start:
                    yield "its start is damaged"
        except UnreadableFile as err:
            yield err.reason
        ends = [len(start), *(entry.end for entry in entries)]
        if ends != [*(entry.offset for entry in entries), self.index.end]:
            yield "there are bytes between its objects"


def open_pack(path: str) -> Pack:
    """Return the pack at `path`, its index read or, where that is damaged, made again by a scan."""
    pack = Pack(path)
    assert pack.index is not None
    return pack


def _scan(path: str) -> "HeldIndex":
    from cas.formats.salvage import HeldIndex, salvage  # once in the life of a pack, at most

    try:
        with mapped(path) as data:
            return HeldIndex(salvage(data, path))
    except UnreadableFile:
        return HeldIndex(())


def _read_index(path: str) -> PackIndex | None:
    fd, size = open_file(path)
    try:
        end = os.pread(fd, _END_BYTES, max(0, size - _END_BYTES))
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
    finally:
        os.close(fd)
    index = find_index(data, start, path)
    return index if index and index.end + length == size else None


class PackWriter:
    """A pack on its way: a temporary file, which nobody sees and which a crash leaves as garbage.

    Attributes
    ----------
    bytes : int
        How long it is so far.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.bytes = 0
        self._folder = folder
        self._durable = durable
        self._entries: list[Entry] = []
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._temporary, self._fd = create_temporary(folder, 0o444)
        self._add(PACK_START)

    def add(self, seal: Seal, stored: bytes) -> None:
        """Append an object; each id once."""
        self._entries.append(Entry(seal.digest, self.bytes, seal.stored_bytes, seal.raw_bytes))
        self._add(encode_seal(seal), stored)

    def seal(self) -> None:
        """End the pack: all of it is on the disk (if `durable`), but it has no name yet."""
        index = encode_index(self._entries, self.bytes)
        self._add(index)
        self._flush()
        if self._durable:
            sync_file(self._fd)
        # the index holds id and place of all there is, so its id is as good a name as that of the whole
        self._path = self._folder / (oid_of(index) + SUFFIX)
        self._index = index

    def publish(self) -> Pack:
        """Give the sealed pack its name, by which all see it; whoever needs that to last syncs the folder."""
        rename_durably(self._temporary, self._path, durable=False)
        os.close(self._fd)
        self._fd = -1
        return Pack(str(self._path), find_index(self._index, 0, str(self._path)))

    def abort(self) -> None:
        """Drop the file; does nothing after `publish`."""
        if self._fd >= 0:
            with suppress(OSError):
                self._temporary.unlink()
            os.close(self._fd)
            self._fd = -1

    def _add(self, *parts: bytes) -> None:
        size = sum(map(len, parts))
        self._buffer += parts
        self.bytes += size
        self._buffered += size
        if self._buffered >= _WRITE_BYTES:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._buffer)
        self._buffer.clear()
        self._buffered = 0
        write_all(self._fd, data)


class PackSeries:
    """Objects on their way into packs: as many as it takes, which appear together, once all are whole."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._durable = durable
        self._open: PackWriter | None = None
        self._sealed: list[PackWriter] = []

    def add(self, seal: Seal, stored: bytes) -> None:
        """Append an object; each id once."""
        if self._open is not None and self._open.bytes >= PACK_BYTES:
            self._seal()
        if self._open is None:
            self._open = PackWriter(self._folder, durable=self._durable)
        self._open.add(seal, stored)

    def publish(self) -> list[Pack]:
        """Give the packs their names and return them; they last through a power failure, if `durable`."""
        self._seal()
        packs = []
        while self._sealed:
            packs.append(self._sealed[0].publish())
            del self._sealed[0]
        if packs and self._durable:
            sync_folder(self._folder)
        return packs

    def abort(self) -> None:
        """Drop what has no name yet."""
        for writer in [self._open, *self._sealed]:
            if writer is not None:
                writer.abort()
        self._open, self._sealed = None, []

    def _seal(self) -> None:
        if self._open is not None:
            self._open.seal()
            self._sealed.append(self._open)
            self._open = None


def write_packs(folder: Path, parts: Iterable[tuple[Seal, bytes]], *, durable: bool) -> list[Pack]:
    """Write the objects `parts`, each id once, as packs in `folder` and return those; none for no objects.

    They have their names, and so are seen, only when all of them are there (and, if `durable`, on the disk).
    """
    series = PackSeries(folder, durable=durable)
    try:
        for seal, stored in parts:
            series.add(seal, stored)
        return series.publish()
    finally:
        series.abort()


def fits_in_pack(told: Seal | Entry) -> bool:
    """Return whether a pack can hold an object: its index has four bytes for each size, that of version 1 had eight."""
    return max(told.raw_bytes, told.stored_bytes) <= MOST_BYTES - PACK_BYTES


@contextmanager
def mapped(path: str) -> Iterator[IndexBytes]:
    """Have the file at `path` in memory, read-only, while the block runs."""
    fd, size = open_file(path)
    try:
        if not size:
            yield b""  # mmap refuses an empty file
            return
        with mmap(fd, 0, access=ACCESS_READ) as data:
            yield data
    finally:
        os.close(fd)
