"""One index over many packs, so that a lookup asks once and not each of them.

It repeats what the packs' own indexes say, and can be written again from them at any time.

Notes
-----
Source: docs/reference/formats/pack.md.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from blake3 import blake3

from cas.files import UnreadableFile, create_temporary, open_file, rename_durably, sync_file, write_all
from cas.formats.frame import check_of
from cas.formats.pack import SUFFIX
from cas.formats.packindex import RECORD_BYTES, Entry, decode_entry
from cas.formats.records import DIGEST_BYTES, FAN_OUT_BITS, FanOut, Records, fan_out_bits, fan_out_bytes

NAME: Final = "multi.idx"

_START = struct.Struct("<4sBBHIQ")
_VERSION = 1
_PACK = struct.Struct("<I")
_WIDTH = RECORD_BYTES + _PACK.size
_CHECK_BYTES = 16


class MultiIndex:
    """An index over packs, mapped; `open_multi_index` makes it.

    Attributes
    ----------
    packs : tuple of str
        Names of the packs that it covers, as 64 hex digits; a record tells a pack by its place here.
    files : frozenset of str
        The names of their files.
    """

    __slots__ = ("_bits", "_data", "_end", "_start", "files", "packs", "records")

    def __init__(self, data: mmap, packs: tuple[str, ...], records: Records, start: int, bits: int) -> None:
        self.packs = packs
        self.files = frozenset(name + SUFFIX for name in packs)
        self.records = records
        self._bits = bits
        self._data = data
        self._start = start
        self._end = start + len(records) * _WIDTH

    def __len__(self) -> int:
        return len(self.records)

    def find(self, digest: bytes) -> tuple[int, Entry] | None:
        """Return place of the pack, and entry, of an object, or None."""
        record = self.records.find(digest)
        if record is None:
            return None
        place = _PACK.unpack_from(record, RECORD_BYTES)[0]
        return (place, decode_entry(record)) if place < len(self.packs) else None

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Yield place of the pack, and entry, of every object, sorted by id."""
        data = self.records.between(b"", None)
        for at in range(0, len(data), _WIDTH):
            place = _PACK.unpack_from(data, at + RECORD_BYTES)[0]
            if place < len(self.packs):
                yield place, decode_entry(data[at : at + RECORD_BYTES])

    def within(self, pack: str) -> list[Entry]:
        """Return the entries of one pack, in the order in which they lie there."""
        place = self.packs.index(pack)
        return sorted((entry for at, entry in self.entries() if at == place), key=lambda entry: entry.offset)

    def by_pack(self) -> list[tuple[str, Records]]:
        """Return the packs that it covers, each with the records that tell of it, as `write_multi_index` takes them."""
        parts: list[list[bytes]] = [[] for _ in self.packs]
        data = self.records.between(b"", None)
        for at in range(0, len(data), _WIDTH):
            place = _PACK.unpack_from(data, at + RECORD_BYTES)[0]
            if place < len(parts):
                parts[place].append(data[at : at + RECORD_BYTES])
        records = (Records(b"".join(part), 0, 0, len(part), RECORD_BYTES, 0) for part in parts)
        return [*zip(self.packs, records, strict=True)]

    def is_sound(self) -> bool:
        """Return whether all bytes are as they were written; that takes 25 ms for a million objects."""
        data, start, end = self._data, self._start, self._end
        with memoryview(data) as view:
            head, records = check_of(view[: start - _CHECK_BYTES]), check_of(view[start:end])
        return data[start - _CHECK_BYTES : start] == head and data[end:] == records

    def repeats(self, packs: Sequence[Records]) -> bool:
        """Return whether it is what `write_multi_index` makes of the packs that it covers, given their records."""
        fan_out, at = FanOut(self._bits), self._start
        for merged in _merged(packs):
            fan_out.count(merged)
            part = b"".join(merged)
            if self._data[at : at + len(part)] != part:
                return False
            at += len(part)
        expected = fan_out.encode()
        fan_out_end = self._start - _CHECK_BYTES
        return at == self._end and self._data[fan_out_end - len(expected) : fan_out_end] == expected


def open_multi_index(path: str) -> MultiIndex | None:
    """Return the index at `path`; None when it is missing, of another length, or of a version that acc does not know.

    Its checks are those of `is_sound`: what it tells wrongly is missed, or found to be so where it is read.
    """
    try:
        fd, size = open_file(path)
    except (FileNotFoundError, UnreadableFile):
        return None
    try:
        if size < _START.size:
            return None
        data = mmap(fd, 0, access=ACCESS_READ)
    finally:
        os.close(fd)
    tag, version, bits, _, count, total = _START.unpack(data[: _START.size])
    if tag != b"accM" or version != _VERSION or bits not in FAN_OUT_BITS:
        return None
    gap = fan_out_bytes(bits) + _CHECK_BYTES
    start = _START.size + count * DIGEST_BYTES + gap
    if len(data) != start + total * _WIDTH + _CHECK_BYTES:
        return None
    names = data[_START.size : _START.size + count * DIGEST_BYTES]
    packs = tuple(names[at : at + DIGEST_BYTES].hex() for at in range(0, len(names), DIGEST_BYTES))
    return MultiIndex(data, packs, Records(data, start, gap, total, _WIDTH, bits), start, bits)


def write_multi_index(path: Path, packs: Sequence[tuple[str, Records]], *, durable: bool) -> None:
    """Write the index over `packs`, given as names (64 hex digits) and records of version 2, to `path`.

    An object that is in several of them is told of in the first. Takes memory for a 256th of the records.
    """
    bits = fan_out_bits(sum(len(records) for _, records in packs))
    names = b"".join(bytes.fromhex(name) for name, _ in packs)
    before_records = _START.size + len(names) + fan_out_bytes(bits) + _CHECK_BYTES
    temporary, fd = create_temporary(path.parent, 0o444)
    try:
        fan_out, hasher, total = FanOut(bits), blake3(), 0
        # the fan-out stands first and is known last
        os.lseek(fd, before_records, os.SEEK_SET)
        for merged in _merged([records for _, records in packs]):
            fan_out.count(merged)
            total += len(merged)
            part = b"".join(merged)
            hasher.update(part)
            write_all(fd, part)
        write_all(fd, hasher.digest(_CHECK_BYTES))
        head = _START.pack(b"accM", _VERSION, bits, 0, len(packs), total) + names + fan_out.encode()
        os.lseek(fd, 0, os.SEEK_SET)
        write_all(fd, head + check_of(head))
        if durable:
            sync_file(fd)
        rename_durably(temporary, path, durable=durable)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        os.close(fd)


def _merged(all_records: Sequence[Records]) -> Iterator[list[bytes]]:
    """Yield the records of all packs, sorted, each id once, those of one first byte at a time."""
    for first in range(256):
        low, high = bytes([first]), bytes([first + 1]) if first < 255 else None
        found: dict[bytes, bytes] = {}
        for number, records in enumerate(all_records):
            data, pack = records.between(low, high), _PACK.pack(number)
            for at in range(0, len(data), RECORD_BYTES):
                found.setdefault(data[at : at + DIGEST_BYTES], data[at : at + RECORD_BYTES] + pack)
        if found:
            yield [found[digest] for digest in sorted(found)]
