"""Push from one clone, fetch into another."""

import random

from cas.formats.node import get_node
from cas.graph import walk
from cas.remote.promises import Promises
from cas.remote.transfer.fetch import fetch_nodes
from cas.remote.transfer.reading import Reader
from tests.cas.remote.clones import Leaf


def test_what_one_pushes_another_fetches(ann, bob):
    below = ann.node("below", [b"one", b"two"])
    top = ann.node("top", [b"three"], [below])
    done = ann.push(top=top)
    assert done.objects == 5
    assert bob.fetch(blobs=True) == {"top": top}
    assert all(visit.error is None for visit in walk(bob.store, [top]))
    assert bob.store.get(get_node(bob.store, below, Leaf).files[1]) == b"two"


def test_a_second_push_sends_nothing(ann):
    top = ann.node("top", [b"three"])
    ann.push(top=top)
    before = ann.remote.bucket.traffic.requests
    done = ann.push(top=top)
    assert (done.objects, done.bytes) == (0, 0)
    assert ann.remote.bucket.traffic.requests - before <= 5


def test_few_requests_move_many_objects(ann, bob):
    top = ann.node("top", [b"%d" % n + random.Random(n).randbytes(2000) for n in range(2000)])
    done = ann.push(top=top)
    assert done.objects == 2001
    assert ann.remote.bucket.traffic.requests <= 12
    bob.fetch(blobs=True)
    assert bob.remote.bucket.traffic.requests <= 12


def test_a_long_chain_of_nodes_is_fetched_in_few_requests(ann, bob):
    top = ann.node("first")
    for number in range(1000):
        top = ann.node(f"node {number}", [], [top])
    ann.push(top=top)
    bob.fetch()
    assert bob.remote.bucket.traffic.requests <= 12
    assert sum(1 for _ in walk(bob.store, [top])) == 1001


def test_a_blob_comes_when_it_is_read(ann, bob):
    large = random.Random(1).randbytes(17 << 20)
    top = ann.node("top", [b"small", large])
    ann.push(top=top)
    bob.fetch()
    bob.store.source = Promises(lambda: [bob.remote])
    small_id, large_id = sorted(get_node(bob.store, top, Leaf).files, key=bob.store.size_of)
    assert not bob.store.has(small_id)
    assert not bob.store.has(large_id)
    assert bob.store.get(small_id) == b"small"
    assert bob.store.get(large_id) == large
    assert bob.store.has(large_id)


def test_nodes_that_came_along_are_stored_and_the_next_are_here_already(ann, bob):
    tops = [ann.node(f"top {n}", [b"%d" % n], [ann.node(f"below {n}")]) for n in range(50)]
    ann.push(**{f"top{n}": top for n, top in enumerate(tops)})
    bob.remote.look()
    reader = Reader(bob.remote, ahead_bytes=1 << 16, behind_bytes=1 << 16)
    assert fetch_nodes(bob.store, bob.remote, [tops[25]], reader=reader) == 100
    packs = len(bob.store.packs.packs())
    before = bob.remote.bucket.traffic.requests
    for top in tops:
        assert fetch_nodes(bob.store, bob.remote, [top], reader=reader) == 0
    assert bob.remote.bucket.traffic.requests == before
    assert len(bob.store.packs.packs()) == packs == 1


def test_a_node_that_came_along_without_what_it_links_to_is_left(ann, bob):
    far = ann.node("far", [], [])
    ann.push(far=far)
    near = ann.node("near")
    ann.push(near=near, above=ann.node("above", [], [far]))
    bob.remote.look()
    reader = Reader(bob.remote, ahead_bytes=1 << 16, behind_bytes=1 << 16)
    assert fetch_nodes(bob.store, bob.remote, [near], reader=reader) == 1
    assert not bob.store.has(far)
    assert sorted(bob.store.ids()) == [near]
