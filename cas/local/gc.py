"""Take away what nothing reaches: mark from refs and pins, move victims to the trash, look again, delete later.

Safe beside any number of readers and writers, in this order. What there is, is listed before it is asked what is
reached: what comes later is no victim. Pins are read before refs, since a writer sets its refs before it lets go of its
pins. Victims are moved before pins and refs are read a second time, and what is to be deleted is condemned before: a
writer that pinned one too late for the first reading either did so before that, and it comes back with all that it
links to, or looks after that, and does not find it.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

from cas.errors import AccError, CorruptObject
from cas.files import find_abandoned
from cas.formats.pack import Pack, fits_in_pack, read_entries, write_packs
from cas.formats.packindex import Entry
from cas.graph import Visit, Walk, is_node
from cas.local.pins import AllPins
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.local.upkeep import upkeep
from cas.oid import ObjectId
from cas.refs import TRACKED

# a pack is written again without its dead blobs when they are at least this part of it: to copy the living costs
# more than a few dead bytes are worth
_WORTH_COPYING: Final = 0.2
# temporary files of writers that took no lock count as abandoned after this
_TEMPORARY_SECONDS: Final = 3600.0

Progress = Callable[[int], None]


class CannotCollect(AccError):
    """Not all that refs reach could be followed, so nothing is safe to take away."""


@dataclass(slots=True)
class Collected:
    """What a gc found and did; with `dry_run`, what it would do.

    Attributes
    ----------
    reached : int
        Objects that refs and pins reach.
    dead, dead_bytes : int
        Objects that were moved to the trash, and the bytes that they are stored in.
    left_bytes : int
        Stored bytes of dead blobs that stay in packs of mostly living objects.
    restored : int
        Files that came back from the trash, since something reaches what they hold again.
    deleted, freed_bytes : int
        Files that were deleted from the trash or as left by dead writers, and how long they were.
    """

    reached: int = 0
    dead: int = 0
    dead_bytes: int = 0
    left_bytes: int = 0
    restored: int = 0
    deleted: int = 0
    freed_bytes: int = 0


def collect(
    store: LocalStore,
    refs: LocalRefs,
    *,
    grace_seconds: float,
    dry_run: bool = False,
    blocking: bool = True,
    progress: Progress | None = None,
) -> Collected:
    """Move all that neither refs nor living pins reach to the trash, and empty that of what is old enough.

    Parameters
    ----------
    store, refs
        Of one project; refs of other projects are not seen.
    grace_seconds
        How long files stay in the trash; 0 deletes them now, and copies every pack that holds a dead object.
    dry_run
        Only say what would be done.
    blocking
        Wait for another upkeep; else raise `UpkeepRuns`.
    progress
        Called with the number of objects that have been reached.

    Raises
    ------
    CannotCollect
        When a node that a ref reaches is missing or damaged: what it links to is not known.
    """
    with upkeep(store.root, blocking=blocking):
        work = _Collection(store, refs, progress or (lambda _: None), dry_run=dry_run)
        victims = work.find_victims(0.0 if grace_seconds == 0 else _WORTH_COPYING)
        if not dry_run:
            work.move(victims)
            store.trash.condemn(grace_seconds=grace_seconds)
            work.restore_what_is_reached()
            work.tidy()
        return work.done


@dataclass(slots=True)
class _Victims:
    """What is to be moved: loose objects, whole packs, and packs of which some entries are copied first."""

    loose: list[ObjectId]
    packs: list[tuple[Pack, list[Entry]]]


class _Collection:
    """One gc."""

    def __init__(self, store: LocalStore, refs: LocalRefs, progress: Progress, *, dry_run: bool) -> None:
        self.done = Collected()
        self._promises = store.promises
        # what is promised is nothing to fetch
        self._store = store = store.alone()
        self._refs = refs
        self._progress = progress
        self._dry_run = dry_run
        self._pins = AllPins(store.root / "pins", store.root / "cache" / "pins.json")
        self._way = Walk(store)
        # what there was when the mark began, by id and by path
        self._seen: set[str] = set()

    # -- mark --------------------------------------------------------------------------------------------------

    def find_victims(self, waste: float) -> _Victims:
        """Return what nothing reaches."""
        loose, packs = list(self._store.loose.ids()), self._store.packs.packs()
        self._seen = {*loose, *(pack.path for pack in packs)}
        for _ in self._reach():
            self.done.reached += 1
            self._progress(self.done.reached)
        dead = []
        for oid in loose:
            if not self._way.reached(bytes.fromhex(oid)):
                with suppress(FileNotFoundError):
                    status = os.lstat(self._store.loose.path_of(oid))
                    if stat.S_ISREG(status.st_mode):  # what is no file is left: that is for fsck to say
                        self._count(1, status.st_size)
                        dead.append(oid)
        return _Victims(dead, [found for pack in packs if (found := self._look_at(pack, waste))])

    def _reach(self) -> Iterator[Visit]:
        """Yield what pins and refs reach and was not reached before; what is only in the trash comes back.

        Blobs that only what is tracked of a remote reaches, and that the remote has, are not reached: they come again
        when they are read.
        """
        pinned = list(self._pins.living())
        # refs are read page by page: in a transaction, or one that is renamed meanwhile could be on no page
        with self._refs.transaction("gc"):
            names = list(self._refs.names())
        yield from self._followed(self._way.visit(oid for name, oid in names if not name.startswith(TRACKED)))
        # a pin does not tell the role of what it names, which may not be there (yet)
        nodes = [oid for oid in pinned if is_node(self._store, oid)]
        visits = chain(self._way.visit(nodes), self._way.visit_blobs(pinned))
        yield from (visit for visit in map(self._bring_back, visits) if not visit.error)
        tracked = [oid for name, oid in names if name.startswith(TRACKED)]
        yield from self._followed(self._way.visit_partly(tracked, self._promises))

    def _followed(self, visits: Iterator[Visit]) -> Iterator[Visit]:
        for visit in map(self._bring_back, visits):
            if visit.error is not None and visit.role == "node":
                raise CannotCollect(
                    f"node '{visit.oid}' cannot be followed: {visit.error}",
                    hint="'acc fsck' names what is hurt, 'acc fsck --repair' mends what it can",
                )
            yield visit

    def _bring_back(self, visit: Visit) -> Visit:
        """Return the visit; when it is to what is only in the trash, that has come back."""
        # a node was read from wherever it is, so it is nowhere; of a blob only the store was asked
        if visit.missing == (visit.role == "node"):
            return visit
        store = self._store
        if not store.has(visit.oid):
            if self._dry_run:
                self.done.restored += store.trash.holds(visit.oid)
            elif store.trash.restore(visit.oid, condemned=True):
                self.done.restored += 1
                store.packs.rescan()
        return replace(visit, error=None) if visit.missing and store.has(visit.oid) else visit

    def _look_at(self, pack: Pack, waste: float) -> tuple[Pack, list[Entry]] | None:
        """Return the pack and its living entries, if it is to be moved away."""
        try:
            entries = list(pack.index)
        except FileNotFoundError:
            return None
        living = [entry for entry in entries if self._way.reached(entry.digest)]
        dead = [entry for entry in entries if not self._way.reached(entry.digest)]
        if not dead or pack.damaged or not all(map(fits_in_pack, living)):
            return None
        alive_bytes = sum(entry.end - entry.offset for entry in living)
        dead_bytes = sum(entry.end - entry.offset for entry in dead)
        few = living and dead_bytes < waste * (alive_bytes + dead_bytes)
        # a node does not stay when what it links to goes: who holds it relies on all of that
        if few and not any(is_node(self._store, entry.oid) for entry in dead):
            self.done.left_bytes += dead_bytes
            return None
        self._count(len(dead), dead_bytes)
        return pack, living

    def _count(self, objects: int, stored_bytes: int) -> None:
        self.done.dead += objects
        self.done.dead_bytes += stored_bytes

    # -- sweep -------------------------------------------------------------------------------------------------

    def move(self, victims: _Victims) -> None:
        """Copy the living out of packs, then move all victims to the trash."""
        if not (victims.loose or victims.packs):
            return
        packs, trash = self._store.packs, self._store.trash
        moved = [pack for pack, living in victims.packs if self._copy(pack, living)]
        bin_ = trash.begin()
        for pack in moved:
            trash.move_pack(pack.path, bin_)
        for oid in victims.loose:
            trash.move_loose(oid, bin_)
        # what somebody brings back from here on has come since the mark began, with all that lies in the same pack
        self._seen -= {*victims.loose, *(pack.path for pack in moved)}
        packs.rescan()

    def _copy(self, pack: Pack, living: list[Entry]) -> bool:
        """Return whether all living entries of `pack` are in another one now."""
        packs = self._store.packs
        ordered = sorted(living, key=lambda entry: entry.offset)
        try:
            packs.take_in(write_packs(packs.folder, read_entries(pack.path, ordered), durable=packs.durable))
        except CorruptObject:
            return False  # the pack is left as it is: what is wrong with it is for fsck to say
        return True

    def restore_what_is_reached(self) -> None:
        """Bring back what a ref or a pin reaches that came too late for the mark, and what a node reaches that did so.

        Such a node stays until the next gc, though nothing may reach it any more, and who holds it relies on its links.
        """
        for _ in self._reach():
            pass
        # a pack that comes back for one object brings others, nodes among them
        while young := list(self._young_nodes()):
            for visit in self._way.visit(young):
                self._bring_back(visit)

    def _young_nodes(self) -> Iterator[ObjectId]:
        """Yield the nodes that nothing reaches, and that came since the mark began."""
        store = self._store
        store.packs.rescan()
        young = [oid for oid in store.loose.ids() if oid not in self._seen]
        for pack in store.packs.packs():
            if pack.path not in self._seen:
                with suppress(FileNotFoundError):
                    young += (entry.oid for entry in pack.index)
        for oid in young:
            if not self._way.reached(bytes.fromhex(oid)) and is_node(store, oid):
                yield oid

    def tidy(self) -> None:
        """Delete what is condemned, and what dead writers have left."""
        store = self._store
        if store.packs.multi_is_stale():
            store.packs.write_multi_index()
        emptied = store.trash.empty()
        self.done.deleted, self.done.freed_bytes = emptied.files, emptied.bytes
        self._pins.sweep()
        for folder in (store.root, store.loose.folder, store.packs.folder):
            self._delete(find_abandoned(folder, age_seconds=_TEMPORARY_SECONDS))

    def _delete(self, paths: Iterable[Path]) -> None:
        for path in paths:
            with suppress(FileNotFoundError):
                size = path.stat().st_size
                path.unlink()
                self.done.deleted += 1
                self.done.freed_bytes += size
