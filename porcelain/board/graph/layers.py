"""Layers: which node lies in which one, and in which order, so that edges run forward and few of them cross.

Notes
-----
Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981, with the
medians of Gansner, Koutsofios, North, Vo, "A technique for drawing directed graphs", 1993. Why it is done here and by
no library: docs/adr/0023-graphs-are-laid-out-here.md.
"""

from bisect import bisect, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

Link: TypeAlias = tuple[int, int]

# after so many sweeps in a row without fewer crossings there is nothing to be had from more
_PATIENCE: Final = 3
_MOST_SWEEPS: Final = 16


@dataclass(slots=True)
class Layers:
    """Nodes in layers, each link between neighbouring ones.

    Attributes
    ----------
    order : list of list of int
        The nodes of each layer, in order; those from `count` on are where a long edge passes through a layer.
    count : int
        How many real nodes there are.
    paths : dict
        For each link, through which nodes it leads, from a lower layer to a higher one.
    backward : set
        Links that lead back, in a circle: their paths run the other way.
    """

    order: list[list[int]]
    count: int
    paths: dict[Link, list[int]]
    backward: set[Link]

    def neighbours(self) -> tuple[list[list[int]], list[list[int]]]:
        """Return for each node those before it in the layer above, and those after it in the layer below."""
        total = sum(map(len, self.order))
        before: list[list[int]] = [[] for _ in range(total)]
        after: list[list[int]] = [[] for _ in range(total)]
        for path in self.paths.values():
            for source, target in pairwise(path):
                after[source].append(target)
                before[target].append(source)
        return before, after


def arrange(count: int, links: Sequence[Link]) -> Layers:
    """Return `count` nodes in layers; links are distinct, and none leads from a node to itself.

    >>> arrange(3, [(0, 1), (1, 2), (0, 2)]).order
    [[0], [1, 3], [2]]
    """
    backward = _backward(count, links)
    forward = {link: link[::-1] if link in backward else link for link in links}
    ranks = _ranks(count, sorted(set(forward.values())))
    layers = Layers([[] for _ in range(max(ranks, default=-1) + 1)], count, {}, backward)
    for node in _by_nearness(count, forward.values()):
        layers.order[ranks[node]].append(node)
    total = count
    for link, (source, target) in forward.items():
        between = range(total, total + ranks[target] - ranks[source] - 1)
        layers.paths[link] = [source, *between, target]
        for rank, node in enumerate(between, ranks[source] + 1):
            layers.order[rank].append(node)
        total += len(between)
    _uncross(layers)
    return layers


def _backward(count: int, links: Sequence[Link]) -> set[Link]:
    """Return links without which there is no circle: those that lead to where a walk in depth has come from."""
    after = _targets(count, links)
    found: set[Link] = set()
    is_above, is_done = [False] * count, [False] * count
    for root in range(count):
        # what is walked from: a node, and where it leads to that is not walked yet
        stack: list[tuple[int, Iterator[int]]] = [] if is_done[root] else [(root, iter(after[root]))]
        is_above[root] = bool(stack)
        while stack:
            node, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                stack.pop()
                is_above[node], is_done[node] = False, True
            elif is_above[target]:
                found.add((node, target))
            elif not is_done[target]:
                is_above[target] = True
                stack.append((target, iter(after[target])))
    return found


def _targets(count: int, links: Iterable[Link]) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in links:
        after[source].append(target)
    return after


def _ranks(count: int, links: Sequence[Link]) -> list[int]:
    """Return the layer of each node: as near to its sources as all of them allow, or to its targets if it has more."""
    after = _targets(count, links)
    before = _targets(count, [link[::-1] for link in links])
    waits = [len(sources) for sources in before]
    ready = [node for node in range(count) if not waits[node]]
    ranks = [0] * count
    for node in ready:  # grows as it goes
        for target in after[node]:
            ranks[target] = max(ranks[target], ranks[node] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    for node in reversed(ready):
        if len(after[node]) > len(before[node]):
            ranks[node] = min(ranks[target] for target in after[node]) - 1
    return ranks


def _by_nearness(count: int, links: Iterable[Link]) -> list[int]:
    """Return all nodes, so that those that hang together stand together."""
    beside = _targets(count, [each for link in links for each in (link, link[::-1])])
    found: dict[int, None] = {}
    for root in range(count):
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in found:
                found[node] = None
                stack.extend(reversed(beside[node]))
    return [*found]


def _uncross(layers: Layers) -> None:
    """Order each layer by where the neighbours of its nodes are, down and up, as long as fewer edges cross."""
    before, after = layers.neighbours()
    best, fewest = [*map(list, layers.order)], _crossings(layers.order, after)
    idle = 0
    for sweep in range(_MOST_SWEEPS):
        if not fewest or idle > _PATIENCE:
            break
        down = sweep % 2 == 0
        _sweep(layers.order if down else layers.order[::-1], before if down else after)
        crossings = _crossings(layers.order, after)
        idle = 0 if crossings < fewest else idle + 1
        if crossings < fewest:
            best, fewest = [*map(list, layers.order)], crossings
    layers.order = best


def _sweep(order: Sequence[list[int]], beside: Sequence[Sequence[int]]) -> None:
    for fixed, free in pairwise(order):
        place = {node: number for number, node in enumerate(fixed)}
        wanted = {node: _median([place[each] for each in beside[node]], at) for at, node in enumerate(free)}
        free.sort(key=wanted.__getitem__)


def _median(places: list[int], otherwise: int) -> float:
    """Return the place in the middle; a tenth fewer edges cross than with the mean of all."""
    places.sort()
    half = len(places) // 2
    return (places[half] + places[~half]) / 2 if places else otherwise


def _crossings(order: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> int:
    """Return how many pairs of edges cross."""
    found = 0
    for upper, lower in pairwise(order):
        place = {node: number for number, node in enumerate(lower)}
        ends: list[int] = []
        for node in upper:
            targets = sorted(place[target] for target in after[node])
            found += sum(len(ends) - bisect(ends, target) for target in targets)
            for target in targets:
                insort(ends, target)
    return found
