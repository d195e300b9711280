"""The packs of a store: many files, one lookup, and a second look when somebody else has written a pack."""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from cas.errors import CorruptObject
from cas.files import PlaceTaken, is_temporary, sync_folder
from cas.formats import multiindex
from cas.formats.multiindex import MultiIndex, open_multi_index
from cas.formats.pack import SUFFIX, Pack, open_entry, read_entries, write_packs
from cas.formats.packindex import Entry
from cas.formats.seal import Seal
from cas.formats.stream import StoredForm
from cas.oid import ObjectId, is_oid

# packs of up to so many objects are looked up together in one dict, larger ones one by one by bisection
_SMALL_PACK = 4096
_NAME_LENGTH = 64 + len(SUFFIX)
# to ask so many packs takes as long as all else that is done for a small object
_MANY_PACKS = 8
# so many lookups are worth a look at every index
_MANY = 1000
# the clock of a filesystem may tick slowly, or be another machine's: a folder that changed only just now may
# change again and keep its time
_RACY_SECONDS = 2.0
# the index over many packs is written again when so many lie beside it: to open one costs a cold process 40 us
MANY_UNCOVERED = 32


class PackFolder:
    """The folder `packs/`, read on first use. What is known of it stays valid in forked processes."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.durable = durable
        self._root = str(folder)
        self._packs: dict[str, Pack] = {}
        self._multi: MultiIndex | None = None
        self._multi_packs: list[Pack] = []
        self._trusted: MultiIndex | None = None  # the one that was seen to be sound
        self._multi_stat: tuple[int, int] | None = None
        self._large: list[Pack] = []
        self._small: dict[bytes, Pack] = {}
        self._changed = -1
        self._settled = False

    def knows(self, digest: bytes) -> bool:
        """Return whether an object is in a pack that this process has read; costs no look at the disk."""
        if digest in self._small or (self._multi is not None and self._multi.records.find(digest)):
            return True
        return any(digest in pack.index for pack in self._large)

    def has(self, digest: bytes) -> bool:
        """Return whether an object is in one of the packs, as of the last look at the folder."""
        if self._changed < 0:
            self.rescan()
        return self.knows(digest)

    def has_now(self, digest: bytes) -> bool:
        """Return whether an object is in a pack at this moment: what was pinned before stays there.

        While packs come every second, to look for one file takes a hundredth of the time of a look at all.
        """
        found = self._find(digest)
        if found is not None and os.access(found[0].path, os.F_OK):
            return True
        self.rescan()
        return self.knows(digest)

    def find(self, digest: bytes) -> Entry | None:
        """Return the entry of an object in one of the packs, or None."""
        if self._changed < 0:
            self.rescan()
        found = self._find(digest)
        return found[1] if found else None

    def find_place(self, digest: bytes) -> tuple[str, Entry] | None:
        """Return the path of a pack that holds an object and its entry there, or None."""
        if self._changed < 0:
            self.rescan()
        found = self._find(digest)
        return (found[0].path, found[1]) if found else None

    def find_places(self, digests: Collection[bytes]) -> list[tuple[str, Entry]]:
        """Return the paths of packs, and entries there, of those of many objects that are in packs; each once."""
        if self._changed < 0:
            self.rescan()
        asked = set(digests)
        if len(asked) < _MANY:
            found = (self._find(digest) for digest in asked)
            return [(pack.path, entry) for pack, entry in filter(None, found)]
        places = []
        for pack in list(self._packs.values()):
            try:
                index = pack.index
            except FileNotFoundError:
                continue  # it went since the folder was listed
            # to go through an index takes a tenth of the time, for each entry, of a search in it
            if len(asked) * 10 > len(index):
                entries = [entry for entry in index if entry.digest in asked]
            else:
                entries = list(filter(None, map(index.find, asked)))
            places += [(pack.path, entry) for entry in entries]
            asked.difference_update(entry.digest for entry in entries)
        return places

    def find_open(self, digest: bytes) -> StoredForm | None:
        """Return the stored form of an object, whose file the caller closes, or None."""
        found = self.find_place(digest)
        if found is None:
            return None
        try:
            return open_entry(*found)
        except FileNotFoundError:
            # another process has merged it into another pack, which a rescan will find
            return None
        except CorruptObject:
            if self._distrust_multi():
                return self.find_open(digest)
            raise

    def rescan(self) -> bool:
        """Look for packs that came or went since the last look; return whether there were any."""
        changed = os.stat(self._root).st_mtime_ns
        if changed == self._changed and self._settled:
            return False
        settled = time.time() - changed / 1e9 > _RACY_SECONDS
        listed = set(os.listdir(self._root))  # noqa: PTH208 - names, not a Path each
        multi, stat = self._multi, self._stat_multi()
        if stat != self._multi_stat:
            multi, self._multi_stat = open_multi_index(f"{self._root}/{multiindex.NAME}"), stat
        # only a new name needs a look, and none that the index over many packs holds: it holds names of packs alone
        covered = multi.files if multi is not None else frozenset()
        came = {name for name in listed - self._packs.keys() if name in covered or _fits(name)}
        gone = self._packs.keys() - listed
        # another thread may look meanwhile: what is in `_packs` is known to lookups, before or at once
        for name in gone:
            self._packs.pop(name, None)
        if gone or multi is not self._multi:
            self._packs.update({name: Pack(f"{self._root}/{name}") for name in came})
            self._look_up_anew(multi)
        else:
            for name in came:
                pack = Pack(f"{self._root}/{name}")
                self._add(pack, self._large, self._small)
                self._packs[name] = pack
        # last: another thread that looks meanwhile would take the folder for known before it is
        self._changed, self._settled = changed, settled
        return bool(came or gone)

    def second_look(self) -> bool:
        """Return whether what was missed may be found now: packs came, or the index over many of them lies."""
        came = self.rescan()
        return self._distrust_multi() or came

    def packs(self) -> list[Pack]:
        """Return all packs that are there now."""
        self.rescan()
        return list(self._packs.values())

    def uncovered(self) -> int:
        """Return how many packs each lookup has to ask for itself, since no index over many covers them."""
        if self._changed < 0:
            self.rescan()
        return len(self._packs) - len(self._multi_packs)

    def are_many(self) -> bool:
        """Return whether so many packs are in no index over many that a lookup should not ask each of them."""
        return self.uncovered() >= MANY_UNCOVERED

    def multi_is_stale(self) -> bool:
        """Return whether there is an index over many packs that is of no use any more."""
        self.rescan()
        return self._multi is None and self._multi_stat is not None

    def publish(self, parts: Iterable[tuple[Seal, bytes]]) -> list[ObjectId]:
        """Write those of `parts` that no pack holds as new packs; return their ids."""
        self.rescan()
        packs = write_packs(self.folder, self._lacking(parts), durable=self.durable)
        if not packs:
            self.sync()
        self.take_in(packs)
        return [ObjectId(digest.hex()) for pack in packs for digest in pack.index.digests()]

    def take_in(self, packs: Iterable[Pack]) -> None:
        """Know packs that this process has just published."""
        for pack in packs:
            self._add(pack, self._large, self._small)
            self._packs[pack.name] = pack
        if self._asks_many():
            self.write_multi_index()

    def _asks_many(self) -> bool:
        """Return whether lookups ask so many large packs, one by one, that an index over all is worth writing."""
        if len(self._large) < _MANY_PACKS:
            return False
        covered = len(self._multi) if self._multi is not None else 0
        return sum(len(pack.index) for pack in self._large) >= covered // 4

    def forget(self, name: str) -> None:
        """Know nothing of a pack any more, so that what is there under its name is read."""
        if self._packs.pop(name, None):
            self._look_up_anew(self._multi)

    def sync(self) -> None:
        """Return when packs that others have just written survive a power failure, if ours should."""
        if self.durable:
            sync_folder(self.folder)

    def write_multi_index(self) -> None:
        """Write the index over all packs that are sound and of the present version."""
        packs = [(pack.name.removesuffix(SUFFIX), pack.records) for pack in self.packs()]
        known = [(name, records) for name, records in packs if records is not None]
        with suppress(PlaceTaken):  # lookups do without, and fsck names what is in its place
            multiindex.write_multi_index(self.folder / multiindex.NAME, known, durable=self.durable)
        self._settled = False
        self.rescan()

    def digests(self, prefix: str = "") -> Iterator[bytes]:
        """Yield each id that begins with `prefix`, as 32 bytes."""
        self.rescan()
        small, multi, large = self._small, self._multi, list(self._large)
        yield from [digest for digest in small if not prefix or digest.hex().startswith(prefix)]
        if multi is not None:
            yield from (digest for digest in multi.records.digests(prefix) if digest not in small)
        for place, pack in enumerate(large):
            for digest in pack.index.digests(prefix):
                found = digest in small or (multi is not None and multi.records.find(digest))
                if not found and not any(other.index.find(digest) for other in large[:place]):
                    yield digest

    def delete(self, digest: bytes) -> bool:
        """Write each pack that holds the object again without it; return whether there was one."""
        victims = [pack for pack in self.packs() if pack.index.find(digest)]
        for pack in victims:
            others = [entry for entry in pack.index if entry.digest != digest]
            write_packs(self.folder, read_entries(pack.path, others), durable=self.durable)
            Path(pack.path).unlink(missing_ok=True)
        if victims:
            self._settled = False
            self.rescan()
        return bool(victims)

    def foreign(self) -> Iterator[Path]:
        """Yield what lies in the folder and is neither a pack nor on its way to be one."""
        known = {pack.name for pack in self.packs() if len(pack.index)}
        for path in sorted(self.folder.iterdir()):
            ours = path.name in known or path.name == multiindex.NAME
            if not ours and not is_temporary(path):
                yield path

    def _lacking(self, parts: Iterable[tuple[Seal, bytes]]) -> Iterator[tuple[Seal, bytes]]:
        seen = set()
        for seal, stored in parts:
            if seal.digest not in seen and not self.knows(seal.digest):
                seen.add(seal.digest)
                yield seal, stored

    def _find(self, digest: bytes) -> tuple[Pack, Entry] | None:
        pack = self._small.get(digest)
        if pack is not None:
            entry = pack.index.find(digest)
            return (pack, entry) if entry else None
        if self._multi is not None:
            found = self._multi.find(digest)
            if found is not None and found[0] < len(self._multi_packs):
                return self._multi_packs[found[0]], found[1]
        for pack in self._large:
            entry = pack.index.find(digest)
            if entry:
                return pack, entry
        return None

    def _stat_multi(self) -> tuple[int, int] | None:
        try:
            status = os.lstat(f"{self._root}/{multiindex.NAME}")
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _distrust_multi(self) -> bool:
        """Stop using the index over many packs if it is damaged; return whether that was so."""
        if self._multi is None or self._multi is self._trusted:
            return False
        if self._multi.is_sound():
            self._trusted = self._multi
            return False
        self._look_up_anew(None)
        return True

    def _look_up_anew(self, multi: MultiIndex | None) -> None:
        """Make the lookup again, from `multi` and the packs that it does not cover."""
        # when a pack went since it was written, what it says of that one is not to be had any more
        known = dict(self._packs)
        multi = multi if multi is not None and known.keys() >= multi.files else None
        covered = multi.files if multi is not None else frozenset()
        large: list[Pack] = []
        small: dict[bytes, Pack] = {}
        for name, pack in known.items():
            if name not in covered:
                self._add(pack, large, small)
        self._multi = multi
        self._multi_packs = [known[name + SUFFIX] for name in multi.packs] if multi is not None else []
        self._large, self._small = large, small

    def _add(self, pack: Pack, large: list[Pack], small: dict[bytes, Pack]) -> None:
        try:
            index = pack.index
        except FileNotFoundError:
            # it went since the folder was listed: what it held is elsewhere now
            self._packs.pop(pack.name, None)
            return
        if len(index) > _SMALL_PACK:
            large.append(pack)
        else:
            small.update(dict.fromkeys(index.digests(), pack))


def _fits(name: str) -> bool:
    """Return whether a file of this name is a pack."""
    return len(name) == _NAME_LENGTH and name.endswith(SUFFIX) and is_oid(name[:64])
