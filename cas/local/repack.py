"""Fewer files: small packs merged by size, small loose objects packed; safe beside readers and writers.

What is moved is first published anew and durable, and only then deleted where it was: a reader that comes too late
to a file finds its objects at a second look. Packs grow by the factor of 4, so that however many jobs there were, the
number of packs grows with the logarithm of their bytes, and each byte is copied about as often.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zlib import crc32

from cas.errors import CorruptObject
from cas.formats.pack import PACK_BYTES, Pack, fits_in_pack, read_entries, write_packs
from cas.formats.seal import Seal
from cas.local.bulk import LOOSE_BYTES
from cas.local.loose import open_loose
from cas.local.store import LocalStore
from cas.local.upkeep import upkeep
from cas.oid import ObjectId

# packs of up to so many bytes are the first size class; each further one is 4 times as large
_FIRST_CLASS_BYTES: Final = 1 << 16
_FACTOR: Final = 4
# a pack of this length is never merged again
_FULL_BYTES: Final = PACK_BYTES // 2

Progress = Callable[[int], None]


@dataclass(slots=True)
class Repacked:
    """What a repack did.

    Attributes
    ----------
    merged, packed : int
        Packs that were merged away, and loose objects that are in a pack now.
    written : int
        Packs that were written.
    damaged : list of str
        Files that were left alone, since not all of their bytes are as they were written, or an object that they
        tell of is too large for a pack.
    """

    merged: int = 0
    packed: int = 0
    written: int = 0
    damaged: list[str] = field(default_factory=list)


def repack(
    store: LocalStore, *, everything: bool = False, blocking: bool = True, progress: Progress | None = None
) -> Repacked:
    """Merge packs where there are many of a size, pack small loose objects, and index all packs together.

    Parameters
    ----------
    everything
        Merge all packs that are not full, or are of an older version, whatever their number.
    blocking
        Wait for another upkeep; else raise `UpkeepRuns`.
    progress
        Called with the number of objects that have been written.
    """
    with upkeep(store.root, blocking=blocking):
        done = Repacked()
        work = _Work(store, done, progress or (lambda _: None))
        work.pack_loose()
        packs = store.packs.packs()
        for group in [_unsettled(packs)] if everything else plan_merges(packs):
            work.merge(group)
        if everything or done.merged or store.packs.are_many():
            store.packs.write_multi_index()
        return done


def plan_merges(packs: Iterable[Pack]) -> list[list[Pack]]:
    """Return which packs are to become one: 4 or more of a size class, and what that makes of the next class."""
    classes: dict[int, list[tuple[int, list[Pack]]]] = {}
    for pack in packs:
        with suppress(FileNotFoundError):
            size = os.lstat(pack.path).st_size
            if size < _FULL_BYTES:
                classes.setdefault(_class_of(size), []).append((size, [pack]))
    merges: list[list[Pack]] = []
    for number in range(_class_of(_FULL_BYTES) + 1):
        groups = classes.get(number, [])
        if len(groups) < _FACTOR:
            merges += [group for _, group in groups if len(group) > 1]
            continue
        size, merged = sum(size for size, _ in groups), [pack for _, group in groups for pack in group]
        if size < _FULL_BYTES and _class_of(size) > number:
            classes.setdefault(_class_of(size), []).append((size, merged))
        else:
            merges.append(merged)
    return merges


def _class_of(size: int) -> int:
    number = 0
    while size > _FIRST_CLASS_BYTES * _FACTOR**number:
        number += 1
    return number


def _unsettled(packs: Iterable[Pack]) -> list[Pack]:
    """Return the packs that are not full or, by a damaged index or an older version, not as they should be."""
    found = []
    for pack in packs:
        with suppress(FileNotFoundError):
            if os.lstat(pack.path).st_size < _FULL_BYTES or pack.records is None:
                found.append(pack)
    only = found[0] if len(found) == 1 else None
    return [] if only is not None and only.records is not None else found


class _Work:
    """One repack."""

    def __init__(self, store: LocalStore, done: Repacked, progress: Progress) -> None:
        self._store = store
        self._done = done
        self._progress = progress
        self._objects = 0
        self._spoiled: set[str] = set()

    def merge(self, packs: list[Pack]) -> None:
        """Write what `packs` hold as few packs, and delete them."""
        written = self._write(part for pack in packs for part in self._parts_of(pack))
        kept = {pack.path for pack in written} | self._spoiled
        for pack in packs:
            if pack.path not in kept:
                Path(pack.path).unlink(missing_ok=True)
                self._done.merged += 1

    def pack_loose(self) -> None:
        """Write all small loose objects as few packs, and delete their files."""
        packed: list[ObjectId] = []
        self._store.packs.rescan()
        self._write(self._loose_parts(packed))
        # in which pack it is matters not: whoever published that may not have synced it yet
        self._store.packs.sync()
        for oid in packed:
            self._store.loose.delete(oid)
        self._done.packed += len(packed)

    def _write(self, parts: Iterable[tuple[Seal, bytes]]) -> list[Pack]:
        folder = self._store.packs
        written = write_packs(folder.folder, self._once(parts), durable=folder.durable)
        folder.take_in(written)
        self._done.written += len(written)
        return written

    def _once(self, parts: Iterable[tuple[Seal, bytes]]) -> Iterator[tuple[Seal, bytes]]:
        seen: set[bytes] = set()
        for seal, stored in parts:
            if seal.digest not in seen:
                seen.add(seal.digest)
                self._objects += 1
                self._progress(self._objects)
                yield seal, stored

    def _parts_of(self, pack: Pack) -> Iterator[tuple[Seal, bytes]]:
        entries = sorted(pack.index, key=lambda entry: entry.offset)
        if not entries or not all(map(fits_in_pack, entries)):
            self._spoil(pack.path)
            return
        try:
            yield from read_entries(pack.path, entries)
        except CorruptObject as err:
            self._spoil(err.where)

    def _loose_parts(self, packed: list[ObjectId]) -> Iterator[tuple[Seal, bytes]]:
        loose = self._store.loose
        for oid in loose.ids():
            path = loose.path_of(oid)
            try:
                if os.lstat(path).st_size >= LOOSE_BYTES:
                    continue
                part = _read_loose(path, oid)
            except FileNotFoundError:
                continue
            except CorruptObject as err:
                self._spoil(err.where)
                continue
            if fits_in_pack(part[0]):
                packed.append(oid)
                if not self._is_packed(bytes.fromhex(oid)):
                    yield part

    def _is_packed(self, digest: bytes) -> bool:
        """Return whether there is a sound copy of an object in a pack: its loose file is about to go."""
        place = self._store.packs.find_place(digest)
        if place is None:
            return False
        path, entry = place
        try:
            return any(read_entries(path, [entry]))
        except (CorruptObject, FileNotFoundError):
            return False

    def _spoil(self, path: str) -> None:
        """Leave a file alone: what is wrong with it is for fsck to say."""
        self._spoiled.add(path)
        self._done.damaged.append(path)


def _read_loose(path: str, oid: ObjectId) -> tuple[Seal, bytes]:
    stored = open_loose(path, oid)
    try:
        data = stored.read(0, stored.seal.stored_bytes)
        if crc32(data) != stored.seal.crc:
            raise stored.corrupt("its stored bytes have changed")
        return stored.seal, data
    finally:
        stored.close()
