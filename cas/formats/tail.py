"""The tail of a loose object: what stands in its file behind the stored form.

That is its seal and, behind an object of many frames, the seek table for other tools.

Notes
-----
Source: docs/reference/formats/object.md.
"""

import os
from typing import NamedTuple

from cas.formats.frame import FrameTable, encode_seek_table, find_seek_table_bytes
from cas.formats.seal import (
    MOST_BYTES,
    NAMED_SEAL_BYTES,
    SEAL_BYTES,
    Seal,
    encode_named_seal,
    encode_seal,
    find_named_seal,
    find_seal,
)


class Tail(NamedTuple):
    """A tail that was found.

    Attributes
    ----------
    start : int
        Where in the file it begins, which is where the stored form ends.
    named : bool
        Its seal holds the id: the object is very large, or the first version wrote it.
    """

    seal: Seal
    start: int
    named: bool = False


def encode_tail(seal: Seal, table: FrameTable | None, *, named: bool = False) -> bytes:
    """Return the tail of the object `seal` with the frame table `table`; a very large one has a named seal."""
    named = named or max(seal.raw_bytes, seal.stored_bytes) > MOST_BYTES
    head = encode_named_seal(seal) if named else encode_seal(seal)
    return head + (encode_seek_table(table, len(head)) if table else b"")


def find_tail(fd: int, size: int, digest: bytes) -> Tail | None:
    """Return the tail of the loose object `digest` in the file `fd` of `size` bytes; None when it is damaged.

    A seal at the end is looked for first, then one before a seek table.
    """
    end = os.pread(fd, NAMED_SEAL_BYTES, max(0, size - NAMED_SEAL_BYTES))
    tail = _seal_before(end, size, digest)
    if tail is None and (length := find_seek_table_bytes(end)) is not None and length < size:
        size -= length
        end = os.pread(fd, min(size, NAMED_SEAL_BYTES), max(0, size - NAMED_SEAL_BYTES))
        tail = _seal_before(end, size, digest)
    if tail is None or tail.seal.digest != digest or tail.seal.stored_bytes != tail.start:
        return None
    return tail


def _seal_before(end: bytes, size: int, digest: bytes) -> Tail | None:
    """Return the tail whose seal ends with `end`, which is up to the offset `size` of the file."""
    if len(end) >= SEAL_BYTES and (seal := find_seal(end, len(end) - SEAL_BYTES, digest)):
        return Tail(seal, size - SEAL_BYTES)
    if len(end) >= NAMED_SEAL_BYTES and (seal := find_named_seal(end)):
        return Tail(seal, size - NAMED_SEAL_BYTES, named=True)
    return None
