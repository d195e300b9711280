"""Many objects out of packs at once, to be read or verified: what lies side by side is read together."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TypeAlias

from blake3 import blake3

from cas.errors import CorruptObject
from cas.files import UnreadableFile, open_file
from cas.formats.frame import FRAME_BYTES, decompress_frames
from cas.formats.pack import has_good_seal, open_entry
from cas.formats.packindex import Entry
from cas.formats.stream import read_object, verify_object
from cas.oid import ObjectId
from cas.threads import in_order

Place: TypeAlias = tuple[str, Entry]

# one read brings so many bytes of neighbours; a longer object is read by itself
_RUN_BYTES = 1 << 20
# to read over a gap of so many bytes costs no more than a second read
_GAP_BYTES = 1 << 14
# raw bytes of a run: what is held in memory at once, times the threads
_RAW_BYTES = FRAME_BYTES


def read_places(places: Iterable[Place]) -> Iterator[tuple[ObjectId, bytes]]:
    """Yield the objects at `places`, each verified, by pack and in the order in which they lie there.

    Raises
    ------
    FileNotFoundError
        When a pack has gone; what was yielded before is good.
    """
    ordered = sorted(places, key=itemgetter(0))
    runs = (
        (path, run)
        for path, group in groupby(ordered, key=itemgetter(0))
        for run in _runs([entry for _, entry in group])
    )
    for found in in_order(_read_run, runs):
        yield from found


def verify_entries(path: str, entries: Iterable[Entry]) -> Iterator[CorruptObject]:
    """Yield an error for each of `entries` in the pack at `path` of which a stored byte is not as written."""
    for run in _runs(entries):
        if _read_together(path, run, sealed=True) is None:
            for entry in run:
                try:
                    _verify(path, entry)
                except CorruptObject as err:
                    yield err


def _runs(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield entries in the order in which they lie, in lists of neighbours that are read together."""
    run: list[Entry] = []
    first = last = raw_bytes = 0
    for entry in sorted(entries, key=attrgetter("offset")):
        end = entry.end
        far = end - first > _RUN_BYTES or entry.offset - last > _GAP_BYTES
        if run and (far or raw_bytes + entry.raw_bytes > _RAW_BYTES):
            yield run
            run = []
        if not run:
            first, raw_bytes = entry.offset, 0
        run.append(entry)
        last = end
        raw_bytes += entry.raw_bytes
    if run:
        yield run


def _read_run(place: tuple[str, list[Entry]]) -> list[tuple[ObjectId, bytes]]:
    path, run = place
    together = _read_together(path, run, sealed=False)
    if together is None:
        return [(entry.oid, _read(path, entry)) for entry in run]
    return [(ObjectId(entry.digest.hex()), data) for entry, data in zip(run, together, strict=True)]


def _read_together(path: str, run: list[Entry], *, sealed: bool) -> list[bytes] | None:
    """Return the objects of a run, verified by their ids, and if `sealed` by their seals too.

    Returns None when one is not sound, or not of one frame: then each is to be looked at by itself.
    """
    start = run[0].offset
    if run[-1].end - start > _RUN_BYTES or max(entry.raw_bytes for entry in run) > FRAME_BYTES:
        return None
    try:
        fd, size = open_file(path)
    except UnreadableFile:
        return None
    try:
        if run[-1].end > size:
            return None
        data = os.pread(fd, run[-1].end - start, start)
    finally:
        os.close(fd)
    frames: list[bytes | bytearray | memoryview] = []
    for _, offset, stored_bytes, _, seal_bytes in run:
        begin = offset - start + seal_bytes
        frames.append(data[begin : begin + stored_bytes])
    if sealed and not all(
        has_good_seal(entry, data, entry.offset - start, frame)
        for entry, frame in zip(run, frames, strict=True)
    ):
        return None
    found = decompress_frames(frames, [entry.raw_bytes for entry in run])
    if found is not None and [blake3(raw).digest() for raw in found] == [entry.digest for entry in run]:
        return found
    return None


def _read(path: str, entry: Entry) -> bytes:
    stored = open_entry(path, entry)
    try:
        return read_object(stored)
    finally:
        stored.close()


def _verify(path: str, entry: Entry) -> None:
    stored = open_entry(path, entry)
    try:
        verify_object(stored)
    finally:
        stored.close()
