"""The objects of `.acc`: packs and loose ones as one store."""

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeAlias

from blake3 import blake3

from cas.errors import ObjectNotFound, UnknownFormat
from cas.files import temporary_path, write_atomically
from cas.formats.frame import FRAME_BYTES, Seal
from cas.formats.stream import StoredForm, encode, open_object, read_object
from cas.local.loose import LooseObjects
from cas.local.packs import PackFolder
from cas.oid import Buffer, ObjectId
from cas.store import ObjectWriter

Durability: TypeAlias = Literal["none", "batch", "each"]

_VERSION = 1
# what a store may ask of whoever opens it; later versions add to it
_KNOWN_NEEDS: frozenset[str] = frozenset()


class Located(NamedTuple):
    """One copy of an object: the file that it lies in."""

    oid: ObjectId
    path: Path
    kind: Literal["loose", "pack"]


class LocalStore:
    """A `Store` in a folder: `format`, `objects/`, `packs/`.

    What it puts becomes a loose object at once; `Staging` gathers small ones into packs.

    Parameters
    ----------
    root
        The folder, usually `.acc`; made by `LocalStore.create`.
    durability
        "batch": what `put`, `commit` and `publish` have returned survives a power failure. "none": nothing is
        fsynced. "each": a `Staging` too fsyncs every object.

    Raises
    ------
    UnknownFormat
        When the folder holds no store, or one that needs what this acc does not know.
    """

    def __init__(self, root: Path, *, durability: Durability = "batch") -> None:
        _check_format(root)
        durable = durability != "none"
        self.root = root
        self.name = str(root)
        self.durability = durability
        self.loose = LooseObjects(root / "objects", durable=durable)
        self.packs = PackFolder(root / "packs", durable=durable)

    @classmethod
    def create(cls, root: Path, *, durability: Durability = "batch") -> "LocalStore":
        """Make the store in the folder `root`, unless it is there, and open it."""
        for folder in (root, root / "objects", root / "packs"):
            folder.mkdir(parents=True, exist_ok=True)
        if not (root / "format").exists():
            _write_format(root)
        return cls(root, durability=durability)

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is in this store."""
        return bool(self.has_many([oid]))

    def has_many(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are in this store."""
        asked = set(oids)
        found = {oid for oid in asked if self.packs.find(bytes.fromhex(oid)) or self.loose.has(oid)}
        if len(found) < len(asked) and self.packs.rescan():
            found.update(oid for oid in asked - found if self.packs.find(bytes.fromhex(oid)))
        return found

    def get(self, oid: ObjectId) -> bytes:
        """Return the whole object, verified."""
        stored = self._open(oid)
        try:
            return read_object(stored)
        finally:
            stored.close()

    def get_many(self, oids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the objects by id; raise `ObjectNotFound` for the first that is missing."""
        return {oid: self.get(oid) for oid in oids}

    def open(self, oid: ObjectId) -> BinaryIO:
        """Return a seekable, verified, read-only stream of the object, with one frame in memory."""
        return open_object(self._open(oid))

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
        """Store each of `items`, in order."""
        return [self.put(item) for item in items]

    def writer(self) -> ObjectWriter:
        """Return a writer for a loose object that comes piece by piece."""
        return self.loose.writer()

    def size_of(self, oid: ObjectId) -> int:
        """Return the number of raw bytes of the object."""
        stored = self._open(oid)
        stored.close()
        return stored.seal.raw_bytes

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
        """Write those stored forms that no pack holds as one new pack; return their ids."""
        return self.packs.publish(parts)

    def refresh(self) -> None:
        """Read the packs that other processes have written meanwhile.

        Nobody needs to, since a miss does it; but what is read before a fork no forked process reads again.
        """
        self.packs.rescan()

    def objects(self) -> Iterator[Located]:
        """Yield every copy of every object."""
        for path, entry in self.packs.entries():
            yield Located(entry.oid, Path(path), "pack")
        for oid in self.loose.ids():
            yield Located(oid, Path(self.loose.path_of(oid)), "loose")

    def verify(self, located: Located) -> None:
        """Read one copy again; raise `CorruptObject` unless every stored byte of it is as it was written."""
        if located.kind == "loose":
            self.loose.verify(located.oid)
        else:
            self.packs.verify(str(located.path), located.oid)

    def foreign(self) -> Iterator[Path]:
        """Yield the files that are none of the store's, and packs in which nothing can be read."""
        yield from self.loose.foreign()
        yield from self.packs.foreign()

    def _has_durably(self, oid: ObjectId, digest: bytes) -> bool:
        if self.packs.find(digest):
            self.packs.sync()
            return True
        return self.loose.has_durably(oid)

    def _open(self, oid: ObjectId) -> StoredForm:
        """Return the stored form of an object, whose file the caller closes."""
        digest = bytes.fromhex(oid)
        stored = self.packs.find_open(digest) or self.loose.find_open(oid)
        # another process may have packed it since we looked
        if stored is None and self.packs.rescan():
            stored = self.packs.find_open(digest)
        if stored is None:
            raise ObjectNotFound(oid, where=self.name)
        return stored


def _write_format(root: Path) -> None:
    """Write the file `format`, unless another process does so first."""
    import uuid  # once in the life of a store, and slow to import

    text = json.dumps({"needs": [], "uuid": str(uuid.uuid4()), "version": _VERSION}, indent=1)
    draft = temporary_path(root)
    write_atomically(draft, text.encode() + b"\n")
    # a link does not replace what is there: the first uuid stays
    with suppress(FileExistsError):
        os.link(draft, root / "format")
    draft.unlink()


def _check_format(root: Path) -> None:
    path = root / "format"
    try:
        told = json.loads(path.read_bytes())
        version, needs = told["version"], set(told["needs"])
    except FileNotFoundError as err:
        raise UnknownFormat(f"'{root}' holds no store", hint="'acc init' makes a project") from err
    except (ValueError, KeyError, TypeError) as err:
        raise UnknownFormat(f"'{path}' is no format file of a store") from err
    unknown = sorted(needs - _KNOWN_NEEDS)
    if version != _VERSION or unknown:
        told = f"needs {', '.join(unknown)}" if unknown else f"has version {version}"
        raise UnknownFormat(f"store '{root}' {told}, which this acc does not know", hint="use a newer acc")
