"""What a build got: which jobs it ran, and which were there before."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from cas.formats.node import get_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.nodes.build import Build, How
from jobs.nodes.run import Run
from jobs.reuse.refnames import BUILDS
from porcelain.board.graph.jobwalk import Got, read_run, unknown
from porcelain.board.graph.nodes import UNREADABLE
from porcelain.board.opened import ShownProject

# builds may run at the same time: the one that made a job is among so many that began last before it
_AT_ONCE: Final = 4


def got_by(build: Build) -> Got:
    """Return how a build got jobs: as it says; subjobs, which it does not name, by when they ran."""
    said: Mapping[ObjectId, How] = {entry.run: entry.how for entry in build.jobs}

    def how(run: ObjectId, node: Run | None) -> How | None:
        return said.get(run) or (_by_time(node, build) if node else None)

    return how


def got_with(project: ShownProject, run: ObjectId) -> Got:
    """Return how the build that made a run got others: made in the same build, or there before.

    Costs a few builds, and the names of all of them.
    """
    store = project.store.alone()
    node = read_run(store, run)
    with suppress(*UNREADABLE):
        build = node and _find_build(store, [*project.index.refs.names(BUILDS)], node)
        if build:
            return lambda _, other: _by_time(other, build) if other else None
    return unknown


def _by_time(run: Run, build: Build) -> How | None:
    """Return how a build got a run, None when that came only after it."""
    return "reused" if run.times.start < build.start else "built" if run.times.start <= build.end else None


def _find_build(store: LocalStore, named: Sequence[tuple[str, ObjectId]], run: Run) -> Build | None:
    """Return the build during which a run was made, or None."""
    builds = sorted((int(name.removeprefix(BUILDS)), oid) for name, oid in named)

    def begun(found: tuple[int, ObjectId]) -> int:
        return get_node(store, found[1], Build).start

    place = bisect_right(builds, run.times.start, key=begun)
    for _, oid in reversed(builds[max(0, place - _AT_ONCE) : place]):
        build = get_node(store, oid, Build)
        if build.start <= run.times.start and run.times.end <= build.end:
            return build
    return None
