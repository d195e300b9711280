"""Graphs of jobs: what they were made from, and what was made from them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.facets.runs import get_run
from jobs.nodes.build import How
from jobs.nodes.listing import AT, JobRow
from jobs.nodes.run import Run
from porcelain.board import using
from porcelain.board.graph.nodes import MOST_NODES, SUBJOB, UNREADABLE, Edge, Graph, Node
from porcelain.board.opened import ShownProject
from porcelain.term import count

# how a build got a job, from its run, its node if that can be read
Got: TypeAlias = Callable[[ObjectId, Run | None], How | None]

_ID_DIGITS: Final = 12


def unknown(_: ObjectId, __: Run | None) -> How | None:
    """Return that nothing is known of how a job was got."""
    return None


def made_from(
    project: ShownProject,
    roots: Sequence[ObjectId],
    *,
    depth: int | None = None,
    got: Got = unknown,
    later: bool = False,
    most: int = MOST_NODES,
) -> Graph:
    """Return the graph of what the runs `roots` were made from, nearest first.

    Costs a node for each job, of which `most` are read at the most; none is fetched from elsewhere.

    Parameters
    ----------
    depth
        So many steps from the roots; None: all.
    later
        What was made from the roots, too.
    """
    # of what it was made from not so much that no room is left for what was made from it
    walk = _Walk(project.store.alone(), most // 2 if later else most)
    walk.go([*dict.fromkeys(roots)], depth)
    limits = [*walk.limits]
    if later:
        walk.most = most
        offspring = _Offspring(project, walk)
        offspring.add(roots, depth)
        limits += offspring.limits
    rows = _rows(project, walk.runs)
    nodes = {run: _node(run, rows.get(run), node, got(run, node)) for run, node in walk.runs.items()}
    edges = [
        Edge(source, target, name)
        for target, node in walk.runs.items()
        for source, name in _given(node)
        if source in nodes
    ]
    return Graph(nodes, edges, [run for run in dict.fromkeys(roots) if run in nodes], limits)


def _rows(project: ShownProject, runs: Collection[ObjectId]) -> dict[ObjectId, JobRow]:
    """Return the rows of runs that have a label here, or at a remote that was asked already."""
    rows = project.index.of_runs(runs)
    elsewhere = {run: project.resolver.find_row(run) for run in runs if run not in rows}
    return rows | {run: row for run, row in elsewhere.items() if row is not None}


def _given(node: Run | None) -> Iterable[tuple[ObjectId, str]]:
    """Return each run that a run was given or wanted, and the name that it has there."""
    if node is None:
        return []
    inputs = [(entry.run, entry.path.partition(".")[2]) for entry in node.inputs]
    return [*inputs, *((subjob.run, SUBJOB) for subjob in node.subjobs)]


def _node(run: ObjectId, row: JobRow | None, node: Run | None, how: How | None) -> Node:
    label = row.label if row else AT + run[:_ID_DIGITS]
    known = row or node
    if known is None:
        return Node(run, label, "?", state="missing")
    failed = row.state == "failed" if row else bool(node and node.failure)
    return Node(
        run,
        label,
        known.method,
        state="missing" if node is None else "failed" if failed else "done",
        how=how,
        seconds=row.seconds if row else node.times.seconds if node else None,
        caption=known.caption,
        why=known.why,
        when=row.ended if row else node.times.end if node else 0,
    )


def read_run(store: LocalStore, run: ObjectId) -> Run | None:
    """Return a run node, or None when it cannot be read."""
    with suppress(*UNREADABLE):
        return get_run(store, run)
    return None


@dataclass(slots=True)
class _Walk:
    """A walk, breadth first, from runs to what they were made from."""

    store: LocalStore
    most: int
    runs: dict[ObjectId, Run | None] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)

    def go(self, roots: Sequence[ObjectId], depth: int | None) -> None:
        level, steps = [*roots], 0
        while level:
            room = self.most - len(self.runs)
            found = {run: read_run(self.store, run) for run in level[:room]}
            self.runs.update(found)
            if len(level) > room:
                self.limits.append(f"there are more than {self.most:,} jobs: the nearest are shown")
                return
            given = dict.fromkeys(source for node in found.values() for source, _ in _given(node))
            level = [source for source in given if source not in self.runs]
            if level and steps == depth:
                self.limits.append(f"what is more than {count(depth, 'step')} away is left out")
                return
            steps += 1


class _Offspring:
    """What was made from jobs: as the catalogue knows, and as jobs tell themselves that it has not read yet."""

    def __init__(self, project: ShownProject, walk: _Walk) -> None:
        self._project = project
        self._walk = walk
        self.limits: list[str] = []

    def add(self, roots: Sequence[ObjectId], depth: int | None) -> None:
        """Add to the walk what was made from `roots`, nearest first."""
        late = self._late(roots)
        runs, store, uses = self._walk.runs, self._walk.store, self._project.catalogue.uses
        level, steps = [*roots], 0
        while level and steps != depth:
            room = self._walk.most - len(runs)
            known = uses.of_all(level, self._walk.most + 1)
            fresh = dict.fromkeys([*known, *(run for source in level for run in late.get(source, ()))])
            level = [run for run in fresh if run not in runs]
            runs.update({run: read_run(store, run) for run in level[:room]})
            if len(level) > room:
                self.limits.append(
                    f"more than {self._walk.most:,} jobs have to do with it: the nearest are shown"
                )
                return
            steps += 1

    def _late(self, roots: Sequence[ObjectId]) -> dict[ObjectId, list[ObjectId]]:
        """Return by what they were given the runs that the catalogue has not read yet."""
        rows = self._project.index.of_runs(roots).values()
        found = dict[ObjectId, list[ObjectId]]()
        if not rows:
            return found
        unread, is_all = using.unread_since(self._project, min(rows, key=lambda row: row.ended))
        if not is_all:
            self.limits.append(
                "the board is still reading what jobs were given: not all that was made from it is shown"
            )
        for row in unread:
            for source, _ in _given(read_run(self._walk.store, row.run)):
                found.setdefault(source, []).append(row.run)
        return found
