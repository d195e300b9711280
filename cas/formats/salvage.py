"""What can still be read of a pack whose index is damaged or missing: the entries that a scan finds.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

from collections.abc import Iterable, Iterator

from blake3 import blake3

from cas.errors import CorruptObject
from cas.formats.frame import FRAME_BYTES, TABLE_FOOTER_BYTES, decompress_frame, find_table_bytes, table_owner
from cas.formats.packindex import Entry
from cas.formats.records import IndexBytes
from cas.formats.seal import (
    NAMED_SEAL_BYTES,
    NAMED_SEAL_START,
    SEAL_BYTES,
    SEAL_START,
    find_named_seal,
    find_seal,
)
from cas.oid import ObjectId

_UNKNOWN = bytes(32)


class HeldIndex:
    """Entries in memory, in place of the index of a pack; entries of each kind may stand side by side."""

    seal_bytes = 0

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.digest: entry for entry in entries}
        self.end = max((entry.end for entry in self), default=0)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._entries

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield the ids that begin with `prefix`."""
        return (digest for digest in self._entries if digest.hex().startswith(prefix))

    def find(self, digest: bytes) -> Entry | None:
        """Return the entry of an object, or None."""
        return self._entries.get(digest)


def salvage(data: IndexBytes, where: str) -> Iterator[Entry]:
    """Yield the entries that stand anywhere in `data`, behind seals that are whole.

    The id of an object behind a short seal is found by hashing it, so one that does not decompress is left out.
    """
    at = 0
    while at >= 0:
        entry, end = _entry_at(data, at, where)
        if entry is not None:
            yield entry
        at = end or _next_seal(data, at + 1)


def _next_seal(data: IndexBytes, start: int) -> int:
    """Return where the next seal may begin, or -1."""
    places = (data.find(SEAL_START, start), data.find(NAMED_SEAL_START, start))
    return min((place for place in places if place >= 0), default=-1)


def _entry_at(data: IndexBytes, at: int, where: str) -> tuple[Entry | None, int]:
    """Return the entry whose seal begins at `at`, and where it ends: (None, 0) without a whole seal."""
    named = find_named_seal(data, at)
    seal = named or find_seal(data, at, _UNKNOWN)
    if seal is None:
        return None, 0
    entry = Entry(
        seal.digest, at, seal.stored_bytes, seal.raw_bytes, NAMED_SEAL_BYTES if named else SEAL_BYTES
    )
    if entry.end > len(data):
        return None, 0
    if not named:
        try:
            entry = entry._replace(digest=_digest_of(data[entry.start : entry.end], entry.raw_bytes, where))
        except CorruptObject:
            return None, entry.end
    return entry, entry.end


def _digest_of(stored: bytes, raw_bytes: int, where: str) -> bytes:
    """Return whose stored form this is: the id is that of the raw bytes, or stands in the frame table."""
    nobody = ObjectId(_UNKNOWN.hex())
    if raw_bytes <= FRAME_BYTES:
        return blake3(decompress_frame(stored, raw_bytes, nobody, where)).digest()
    length = find_table_bytes(stored[-TABLE_FOOTER_BYTES:])
    if length is None or length > len(stored):
        raise CorruptObject(nobody, "its frame table is missing", where=where)
    return table_owner(stored[-length:])
