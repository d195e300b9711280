"""What of a graph is drawn as one thing: each job by itself, all jobs of a method as one, or in a frame."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from porcelain.board.graph.nodes import PREVIOUS, Graph, Node

Shape: TypeAlias = Literal["node", "fold", "frame"]

# a graph of more nodes is folded at first: it would be too small to be read
_MOST_UNFOLDED: Final = 40
# of an open method with more jobs they stand in a frame, in rows: a fan or a chain of them would be all that is seen
_MOST_LOOSE: Final = 12
# and when more than so many jobs are seen by themselves, those of each open method stand in a frame
_MOST_LOOSE_IN_ALL: Final = 150

ALL: Final = "all"
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Item:
    """What is drawn as one thing.

    Attributes
    ----------
    shape : str
        "node": one job or dataset; "fold": all of a group, as one; "frame": a group with what is in it.
    nodes : sequence of Node
        In the order in which they came to be.
    loops : int
        How many edges lead from one of its nodes to another.
    is_chain : bool
        Each of these leads to the next one in a chain.
    """

    shape: Shape
    nodes: Sequence[Node]
    loops: int = 0
    is_chain: bool = False

    @property
    def group(self) -> str:
        """The method; of a dataset, method and name."""
        return self.nodes[0].group

    @property
    def seconds(self) -> float | None:
        """Time that all took together."""
        known = [node.seconds for node in self.nodes if node.seconds is not None]
        return sum(known) if known else None


class Bundle(NamedTuple):
    """All edges from one item to another: how many, and the names that they have, the most frequent first."""

    source: int
    target: int
    edges: int
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Folded:
    """A graph as it is drawn.

    Attributes
    ----------
    items, bundles
        Bundles name items by their places.
    open : collection of str
        The groups whose nodes are seen.
    groups : mapping of str to int
        Every group of more than one node, and how many it has; the largest first.
    """

    items: Sequence[Item]
    bundles: Sequence[Bundle]
    open: Collection[str]
    groups: Mapping[str, int]

    @property
    def has_many(self) -> bool:
        """Whether one thing stands for many nodes, or holds them."""
        return any(item.shape != "node" for item in self.items)


def asked_for(opened: Collection[str], groups: Collection[str]) -> str:
    """Return the text that asks for some groups to be open."""
    if not opened:
        return NONE
    return ALL if len(opened) == len(groups) else ",".join(sorted(opened))


def fold(graph: Graph, asked: str = "") -> Folded:
    """Return the graph with the nodes of each group folded together, but for the groups that are open.

    Parameters
    ----------
    asked
        Which are open: "all", "none", their names with commas; "": all or none, as it is easier to read.
    """
    members = defaultdict[str, list[Node]](list)
    for node in sorted(graph.nodes.values(), key=lambda node: node.when):
        members[node.group].append(node)
    several = Counter({group: len(nodes) for group, nodes in members.items() if len(nodes) > 1})
    groups = dict(several.most_common())
    wanted = asked or (NONE if _is_folded_at_first(graph) else ALL)
    opened = set(groups) if wanted == ALL else set(groups) & set(wanted.split(","))
    shapes = _shapes(members, opened)
    of = {node.oid: number for number, (_, nodes) in enumerate(shapes) for node in nodes}
    names: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for edge in graph.edges:
        names[of[edge.source], of[edge.target]][edge.name] += 1
    loops = [names.get((number, number), Counter()) for number in range(len(shapes))]
    return Folded(
        [
            Item(shape, nodes, within.total(), {*within} == {PREVIOUS})
            for (shape, nodes), within in zip(shapes, loops, strict=True)
        ],
        [
            Bundle(source, target, found.total(), [name for name, _ in found.most_common()])
            for (source, target), found in names.items()
            if source != target
        ],
        opened,
        groups,
    )


def _is_folded_at_first(graph: Graph) -> bool:
    if len(graph.nodes) <= _MOST_UNFOLDED:
        return False
    if len(graph.nodes) > _MOST_LOOSE_IN_ALL:
        return True
    # where every method is given what every other one made, folding makes a knot of what is none
    group = {oid: node.group for oid, node in graph.nodes.items()}
    folded = {(group[edge.source], group[edge.target]) for edge in graph.edges}
    return 2 * len(folded) <= len(graph.edges)


def _shapes(
    members: Mapping[str, Sequence[Node]], opened: Collection[str]
) -> list[tuple[Shape, Sequence[Node]]]:
    found: list[tuple[Shape, Sequence[Node]]] = []
    loose = sum(
        len(nodes) for group, nodes in members.items() if group in opened and len(nodes) <= _MOST_LOOSE
    )
    most = _MOST_LOOSE if loose <= _MOST_LOOSE_IN_ALL else 1
    for group, nodes in members.items():
        if len(nodes) > 1 and group not in opened:
            found.append(("fold", nodes))
        elif len(nodes) > most:
            found.append(("frame", nodes))
        else:
            found += [("node", [node]) for node in nodes]
    return found
