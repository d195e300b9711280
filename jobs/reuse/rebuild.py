"""Refs made again from what the runs, builds and sessions in a store tell of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from cas.errors import (
    CorruptObject,
    CorruptRefs,
    NotANode,
    ObjectNotFound,
    UnknownFormat,
    UnsafeName,
)
from cas.files import check_name
from cas.formats.node import decode, get_node, read_envelope
from cas.local.refs import LocalRefs
from cas.oid import ObjectId
from cas.refs import Refs, Transaction
from cas.store import Store
from jobs.facets.runs import make_row
from jobs.nodes.build import Build
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.outcome import Outcome
from jobs.nodes.run import Run
from jobs.nodes.session import Session
from jobs.nodes.timestamp import InvalidTimestamp
from jobs.reuse.index import Listing
from jobs.reuse.refcheck import WrongRef
from jobs.reuse.refnames import (
    ACTIONS,
    BUILD,
    BUILDS,
    GHOSTS,
    LABELS,
    RESULTS,
    URD,
    WINGS,
    find_build,
    find_label,
    label_ref,
)
from jobs.reuse.traces import Traces
from jobs.reuse.urdrefs import (
    auto_ref,
    depends_on,
    ghost_ref,
    is_listed,
    place_of,
    session_ref,
)

_LARGEST_NODE_BYTES: Final = 1 << 26
_TIMES: Final = range(-(1 << 62), 1 << 62)  # of them, and of their differences, SQLite can hold all
_UNREADABLE: Final = (ObjectNotFound, CorruptObject, NotANode, UnknownFormat)
# one of these stands in every run, build and session, and in little else: the rest need not be parsed
_KINDS: Final = (b'"kind":"run"', b'"kind":"build"', b'"kind":"session"')


class Listed(NamedTuple):
    """A run as the listing has it: its row, and the heads of its datasets by name."""

    row: JobRow
    datasets: Mapping[str, ObjectId]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What `rebuild` did.

    Attributes
    ----------
    made : dict of str to ObjectId
        The refs that were lacking.
    relabelled : list of tuple
        Of each run whose label another run has: that label, and the one that it got.
    notes : list of str
        What was left out, and why.
    """

    made: dict[str, ObjectId] = field(default_factory=dict)
    relabelled: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def rebuild(
    refs: Refs,
    store: Store,
    taken: Mapping[str, int],
    *,
    trusts: Callable[[ObjectId], bool] = lambda _: True,
    traces: Traces | None = None,
    progress: Callable[[int], None] | None = None,
) -> Rebuilt:
    """Add what the runs, builds and sessions in a store tell and refs lack, in one transaction; change nothing else.

    A label goes to the run whose directory it has, else to the newest that has it; another gets the next free number,
    so that it is not lost. A run from elsewhere has the label that it got here, if its directory tells. An
    action goes to its newest run. A build goes behind those that are there, in the order in which they ended: its
    number is in no node. A result link goes to what the newest build that made it linked. The newest session of a
    timestamp is listed, if all that it depends on is; the others become ghosts.

    Parameters
    ----------
    taken
        By workdir, the highest number that was given out, as its directories tell.
    trusts
        Says whether a run was made here, or came from where all is trusted; others are left out.
    traces
        What job directories tell.
    progress
        Called with the number of objects looked at so far.
    """
    done = Rebuilt()
    survey = _Survey(store, done.notes, trusts)
    survey.look(progress)
    with refs.transaction("rebuilt from the store") as transaction:
        changes = _Changes(refs, transaction, done, traces or Traces({}))
        changes.take_numbers(taken)
        changes.add_runs(survey.runs)
        changes.add_builds(survey.builds)
        changes.add_results(survey.results())
        changes.add_sessions(survey.sessions)
    return done


def salvage(path: Path, refs: Refs) -> int:
    """Set in `refs` all refs that can still be read of a damaged database; return their number."""
    number = 0
    with closing(LocalRefs(path, create=False)) as damaged, refs.transaction("saved") as transaction:
        for wing in WINGS:
            # where it cannot be read on, the rest of this wing is lost and no other
            with suppress(CorruptRefs):
                for name, oid in damaged.scan(wing):
                    if oid is not None:
                        transaction.set(name, oid)
                        number += 1
    return number


def list_run(store: Store, oid: ObjectId, run: Run) -> Listed:
    """Return what the listing has of a run; raise when the nodes that tell it are not there."""
    if run.job is None:
        if not store.has(run.source):
            raise ObjectNotFound(run.source, where=store.name)
        return Listed(make_row(oid, run, None), {})
    outcome = get_node(store, run.job, JobNode).outcome
    datasets: Mapping[str, ObjectId] = {}
    # a job whose outcome is damaged is listed all the same, so that fsck can name the label that it hurts
    with suppress(*_UNREADABLE):
        datasets = get_node(store, outcome, Outcome).datasets
    return Listed(make_row(oid, run, outcome), datasets)


def checked_run(run: Run) -> Run:
    """Return a run that can be listed; raise `UnsafeName` or `WrongRef` when it cannot."""
    label = split_label(run.label)
    if label is None or find_label(check_name(label_ref(*label))) is None:
        raise WrongRef(f"'{run.label:.40}' is no label")
    if not (run.times.start in _TIMES and run.times.end in _TIMES):
        raise WrongRef(f"run '{run.label}' has a time beyond all bounds")
    return run


@dataclass(slots=True)
class _Survey:
    """The runs, builds and sessions of a store."""

    store: Store
    notes: list[str]
    trusts: Callable[[ObjectId], bool]
    runs: dict[ObjectId, Listed] = field(default_factory=dict)
    builds: dict[ObjectId, Build] = field(default_factory=dict)
    sessions: dict[ObjectId, Session] = field(default_factory=dict)

    def look(self, progress: Callable[[int], None] | None) -> None:
        """Look at every object."""
        unreadable = 0
        for number, oid in enumerate(self.store.ids(), start=1):
            try:
                data = self._find_node(oid)
                if data is not None:
                    self._take(oid, data)
            except ObjectNotFound:
                pass  # swept since it was listed
            except CorruptObject:
                unreadable += 1
            if progress is not None:
                progress(number)
        self._leave_out_strange()
        self._leave_out()
        self._hold()
        if unreadable:
            self.notes.append(f"objects that cannot be read: {unreadable}; 'acc fsck' names them")

    def results(self) -> dict[str, ObjectId]:
        """Return the result node of each link name, of those that are here."""
        latest: dict[str, ObjectId] = {}
        for build in sorted(self.builds.values(), key=lambda build: build.end):
            latest |= build.results
        here = self.store.hold(latest.values())
        return {RESULTS + name: oid for name, oid in sorted(latest.items()) if oid in here}

    def _hold(self) -> None:
        """Leave out what gc has taken meanwhile; the rest it keeps from now on."""
        held = self.store.hold([*self.runs, *self.builds, *self.sessions])
        self.runs = {oid: run for oid, run in self.runs.items() if oid in held}
        self.builds = {oid: build for oid, build in self.builds.items() if oid in held}
        self.sessions = {oid: session for oid, session in self.sessions.items() if oid in held}

    def _find_node(self, oid: ObjectId) -> bytes | None:
        """Return the bytes of an object that may be a run, a build or a session."""
        with self.store.open(oid) as stream:
            # most objects are no JSON, and their first frame is all that is read of them
            if stream.read(2) != b'{"':
                return None
        if self.store.size_of(oid) > _LARGEST_NODE_BYTES:
            return None
        data = self.store.get(oid)
        return data if any(kind in data for kind in _KINDS) else None

    def _take(self, oid: ObjectId, data: bytes) -> None:
        try:
            kind = read_envelope(data).kind
        except NotANode:
            return  # somebody's JSON
        try:
            if kind == Run.KIND:
                self.runs[oid] = list_run(self.store, oid, checked_run(decode(data, Run)))
            elif kind == Build.KIND:
                self.builds[oid] = decode(data, Build)
            elif kind == Session.KIND:
                session = decode(data, Session)
                check_name(session_ref(place_of(session)))
                self.sessions[oid] = session
        except (*_UNREADABLE, UnsafeName, WrongRef, InvalidTimestamp) as err:
            # a file that happens to be a run of elsewhere, or a run whose job is lost
            self.notes.append(f"left out {kind} '{oid[:12]}': {err}")

    def _leave_out_strange(self) -> None:
        """Leave out the runs that nobody trusts: they have no labels, and whoever has one is taken for one's own."""
        strange = [oid for oid in self.runs if not self.trusts(oid)]
        for oid in strange:
            del self.runs[oid]
        if strange:
            self.notes.append(f"left out runs that came from remotes that are not trusted: {len(strange)}")

    def _leave_out(self) -> None:
        """Leave out the builds and sessions of which no job is here."""
        nodes: list[tuple[ObjectId, Build | Session]] = [*self.builds.items(), *self.sessions.items()]
        for oid, node in nodes:
            if node.jobs and not any(entry.run in self.runs for entry in node.jobs):
                self.builds.pop(oid, None)
                self.sessions.pop(oid, None)
                self.notes.append(f"left out {node.KIND} '{oid[:12]}': none of its jobs is here")


def _end(run: Listed) -> tuple[int, int]:
    return run.row.ended, run.row.number


class _Changes:
    """What is added to refs, in one transaction."""

    def __init__(self, refs: Refs, transaction: Transaction, done: Rebuilt, traces: Traces) -> None:
        self._refs = refs
        self._transaction = transaction
        self._listing = Listing(transaction)
        self._done = done
        self._traces = traces
        self._written: list[JobRow] = []

    def take_numbers(self, taken: Mapping[str, int]) -> None:
        """See that no number is given out again."""
        for workdir, number in taken.items():
            self._listing.take_number(workdir, number)

    def add_runs(self, runs: Mapping[ObjectId, Listed]) -> None:
        """Set labels and actions, and write the listing."""
        runs = {oid: run._replace(row=self._traces.row(run.row)) for oid, run in runs.items()}
        labels = [*self._labels()]
        for (workdir, number), oid in labels:
            self._list_named(oid, workdir, number, runs)
        named = {oid for _, oid in labels}
        older = []
        lacking = (runs[oid] for oid in runs if oid not in named)
        for run in sorted(lacking, key=lambda run: (self._traces.has(run.row), *_end(run)), reverse=True):
            if self._add(label_ref(run.row.workdir, run.row.number), run.row.run):
                self._write(run)
            else:
                older.append(run)
        for run in reversed(older):
            self._relabel(run)
        self._listing.note_earlier(self._written)
        for run in sorted(runs.values(), key=_end, reverse=True):
            if run.row.state == "done":
                self._add(ACTIONS + run.row.key, run.row.run)

    def add_builds(self, builds: Mapping[ObjectId, Build]) -> None:
        """Set the builds that have no number yet."""
        named = {oid: find_build(name) or 0 for name, oid in self._refs.names(BUILDS)}
        number = self._listing.take_number(BUILD, max(named.values(), default=0))
        for oid, build in sorted(builds.items(), key=lambda item: item[1].end):
            if oid not in named:
                number = self._listing.take_number(BUILD, number + 1)
                self._add(f"{BUILDS}{number}", oid)
            if is_listed(build):
                self._add(auto_ref(build.user, build.start), oid)

    def add_sessions(self, sessions: Mapping[ObjectId, Session]) -> None:
        """List sessions, and keep the others as ghosts."""
        known = {oid for wing in (URD, GHOSTS) for _, oid in self._refs.names(wing)}
        lacking = {oid: session for oid, session in sessions.items() if oid not in known}
        newest = {
            session_ref(place_of(session)): oid
            for oid, session in sorted(lacking.items(), key=lambda item: item[1].finished)
        }
        listed = {name: oid for name, oid in newest.items() if self._transaction.find(name) is None}
        while lost := [name for name, oid in listed.items() if not self._holds(lacking[oid], listed)]:
            for name in lost:
                del listed[name]
        for oid, session in lacking.items():
            name = session_ref(place_of(session))
            self._add(name if listed.get(name) == oid else ghost_ref(name, oid), oid)

    def _holds(self, session: Session, listed: Mapping[str, ObjectId]) -> bool:
        """Return whether all that a session depends on is listed."""
        return all(
            node == (listed.get(name) or self._transaction.find(name)) for name, node in depends_on(session)
        )

    def add_results(self, results: Mapping[str, ObjectId]) -> None:
        """Set result links."""
        for name, oid in results.items():
            try:
                self._add(name, oid)
            except UnsafeName as err:
                self._done.notes.append(f"left out '{oid[:12]}': {err}")

    def _labels(self) -> Iterator[tuple[tuple[str, int], ObjectId]]:
        """Yield the labels that are there, each with its run."""
        for name, oid in self._refs.names(LABELS):
            label = find_label(name)
            if label is not None:
                yield label, oid

    def _list_named(self, oid: ObjectId, workdir: str, number: int, runs: Mapping[ObjectId, Listed]) -> None:
        """Write the listing of a label that is there, if it is lacking; the number is taken in any case."""
        self._listing.take_number(workdir, number)
        row = self._listing.find(workdir, number)
        if (row is None or row.run != oid) and oid in runs:
            self._listing.remove(workdir, number)
            run = runs[oid]
            self._write(run._replace(row=run.row._replace(workdir=workdir, number=number)))

    def _relabel(self, run: Listed) -> None:
        """Give a run whose label another one has the next free number."""
        row = run.row
        number = self._listing.take_number(row.workdir, row.number) + 1
        renamed = row._replace(number=number)
        self._add(label_ref(row.workdir, number), row.run)
        self._write(run._replace(row=renamed))
        self._done.relabelled.append((row.label, renamed.label))

    def _write(self, run: Listed) -> None:
        self._listing.write(*run)
        self._written.append(run.row)

    def _add(self, name: str, oid: ObjectId) -> bool:
        """Set a ref unless it is there; return whether it was not."""
        if self._transaction.find(name) is not None:
            return False
        self._transaction.set(name, oid, old=None)
        self._done.made[name] = oid
        return True
