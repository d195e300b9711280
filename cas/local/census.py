"""How many objects a store holds, where, and what they take."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cas.errors import CorruptObject
from cas.files import TEMPORARY_PREFIX
from cas.formats.pack import Pack
from cas.local.loose import open_loose
from cas.local.store import LocalStore


@dataclass(slots=True)
class Census:
    """Counts and sizes in bytes of what is in a store.

    Attributes
    ----------
    loose, loose_raw, loose_stored : int
        Loose objects, how long they are, and how long their files are.
    packs, packed, packed_raw, packed_stored : int
        Packs, the objects in them (each copy), how long those are, and how long the files of the packs are.
    garbage, garbage_bytes : int
        Files that are no objects: of others, or left half written.
    trash, trash_bytes : int
        Files that gc moved away and that are still read.
    """

    loose: int = 0
    loose_raw: int = 0
    loose_stored: int = 0
    packs: int = 0
    packed: int = 0
    packed_raw: int = 0
    packed_stored: int = 0
    garbage: int = 0
    garbage_bytes: int = 0
    trash: int = 0
    trash_bytes: int = 0


def take_census(store: LocalStore) -> Census:
    """Count what is in `store`; of each loose object the end of its file is read, of each pack its index."""
    census = Census()
    census.loose, census.loose_raw, census.loose_stored = count_loose(store)
    for pack in store.packs.packs():
        with suppress(FileNotFoundError):
            tally = count_packed(pack)
            census.packs += 1
            census.packed += tally.objects
            census.packed_raw += tally.raw_bytes
            census.packed_stored += tally.stored_bytes
    census.garbage, census.garbage_bytes = _total(_garbage(store))
    census.trash, census.trash_bytes = _total(store.trash.files())
    return census


class Tally(NamedTuple):
    """How many objects there are somewhere, how long they are, and how long the files that hold them."""

    objects: int
    raw_bytes: int
    stored_bytes: int


def count_loose(store: LocalStore, prefix: str = "") -> Tally:
    """Count the loose objects whose ids begin with `prefix`."""
    objects = raw = held = 0
    for oid in store.loose.ids(prefix):
        path = store.loose.path_of(oid)
        with suppress(FileNotFoundError, CorruptObject):
            stored = open_loose(path, oid)
            stored.close()
            raw += stored.seal.raw_bytes
        objects += 1
        held += _size(Path(path))
    return Tally(objects, raw, held)


def count_packed(pack: Pack) -> Tally:
    """Count the objects of a pack; raise FileNotFoundError when it has just gone."""
    entries = list(pack.index)
    return Tally(len(entries), sum(entry.raw_bytes for entry in entries), _size(Path(pack.path)))


def _total(paths: Iterable[Path]) -> tuple[int, int]:
    sizes = [_size(path) for path in paths]
    return len(sizes), sum(sizes)


def _garbage(store: LocalStore) -> Iterator[Path]:
    found = {*store.loose.foreign(), *store.packs.foreign()}
    for folder in (store.root, store.loose.folder, store.packs.folder):
        found.update(folder.glob(TEMPORARY_PREFIX + "*"))
    yield from found


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0
