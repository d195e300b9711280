"""What can be reached from a set of roots: nodes by their links, and nothing but their links."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cas.errors import AccError, CorruptObject, NotANode, ObjectNotFound
from cas.formats.node import read_envelope
from cas.oid import ObjectId
from cas.store import Store

Role: TypeAlias = Literal["node", "blob"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One object in one of its roles: the bytes of a node may also be somebody's file.

    Attributes
    ----------
    oid : ObjectId
        The object.
    role : str
        "node" when a root or a node names it as such, else "blob".
    blobs, nodes : tuple of ObjectId
        What it links to; nothing for a blob, and for a node that cannot be read.
    error : AccError or None
        `ObjectNotFound` for what is missing; `CorruptObject` or `NotANode` for a node that cannot be read. The
        bytes of blobs are not looked at.
    """

    oid: ObjectId
    role: Role
    blobs: tuple[ObjectId, ...] = ()
    nodes: tuple[ObjectId, ...] = ()
    error: AccError | None = None

    @property
    def missing(self) -> bool:
        """Whether the store does not have it."""
        return isinstance(self.error, ObjectNotFound)


class Walk:
    """A walk over what roots reach, which may be gone on with from more roots: each object is visited once a role.

    It remembers 32 bytes an object, nothing of what they hold.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._nodes: set[bytes] = set()
        self._blobs: set[bytes] = set()
        # nodes of which not all blobs were visited
        self._partly: set[bytes] = set()

    def visit(self, roots: Iterable[ObjectId]) -> Iterator[Visit]:
        """Yield every object that the nodes `roots` reach and that was not visited before, in no particular order.

        What is missing or cannot be read is yielded too, with its error; the walk goes on without what it links to.
        """
        return self._visit(roots, self._nodes, lambda _: False)

    def visit_partly(self, roots: Iterable[ObjectId], is_left: Callable[[ObjectId], bool]) -> Iterator[Visit]:
        """Yield what `visit` does, but for the blobs that are left; what is visited so may be visited whole later."""
        return self._visit(roots, self._partly, is_left)

    def _visit(
        self, roots: Iterable[ObjectId], seen: set[bytes], is_left: Callable[[ObjectId], bool]
    ) -> Iterator[Visit]:
        above = [*roots]
        while above:
            oid = above.pop()
            digest = bytes.fromhex(oid)
            if digest in self._nodes or digest in seen:
                continue
            seen.add(digest)
            visit = _visit_node(self._store, oid)
            yield visit
            above.extend(visit.nodes)
            yield from self.visit_blobs(blob for blob in visit.blobs if not is_left(blob))

    def visit_blobs(self, oids: Iterable[ObjectId]) -> Iterator[Visit]:
        """Yield those of the blobs `oids` that were not visited before."""
        for oid in oids:
            digest = bytes.fromhex(oid)
            if digest not in self._blobs:
                self._blobs.add(digest)
                yield _visit_blob(self._store, oid)

    def reached(self, digest: bytes) -> bool:
        """Return whether an object was visited, in whatever role."""
        return digest in self._blobs or digest in self._nodes or digest in self._partly


def walk(store: Store, roots: Iterable[ObjectId]) -> Iterator[Visit]:
    """Yield every object that the nodes `roots` reach, once in each role, in no particular order.

    What is missing or cannot be read is yielded too, with its error; the walk goes on without what it links to.
    """
    return Walk(store).visit(roots)


def above(store: Store, roots: Iterable[ObjectId], oid: ObjectId) -> set[ObjectId]:
    """Return the nodes that reach an object, among all that `roots` reach."""
    linked_by = defaultdict[ObjectId, list[ObjectId]](list)
    for visit in walk(store, roots):
        for link in (*visit.blobs, *visit.nodes):
            linked_by[link].append(visit.oid)
    found: set[ObjectId] = set()
    waiting = [oid]
    while waiting:
        for node in linked_by.pop(waiting.pop(), ()):
            found.add(node)
            waiting.append(node)
    return found


def is_node(store: Store, oid: ObjectId) -> bool:
    """Return whether the object is here and its bytes are those of a node; of another, one frame is read."""
    try:
        with store.open(oid) as stream:
            if stream.read(1) != b"{":
                return False
        read_envelope(store.get(oid))
    except (ObjectNotFound, CorruptObject, NotANode):
        return False
    return True


def _visit_node(store: Store, oid: ObjectId) -> Visit:
    try:
        envelope = read_envelope(store.get(oid))
    except (ObjectNotFound, CorruptObject, NotANode) as err:
        return Visit(oid, "node", error=err)
    return Visit(oid, "node", envelope.blobs, envelope.nodes)


def _visit_blob(store: Store, oid: ObjectId) -> Visit:
    return Visit(oid, "blob", error=None if store.has(oid) else ObjectNotFound(oid, where=store.name))
