"""A graph as SVG, as it stands in a page: its nodes lead to their jobs, and its look comes from the page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cas.oid import ObjectId
from porcelain.board.graph.folding import Bundle, Folded
from porcelain.board.graph.marks import SIGNS, TIMES, Marks, Ways, look, shown, size_of
from porcelain.board.graph.nodes import PREVIOUS, Graph
from porcelain.board.graph.placing import Placed, Point, place
from porcelain.term import count

# graphs run down or across as it suits a window of about this size
_ROOM: Final = (1200.0, 720.0)
_MARGIN: Final = 28.0
_MOST_NAMES: Final = 6
# how long an arrow's tip is
_TIP: Final = 7.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph that is drawn.

    Attributes
    ----------
    body : str
        SVG elements, every text in them escaped.
    width, height : float
        How large they are, from (0, 0).
    label : str
        What it shows, for who does not see it.
    signs : sequence of tuple of str
        The legend: each class of node that occurs, its sign, and what it says; none when all are simply done.
    is_marked : bool
        One node is marked, as what the graph is about.
    is_chained : bool
        Some edges lead to what comes next in a chain, and are drawn otherwise.
    """

    body: str
    width: float
    height: float
    label: str
    signs: Sequence[tuple[str, str, str]]
    is_marked: bool
    is_chained: bool

    def to_svg(self) -> Markup:
        """Return the picture as an element of a page."""
        return Markup(
            f'<svg class="graph" role="group" aria-label="{shown(self.label)}" width="{self.width:.0f}" '
            f'height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}">{self.body}</svg>'
        )


def draw(graph: Graph, folded: Folded, label: str, ways: Ways | None) -> Picture:
    """Return the picture of a graph, folded as `fold` did; without `ways` nothing in it leads anywhere."""
    sizes = [size_of(item) for item in folded.items]
    placed = place(sizes, [(bundle.source, bundle.target) for bundle in folded.bundles], _ROOM)
    # one is marked among others: all of a build are not
    roots = frozenset(graph.roots if len(graph.roots) == 1 < len(graph.nodes) else ())
    longest = max((node.seconds or 0.0 for node in graph.nodes.values()), default=0.0)
    marks = Marks(ways, roots, longest)
    given = _given(graph, folded)
    parts = [_edge(bundle, folded, placed) for bundle in folded.bundles]
    parts += [
        marks.draw(item, box, number, lambda node: given[node.oid])
        for number, (item, box) in enumerate(zip(folded.items, placed.boxes, strict=True))
    ]
    found = set(map(look, graph.nodes.values()))
    return Picture(
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">{"".join(parts)}</g>',
        placed.width + 2 * _MARGIN,
        placed.height + 2 * _MARGIN,
        label,
        [(each, *SIGNS[each]) for each in SIGNS if each in found and found != {"done"}],
        bool(roots),
        any(map(_is_chain, folded.bundles)) or any(item.is_chain for item in folded.items),
    )


def _given(graph: Graph, folded: Folded) -> dict[ObjectId, list[str]]:
    """Return for each node the numbers of what it was made from."""
    numbers = {}
    for number, item in enumerate(folded.items):
        for where, node in enumerate(item.nodes):
            numbers[node.oid] = f"{number}.{where}" if item.shape == "frame" else f"{number}"
    found = defaultdict[ObjectId, list[str]](list)
    for edge in graph.edges:
        found[edge.target].append(numbers[edge.source])
    return found


def _edge(bundle: Bundle, folded: Folded, placed: Placed) -> str:
    """Return the edges from one item to another as one."""
    link = bundle.source, bundle.target
    route = placed.routes[link]
    title = f"{_name(folded, bundle.source)} → {_name(folded, bundle.target)}: {_names(bundle)}"
    kind = "edge" + " chain" * _is_chain(bundle) + " back" * (link in placed.backward)
    several = "" if bundle.edges == 1 else _number(bundle.edges, route, is_across=placed.is_across)
    tip = _tip(route, is_across=placed.is_across)
    return (
        f'<g class="{kind}" data-from="{bundle.source}" data-to="{bundle.target}"><title>{shown(title)}</title>'
        f'<path class="way" d="{_way(route, is_across=placed.is_across)}"/>{tip}{several}</g>'
    )


def _is_chain(bundle: Bundle) -> bool:
    return [*bundle.names] == [PREVIOUS]


def _name(folded: Folded, number: int) -> str:
    item = folded.items[number]
    return item.nodes[0].label if item.shape == "node" else item.group


def _names(bundle: Bundle) -> str:
    more = len(bundle.names) - _MOST_NAMES
    names = ", ".join(bundle.names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
    return names if bundle.edges == 1 else f"{names} ({count(bundle.edges, 'edge')})"


def _way(route: Sequence[Point], *, is_across: bool) -> str:
    """Return the path along a route, which is straight and bends in turn."""
    x, y = route[0]
    parts = [f"M{x:.1f},{y:.1f}"]
    for number, (x_to, y_to) in enumerate(route[1:]):
        if number % 2 == 0:
            parts.append(f"L{x_to:.1f},{y_to:.1f}")
        elif is_across:
            half = (x + x_to) / 2
            parts.append(f"C{half:.1f},{y:.1f} {half:.1f},{y_to:.1f} {x_to:.1f},{y_to:.1f}")
        else:
            half = (y + y_to) / 2
            parts.append(f"C{x:.1f},{half:.1f} {x_to:.1f},{half:.1f} {x_to:.1f},{y_to:.1f}")
        x, y = x_to, y_to
    return "".join(parts)


def _tip(route: Sequence[Point], *, is_across: bool) -> str:
    """Return the arrow at the end of a route, which points the way that the route goes on the whole."""
    (x, y), first = route[-1], route[0]
    side = 0.55 * _TIP
    if is_across:
        ends = f"l{-_TIP if x > first.x else _TIP:.1f},{-side:.1f} v{2 * side:.1f}"
    else:
        ends = f"l{-side:.1f},{-_TIP if y > first.y else _TIP:.1f} h{2 * side:.1f}"
    return f'<path class="tip" d="M{x:.1f},{y:.1f} {ends} z"/>'


def _number(number: int, route: Sequence[Point], *, is_across: bool) -> str:
    """Return how many edges one stands for, beside the middle of its first bend."""
    (x, y), (x_to, y_to) = route[1], route[2]
    x, y = (x + x_to) / 2, (y + y_to) / 2
    where = (
        f'x="{x:.1f}" y="{y - 5:.1f}" text-anchor="middle"'
        if is_across
        else f'x="{x + 6:.1f}" y="{y + 3:.1f}"'
    )
    return f'<text class="count" {where}>{TIMES} {number:,}</text>'
