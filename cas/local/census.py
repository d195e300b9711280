"""How many objects a store holds, where, and what they take."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cas.errors import CorruptObject
from cas.files import TEMPORARY_PREFIX
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
    for oid in store.loose.ids():
        path = store.loose.path_of(oid)
        with suppress(FileNotFoundError, CorruptObject):
            stored = open_loose(path, oid)
            stored.close()
            census.loose_raw += stored.seal.raw_bytes
        census.loose += 1
        census.loose_stored += _size(Path(path))
    for pack in store.packs.packs():
        with suppress(FileNotFoundError):
            entries = list(pack.index)
            census.packs += 1
            census.packed += len(entries)
            census.packed_raw += sum(entry.raw_bytes for entry in entries)
            census.packed_stored += _size(Path(pack.path))
    census.garbage, census.garbage_bytes = _total(_garbage(store))
    census.trash, census.trash_bytes = _total(store.trash.files())
    return census


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
