"""Graphs of datasets: the chain before one, and what each extends."""

from contextlib import suppress
from typing import Final

from cas.local.store import LocalStore
from jobs.dataset.head import DatasetHead, DatasetRef, get_head
from jobs.nodes.listing import JobRow
from porcelain.board.graph.nodes import MOST_NODES, PARENT, PREVIOUS, UNREADABLE, Edge, Graph, Node
from porcelain.board.opened import ShownProject
from porcelain.spec import Target, get_oid
from porcelain.specgrammar import DEFAULT_DATASET
from porcelain.term import count

_ID_DIGITS: Final = 12


def chained(project: ShownProject, target: Target, *, depth: int | None = None) -> Graph:
    """Return the graph of a dataset: those before it in its chain, and those that they extend, nearest first.

    Costs a head for each dataset, of which `MOST_NODES` are read at the most, and two queries.
    """
    root = DatasetRef(get_oid(target), target.name or DEFAULT_DATASET)
    found, limits = _walk(project.store.alone(), root, depth)
    owners = dict(zip(found, project.index.find_dataset_owners([*found]), strict=True))
    if target.row is not None:  # which of several jobs that have it
        owners[root] = (target.row, root.name)
    nodes = {ref.node: _node(ref, owners[ref], head) for ref, head in found.items()}
    edges = [
        Edge(given.node, ref.node, name)
        for ref, head in found.items()
        for given, name in _given(head)
        if given.node in nodes
    ]
    return Graph(nodes, edges, [root.node], limits)


def _walk(
    store: LocalStore, root: DatasetRef, depth: int | None
) -> tuple[dict[DatasetRef, DatasetHead | None], list[str]]:
    """Return heads by what names them, each once, breadth first, and what is not among them."""
    found = dict[DatasetRef, DatasetHead | None]()
    level, steps, seen = [root], 0, {root.node}
    while level:
        room = MOST_NODES - len(found)
        heads = {ref: _read(store, ref) for ref in level[:room]}
        found.update(heads)
        if len(level) > room:
            return found, [f"there are more than {MOST_NODES:,} datasets: the nearest are shown"]
        given = {ref.node: ref for head in heads.values() for ref, _ in reversed(_given(head))}
        level = [ref for node, ref in given.items() if node not in seen]
        seen |= given.keys()
        if level and steps == depth:
            return found, [f"what is more than {count(depth, 'step')} away is left out"]
        steps += 1
    return found, []


def _read(store: LocalStore, ref: DatasetRef) -> DatasetHead | None:
    with suppress(*UNREADABLE):
        return get_head(store, ref)
    return None


def _given(head: DatasetHead | None) -> list[tuple[DatasetRef, str]]:
    if head is None:
        return []
    before = [(head.previous, PREVIOUS)] if head.previous else []
    return [*before, *((parent, PARENT) for parent in head.parents)]


def _node(ref: DatasetRef, owner: tuple[JobRow, str] | None, head: DatasetHead | None) -> Node:
    row, name = owner or (None, ref.name)
    return Node(
        ref.node,
        f"{row.label}/{name}" if row else ref.node[:_ID_DIGITS],
        f"{row.method if row else '?'}/{name}",
        kind="dataset",
        state="missing" if head is None else "done",
        caption=(head and head.caption) or "",
        lines=sum(head.lines) if head else None,
        columns=len(head.columns) if head else None,
        when=head.depth if head else 0,
    )
