"""What can be reached from a set of roots: nodes by their links, and nothing but their links."""

from collections.abc import Iterable, Iterator
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


def walk(store: Store, roots: Iterable[ObjectId]) -> Iterator[Visit]:
    """Yield every object that the nodes `roots` reach, once in each role, in no particular order.

    What is missing or cannot be read is yielded too, with its error; the walk goes on without what it links to.
    """
    nodes = [*roots]
    seen_nodes: set[ObjectId] = set()
    seen_blobs: set[ObjectId] = set()
    while nodes:
        oid = nodes.pop()
        if oid in seen_nodes:
            continue
        seen_nodes.add(oid)
        visit = _visit_node(store, oid)
        yield visit
        nodes.extend(visit.nodes)
        for blob in visit.blobs:
            if blob not in seen_blobs:
                seen_blobs.add(blob)
                yield _visit_blob(store, blob)


def _visit_node(store: Store, oid: ObjectId) -> Visit:
    try:
        envelope = read_envelope(store.get(oid))
    except (ObjectNotFound, CorruptObject, NotANode) as err:
        return Visit(oid, "node", error=err)
    return Visit(oid, "node", envelope.blobs, envelope.nodes)


def _visit_blob(store: Store, oid: ObjectId) -> Visit:
    return Visit(oid, "blob", error=None if store.has(oid) else ObjectNotFound(oid, where=store.name))
