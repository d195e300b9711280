"""What nodes at a remote reach: read from here where they are here too, else from there, many at a time."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, suppress
from typing import Final

from cas.errors import AccError, CorruptObject, CorruptRemote, NotANode, ObjectNotFound
from cas.formats.canonical import is_dense
from cas.formats.node import Envelope, read_envelope
from cas.formats.stream import HeldForm, read_object
from cas.graph import Visit
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.state import Remote
from cas.remote.transfer.reading import AHEAD_BYTES, Part, Reader

# nodes that are read together; all that is kept of them is what they link to
_AT_ONCE: Final = 4096
# a node that is longer is none of ours, and all of it would be in memory
_MOST_NODE_BYTES: Final = 1 << 28


class Reach:
    """A walk over what roots at a remote reach, which may be gone on with from more roots; as `cas.graph.Walk`.

    It remembers 32 bytes an object, nothing of what they hold.

    Attributes
    ----------
    unread : list of ObjectId
        Nodes that could not be read anywhere, so that nobody knows what they reach.
    """

    def __init__(self, local: LocalStore, remote: Remote) -> None:
        self._local = local.alone()
        self._remote = remote
        self._reader = Reader(remote, ahead_bytes=AHEAD_BYTES)
        self.unread: list[ObjectId] = []
        self._gone: set[str] = set()
        self._nodes: set[bytes] = set()
        self._blobs: set[bytes] = set()

    def visit(self, roots: Iterable[ObjectId]) -> Iterator[Visit]:
        """Yield every object that the nodes `roots` reach and that was not visited before, one step of links a time.

        What the remote lacks or has damaged is yielded too, with its error; the walk goes on from it when this
        machine has it.
        """
        wanted = self._new_nodes(roots)
        while wanted:
            below: list[ObjectId] = []
            for at in range(0, len(wanted), _AT_ONCE):
                for visit in self._visit_nodes(wanted[at : at + _AT_ONCE]):
                    yield visit
                    below += self._new_nodes(visit.nodes)
                    yield from self._visit_blobs(visit.blobs)
            wanted = below

    def reached(self, digest: bytes) -> bool:
        """Return whether an object was visited, in whatever role."""
        return digest in self._blobs or digest in self._nodes

    def is_node(self, digest: bytes) -> bool:
        """Return whether an object was visited as a node."""
        return digest in self._nodes

    def read(self, oids: Collection[ObjectId]) -> Iterator[tuple[ObjectId, bytes | AccError]]:
        """Yield the nodes `oids`, or why one cannot be read, in no order."""
        lacking = set()
        for oid in oids:
            found = self._find_local(oid)
            if found is None:
                lacking.add(oid)
            else:
                yield oid, found
        with suppress(CorruptObject, CorruptRemote, FileNotFoundError):
            for part in self._reader.small(lacking):
                lacking.discard(part.seal.oid)
                yield part.seal.oid, _raw(part, self._remote.name)
        for oid in lacking:
            yield oid, self._read_alone(oid)

    def _find_local(self, oid: ObjectId) -> bytes | None:
        # most nodes of a colleague are not here, and to look for those twice takes a while
        if not self._local.has(oid):
            return None
        try:
            return self._local.get(oid)
        except (ObjectNotFound, CorruptObject):
            return None

    def _read_alone(self, oid: ObjectId) -> bytes | AccError:
        found = self._remote.mirror.find_packed(oid)
        if found is not None and found.pack in self._gone:
            return ObjectNotFound(oid, where=self._remote.name)
        try:
            with closing(self._reader.open(oid)) as stored:
                if stored.seal.raw_bytes > _MOST_NODE_BYTES:
                    return NotANode("it is too long")
                return _sparse(read_object(stored))
        except FileNotFoundError:
            if found is not None:
                self._gone.add(found.pack)
            return ObjectNotFound(oid, where=self._remote.name)
        except (ObjectNotFound, CorruptObject, CorruptRemote) as err:
            return err

    def _new_nodes(self, oids: Iterable[ObjectId]) -> list[ObjectId]:
        found = []
        for oid in oids:
            digest = bytes.fromhex(oid)
            if digest not in self._nodes:
                self._nodes.add(digest)
                found.append(oid)
        return found

    def _visit_nodes(self, oids: Collection[ObjectId]) -> Iterator[Visit]:
        for oid, data in self.read(oids):
            error = data if isinstance(data, AccError) else self._missing(oid)
            envelope = None
            if not isinstance(data, AccError):
                try:
                    envelope = read_envelope(data)
                except NotANode as err:
                    error = err
            if envelope is None:
                self.unread.append(oid)
            yield _visit(oid, envelope, error)

    def _visit_blobs(self, oids: Iterable[ObjectId]) -> Iterator[Visit]:
        for oid in oids:
            digest = bytes.fromhex(oid)
            if digest not in self._blobs:
                self._blobs.add(digest)
                yield Visit(oid, "blob", error=self._missing(oid))

    def _missing(self, oid: ObjectId) -> ObjectNotFound | None:
        return None if self._remote.mirror.has(oid) else ObjectNotFound(oid, where=self._remote.name)


def _visit(oid: ObjectId, envelope: Envelope | None, error: AccError | None) -> Visit:
    return Visit(oid, "node", envelope.blobs if envelope else (), envelope.nodes if envelope else (), error)


def _raw(part: Part, where: str) -> bytes | AccError:
    if part.seal.raw_bytes > _MOST_NODE_BYTES:
        return NotANode("it is too long")
    return _sparse(read_object(HeldForm(part.seal, part.stored, where)))


def _sparse(data: bytes) -> bytes | AccError:
    return NotANode("it holds too many lists") if is_dense(data) else data
