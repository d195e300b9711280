"""`RemoteStore`: the objects of a remote as a `Store`."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import BinaryIO, TypeVar

from cas.errors import ObjectNotFound, RemoteFileGone
from cas.formats.seal import Seal
from cas.formats.stream import HeldForm, StoredForm, export_object, open_object, read_object, read_pieces
from cas.oid import Buffer, ObjectId
from cas.remote.indexes import without
from cas.remote.state import Remote
from cas.remote.transfer.reading import Reader
from cas.remote.transfer.sending import Sending
from cas.store import Sizes, Whole

T = TypeVar("T")


class RemoteStore(Whole):
    """The objects of a remote. Each put is a transaction: who puts many puts them together.

    What the remote holds is known as of the last look; on a miss it is looked at once more.
    """

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.name = remote.name
        self._reader = Reader(remote)

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is there."""
        return bool(self.has_many([oid]))

    def has_many(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are there."""
        asked = set(oids)
        found = {oid for oid in asked if self.remote.mirror.has(oid)}
        if found != asked:
            self.remote.look()
            found = {oid for oid in asked if self.remote.mirror.has(oid)}
        return found

    def hold(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are there; what a remote keeps, its refs say."""
        return self.has_many(oids)

    def get(self, oid: ObjectId) -> bytes:
        """Return the whole object, verified."""
        stored = self._open(oid)
        try:
            return read_object(stored)
        finally:
            stored.close()

    def get_many(self, oids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the objects by id, near ones in one request; raise `ObjectNotFound` for the first that is missing."""
        found = self._again(lambda: {part.seal.oid: _read(*part) for part in self._reader.small(oids)})
        return {oid: found[oid] if oid in found else self.get(oid) for oid in oids}

    def open(self, oid: ObjectId) -> BinaryIO:
        """Return a seekable, verified, read-only stream of the object."""
        return open_object(self._open(oid))

    def pieces(self, oid: ObjectId) -> Iterator[bytes]:
        """Yield the object piece by piece, each verified."""
        return read_pieces(self._open(oid))

    def export(self, oid: ObjectId, descriptor: int) -> None:
        """Make the object all that is in a file open for writing."""
        export_object(self._open(oid), descriptor)

    def put(self, data: Buffer) -> ObjectId:
        """Store `data` as an object and return its id."""
        return self.put_many([data])[0]

    def put_many(self, items: Iterable[Buffer]) -> list[ObjectId]:
        """Store each of `items`, in order: all of them in one transaction."""
        with Sending(self.remote) as sending:
            oids = [sending.put(item) for item in items]
            change = sending.send("put")
            self.remote.commit(lambda: change)
        return oids

    def writer(self) -> "RemoteWriter":
        """Return a writer for an object that comes piece by piece, in a transaction of its own."""
        return RemoteWriter(self.remote)

    def size_of(self, oid: ObjectId) -> int:
        """Return the number of raw bytes of the object."""
        return self.sizes_of(oid).raw_bytes

    def sizes_of(self, oid: ObjectId) -> Sizes:
        """Return the number of raw bytes of the object, and of bytes that it is stored in."""
        if not self.has(oid):
            raise ObjectNotFound(oid, where=self.name)
        packed, large = self.remote.mirror.find_packed(oid), self.remote.mirror.find_large(oid)
        if packed is not None:
            return Sizes(packed.entry.raw_bytes, packed.entry.stored_bytes)
        assert large is not None
        return Sizes(large.raw_bytes, large.stored_bytes)

    def ids(self, prefix: str = "") -> Iterator[ObjectId]:
        """Yield the ids of all objects there that begin with `prefix`, each once, in no order."""
        self.remote.look()
        for digest in set(self.remote.mirror.digests(prefix)):
            yield ObjectId(digest.hex())

    def delete(self, oid: ObjectId) -> None:
        """Have nothing tell of the object any more; raise `ObjectNotFound` when it is not there. gc takes the bytes."""
        if not self.has(oid):
            raise ObjectNotFound(oid, where=self.name)
        self.remote.commit(lambda: without(self.remote, {bytes.fromhex(oid)}, "delete"))

    def _open(self, oid: ObjectId) -> StoredForm:
        if not self.has(oid):
            raise ObjectNotFound(oid, where=self.name)
        return self._again(lambda: self._reader.open(oid))

    def _again(self, read: Callable[[], T]) -> T:
        """Return what `read` returns; when something has moved at the remote since the last look, after another."""
        try:
            return read()
        except FileNotFoundError:
            self.remote.look()
        try:
            return read()
        except RemoteFileGone as err:
            raise ObjectNotFound(
                err.key, where=self.name, hint="'acc push --repair' sends again what it lost"
            ) from err


class RemoteWriter:
    """An object that comes piece by piece, and is held in a file of this machine until it is whole."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._sending = Sending(remote)
        self._writer = self._sending.writer()

    def write(self, data: Buffer) -> None:
        """Append `data`."""
        self._writer.write(data)

    def cut(self) -> None:
        """Say that a frame may well end here."""
        self._writer.cut()

    def commit(self) -> ObjectId:
        """Store the object and return its id."""
        try:
            oid = self._sending.take(self._writer.commit())
            change = self._sending.send("put")
            self._remote.commit(lambda: change)
            return oid
        finally:
            self.abort()

    def abort(self) -> None:
        """Forget the object; does nothing after `commit`."""
        self._writer.abort()
        self._sending.close()


def _read(seal: Seal, stored: bytes) -> bytes:
    return read_object(HeldForm(seal, stored))
