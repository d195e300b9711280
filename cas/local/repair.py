"""Mend what fsck found: put damaged files aside, keep what is sound in them, fetch good copies from elsewhere.

Nothing is deleted: what was put aside stays in `quarantine/` until somebody removes it.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cas.errors import (
    CorruptObject,
    CorruptRemote,
    NotARemote,
    ObjectNotFound,
    RemoteDenied,
    RemoteUnreachable,
)
from cas.files import PlaceTaken, clone_or_copy, kind_of
from cas.formats.multiindex import NAME as MULTI_INDEX
from cas.formats.pack import open_pack, read_entries, write_packs
from cas.local.fsck import Problem, is_sound
from cas.local.reading import verify_entries
from cas.local.store import LocalStore
from cas.local.upkeep import upkeep
from cas.oid import ObjectId
from cas.store import Store

Progress = Callable[[int], None]

# what keeps a remote from giving a good copy
_SILENT: Final = (CorruptRemote, NotARemote, RemoteDenied, RemoteUnreachable)


@dataclass(slots=True)
class Mended:
    """What a repair did.

    Attributes
    ----------
    quarantined : list of Path
        Where damaged files are now.
    fetched : list of ObjectId
        Objects that were missing or corrupt and are sound again.
    lost : list of ObjectId
        Objects of which no good copy was found.
    """

    quarantined: list[Path] = field(default_factory=list)
    fetched: list[ObjectId] = field(default_factory=list)
    lost: list[ObjectId] = field(default_factory=list)


def repair(
    store: LocalStore,
    problems: Iterable[Problem],
    sources: Sequence[Store] = (),
    *,
    progress: Progress | None = None,
) -> Mended:
    """Mend the `problems` that `cas.local.fsck.check` found with objects; those of refs are left.

    Parameters
    ----------
    store
        The store that was checked.
    problems
        What was found; what has been mended since is passed over.
    sources
        Other stores to fetch good copies from, in the order in which they are asked.
    progress
        Called with the number of objects that have been looked for.
    """
    store = store.alone()
    damage = [problem for problem in problems if problem.is_damage]
    with upkeep(store.root, blocking=True):
        mended = Mended()
        files = {path for problem in damage if (path := problem.path) is not None}
        for path in sorted(files):
            _put_aside(store, path, mended)
        if store.packs.multi_is_stale():
            store.packs.write_multi_index()
        wanted = sorted({oid for problem in damage if (oid := problem.oid) is not None})
        for done, oid in enumerate(wanted, start=1):
            found = _bring_back(store, oid) or _fetch(store, oid, sources)
            (mended.fetched if found else mended.lost).append(oid)
            if progress is not None:
                progress(done)
        return mended


def _put_aside(store: LocalStore, path: Path, mended: Mended) -> None:
    """Move a damaged file into quarantine; of a pack, what is sound is written anew before."""
    with suppress(FileNotFoundError):
        if kind_of(path) == "file" and not os.access(path, os.R_OK):
            return  # it may be sound: that is for whoever may read it to say
        if path.name == MULTI_INDEX:
            if kind_of(path) == "file":
                path.unlink()
            else:
                mended.quarantined.append(_move_aside(store, path))
            store.packs.write_multi_index()
        elif path.is_relative_to(store.packs.folder):
            save = _save_pack if kind_of(path) == "file" else _move_aside
            mended.quarantined.append(save(store, path))
        elif path.is_relative_to(store.loose.folder) and not _is_sound_now(store, path):
            mended.quarantined.append(_move_aside(store, path))


def _is_sound_now(store: LocalStore, path: Path) -> bool:
    """Return whether a writer has replaced a damaged loose object since it was found."""
    try:
        store.loose.verify(ObjectId(path.name))
    except (CorruptObject, ObjectNotFound):
        return False
    return True


def _move_aside(store: LocalStore, path: Path) -> Path:
    aside = _place_in_quarantine(store, path)
    path.rename(aside)
    return aside


def _place_in_quarantine(store: LocalStore, path: Path) -> Path:
    # a folder for each time, since the same object may be damaged again
    folder = store.root / "quarantine" / str(time.time_ns())
    folder.mkdir(parents=True)
    return folder / path.name


def _save_pack(store: LocalStore, path: Path) -> Path:
    """Write the sound objects of a damaged pack into another one; return where the damaged one is now."""
    entries = list(open_pack(str(path)).index)
    bad = {error.oid for error in verify_entries(str(path), entries)}
    sound = sorted((entry for entry in entries if entry.oid not in bad), key=lambda entry: entry.offset)
    aside = _place_in_quarantine(store, path)
    clone_or_copy(path, aside)
    written = write_packs(store.packs.folder, read_entries(str(path), sound), durable=store.packs.durable)
    # a pack is named by what it holds: when nothing is lost, the new one has taken the place of the old
    if path.name not in {pack.name for pack in written}:
        path.unlink()
    store.packs.forget(path.name)
    store.packs.take_in(written)
    return aside


def _bring_back(store: LocalStore, oid: ObjectId) -> bool:
    """Return whether a sound copy is in the store; one in the trash is taken from there."""
    if not is_sound(store, oid):
        return False
    # with all that it links to if possible, else by itself: what reaches it is hurt less then
    return store.has(oid) or bool(store.hold([oid])) or store.trash.restore(oid)


def _fetch(store: LocalStore, oid: ObjectId, sources: Sequence[Store]) -> bool:
    """Copy an object from the first of `sources` that has a good copy; return whether one had."""
    for source in sources:
        writer = store.writer()
        try:
            for piece in source.pieces(oid):
                writer.write(piece)
            # bytes are verified by their source, and the name that they get is theirs again
            if writer.commit() == oid:
                return True
        except (ObjectNotFound, CorruptObject, *_SILENT):
            continue
        except PlaceTaken:
            return False
        finally:
            writer.abort()
    return False
