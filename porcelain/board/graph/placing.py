"""Where each node of a layered graph lies, and which way each edge takes, in units of a pixel."""

import operator
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from porcelain.board.graph.layers import Layers, Link, arrange

GAP: Final = 18.0
LAYER_GAP: Final = 50.0
_PORT_GAP: Final = 20.0
# an edge that passes through a layer takes up so much of it, and stays straight as if it were so many edges
_PASSING: Final = 8.0
_STRAIGHT: Final = 8.0
_SWEEPS: Final = 8
# what is wider has its edges where they are shortest
_WIDE: Final = 240.0


class Box(NamedTuple):
    """A rectangle: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    def turned(self) -> "Box":
        """Return it with x and y in each other's place."""
        return Box(self.y, self.x, self.height, self.width)


class Point(NamedTuple):
    """A point."""

    x: float
    y: float


@dataclass(slots=True)
class Placed:
    """A graph with a place for everything.

    Attributes
    ----------
    boxes : list of Box
        Of each node.
    routes : dict
        For each link the points that it leads through, an even number: between the first and the second it is straight,
        to the third it bends, and so on.
    backward : set
        Links that lead back, in a circle.
    is_across : bool
        Layers follow each other from left to right, not from top to bottom.
    """

    boxes: list[Box]
    width: float
    height: float
    routes: dict[Link, list[Point]] = field(default_factory=dict)
    backward: set[Link] = field(default_factory=set)
    is_across: bool = False


def place(sizes: Sequence[tuple[float, float]], links: Sequence[Link], room: tuple[float, float]) -> Placed:
    """Return where nodes of these sizes lie: from top to bottom or from left to right, as it is larger in a room.

    The parts of a graph that do not hang together lie beside each other.
    """
    parts = [(part, arrange(len(part), inner)) for part, inner in _parts(len(sizes), links)]
    down = _placed(parts, sizes, room[0])
    across = _turned(_placed(parts, [size[::-1] for size in sizes], room[1]))
    return across if _scale(across, room) > _scale(down, room) else down


def _scale(placed: Placed, room: tuple[float, float]) -> float:
    return min(room[0] / max(placed.width, 1), room[1] / max(placed.height, 1), 1.0)


def _turned(placed: Placed) -> Placed:
    return Placed(
        [box.turned() for box in placed.boxes],
        placed.height,
        placed.width,
        {link: [Point(y, x) for x, y in route] for link, route in placed.routes.items()},
        placed.backward,
        is_across=True,
    )


def _parts(count: int, links: Sequence[Link]) -> list[tuple[list[int], list[Link]]]:
    """Return the parts that hang together, each as its nodes and its links, which name nodes by their places there."""
    of = [*range(count)]

    def first(node: int) -> int:
        while of[node] != node:
            of[node] = of[of[node]]
            node = of[node]
        return node

    for source, target in links:
        one, other = sorted((first(source), first(target)))
        of[other] = one
    parts: dict[int, tuple[list[int], list[Link]]] = {}
    for node in range(count):
        parts.setdefault(first(node), ([], []))[0].append(node)
    number = {node: place for nodes, _ in parts.values() for place, node in enumerate(nodes)}
    for source, target in links:
        parts[first(source)][1].append((number[source], number[target]))
    return [*parts.values()]


# -- the parts beside each other -----------------------------------------------------------------------------


def _placed(
    parts: Sequence[tuple[list[int], Layers]], sizes: Sequence[tuple[float, float]], width: float
) -> Placed:
    """Return parts in rows that are as wide as the widest part, or as `width` if that is more; large ones first."""
    drawn = [(nodes, _in_layers(layers, [sizes[node] for node in nodes])) for nodes, layers in parts]
    most = max([width, *(part.width for _, part in drawn)])
    whole = Placed([Box(0, 0, 0, 0)] * len(sizes), 0, 0)
    x = y = below = 0.0
    for nodes, part in sorted(drawn, key=lambda each: -each[1].height):
        if x and x + part.width > most:
            x, y = 0.0, below
        _put(whole, nodes, part, Point(x, y))
        whole.width, whole.height = max(whole.width, x + part.width), max(whole.height, y + part.height)
        x, below = x + part.width + GAP, max(below, y + part.height + GAP)
    return whole


def _put(whole: Placed, nodes: Sequence[int], part: Placed, at: Point) -> None:
    for node, box in zip(nodes, part.boxes, strict=True):
        whole.boxes[node] = box._replace(x=box.x + at.x, y=box.y + at.y)
    for (source, target), route in part.routes.items():
        link = nodes[source], nodes[target]
        whole.routes[link] = [Point(x + at.x, y + at.y) for x, y in route]
        if (source, target) in part.backward:
            whole.backward.add(link)


# -- one part, from top to bottom ----------------------------------------------------------------------------


def _in_layers(layers: Layers, sizes: Sequence[tuple[float, float]]) -> Placed:
    widths = [width for width, _ in sizes]
    widths += [_PASSING] * (sum(map(len, layers.order)) - len(sizes))
    middles = _middles(layers, widths)
    left = min(middle - width / 2 for middle, width in zip(middles, widths, strict=True))
    middles = [middle - left for middle in middles]
    width = max(middle + width / 2 for middle, width in zip(middles, widths, strict=True))
    boxes, bands, y = [Box(0, 0, 0, 0)] * len(sizes), list[tuple[float, float]](), 0.0
    for layer in layers.order:
        real = [node for node in layer if node < layers.count]
        height = max(sizes[node][1] for node in real)
        for node in real:
            wide, high = sizes[node]
            boxes[node] = Box(middles[node] - wide / 2, y + (height - high) / 2, wide, high)
        bands.append((y, y + height))
        y += height + LAYER_GAP
    rank = {node: number for number, layer in enumerate(layers.order) for node in layer}
    ports = _ports(layers, boxes, middles)
    routes = {}
    for link, path in layers.paths.items():
        bands_on_path = [(middles[node], *bands[rank[node]]) for node in path]
        routes[link] = _route(boxes[path[0]], boxes[path[-1]], bands_on_path, ports[link])
    for link in layers.backward:
        # beside the way there, which may be the same
        routes[link] = [Point(x + _PASSING, y) for x, y in reversed(routes[link])]
    return Placed(boxes, width, y - LAYER_GAP, routes, layers.backward)


def _route(
    source: Box, target: Box, path: Sequence[tuple[float, float, float]], ports: tuple[float, float]
) -> list[Point]:
    """Return the points of a way, given the middle of each node on it with its layer's upper and lower edge."""
    out, into = ports
    points = [Point(out, source.y + source.height), Point(out, path[0][2])]
    for middle, upper, lower in path[1:-1]:
        points += [Point(middle, upper), Point(middle, lower)]
    return [*points, Point(into, path[-1][1]), Point(into, target.y)]


def _ports(layers: Layers, boxes: Sequence[Box], middles: Sequence[float]) -> dict[Link, tuple[float, float]]:
    """Return where on their sides each way leaves one box and comes into another: beside each other, in order."""
    sides: dict[tuple[int, bool], list[tuple[float, Link]]] = defaultdict(list)
    for link, path in layers.paths.items():
        sides[path[0], True].append((middles[path[1]], link))
        sides[path[-1], False].append((middles[path[-2]], link))
    found: dict[tuple[Link, bool], float] = {}
    for (node, is_out), ways in sides.items():
        box = boxes[node]
        # of a wide box anywhere, so that ways are straight
        reach = max(0.0, (box.width - _WIDE) / 2)
        room = min(_PORT_GAP, 0.6 * min(box.width, _WIDE) / len(ways))
        for place, (towards, link) in enumerate(sorted(ways)):
            middle = box.x + box.width / 2
            at = min(max(towards, middle - reach), middle + reach)
            found[link, is_out] = at + (place - (len(ways) - 1) / 2) * room
    return {link: (found[link, True], found[link, False]) for link in layers.paths}


def _middles(layers: Layers, widths: Sequence[float]) -> list[float]:
    """Return where along its layer each node has its middle: in order, apart, and else as near to its neighbours."""
    before, after = layers.neighbours()
    found = [0.0] * len(widths)
    for layer in layers.order:
        _set_middles(layer, [0.0] * len(layer), [1.0] * len(layer), widths, found)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        beside = [
            [*one, *other] if sweep >= _SWEEPS - 2 else one or other
            for one, other in (zip(before, after) if down else zip(after, before))  # noqa: B905 - equally long
        ]
        for layer in layers.order if down else reversed(layers.order):
            weights = [
                [_STRAIGHT if node >= layers.count and each >= layers.count else 1.0 for each in beside[node]]
                for node in layer
            ]
            wanted = [
                sum(map(operator.mul, weight, map(found.__getitem__, beside[node]))) / sum(weight)
                if weight
                else found[node]
                for node, weight in zip(layer, weights, strict=True)
            ]
            _set_middles(layer, wanted, [sum(weight) or 0.1 for weight in weights], widths, found)
    return found


def _set_middles(
    layer: Sequence[int],
    wanted: Sequence[float],
    weights: Sequence[float],
    widths: Sequence[float],
    found: list[float],
) -> None:
    """Set the middles of a layer as near to those wanted as order and gaps allow (least squares).

    Notes
    -----
    Source: the pool-adjacent-violators algorithm; without the widths before each, middles must only not decrease.
    """
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + (widths[one] + widths[other]) / 2 + GAP)
    pools: list[tuple[float, float, int]] = []  # weight, where, how many
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pool = (weight, want - offset, 1)
        while pools and pools[-1][1] >= pool[1]:
            heavy, where, size = pools.pop()
            both = heavy + pool[0]
            pool = (both, (heavy * where + pool[0] * pool[1]) / both, size + pool[2])
        pools.append(pool)
    places = [where for _, where, size in pools for _ in range(size)]
    for node, where, offset in zip(layer, places, offsets, strict=True):
        found[node] = where + offset
