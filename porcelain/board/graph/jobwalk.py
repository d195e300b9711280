"""Graphs of jobs: what they were made from, and what was made from them as far as that is told cheaply."""

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
from porcelain.board.graph.nodes import MOST_NODES, SUBJOB, UNREADABLE, Edge, Graph, Node
from porcelain.board.opened import ShownProject
from porcelain.term import count

# how a build got a job, from its run, its node if that can be read
Got: TypeAlias = Callable[[ObjectId, Run | None], How | None]

# nobody notes what was made from a job: the inputs of so many jobs behind it and of so many of the newest are looked at
_LATER_JOBS: Final = 500
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
) -> Graph:
    """Return the graph of what the runs `roots` were made from, nearest first.

    Costs a node for each job, of which `MOST_NODES` are read at the most; none is fetched from elsewhere.

    Parameters
    ----------
    depth
        So many steps from the roots; None: all.
    later
        What was made from the roots, too.
    """
    walk = _Walk(project.store.alone(), MOST_NODES)
    walk.go([*dict.fromkeys(roots)], depth)
    limits = [*walk.limits]
    if later:
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
    """What was made from jobs, as far as jobs tell that it is likely to be among."""

    def __init__(self, project: ShownProject, walk: _Walk) -> None:
        self._index = project.index
        self._walk = walk
        self.limits: list[str] = []

    def add(self, roots: Sequence[ObjectId], depth: int | None) -> None:
        """Add to the walk what was made from `roots`, nearest first."""
        used = dict[ObjectId, list[ObjectId]]()
        nodes = dict[ObjectId, Run | None]()
        for row in self._candidates(roots):
            nodes[row.run] = read_run(self._walk.store, row.run)
            for source, _ in _given(nodes[row.run]):
                used.setdefault(source, []).append(row.run)
        level, steps = [*roots], 0
        while level and steps != depth:
            fresh = dict.fromkeys(run for source in level for run in used.get(source, ()))
            level = [run for run in fresh if run not in self._walk.runs]
            self._walk.runs.update({run: nodes[run] for run in level})
            steps += 1

    def _candidates(self, roots: Sequence[ObjectId]) -> list[JobRow]:
        first = [*self._index.of_runs(roots).values()]
        if not first:
            return []
        begun = min(row.ended for row in first)
        near = [row for root in first for row in self._index.after(root, _LATER_JOBS)]
        newest = self._index.rows(_LATER_JOBS)
        if newest and newest[-1].ended > begun:
            self.limits.append(
                f"of what was made from it, only what is among the {_LATER_JOBS} jobs behind it "
                f"and the {_LATER_JOBS} newest is shown"
            )
        return [*{row.run: row for row in (*near, *newest) if row.ended >= begun}.values()]
