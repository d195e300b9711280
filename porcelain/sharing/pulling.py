"""What becomes of that which came from a remote: labels here, urd sessions, result links, builds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cas.formats.node import get_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.nodes.listing import AT, JobRow
from jobs.nodes.session import Session
from jobs.remote.adoption import Adoption
from jobs.remote.claim import UnsoundClaim, read_claim
from jobs.remote.privacy import why_private
from jobs.reuse.index import JobIndex, Listing
from jobs.reuse.refnames import BUILD, BUILDS, RESULTS, URD, find_build
from jobs.reuse.urdrefs import depends_on
from porcelain.config import Config
from porcelain.sessions.urdlog import UrdLog
from porcelain.sharing.bases import Bases, mean_the_same
from porcelain.sharing.listing import RemoteIndex
from porcelain.sharing.wings import is_auto
from porcelain.storage import open_refs


@dataclass(slots=True)
class Pulled:
    """What a pull has made here.

    Attributes
    ----------
    labels : list of tuple
        Each job that got a label here: its row at the remote, and the one here.
    known : int
        Jobs that have a label here already.
    dropped : int
        Jobs that had a label here, and lost it: a pull of all leaves that so.
    names : dict of str to str
        The sessions, results and builds that were set here, by their names there.
    unsound : list of tuple
        Each job that got no label, since no acc can have written it so, and why.
    ghosts : int
        Sessions that are kept and not listed, since what they depend on is another one here.
    conflicts : list of str
        Refs that are different here and there, both changed: they stay as they are here.
    """

    labels: list[tuple[JobRow, JobRow]] = field(default_factory=list)
    known: int = 0
    dropped: int = 0
    names: dict[str, str] = field(default_factory=dict)
    unsound: list[tuple[JobRow, str]] = field(default_factory=list)
    ghosts: int = 0
    conflicts: list[str] = field(default_factory=list)


class Puller:
    """One pull; interrupted, what it has made stays, and the next one goes on.

    Parameters
    ----------
    there
        The jobs of the remote.
    is_all
        All that there is comes, rather than what somebody has named: what was dropped here stays so.
    """

    def __init__(
        self, store: LocalStore, index: JobIndex, there: RemoteIndex, config: Config, *, is_all: bool
    ) -> None:
        self.done = Pulled()
        self._store = store
        self._index = index
        self._refs = index.refs
        self._there = there
        self._config = config
        # to wait for the disk at each label takes as long as all the rest, and the next pull would find it lacking
        self._adoption = Adoption(
            store, JobIndex(open_refs(config, hasty=True)), config.workdirs, config.input_directory
        )
        self._bases = Bases(index.refs, there.remote)
        self._is_all = is_all

    def label(self, rows: Iterable[JobRow], progress: Callable[[int], None] | None = None) -> None:
        """Give jobs of the remote labels here, oldest first; one that has a label here keeps it."""
        had: set[ObjectId] | None = None
        for row in sorted(rows, key=lambda row: (row.ended, row.workdir, row.number)):
            if self._index.of_run(row.run) is not None:
                self.done.known += 1
                continue
            if self._is_all and had is None:
                had = self._bases.runs_had_here()
            if had is not None and row.run in had:
                self.done.dropped += 1
            else:
                self._adopt(row)
                if progress is not None:
                    progress(len(self.done.labels))

    def _adopt(self, there: JobRow) -> None:
        """Give a job a label: of the workdir that it has there, if it is here, and with its number if that is free."""
        name = there.workdir.partition(AT)[0]
        self._store.hold([there.run])
        try:
            claim = read_claim(self._store, there.run, may_be_private=True)
        except UnsoundClaim as err:
            self.done.unsound.append((there, str(err)))
            return
        here = self._adoption.adopt(
            claim,
            origin=self._there.remote.name,
            workdir=name if name in self._config.workdirs else self._config.workdir,
            number=there.number,
            action="never" if why_private(claim.run.facts) else "if free",
        )
        self.done.labels.append((there, here))

    def merge(self, names: Mapping[str, ObjectId]) -> None:
        """Set urd sessions, result links and builds here that are newer there."""
        chosen = {name: oid for name, oid in names.items() if self._is_wanted(name, oid)}
        self._add_builds({name: oid for name, oid in chosen.items() if name.startswith(BUILDS)})
        plain = {name: oid for name, oid in chosen.items() if name.startswith(RESULTS) or is_auto(name)}
        if plain:
            with self._refs.transaction(self._why) as transaction:
                for name, oid in plain.items():
                    transaction.set(name, oid)
                    self.done.names[name] = name
        self._add_sessions(
            {name: oid for name, oid in chosen.items() if name.startswith(URD) and name not in plain}
        )

    @property
    def _why(self) -> str:
        return f"pull {self._there.remote.name}"

    def _is_wanted(self, name: str, there: ObjectId) -> bool:
        if name.startswith(BUILDS):
            return there not in {oid for _, oid in self._refs.names(BUILDS)}
        here = self._refs.find(name)
        newer = self._bases.compare(name, here, there)
        if newer == "both" and here is not None and not mean_the_same(self._store, name, here, there):
            self.done.conflicts.append(name)
        # what was dropped here comes back when somebody names it
        return newer == "there" or (here is None and not self._is_all)

    def _add_builds(self, builds: Mapping[str, ObjectId]) -> None:
        for name, oid in sorted(builds.items(), key=lambda item: find_build(item[0]) or 0):
            with self._refs.transaction(self._why) as transaction:
                listing = Listing(transaction)
                number = listing.take_number(BUILD, 0) + 1
                listing.take_number(BUILD, number)
                transaction.set(f"{BUILDS}{number}", oid, old=None)
            self.done.names[name] = f"{BUILDS}{number}"

    def _add_sessions(self, sessions: Mapping[str, ObjectId]) -> None:
        """List sessions, those that others depend on before these; what cannot be listed is kept as a ghost."""
        log = UrdLog(self._store, self._refs)
        waiting = dict(sessions)
        while waiting:
            ready = [name for name, oid in waiting.items() if self._are_listed(oid, waiting)]
            for name in ready or [*waiting]:
                added = log.take(name, waiting.pop(name))
                self.done.ghosts += added.is_ghost + added.ghosts
                self.done.names[name] = name

    def _are_listed(self, oid: ObjectId, waiting: Mapping[str, ObjectId]) -> bool:
        """Return whether nothing that a session depends on waits to be listed."""
        return not any(name in waiting for name, _ in depends_on(get_node(self._store, oid, Session)))
