"""Which node lies in which layer."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from porcelain.board.graph.layers import arrange


@st.composite
def graphs(draw):
    """Any graph of few nodes, circles and parts by themselves too."""
    count = draw(st.integers(1, 12))
    node = st.integers(0, count - 1)
    links = draw(st.lists(st.tuples(node, node), max_size=24, unique=True))
    return count, [link for link in links if link[0] != link[1]]


@settings(max_examples=40)
@given(graphs())
def test_each_step_of_a_path_leads_to_the_next_layer(graph):
    layers = arrange(*graph)
    rank = {node: number for number, layer in enumerate(layers.order) for node in layer}
    assert sorted(rank) == [*range(len(rank))]
    for path in layers.paths.values():
        assert all(rank[one] + 1 == rank[other] for one, other in pairwise(path))


@settings(max_examples=40)
@given(graphs())
def test_each_link_has_a_path_with_its_ends(graph):
    layers = arrange(*graph)
    ends = {
        link: (path[-1], path[0]) if link in layers.backward else (path[0], path[-1])
        for link, path in layers.paths.items()
    }
    assert ends == {link: link for link in graph[1]}


@settings(max_examples=40)
@given(graphs())
def test_what_has_no_circles_is_not_turned_around(graph):
    count, links = graph
    assert arrange(count, [link for link in links if link[0] < link[1]]).backward == set()


def test_a_circle_is_cut_once():
    assert arrange(3, [(0, 1), (1, 2), (2, 0)]).backward == {(2, 0)}


def test_the_same_graph_is_arranged_in_the_same_way():
    links = [(0, 3), (1, 2), (0, 2), (2, 4), (1, 4)]
    assert arrange(5, links).order == arrange(5, links).order


def test_what_needs_no_crossing_has_none():
    # two pairs whose lower nodes are in the wrong order at first
    order = arrange(4, [(0, 3), (1, 2)]).order
    assert [order[0].index(0) < order[0].index(1), order[1].index(3) < order[1].index(2)] in (
        [True, True],
        [False, False],
    )


def test_a_source_lies_beside_what_is_made_from_it():
    # 4 is needed only at the end of the chain
    order = arrange(5, [(0, 1), (1, 2), (2, 3), (4, 3)]).order
    assert [sorted(layer) for layer in order] == [[0], [1], [2, 4], [3]]
