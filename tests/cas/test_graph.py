from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.errors import CorruptObject, NotANode, ObjectNotFound
from cas.formats.node import encode, put_node
from cas.graph import Walk, walk
from cas.memory import MemoryStore
from cas.oid import ObjectId, oid_of


@dataclass(frozen=True, slots=True)
class Knot:
    """A node with nothing but links."""

    KIND: ClassVar[str] = "knot"
    FORMAT: ClassVar[int] = 1
    name: str
    to_blobs: tuple[ObjectId, ...] = ()
    to_nodes: tuple[ObjectId, ...] = ()

    def to_body(self):
        return {"name": self.name, "to_blobs": [*self.to_blobs], "to_nodes": [*self.to_nodes]}

    def blobs(self) -> Iterable[ObjectId]:
        return self.to_blobs

    def nodes(self) -> Iterable[ObjectId]:
        return self.to_nodes

    @classmethod
    def from_body(cls, body):
        return cls(body["name"], tuple(body["to_blobs"]), tuple(body["to_nodes"]))


def visited(store, *roots):
    """The (id, role) pairs of a walk, which has each of them once."""
    visits = [(visit.oid, visit.role) for visit in walk(store, roots)]
    assert len(visits) == len(set(visits))
    return set(visits)


def test_a_walk_from_nowhere_visits_nothing(store):
    store.put(b"x")
    assert visited(store) == set()


def test_a_walk_in_part_leaves_blobs_and_what_is_visited_whole_later_has_them(store):
    left, kept = store.put(b"left"), store.put(b"kept")
    below = put_node(store, Knot("below", (left, kept)))
    top = put_node(store, Knot("top", (), (below,)))
    way = Walk(store)
    parts = [visit.oid for visit in way.visit_partly([top], lambda oid: oid == left)]
    assert parts == [top, below, kept]
    assert not way.reached(bytes.fromhex(left))
    assert [visit.oid for visit in way.visit([below])] == [below, left]
    assert [*way.visit_partly([top, below], lambda _: True)] == []


def test_a_walk_visits_what_the_roots_reach_and_no_more(store):
    blob, other = store.put(b"blob"), store.put(b"other")
    leaf = put_node(store, Knot("leaf", (blob,)))
    top = put_node(store, Knot("top", (), (leaf,)))
    put_node(store, Knot("unreached", (other,), (top,)))
    assert visited(store, top) == {(top, "node"), (leaf, "node"), (blob, "blob")}
    assert visited(store, leaf, leaf) == {(leaf, "node"), (blob, "blob")}


def test_what_two_nodes_share_is_visited_once(store):
    blob = store.put(b"blob")
    shared = put_node(store, Knot("shared", (blob,)))
    roots = [put_node(store, Knot(name, (blob,), (shared,))) for name in "ab"]
    assert visited(store, *roots) == {
        (roots[0], "node"),
        (roots[1], "node"),
        (shared, "node"),
        (blob, "blob"),
    }


def test_a_node_that_is_also_somebodys_file_is_followed_only_as_a_node(store):
    blob = store.put(b"blob")
    both = put_node(store, Knot("both", (blob,)))
    as_file = put_node(store, Knot("as file", (both,)))
    as_node = put_node(store, Knot("as node", (), (both,)))
    assert visited(store, as_file) == {(as_file, "node"), (both, "blob")}
    everything = {(as_file, "node"), (as_node, "node"), (both, "blob"), (both, "node"), (blob, "blob")}
    assert visited(store, as_file, as_node) == visited(store, as_node, as_file) == everything


def test_a_visit_tells_the_links(store):
    blob = store.put(b"blob")
    leaf = put_node(store, Knot("leaf", (blob,)))
    top = put_node(store, Knot("top", (), (leaf,)))
    links = {visit.oid: (visit.blobs, visit.nodes) for visit in walk(store, [top])}
    assert links == {top: ((), (leaf,)), leaf: ((blob,), ()), blob: ((), ())}


@pytest.mark.parametrize("role", ["node", "blob"])
def test_what_is_missing_is_visited_and_the_walk_goes_on(store, role):
    gone = oid_of(b"gone")
    blob = store.put(b"blob")
    knot = Knot("top", (blob, gone), ()) if role == "blob" else Knot("top", (blob,), (gone,))
    top = put_node(store, knot)
    visits = {(visit.oid, visit.role): visit for visit in walk(store, [top])}
    assert visits.keys() == {(top, "node"), (blob, "blob"), (gone, role)}
    assert visits[gone, role].missing
    assert isinstance(visits[gone, role].error, ObjectNotFound)
    assert not visits[blob, "blob"].missing


def test_a_missing_root_is_visited(store):
    (visit,) = walk(store, [oid_of(b"gone")])
    assert visit.missing


def test_a_node_that_cannot_be_read_is_visited_with_its_error(store):
    no_node = store.put(b"no node")
    corrupt = store.put(encode(Knot("x")))
    store.objects[corrupt] = b"damaged"
    errors = {visit.oid: type(visit.error) for visit in walk(store, [no_node, corrupt])}
    assert errors == {no_node: NotANode, corrupt: CorruptObject}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    knots=st.lists(
        st.tuples(st.sets(st.integers(0, 5), max_size=3), st.sets(st.integers(0, 19), max_size=3)),
        max_size=20,
    ),
    roots=st.sets(st.integers(0, 19), max_size=3),
)
def test_a_walk_is_reachability(knots, roots):
    store, oids, reaches = MemoryStore(), [], []
    for number, (blobs, nodes) in enumerate(knots):
        below = [node for node in nodes if node < number]  # a node names only nodes that were there before
        knot = Knot(
            str(number), tuple(store.put(b"%d" % blob) for blob in blobs), tuple(oids[node] for node in below)
        )
        oids.append(put_node(store, knot))
        reach = {(oids[number], "node")} | {(oid, "blob") for oid in knot.to_blobs}
        reaches.append(reach.union(*(reaches[node] for node in below)))
    roots = [root for root in roots if root < len(oids)]
    assert visited(store, *(oids[root] for root in roots)) == set().union(*(reaches[root] for root in roots))
