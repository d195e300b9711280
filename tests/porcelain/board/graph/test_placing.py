"""Where nodes lie."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from porcelain.board.graph.placing import place
from tests.porcelain.board.graph.test_layers import graphs

ROOM = (1200, 700)


@settings(max_examples=40)
@given(graphs(), st.data())
def test_no_two_nodes_lie_upon_each_other_and_all_are_in_the_picture(graph, data):
    count, links = graph
    side = st.floats(10, 400)
    sizes = data.draw(st.lists(st.tuples(side, side), min_size=count, max_size=count))
    placed = place(sizes, links, ROOM)
    assert [(round(box.width, 3), round(box.height, 3)) for box in placed.boxes] == [
        (round(width, 3), round(height, 3)) for width, height in sizes
    ]
    for one, other in combinations(placed.boxes, 2):
        apart = max(one.x, other.x) >= min(one.x + one.width, other.x + other.width) - 0.01
        below = max(one.y, other.y) >= min(one.y + one.height, other.y + other.height) - 0.01
        assert apart or below
    for box in placed.boxes:
        assert box.x >= -0.01
        assert box.y >= -0.01
        assert box.x + box.width <= placed.width + 0.01
        assert box.y + box.height <= placed.height + 0.01


@settings(max_examples=40)
@given(graphs())
def test_each_link_has_a_route_of_straight_parts_and_bends(graph):
    count, links = graph
    placed = place([(100, 40)] * count, links, ROOM)
    assert sorted(placed.routes) == sorted(links)
    assert all(len(route) % 2 == 0 and len(route) >= 4 for route in placed.routes.values())


def test_a_graph_runs_as_it_is_larger_in_the_room():
    fan = [(0, number) for number in range(1, 30)]
    assert place([(120, 40)] * 30, fan, ROOM).is_across
    assert not place([(120, 40)] * 30, fan, (9000, 700)).is_across


def test_nothing_has_no_place():
    placed = place([], [], ROOM)
    assert (placed.boxes, placed.width, placed.height) == ([], 0, 0)
