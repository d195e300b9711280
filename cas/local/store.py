"""The objects of `.acc`: packs and loose ones as one store."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Literal, Protocol, TypeAlias, TypeVar

from blake3 import blake3

from cas.errors import AccError, CorruptObject, ObjectNotFound
from cas.formats.encoder import encode
from cas.formats.frame import FRAME_BYTES
from cas.formats.pack import open_entry
from cas.formats.seal import Seal
from cas.formats.stream import StoredForm, export_object, open_object, read_object, read_pieces
from cas.local.formatfile import check_format, write_format
from cas.local.loose import LooseObjects, open_loose
from cas.local.packs import PackFolder
from cas.local.pins import Pins
from cas.local.trash import Trash
from cas.local.upkeep import Movement
from cas.oid import Buffer, ObjectId
from cas.store import ObjectWriter, Sizes

T = TypeVar("T")
Durability: TypeAlias = Literal["none", "batch", "each"]

# so often is looked for an object while others move objects: for a second, as their work on any one takes far less
_MOST_LOOKS: Final = 200
_PAUSE_SECONDS: Final = 0.005


class Source(Protocol):
    """Where a store finds what it lacks: objects that are promised, since somebody else has them."""

    def bring(self, store: "LocalStore", oids: Collection[ObjectId]) -> None:
        """Put those of `oids` that can be had into `store`; the others are left to the caller to miss."""

    def promises(self, oid: ObjectId) -> bool:
        """Return whether an object can be had, as far as is known without asking anybody."""

    def find_sizes(self, oid: ObjectId) -> Sizes | None:
        """Return how long an object is that can be had, or None."""

    def ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield the ids that begin with `prefix` of what can be had."""

    def look_if_lost(self) -> Sequence[AccError]:
        """Ask those of whom nothing is known any more what they have; return why some did not say."""


class LocalStore:
    """A `Store` in a folder: `format`, `objects/`, `packs/`, and what gc needs: `pins/`, `trash/`.

    A single `put` becomes a loose object at once; `put_many` and `Staging` gather small ones into packs.

    Parameters
    ----------
    root
        The folder, usually `.acc`; made by `LocalStore.create`.
    durability
        "batch": what `put`, `put_many`, `commit` and `publish` have returned survives a power failure. "none":
        nothing is fsynced. "each": a `Staging` too fsyncs every object.

    Attributes
    ----------
    source : Source or None
        Where objects are found that are nowhere here when somebody reads them. `has` and `hold` do not ask it.

    Raises
    ------
    UnknownFormat
        When the folder holds no store, or one that needs what this acc does not know.
    """

    def __init__(self, root: Path, *, durability: Durability = "batch") -> None:
        check_format(root)
        durable = durability != "none"
        self.root = root
        self.name = str(root)
        self.durability = durability
        self.pins = Pins(root / "pins")
        self.loose = LooseObjects(root / "objects", durable=durable, pins=self.pins)
        self.packs = PackFolder(root / "packs", durable=durable)
        self.trash = Trash(root / "trash", self.loose, self.packs)
        self.source: Source | None = None

    @classmethod
    def create(cls, root: Path, *, durability: Durability = "batch") -> "LocalStore":
        """Make the store in the folder `root`, unless it is there, and open it."""
        for folder in (root, root / "objects", root / "packs"):
            folder.mkdir(parents=True, exist_ok=True)
        write_format(root)
        return cls(root, durability=durability)

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is in this store, as of the last look; who relies on it asks `hold`."""
        digest = bytes.fromhex(oid)
        if self.packs.has(digest) or self.loose.has(oid):
            return True
        self.packs.second_look()
        return self.packs.knows(digest)  # whoever looked first: another thread may have been quicker

    def has_many(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are in this store."""
        return {oid for oid in oids if self.has(oid)}

    def hold(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Pin objects, and return those that are here: gc leaves them, and all that they link to.

        They stay until this process ends or releases its pins. What is only in the trash comes back with all that it
        links to; when some of that is gone for good, it is not here.
        """
        asked = set(oids)
        self.pins.add(map(bytes.fromhex, asked))
        found = {oid for oid in asked if self.packs.has_now(bytes.fromhex(oid)) or self.loose.has(oid)}
        return found | self._bring_back(asked - found)

    def get(self, oid: ObjectId) -> bytes:
        """Return the whole object, verified; when a copy is damaged and another is sound, that one."""
        return self._from_any_copy(oid, _read_and_close)

    def get_many(self, oids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the objects by id; raise `ObjectNotFound` for the first that is missing."""
        from cas.local.reading import read_places

        if self.source is not None:
            self.bring(oids)
        places = self.packs.find_places([bytes.fromhex(oid) for oid in oids])
        found: dict[ObjectId, bytes] = {}
        # what is in no pack, or in one that has just gone, or is damaged there, is read by itself
        with suppress(FileNotFoundError, CorruptObject):
            found.update(read_places(places))
        return {oid: found[oid] if oid in found else self.get(oid) for oid in oids}

    def open(self, oid: ObjectId) -> BinaryIO:
        """Return a seekable, verified, read-only stream of the object, with one frame in memory."""
        return self._from_any_copy(oid, open_object)

    def pieces(self, oid: ObjectId) -> Iterator[bytes]:
        """Yield the object piece by piece, each verified; a large one is decompressed on several threads."""
        stored = self._from_any_copy(oid, _as_it_is)
        if stored.seal.raw_bytes > FRAME_BYTES:
            return read_pieces(stored)
        stored.close()
        return iter((self.get(oid),))

    def export(self, oid: ObjectId, descriptor: int) -> None:
        """Make the object all that is in a file open for writing, which nobody may use before this returns."""
        self._from_any_copy(oid, partial(export_object, descriptor=descriptor))

    def put(self, data: Buffer) -> ObjectId:
        """Store `data` as a loose object and return its id."""
        digest = blake3(data).digest()
        oid = ObjectId(digest.hex())
        if self._has_durably(oid, digest):
            return oid
        piece = memoryview(data).cast("B")
        if len(piece) <= FRAME_BYTES:
            self.loose.add(*encode(piece, digest))
            return oid
        writer = self.loose.writer()
        writer.write(piece)
        return writer.commit()

    def put_many(self, items: Iterable[Buffer]) -> list[ObjectId]:
        """Store each of `items`, in order: together, all or none of the small ones, which share packs.

        Items are taken one by one and held only until they are compressed, so `items` may yield more than
        memory holds; each must not change before this returns.
        """
        from cas.local.bulk import Bulk  # here, not above: a command that reads one object loads little

        bulk = Bulk(self.loose, self.packs, self.pins)
        try:
            oids = [bulk.add(item) for item in items]
            bulk.publish()
        finally:
            bulk.abort()
        return oids

    def writer(self) -> ObjectWriter:
        """Return a writer for a loose object that comes piece by piece."""
        return self.loose.writer()

    def size_of(self, oid: ObjectId) -> int:
        """Return the number of raw bytes of the object."""
        return self.sizes_of(oid).raw_bytes

    def sizes_of(self, oid: ObjectId) -> Sizes:
        """Return the number of raw bytes of the object, and of bytes that it is stored in."""
        entry = self.packs.find(bytes.fromhex(oid))
        if entry is not None:
            return Sizes(entry.raw_bytes, entry.stored_bytes)
        if self.source is not None and not self.has(oid) and (sizes := self.source.find_sizes(oid)):
            return sizes
        stored = self._open(oid)
        stored.close()
        return Sizes(stored.seal.raw_bytes, stored.seal.stored_bytes)

    def open_stored(self, oid: ObjectId) -> StoredForm:
        """Return the stored form of an object, to be copied elsewhere; the caller closes its file."""
        return self._open(oid)

    def bring(self, oids: Iterable[ObjectId]) -> None:
        """Have those of `oids` here that are not, as far as its source has them: many at once take few requests."""
        if self.source is not None and (lacking := [oid for oid in oids if not self.has(oid)]):
            self.source.bring(self, lacking)

    def find_lost(self, oids: Iterable[ObjectId]) -> ObjectId | None:
        """Return the first of `oids`, which nodes here link to, that is neither here nor known to its source."""
        if self.source is None:
            return None
        return next((oid for oid in oids if not self.has(oid) and not self.source.promises(oid)), None)

    def promises(self, oid: ObjectId) -> bool:
        """Return whether an object that is not here can be had from its source."""
        return self.source is not None and self.source.promises(oid)

    def promised_ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield the ids that begin with `prefix` of what can be had from its source; some may be here too."""
        return iter(()) if self.source is None else self.source.ids(prefix)

    def alone(self) -> "LocalStore":
        """Return this store as one that has what is here and nothing else."""
        other = copy(self)
        other.source = None
        return other

    def ids(self, prefix: str = "") -> Iterator[ObjectId]:
        """Yield the ids of all objects here that begin with `prefix`, each once, in no order."""
        for digest in self.packs.digests(prefix):
            yield ObjectId(digest.hex())
        for oid in self.loose.ids(prefix):
            if not self.packs.knows(bytes.fromhex(oid)):
                yield oid

    def delete(self, oid: ObjectId) -> None:
        """Remove every copy of the object; raise `ObjectNotFound` when it is not there."""
        packed = self.packs.delete(bytes.fromhex(oid))
        loose = self.loose.delete(oid)
        if not (packed or loose):
            raise ObjectNotFound(oid, where=self.name)

    def publish(self, parts: Iterable[tuple[Seal, bytes]]) -> list[ObjectId]:
        """Write those stored forms that no pack holds as a new pack; return their ids. They have been pinned."""
        return self.packs.publish(parts)

    def refresh(self) -> None:
        """Read the packs that other processes have written meanwhile.

        Nobody needs to, since a miss does it; but what is read before a fork no forked process reads again.
        """
        self.packs.rescan()

    def _bring_back(self, oids: set[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are here in the end, with what they link to: what was in the trash comes back."""
        if not oids or self.trash.is_empty():
            # what gc has moved away since the caller looked, and brought back, is here again
            return {oid for oid in oids if self.has(oid)}
        from graphlib import (
            TopologicalSorter,
        )  # here, not above: a command that reads one object loads little

        links = self._links_within(oids)
        missing: set[ObjectId] = set()
        gone: set[ObjectId] = set()
        # what is linked to comes first: whoever finds a node here finds all of it, or a promise of it
        for oid in TopologicalSorter(links).static_order():
            here = gone.isdisjoint(links[oid]) and (self.has(oid) or self.trash.restore(oid) or self.has(oid))
            if not here:
                missing.add(oid)
                if not self.promises(oid):
                    gone.add(oid)
        return oids - missing

    def _links_within(self, oids: set[ObjectId]) -> dict[ObjectId, set[ObjectId]]:
        """Return each object that `oids` reach, themselves too, with what it links to."""
        from cas.graph import is_node, walk

        links: dict[ObjectId, set[ObjectId]] = {oid: set() for oid in oids}
        here = self.alone()
        for visit in walk(here, [oid for oid in oids if is_node(here, oid)]):
            links.setdefault(visit.oid, set()).update(visit.blobs, visit.nodes)
        return links

    def _has_durably(self, oid: ObjectId, digest: bytes) -> bool:
        self.pins.add([digest])
        if self.packs.has_now(digest):
            self.packs.sync()
            return True
        return self.loose.has_durably(oid)

    def _from_any_copy(self, oid: ObjectId, read: Callable[[StoredForm], T]) -> T:
        """Return what `read`, which closes what it is given, makes of the first copy that is sound."""
        try:
            return read(self._open(oid))
        except CorruptObject:
            for open_copy in self._copies(oid):
                with suppress(CorruptObject, FileNotFoundError):
                    return read(open_copy())
            raise

    def _copies(self, oid: ObjectId) -> Iterator[Callable[[], StoredForm]]:
        """Yield what opens each copy of an object, as each pack's own index tells of it."""
        for pack in self.packs.packs():
            entry = pack.index.find(bytes.fromhex(oid))
            if entry is not None:
                yield partial(open_entry, pack.path, entry)
        yield partial(open_loose, self.loose.path_of(oid), oid)

    def _open(self, oid: ObjectId) -> StoredForm:
        """Return the stored form of an object, whose file the caller closes."""
        stored = self._find_open(oid) or self._look_again(oid)
        if stored is None and self.source is not None:
            self.source.bring(self, [oid])
            stored = self._find_open(oid)
        if stored is None:
            raise ObjectNotFound(oid, where=self.name)
        return stored

    def _find_open(self, oid: ObjectId) -> StoredForm | None:
        return self.packs.find_open(bytes.fromhex(oid)) or self.loose.find_open(oid)

    def _look_again(self, oid: ObjectId) -> StoredForm | None:
        """Return what was not found at once, or None when it is nowhere.

        An object that gc or repack moves may be missed wherever one looks: it is behind whoever looks for it. So what
        is missing is missing only when nobody moved anything meanwhile.
        """
        before = Movement.of(self.root)
        for _ in range(_MOST_LOOKS):
            self.packs.second_look()
            stored = self._find_open(oid) or self.trash.find_open(oid)
            if stored is None and self.packs.rescan():
                # who holds an object brings it back from the trash, and is no upkeep
                stored = self._find_open(oid)
            stored = stored or self.loose.find_open(oid)
            now = Movement.of(self.root)
            if stored is not None or not now.may_have_moved_since(before):
                return stored
            before = now
            time.sleep(_PAUSE_SECONDS)
        return None


def _as_it_is(stored: StoredForm) -> StoredForm:
    return stored


def _read_and_close(stored: StoredForm) -> bytes:
    try:
        return read_object(stored)
    finally:
        stored.close()
