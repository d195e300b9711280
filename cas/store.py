"""What a store is: it holds objects by their object id, and hands out only bytes that it has verified."""

from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

from cas.oid import Buffer, ObjectId

_ID_DIGITS = 64


class ObjectWriter(Protocol):
    """An object on its way into a store; nobody sees it before `commit`."""

    def write(self, data: Buffer) -> None:
        """Append `data`."""

    def cut(self) -> None:
        """Say that a frame may well end here; that affects speed, never the object id."""

    def commit(self) -> ObjectId:
        """Put the object into the store and return its id; the writer is done."""

    def abort(self) -> None:
        """Forget the object; does nothing after `commit`."""


class Sizes(NamedTuple):
    """How long an object is, and its stored form."""

    raw_bytes: int
    stored_bytes: int


class Store(Protocol):
    """Objects by their id.

    No byte leaves a store unverified: what is read is checked against the id (or against the frame table of the
    object) before the caller sees it, and `CorruptObject` is raised otherwise. An object that is not there raises
    `ObjectNotFound`. Objects are immutable, so putting one twice stores it once.
    """

    name: str

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is in this store (never in one below it)."""

    def has_many(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are in this store."""

    def hold(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are in this store, which keeps them as long as this process lives."""

    def get(self, oid: ObjectId) -> bytes:
        """Return the whole object, verified."""

    def get_many(self, oids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the objects by id; raise `ObjectNotFound` for the first that is missing."""

    def bring(self, oids: Iterable[ObjectId]) -> None:
        """Hear that `oids` are about to be read: a store that has some of them elsewhere brings them together.

        Where nothing is elsewhere, `oids` are not even looked at.
        """

    def promises(self, oid: ObjectId) -> bool:
        """Return whether an object that is not here can be read all the same: others are known to have it."""

    def promised_ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield the ids that begin with `prefix` of what others are known to have; some may be here too."""

    def find_lost(self, oids: Iterable[ObjectId]) -> ObjectId | None:
        """Return the first of `oids`, which nodes here link to, that is nowhere any more; None when all can be read.

        Where nothing is elsewhere, what nodes link to is here, and `oids` are not even looked at.
        """

    def open(self, oid: ObjectId) -> BinaryIO:
        """Return a seekable, verified, read-only stream of the object, with at most a few frames in memory."""

    def pieces(self, oid: ObjectId) -> Iterator[bytes]:
        """Yield the whole object piece by piece, each verified, and the last only if the id of all fits."""

    def export(self, oid: ObjectId, descriptor: int) -> None:
        """Make the object all that is in a file open for writing.

        It is verified when this returns: until then nobody may use the file, and not at all when this raises.
        """

    def put(self, data: Buffer) -> ObjectId:
        """Store `data` as an object and return its id."""

    def put_many(self, items: Iterable[Buffer]) -> list[ObjectId]:
        """Store each of `items`, in order."""

    def writer(self) -> ObjectWriter:
        """Return a writer for an object that comes piece by piece."""

    def size_of(self, oid: ObjectId) -> int:
        """Return the number of raw bytes of the object."""

    def sizes_of(self, oid: ObjectId) -> Sizes:
        """Return the number of raw bytes of the object, and of bytes that it is stored in."""

    def ids(self, prefix: str = "") -> Iterator[ObjectId]:
        """Yield the ids of all objects here that begin with `prefix`, each once, in no order."""

    def delete(self, oid: ObjectId) -> None:
        """Remove the object; raise `ObjectNotFound` when it is not there."""


class Whole:
    """A store, as far as it has all that is read from it, and nothing is elsewhere."""

    def bring(self, oids: Iterable[ObjectId]) -> None:
        """Do nothing."""

    def promises(self, oid: ObjectId) -> bool:
        """Return False."""
        del oid
        return False

    def promised_ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield nothing."""
        del prefix
        yield from ()

    def find_lost(self, oids: Iterable[ObjectId]) -> ObjectId | None:
        """Return None."""
        del oids
        return None


def sorted_ids(store: Store, prefix: str = "") -> Iterator[ObjectId]:
    """Yield the ids of all objects in `store` that begin with `prefix`, sorted.

    A sixteenth of them is in memory at a time: 8 MB for a million objects.
    """
    if len(prefix) == _ID_DIGITS:
        yield from store.ids(prefix)
        return
    for digit in "0123456789abcdef":
        yield from sorted(store.ids(prefix + digit))
