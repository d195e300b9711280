"""`builds/<n>`: what each run of a build script asked for and got, and what it said."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from cas.formats.node import encode, get_node
from cas.oid import ObjectId
from cas.refs import Refs, Transaction
from cas.store import Store
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.run import now
from jobs.reuse.index import Listing
from jobs.reuse.refnames import AUTO, BUILD, BUILDS, URD
from jobs.reuse.urdrefs import auto_ref, is_listed

_ON_THEIR_WAY: Final = 20


@dataclass(slots=True)
class BuildRecord:
    """One run of a build script, written down as it goes.

    Attributes
    ----------
    jobs : list of BuiltJob or None
        In the order in which they were asked for; None: not got yet, or never.
    warnings, said : list of str
        What the engine warned of; lines of `urd.warn`.
    take_number : callable or None
        Gives the build its number; None: it gets none, as when one job is built from the command line.
    """

    script: str
    start: int = field(default_factory=now)
    jobs: list[BuiltJob | None] = field(default_factory=list)
    user: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    output: ObjectId | None = None
    take_number: Callable[[], int] | None = None
    number: int | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    def label(self) -> str:
        """Return what the build is called, as "build-7", or "" when it has no number.

        The number is taken when it is first asked for: a build that only reuses jobs writes it with all the rest.
        """
        with self._lock:
            if self.number is None and self.take_number is not None:
                self.number = self.take_number()
        return "" if self.number is None else f"{BUILD}-{self.number}"

    def ask(self) -> int:
        """Return a place for a job that is asked for; it stays empty when that fails."""
        with self._lock:
            self.jobs.append(None)
            return len(self.jobs) - 1

    def add(self, entry: BuiltJob, place: int | None = None) -> None:
        """Note a job that the script has got, at the place where it asked for it: several may be on their way."""
        self.jobs[self.ask() if place is None else place] = entry

    def to_node(self, status: str, results: Mapping[str, ObjectId]) -> Build:
        """Return the build as it ended now; `status` is "done", or the line that says why it failed."""
        return Build(
            script=self.script,
            status=status,
            start=self.start,
            end=now(),
            jobs=tuple(entry for entry in self.jobs if entry is not None),
            results=dict(results),
            user=self.user,
            asked=dict(self.asked),
            warnings=(*self.warnings, *self.said),
            output=self.output,
        )


class BuildLog:
    """The builds of a project, by number."""

    def __init__(self, store: Store, refs: Refs) -> None:
        self._store = store
        self._refs = refs

    def take_number(self) -> int:
        """Return the number of a build that is not written yet; no other gets it."""
        with self._refs.transaction("a build begins") as transaction:
            return self._take_number(transaction)

    def write(self, build: Build, number: int | None = None) -> int:
        """Store `build` and return its number, which is the next one unless it has taken one before.

        A build that is done, and that built or reused something, is in the urd list `__auto__` of its user.
        """
        oid = self._store.put(encode(build))
        with self._refs.transaction(f"build {build.script}") as transaction:
            taken = self._take_number(transaction) if number is None else number
            transaction.set(f"{BUILDS}{taken}", oid, old=None)
            if is_listed(build):
                transaction.set(auto_ref(build.user, build.start), oid)
        return taken

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

    def find_newest(self) -> tuple[int, ObjectId] | None:
        """Return number and object of the newest build, or None; that costs the same however many there are."""
        counter = self._refs.select("counters", {"workdir": BUILD})
        last = int(str(counter[0]["number"])) if counter else 0
        # those that run have taken a number and are not written yet
        for number in range(last, max(0, last - _ON_THEIR_WAY), -1):
            oid = self._refs.find(f"{BUILDS}{number}")
            if oid is not None:
                return number, oid
        return next(iter(self.ids().items()), None)

    def ids(self) -> dict[int, ObjectId]:
        """Return the object of each build by its number, newest first."""
        return dict(sorted(self._numbers().items(), reverse=True))

    def count(self) -> int:
        """Return the number of builds."""
        return len(self._numbers())

    def with_runs(self, runs: Collection[ObjectId]) -> list[int]:
        """Return the numbers of the builds that one of `runs` is part of."""
        wanted = set(runs)
        return sorted(
            number
            for number, oid in self._numbers().items()
            if not wanted.isdisjoint(get_node(self._store, oid, Build).nodes())
        )

    def drop(self, numbers: Iterable[int], why: str) -> None:
        """Forget builds, also in the urd list `__auto__`."""
        names = [f"{BUILDS}{number}" for number in numbers]
        gone = {oid for name in names if (oid := self._refs.find(name)) is not None}
        listed = [name for name, oid in self._refs.names(URD) if oid in gone and f"/{AUTO}/" in name]
        with self._refs.transaction(why) as transaction:
            for name in (*names, *listed):
                transaction.delete(name)

    def _take_number(self, transaction: Transaction) -> int:
        listing = Listing(transaction)
        # the counter, since gc may have dropped the newest; builds of before there was one are counted
        number = (listing.take_number(BUILD, 0) or max(self._numbers(), default=0)) + 1
        return listing.take_number(BUILD, number)

    def _numbers(self) -> dict[int, ObjectId]:
        return {int(name.removeprefix(BUILDS)): oid for name, oid in self._refs.names(BUILDS)}
