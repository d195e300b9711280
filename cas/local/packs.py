"""The packs of a store: many files, one lookup, and a second look when somebody else has written a pack."""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from cas.errors import ObjectNotFound
from cas.files import TEMPORARY_PREFIX, sync_folder
from cas.formats.frame import Seal
from cas.formats.pack import SUFFIX, Pack, open_pack, read_entries, write_pack
from cas.formats.packindex import Entry
from cas.formats.stream import StoredForm
from cas.oid import ObjectId, is_prefix

# packs of up to so many objects are looked up together in one dict, larger ones one by one by bisection
_SMALL_PACK = 4096
# the clock of a filesystem may tick slowly, or be another machine's: a folder that changed only just now may
# change again and keep its time
_RACY_SECONDS = 2.0


class PackFolder:
    """The folder `packs/`, read on first use. What is known of it stays valid in forked processes."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self._durable = durable
        self._root = str(folder)
        self._packs: dict[str, Pack] = {}
        self._large: list[Pack] = []
        self._small: dict[bytes, Pack] = {}
        self._changed = -1
        self._settled = False

    def knows(self, digest: bytes) -> bool:
        """Return whether an object is in a pack that this process has read; costs no look at the disk."""
        return self._find_pack(digest) is not None

    def find(self, digest: bytes) -> Entry | None:
        """Return the entry of an object in one of the packs, or None."""
        self._read_once()
        pack = self._find_pack(digest)
        return pack.index.find(digest) if pack else None

    def find_open(self, digest: bytes) -> StoredForm | None:
        """Return the stored form of an object, whose file the caller closes, or None."""
        self._read_once()
        pack = self._find_pack(digest)
        try:
            return pack.find_open(digest) if pack else None
        except FileNotFoundError:
            # another process has merged it into another pack, which a rescan will find
            return None

    def rescan(self) -> bool:
        """Look for packs that came or went since the last look; return whether there were any."""
        changed = os.stat(self._root).st_mtime_ns
        if changed == self._changed and self._settled:
            return False
        self._changed, self._settled = changed, time.time() - changed / 1e9 > _RACY_SECONDS
        names = set(os.listdir(self._root))  # noqa: PTH208 - names, not a Path each
        gone = self._packs.keys() - names
        came = [name for name in names - self._packs.keys() if _fits(name)]
        self._forget(gone)
        for name in came:
            self._read(name)
        return bool(came or gone)

    def publish(self, parts: Iterable[tuple[Seal, bytes]]) -> list[ObjectId]:
        """Write those of `parts` that no pack is known to hold as a new pack; return their ids."""
        self._read_once()
        pack = write_pack(self.folder, self._lacking(parts), durable=self._durable)
        if pack is None:
            self.sync()
            return []
        self._add(pack)
        return [entry.oid for entry in pack.index]

    def sync(self) -> None:
        """Return when packs that others have just written survive a power failure, if ours should."""
        if self._durable:
            sync_folder(self.folder)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Yield every copy of every object: the path of its pack, and its entry there."""
        self.rescan()
        for pack in list(self._packs.values()):
            for entry in pack.index:
                yield pack.path, entry

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield each id that begins with `prefix`, as 32 bytes."""
        self.rescan()
        yield from [digest for digest in list(self._small) if not prefix or digest.hex().startswith(prefix)]
        earlier: list[Pack] = []
        for pack in list(self._large):
            for digest in pack.index.digests(prefix):
                if digest not in self._small and not any(other.index.find(digest) for other in earlier):
                    yield digest
            earlier.append(pack)

    def verify(self, path: str, oid: ObjectId) -> None:
        """Raise `CorruptObject` unless every byte of that copy is as it was written."""
        pack = self._packs.get(Path(path).name)
        entry = pack.index.find(bytes.fromhex(oid)) if pack else None
        if pack is None or entry is None:
            raise ObjectNotFound(oid, where=path)
        try:
            pack.verify(entry)
        except FileNotFoundError as err:
            raise ObjectNotFound(oid, where=path) from err

    def delete(self, digest: bytes) -> bool:
        """Write each pack that holds the object again without it; return whether there was one."""
        self.rescan()
        victims = [pack for pack in self._packs.values() if pack.index.find(digest)]
        for pack in victims:
            others = [entry for entry in pack.index if entry.digest != digest]
            survivors = write_pack(self.folder, read_entries(pack.path, others), durable=self._durable)
            if survivors:
                self._add(survivors)
            Path(pack.path).unlink(missing_ok=True)
        self._forget({pack.name for pack in victims})
        return bool(victims)

    def foreign(self) -> Iterator[Path]:
        """Yield what lies in the folder and is neither a pack nor on its way to be one."""
        self.rescan()
        for path in sorted(self.folder.iterdir()):
            pack = self._packs.get(path.name)
            empty = pack is not None and not len(pack.index)
            if empty or (pack is None and not path.name.startswith(TEMPORARY_PREFIX)):
                yield path

    def _lacking(self, parts: Iterable[tuple[Seal, bytes]]) -> Iterator[tuple[Seal, bytes]]:
        seen = set()
        for seal, stored in parts:
            if seal.digest not in seen and not self.knows(seal.digest):
                seen.add(seal.digest)
                yield seal, stored

    def _find_pack(self, digest: bytes) -> Pack | None:
        found = self._small.get(digest)
        if found is None and self._large:
            found = next((pack for pack in self._large if pack.index.find(digest)), None)
        return found

    def _read_once(self) -> None:
        if self._changed < 0:
            self.rescan()

    def _read(self, name: str) -> None:
        try:
            pack = open_pack(f"{self._root}/{name}")
        except FileNotFoundError:
            return  # it went since the folder was listed: what it held is elsewhere now
        self._add(pack)

    def _add(self, pack: Pack) -> None:
        self._packs[pack.name] = pack
        if len(pack.index) > _SMALL_PACK:
            self._large.append(pack)
        else:
            self._small.update(dict.fromkeys(pack.index.digests(), pack))

    def _forget(self, names: Iterable[str]) -> None:
        gone = [self._packs.pop(name) for name in names if name in self._packs]
        if gone:
            # another pack may hold what they held, so the lookup is made again from all that are left
            left, self._large, self._small = list(self._packs.values()), [], {}
            for pack in left:
                self._add(pack)


def _fits(name: str) -> bool:
    """Return whether a file of this name is a pack."""
    return len(name) == 64 + len(SUFFIX) and name.endswith(SUFFIX) and is_prefix(name[:64])
