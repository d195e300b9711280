"""How nodes are drawn: one by itself, many folded into one, and many in a frame. Every text is escaped here."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import east_asian_width

from markupsafe import Markup, escape

from porcelain.board.graph.folding import Item
from porcelain.board.graph.nodes import Node
from porcelain.board.graph.placing import Box
from porcelain.term import count, duration

# what a letter takes at most, near enough, in the fonts that browsers have; texts that may be longer are cut
_LETTER: Final = 8.3
_SMALL_LETTER: Final = 6.6
_NODE_HEIGHT: Final = 46.0
_LINE_HEIGHT: Final = 15.0
_WIDTHS: Final = (104.0, 264.0)
_MARK_ROOM: Final = 40.0
# by how much what lies below shows from under a fold, and how far its edge to itself reaches
_DECK: Final = 6.0
_LOOP: Final = 20.0

_CELL_HEIGHT: Final = 26.0
_CELL_GAP: Final = 10.0
_CELL_WIDTHS: Final = (64.0, 150.0)
_HEAD: Final = 36.0
_HEAD_ROOM: Final = 44.0
_MARGIN: Final = 14.0
# frames are so many times as wide as high
_ASPECT: Final = 1.7

TIMES: Final = "\N{MULTIPLICATION SIGN}"
# what XML cannot hold, and what turns the direction of the text around
_NO_TEXT: Final = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)

# by the class that the style knows: a sign, since colour alone does not tell, and what it says
SIGNS: Final = {
    "built": ("●", "built"),
    "reused": ("↻", "reused: it was there before"),
    "cutoff": ("≈", "ran again, and its result was as before"),
    "done": ("○", "done"),
    "failed": ("✕", "failed"),
    "missing": ("?", "cannot be read here"),
}


@dataclass(frozen=True, slots=True)
class Ways:
    """Where nodes lead to, in a picture in which they lead anywhere.

    Attributes
    ----------
    to_node : callable
        The address of a job or dataset.
    to_group : callable
        The address of this graph with a group open that is folded, or folded that is open.
    """

    to_node: Callable[[Node], str]
    to_group: Callable[[str], str]


def look(node: Node) -> str:
    """Return the class of a node: how it looks."""
    return node.how or node.state if node.state == "done" else node.state


def looks(item: Item) -> Counter[str]:
    """Return how many nodes of an item look how, in the order of the signs."""
    found = Counter(map(look, item.nodes))
    return Counter({each: found[each] for each in SIGNS if found[each]})


def shown(text: str) -> Markup:
    r"""Return a text as it may stand in XML and HTML.

    >>> shown("<b>\\x00")
    Markup('&lt;b&gt;\ufffd')
    """
    return escape(_NO_TEXT.sub("\ufffd", text))


# -- sizes ---------------------------------------------------------------------------------------------------


def size_of(item: Item) -> tuple[float, float]:
    """Return how wide and high an item is drawn."""
    if item.shape == "frame":
        columns, width = _grid(item)
        rows = -(-len(item.nodes) // columns)
        return (
            max(
                columns * (width + _CELL_GAP) - _CELL_GAP + 2 * _MARGIN,
                _text_width(_headline(item), _LETTER) + _HEAD_ROOM,
            ),
            _HEAD + rows * (_CELL_HEIGHT + _CELL_GAP) - _CELL_GAP + _MARGIN,
        )
    title, lines = _lines(item)
    wanted = max(_text_width(title, _LETTER), *(_text_width(line, _SMALL_LETTER) for line in lines))
    low, high = _WIDTHS
    width = min(max(wanted + _MARK_ROOM, low), high)
    height = _NODE_HEIGHT + _LINE_HEIGHT * (len(lines) - 1)
    if item.shape == "node":
        return width, height
    return width + _DECK + (_LOOP if item.loops else 0), height + _DECK


def _grid(item: Item) -> tuple[int, float]:
    """Return how many columns of cells a frame has, and how wide each is."""
    low, high = _CELL_WIDTHS
    widest = max(_text_width(node.label, _SMALL_LETTER) for node in item.nodes)
    width = min(max(widest + 28, low), high)
    area = len(item.nodes) * (_CELL_HEIGHT + _CELL_GAP) * _ASPECT / (width + _CELL_GAP)
    return max(1, round(math.sqrt(area))), width


def _text_width(text: str, letter: float) -> float:
    return letter * sum(2 if east_asian_width(each) in "WF" else 1 for each in text[:200])


def _fit(text: str, room: float, letter: float) -> str:
    """Return a text, cut where it would be wider than there is room."""
    if _text_width(text, letter) <= room:
        return text
    while text and _text_width(text, letter) + letter > room:
        text = text[: min(len(text) - 1, 200)]
    return text + "…"


# -- what is said --------------------------------------------------------------------------------------------


def _lines(item: Item) -> tuple[str, list[str]]:
    """Return the headline of a node or fold, and the smaller lines below."""
    measures = _measures(item)
    if item.shape == "fold":
        states = [f"{number:,} {look}" for look, number in looks(item).items() if look != "done"]
        lines = [[f"{TIMES} {len(item.nodes):,}", *measures], states]
    else:
        (node,) = item.nodes
        lines = [[node.label], measures] if node.kind == "dataset" else [[node.label, *measures]]
    return item.group, [" · ".join(each) for each in lines if each]


def _measures(item: Item) -> list[str]:
    lines = [node.lines for node in item.nodes if node.lines is not None]
    if lines:
        columns = {node.columns for node in item.nodes if node.columns is not None}
        # of several, what all of them have
        return [
            count(sum(lines), "line"),
            *(count(number, "column") for number in columns if len(columns) == 1),
        ]
    return [] if item.seconds is None else [f"{duration(item.seconds)}" + (" s" if item.seconds < 60 else "")]


def _headline(item: Item) -> str:
    return " · ".join([f"{item.group} {TIMES} {len(item.nodes):,}", *_measures(item)])


def title_of(node: Node) -> str:
    """Return all that is said of a node when it is pointed at."""
    sign = SIGNS[look(node)][1]
    first = " · ".join([f"{node.group}, {node.label}", *_measures(Item("node", [node])), sign])
    return "\n".join(filter(None, [first, node.caption, node.why and f"why: {node.why}"]))


def _title_of_group(item: Item) -> str:
    states = ", ".join(f"{number:,} {look}" for look, number in looks(item).items())
    within = f"\n{count(item.loops, 'edge')} from one of them to another" if item.loops else ""
    return f"{_headline(item)}\n{states}{within}"


# -- drawing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Marks:
    """Draws items.

    Attributes
    ----------
    ways : Ways or None
        None: they lead nowhere.
    roots : collection
        Nodes that are marked.
    longest : float
        The seconds of a node whose bar is full.
    """

    ways: Ways | None
    roots: frozenset[str]
    longest: float

    def draw(self, item: Item, box: Box, number: int, given: Callable[[Node], Sequence[str]]) -> str:
        """Return an item as SVG.

        Parameters
        ----------
        number
            By which edges name it.
        given
            By which numbers what a node in a frame was made from is named.
        """
        if item.shape == "node":
            return self._node(item, box, number)
        return (
            self._fold(item, box, number) if item.shape == "fold" else self._frame(item, box, number, given)
        )

    def _node(self, item: Item, box: Box, number: int) -> str:
        (node,) = item.nodes
        inner = (
            f"{_rect(box, 'box')}{_sign(box.x + 17, box.y + box.height / 2, look(node))}"
            f"{_words(item, box)}{self._bar(node, box)}"
        )
        return self._link(node, f"{number}", inner)

    def _link(self, node: Node, number: str, inner: str, kind: str = "node", extra: str = "") -> str:
        marked = " root" if node.oid in self.roots else ""
        opening = f'class="{kind} {look(node)}{marked}" data-node="{number}"{extra}'
        address = self.ways and node.state != "missing" and self.ways.to_node(node)
        return _wrapped(opening, address or "", title_of(node), inner)

    def _bar(self, node: Node, box: Box) -> str:
        if not node.seconds or not self.longest:
            return ""
        width = (box.width - 12) * min(node.seconds / self.longest, 1.0)
        return _rect(Box(box.x + 6, box.y + box.height - 4.5, max(width, 1.0), 2.5), "time", round=1)

    def _fold(self, item: Item, box: Box, number: int) -> str:
        looped = _LOOP if item.loops else 0.0
        box = box._replace(width=box.width - _DECK - looped, height=box.height - _DECK)
        states = looks(item)
        top = next((each for each in ("failed", "missing") if states[each]), states.most_common(1)[0][0])
        marked = " root" if any(node.oid in self.roots for node in item.nodes) else ""
        inner = "".join(
            [
                _rect(box._replace(x=box.x + _DECK, y=box.y + _DECK), "deck"),
                _rect(box._replace(x=box.x + _DECK / 2, y=box.y + _DECK / 2), "deck"),
                _loop(box, chained=item.is_chain) if item.loops else "",
                _rect(box, "box"),
                _sign(box.x + 17, box.y + 26, top),
                _words(item, box),
                _shares(states, Box(box.x + 6, box.y + box.height - 5, box.width - 12, 3)),
            ]
        )
        return self._group(item, f'class="node fold {top}{marked}" data-node="{number}"', "open", inner)

    def _group(self, item: Item, opening: str, verb: str, inner: str) -> str:
        address = self.ways.to_group(item.group) if self.ways else ""
        title = _title_of_group(item) + (f"\nclick to {verb}" if self.ways else "")
        return _wrapped(opening, address, title, inner)

    def _frame(self, item: Item, box: Box, number: int, given: Callable[[Node], Sequence[str]]) -> str:
        columns, width = _grid(item)
        head = _text(
            box.x + _MARGIN + 16, box.y + 23, _fit(_headline(item), box.width - _HEAD_ROOM, _LETTER), "name"
        )
        parts = [
            _rect(box, "frame-box", round=10),
            self._group(
                item,
                f'class="frame-head" data-node="{number}"',
                "fold",
                _rect(Box(box.x + 4, box.y + 4, box.width - 8, _HEAD - 8), "head-box")
                + f'<path class="closer" d="M{box.x + _MARGIN:.1f},{box.y + 15:.1f} h9 l-4.5,6 z"/>{head}',
            ),
        ]
        numbers = {node.oid: f"{number}.{place}" for place, node in enumerate(item.nodes)}
        for place, node in enumerate(item.nodes):
            row, column = divmod(place, columns)
            cell = Box(
                box.x + _MARGIN + column * (width + _CELL_GAP),
                box.y + _HEAD + row * (_CELL_HEIGHT + _CELL_GAP),
                width,
                _CELL_HEIGHT,
            )
            sources = given(node)
            if place and f"{number}.{place - 1}" in sources:
                parts.append(_step(cell, first=column == 0))
            parts.append(self._cell(node, cell, numbers[node.oid], sources))
        return f'<g class="frame{" chain" * item.is_chain}">{"".join(parts)}</g>'

    def _cell(self, node: Node, box: Box, number: str, sources: Sequence[str]) -> str:
        label = _fit(node.label, box.width - 26, _SMALL_LETTER)
        inner = (
            f"{_rect(box, 'box', round=4)}{_sign(box.x + 11, box.y + 12.5, look(node))}"
            f"{_text(box.x + 21, box.y + 16.5, label, 'line')}{self._bar(node, box)}"
        )
        return self._link(node, number, inner, "node cell", f' data-given="{" ".join(sources)}"')


def _wrapped(opening: str, address: str, title: str, inner: str) -> str:
    """Return what is drawn as a link, or as a group where it leads nowhere."""
    tag, way = ("a", f' href="{shown(address)}"') if address else ("g", "")
    return f"<{tag} {opening}{way}><title>{shown(title)}</title>{inner}</{tag}>"


def _words(item: Item, box: Box) -> str:
    title, lines = _lines(item)
    room = box.width - _MARK_ROOM
    return _text(box.x + 31, box.y + 19, _fit(title, room, _LETTER), "name") + "".join(
        _text(box.x + 31, box.y + 35 + _LINE_HEIGHT * place, _fit(line, room, _SMALL_LETTER), "line")
        for place, line in enumerate(lines)
    )


def _rect(box: Box, kind: str, *, round: float = 7) -> str:  # noqa: A002 - as SVG calls it nearly
    return (
        f'<rect class="{kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{round}"/>'
    )


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{shown(text)}</text>'


def _sign(x: float, y: float, state: str) -> str:
    return f'<text class="sign {state}" x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle">{SIGNS[state][0]}</text>'


def _loop(box: Box, *, chained: bool) -> str:
    """Return an edge from a box to itself: some of what is in it was made from others in it."""
    x, y = box.x + box.width + _DECK, box.y + box.height / 2
    return (
        f'<g class="edge{" chain" * chained}"><path class="way" d="M{x:.1f},{y + 9:.1f} c26,8 26,-26 6,-18"/>'
        f'<path class="tip" d="M{x + 0.5:.1f},{y - 8:.1f} l8,-4.5 l-0.5,8 z"/></g>'
    )


def _shares(states: Counter[str], box: Box) -> str:
    """Return a bar that shows how many look how, when not all look the same."""
    parts, x = [], box.x
    for state, number in states.items() if len(states) > 1 else ():
        width = box.width * number / states.total()
        parts.append(_rect(box._replace(x=x, width=width), f"share {state}", round=1))
        x += width
    return "".join(parts)


def _step(cell: Box, *, first: bool) -> str:
    """Return the short edge to a cell from the one before it, whose row may be the one above."""
    x, y = cell.x, cell.y + cell.height / 2
    length = _CELL_GAP - 3 if not first else 6
    return (
        f'<path class="step{" wrapped" if first else ""}" d="M{x - length - 1:.1f},{y:.1f} h{length:.1f}"/>'
    )
