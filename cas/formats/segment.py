"""Segments: files that one process appends objects to while others read them, without an index.

Each object stands behind its named seal. A segment begins and goes on as a pack of version 1 does, up to where that
has its index.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import os
from collections.abc import Iterator

from cas.files import sync_file, write_all
from cas.formats.pack import PACK_START_1, mapped
from cas.formats.packindex import Entry
from cas.formats.records import IndexBytes
from cas.formats.seal import NAMED_SEAL_BYTES, Seal, encode_named_seal, find_named_seal


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
        self._append(PACK_START_1)

    def add(self, seal: Seal, stored: bytes) -> Entry:
        """Append an object.

        When that fails, the segment may end in part of an entry: it must not be added to again.
        """
        entry = Entry(seal.digest, self.end, seal.stored_bytes, seal.raw_bytes, NAMED_SEAL_BYTES)
        self._append(encode_named_seal(seal) + stored)
        return entry

    def sync(self) -> None:
        """Return when all that was added is on the disk."""
        sync_file(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _append(self, data: bytes) -> None:
        write_all(self._fd, data)
        self.end += len(data)


def scan_segment(path: str, start: int) -> list[Entry]:
    """Return the whole entries of the segment at `path` from the offset `start` on; none when it is gone."""
    try:
        if os.stat(path).st_size <= start:
            return []
        with mapped(path) as data:
            return list(_scan(data, max(start, len(PACK_START_1))))
    except FileNotFoundError:
        return []


def _scan(data: IndexBytes, start: int) -> Iterator[Entry]:
    """Yield the entries that stand in `data` from `start` on, up to the first that is not whole."""
    at = start
    while seal := find_named_seal(data, at):
        entry = Entry(seal.digest, at, seal.stored_bytes, seal.raw_bytes, NAMED_SEAL_BYTES)
        if entry.end > len(data):
            return
        yield entry
        at = entry.end
