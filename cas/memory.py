"""A store in memory: the reference for all others, used by tests and in examples."""

import io
import os
from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO

from cas.errors import CorruptObject, ObjectNotFound
from cas.files import write_all
from cas.oid import Buffer, ObjectId, oid_of
from cas.store import Sizes, Whole


class MemoryStore(Whole):
    """A `Store` that is a dict; it ends with its process.

    >>> store = MemoryStore()
    >>> store.get(store.put(b"hello"))
    b'hello'
    """

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.objects: dict[ObjectId, bytes] = {}

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is here."""
        return oid in self.objects

    def has_many(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are here."""
        return {oid for oid in oids if oid in self.objects}

    def hold(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are here: nothing goes but by `delete`."""
        return self.has_many(oids)

    def get(self, oid: ObjectId) -> bytes:
        """Return the whole object, verified."""
        data = self._find(oid)
        if oid_of(data) != oid:
            raise CorruptObject(oid, "its bytes have another id", where=self.name)
        return data

    def get_many(self, oids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the objects by id; raise `ObjectNotFound` for the first that is missing."""
        return {oid: self.get(oid) for oid in oids}

    def open(self, oid: ObjectId) -> BinaryIO:
        """Return a seekable, verified, read-only stream of the object."""
        return io.BufferedReader(_ReadOnly(self.get(oid)))

    def pieces(self, oid: ObjectId) -> Iterator[bytes]:
        """Yield the whole object, verified, as one piece."""
        yield self.get(oid)

    def export(self, oid: ObjectId, descriptor: int) -> None:
        """Make the object all that is in a file open for writing."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        write_all(descriptor, self.get(oid))

    def put(self, data: Buffer) -> ObjectId:
        """Store `data` as an object and return its id."""
        copy = bytes(data)
        oid = oid_of(copy)
        self.objects[oid] = copy
        return oid

    def put_many(self, items: Iterable[Buffer]) -> list[ObjectId]:
        """Store each of `items`, in order."""
        return [self.put(item) for item in items]

    def writer(self) -> "MemoryWriter":
        """Return a writer for an object that comes piece by piece."""
        return MemoryWriter(self)

    def size_of(self, oid: ObjectId) -> int:
        """Return the number of raw bytes of the object."""
        return len(self._find(oid))

    def sizes_of(self, oid: ObjectId) -> Sizes:
        """Return the number of raw bytes of the object, twice: in memory it is as long as it is."""
        return Sizes(self.size_of(oid), self.size_of(oid))

    def ids(self, prefix: str = "") -> Iterator[ObjectId]:
        """Yield the ids of all objects here that begin with `prefix`."""
        return (oid for oid in list(self.objects) if oid.startswith(prefix))

    def delete(self, oid: ObjectId) -> None:
        """Remove the object; raise `ObjectNotFound` when it is not here."""
        self._find(oid)
        del self.objects[oid]

    def _find(self, oid: ObjectId) -> bytes:
        try:
            return self.objects[oid]
        except KeyError:
            raise ObjectNotFound(oid, where=self.name) from None


class MemoryWriter:
    """An object on its way into a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._pieces: list[bytes] = []

    def write(self, data: Buffer) -> None:
        """Append `data`."""
        self._pieces.append(bytes(data))

    def cut(self) -> None:
        """Do nothing: there are no frames in memory."""

    def commit(self) -> ObjectId:
        """Put the object into the store and return its id."""
        return self._store.put(b"".join(self._pieces))

    def abort(self) -> None:
        """Forget the object; does nothing after `commit`."""
        self._pieces.clear()


class _ReadOnly(io.BytesIO):
    """Bytes as a raw stream that refuses to be written."""

    def writable(self) -> bool:
        return False
