"""What a build got: which jobs it ran, and which were there before."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.nodes.build import Build, How
from jobs.nodes.run import Run
from jobs.reuse.refnames import BUILDS
from porcelain.board.graph.jobwalk import Got, unknown
from porcelain.board.opened import ShownProject

# builds may run at the same time: the one that made a job is among so many that began last before it
_AT_ONCE: Final = 4


def got_by(build: Build) -> Got:
    """Return how a build got jobs: as it says; subjobs, which it does not name, by when they ran."""
    said: Mapping[ObjectId, How] = {entry.run: entry.how for entry in build.jobs}

    def how(run: ObjectId, node: Run | None) -> How | None:
        return said.get(run) or (_by_time(node, build) if node else None)

    return how


def got_with(project: ShownProject, run: Run) -> Got:
    """Return how the build that made a run got others: made in the same build, or there before.

    Costs a few builds, and the names of all of them.
    """
    build = _find_build(project, run)
    return unknown if build is None else lambda _, node: _by_time(node, build) if node else None


def _by_time(run: Run, build: Build) -> How:
    return "built" if run.times.start >= build.start else "reused"


def _find_build(project: ShownProject, run: Run) -> Build | None:
    """Return the build during which a run was made here, or None."""
    builds = sorted((int(name.removeprefix(BUILDS)), oid) for name, oid in project.index.refs.names(BUILDS))
    store = project.store.alone()

    def begun(found: tuple[int, ObjectId]) -> int:
        return get_node(store, found[1], Build).start

    place = bisect_right(builds, run.times.start, key=begun)
    for _, oid in reversed(builds[max(0, place - _AT_ONCE) : place]):
        build = get_node(store, oid, Build)
        if build.start <= run.times.start and run.times.end <= build.end:
            return build
    return None
