"""Many objects out of packs at once, to be read or verified: what lies side by side is read together."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TypeAlias

from cas.errors import CorruptObject
from cas.formats.pack import seal_of, stored_form
from cas.formats.packindex import Entry
from cas.formats.stream import HeldForm, StoredForm, read_object, verify_object
from cas.oid import ObjectId

Place: TypeAlias = tuple[str, Entry]

# one read brings so many bytes of neighbours; a longer object is read by itself
_RUN_BYTES = 1 << 20
# to read over a gap of so many bytes costs no more than a second read
_GAP_BYTES = 1 << 14


def read_places(places: Iterable[Place]) -> Iterator[tuple[ObjectId, bytes]]:
    """Yield the objects at `places`, each verified, by pack and in the order in which they lie there.

    Raises
    ------
    FileNotFoundError
        When a pack has gone; what was yielded before is good.
    """
    for path, group in groupby(sorted(places, key=itemgetter(0)), key=itemgetter(0)):
        for stored in _stored_forms(path, [entry for _, entry in group]):
            if isinstance(stored, CorruptObject):
                raise stored
            yield stored.seal.oid, read_object(stored)


def verify_entries(path: str, entries: Iterable[Entry]) -> Iterator[CorruptObject]:
    """Yield an error for each of `entries` in the pack at `path` of which a stored byte is not as written."""
    for stored in _stored_forms(path, entries):
        if isinstance(stored, CorruptObject):
            yield stored
            continue
        try:
            verify_object(stored)
        except CorruptObject as err:
            yield err


def _stored_forms(path: str, entries: Iterable[Entry]) -> Iterator[StoredForm | CorruptObject]:
    """Yield the stored form of each entry, or what is wrong with its seal, in the order in which they lie."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for run in _runs(sorted(entries, key=attrgetter("offset"))):
            long = run[0].stored_bytes > _RUN_BYTES
            start = run[0].offset
            data = b"" if long else os.pread(fd, run[-1].end - start, start)
            for entry in run:
                try:
                    yield stored_form(fd, entry, path) if long else _held(data, entry, start, path)
                except CorruptObject as err:
                    yield err
    finally:
        os.close(fd)


def _runs(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield entries, which are sorted by offset, in lists of neighbours."""
    run: list[Entry] = []
    for entry in entries:
        if run and (entry.end - run[0].offset > _RUN_BYTES or entry.offset - run[-1].end > _GAP_BYTES):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _held(data: bytes, entry: Entry, start: int, path: str) -> HeldForm:
    """Return the stored form of an entry of which all is in `data`, the bytes of its pack from `start` on."""
    begin = entry.start - start
    seal = seal_of(entry, data[entry.offset - start : begin], path)
    return HeldForm(seal, data[begin : entry.end - start], path)
