"""`builds/<n>`: what each run of a build script asked for and got."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cas.formats.node import get_node, put_node
from cas.oid import ObjectId
from cas.refs import Refs
from cas.store import Store
from jobs.nodes.build import Build, BuiltJob, How
from jobs.nodes.run import MICROSECONDS
from jobs.reuse.index import Listing
from jobs.reuse.refnames import BUILD, BUILDS


def _now() -> int:
    return time.time_ns() * MICROSECONDS // 1_000_000_000


@dataclass(slots=True)
class BuildRecord:
    """One run of a build script, written down as it goes."""

    script: str
    start: int = field(default_factory=_now)
    jobs: list[BuiltJob] = field(default_factory=list)

    def add(self, name: str, run: ObjectId, how: How, ran: ObjectId | None) -> None:
        """Note that the script asked for a job and got one; `ran` is the run that was made for it, if any."""
        self.jobs.append(BuiltJob(name, run, how, ran))

    def to_node(self, status: str, results: Mapping[str, ObjectId]) -> Build:
        """Return the build as it ended now; `status` is "done", or the line that says why it failed."""
        return Build(self.script, status, self.start, _now(), tuple(self.jobs), dict(results))


class BuildLog:
    """The builds of a project, by number."""

    def __init__(self, store: Store, refs: Refs) -> None:
        self._store = store
        self._refs = refs

    def write(self, build: Build) -> int:
        """Store `build` and return its number."""
        oid = put_node(self._store, build)
        with self._refs.transaction(f"build {build.script}") as transaction:
            listing = Listing(transaction)
            # the counter, since gc may have dropped the newest; builds of before there was one are counted
            number = (listing.take_number(BUILD, 0) or max(self._numbers(), default=0)) + 1
            transaction.set(f"{BUILDS}{number}", oid, old=None)
            listing.take_number(BUILD, number)
        return number

    def get(self, number: int) -> Build:
        """Return the build with that number; raise LookupError when there is none."""
        oid = self._refs.find(f"{BUILDS}{number}")
        if oid is None:
            raise LookupError(f"no build {number}")
        return get_node(self._store, oid, Build)

    def newest(self, limit: int | None = None) -> list[tuple[int, Build]]:
        """Return builds with their numbers, newest first."""
        numbers = sorted(self._numbers().items(), reverse=True)[:limit]
        return [(number, get_node(self._store, oid, Build)) for number, oid in numbers]

    def with_runs(self, runs: Collection[ObjectId]) -> list[int]:
        """Return the numbers of the builds that one of `runs` is part of."""
        wanted = set(runs)
        return sorted(
            number
            for number, oid in self._numbers().items()
            if not wanted.isdisjoint(get_node(self._store, oid, Build).nodes())
        )

    def drop(self, numbers: Iterable[int], why: str) -> None:
        """Forget builds."""
        with self._refs.transaction(why) as transaction:
            for number in numbers:
                transaction.delete(f"{BUILDS}{number}")

    def _numbers(self) -> dict[int, ObjectId]:
        return {int(name.removeprefix(BUILDS)): oid for name, oid in self._refs.names(BUILDS)}
