"""What is drawn as one thing."""

import pytest

from cas.oid import ObjectId
from porcelain.board.graph.folding import fold
from porcelain.board.graph.nodes import Edge, Graph, Node


def graph_of(methods, edges):
    """A graph with a node for each letter, in the order of time."""
    nodes = [Node(ObjectId(f"{at}"), f"dev-{at}", method, when=at) for at, method in enumerate(methods)]
    return Graph(
        {node.oid: node for node in nodes},
        [Edge(ObjectId(f"{one}"), ObjectId(f"{other}"), name) for one, other, name in edges],
        [],
    )


def chain(length, method="a"):
    return graph_of(method * length, [(at, at + 1, "previous") for at in range(length - 1)])


def shapes(folded):
    return [(item.shape, item.group, len(item.nodes)) for item in folded.items]


def test_a_small_graph_is_not_folded():
    assert shapes(fold(graph_of("aab", [(0, 2, "x")]))) == [
        ("node", "a", 1),
        ("node", "a", 1),
        ("node", "b", 1),
    ]


def test_of_a_large_graph_each_method_is_one():
    graph = graph_of(
        "s" + "a" * 60 + "z", [(0, at, "in") for at in range(1, 61)] + [(1, 61, "x"), (2, 61, "y")]
    )
    folded = fold(graph)
    assert shapes(folded) == [("node", "s", 1), ("fold", "a", 60), ("node", "z", 1)]
    assert [(each.source, each.target, each.edges, each.names) for each in folded.bundles] == [
        (0, 1, 60, ["in"]),
        (1, 2, 2, ["x", "y"]),
    ]


def test_an_open_method_of_many_jobs_is_a_frame_of_them_in_their_order():
    folded = fold(chain(60), "all")
    (frame,) = folded.items
    assert (frame.shape, frame.loops, frame.is_chain) == ("frame", 59, True)
    assert [node.label for node in frame.nodes] == [f"dev-{at}" for at in range(60)]
    assert folded.bundles == []


def test_a_chain_is_told_from_other_edges_within_a_method():
    (item,) = fold(graph_of("aa", [(0, 1, "source")]), "none").items
    assert (item.loops, item.is_chain) == (1, False)


def test_methods_are_opened_by_their_names_and_unknown_ones_are_nothing():
    folded = fold(graph_of("aabbc", []), "b,c,nonsense")
    assert shapes(folded) == [("fold", "a", 2), ("node", "b", 1), ("node", "b", 1), ("node", "c", 1)]
    assert folded.open == {"b"}


@pytest.mark.parametrize("asked", ["none", "a,", ",,", "\0"])
def test_any_text_can_be_asked_for(asked):
    assert sum(len(item.nodes) for item in fold(chain(50), asked).items) == 50


def test_what_folding_would_make_a_knot_of_is_not_folded_at_first():
    methods = [chr(ord("a") + at * 7 % 25) for at in range(100)]
    sparse = graph_of(methods, [(at, at + 1 + at % 9, "x") for at in range(90)])
    assert {item.shape for item in fold(sparse).items} == {"node"}
