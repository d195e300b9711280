"""What goes to a remote: under which labels there, which sessions and results, and what stays as it is there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cas.errors import ObjectNotFound
from cas.formats.node import decode, get_node
from cas.graph import above
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.refs import Refs
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.store import RemoteStore
from cas.remote.transfer.push import Progress, Pushed, closure, push
from jobs.facets.runs import get_run
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.run import Run
from jobs.nodes.session import Session
from jobs.remote.numbers import Numbers
from jobs.remote.privacy import why_private
from jobs.reuse.index import JobIndex
from jobs.reuse.refnames import ACTIONS, BUILD, BUILDS, LABELS, URD, find_build, label_ref
from jobs.reuse.urdrefs import depends_on
from porcelain.sharing.bases import Bases, mean_the_same
from porcelain.sharing.looking import bring
from porcelain.sharing.wings import is_auto, track, travelling

_WHY: Final = "push"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be pushed.

    Attributes
    ----------
    rows : sequence of JobRow
        Finished jobs with a label here, those that others were made from before these.
    names : mapping of str to ObjectId
        Urd sessions, result links and builds, by their refs here.
    is_all : bool
        All that there is, rather than what somebody has named: what was deleted there stays so.
    """

    rows: Sequence[JobRow]
    names: Mapping[str, ObjectId]
    is_all: bool = False


@dataclass(slots=True)
class Plan:
    """What a push makes of a remote, as it is now.

    Attributes
    ----------
    labels : list of tuple
        Each job that gets a label there, and that label, as "dev-40".
    names : dict of str to str
        The sessions, results and builds that are set there, and what they are called there.
    known : int
        Jobs that have a label there already.
    deleted : int
        Jobs that had a label there, and lost it: a push of all leaves that so.
    conflicts : list of str
        Refs that are different here and there, both changed: they stay as they are there.
    rivals : list of tuple
        Each job whose action key has another run there, and that run.
    """

    labels: list[tuple[JobRow, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    known: int = 0
    deleted: int = 0
    conflicts: list[str] = field(default_factory=list)
    rivals: list[tuple[JobRow, ObjectId]] = field(default_factory=list)


def choose_all(store: LocalStore, index: JobIndex) -> Choice:
    """Return all that travels without being named: finished jobs, urd sessions and result links."""
    rows = [row for row in reversed(index.rows()) if row.state == "done"]
    names = {
        name: oid
        for name, oid in travelling(index.refs).items()
        if not (name.startswith((LABELS, BUILDS)) or is_auto(name))
    }
    return Choice(rows, _with_deps(store, index.refs, names), is_all=True)


def choose(
    store: LocalStore, index: JobIndex, rows: Iterable[JobRow], names: Mapping[str, ObjectId]
) -> Choice:
    """Return jobs with all that they were made from, as far as that has labels, and what `names` depend on."""
    found: dict[ObjectId, JobRow] = {}
    waiting = list(rows)
    while waiting:
        row = waiting.pop()
        if row.run not in found:
            found[row.run] = row
            node = get_run(store, row.run)
            above = (*(entry.run for entry in node.inputs), *(subjob.run for subjob in node.subjobs))
            waiting.extend(filter(None, map(index.of_run, above)))
    return Choice(sorted(found.values(), key=_age), _with_deps(store, index.refs, names))


def _age(row: JobRow) -> tuple[int, str, int]:
    return row.ended, row.workdir, row.number


def _with_deps(store: LocalStore, refs: Refs, names: Mapping[str, ObjectId]) -> dict[str, ObjectId]:
    """Return refs with those that urd sessions among them depend on: without these they would not be listed."""
    found = dict(names)
    waiting = [*names.items()]
    while waiting:
        name, oid = waiting.pop()
        if name.startswith(URD) and not is_auto(name):
            for dep, node in depends_on(get_node(store, oid, Session)):
                if dep not in found and refs.find(dep) == node:
                    found[dep] = node
                    waiting.append((dep, node))
    return dict(sorted(found.items()))


class Pusher:
    """One push.

    Attributes
    ----------
    plan : Plan
        What it has done, or after `look_ahead` would do.
    lost : dict of str to ObjectId
        Jobs by their labels, and refs, that were left out of a push of all, each with an object that it takes and
        that is nowhere: what hurts one does not keep the others here.
    """

    def __init__(self, store: LocalStore, refs: Refs, remote: Remote, choice: Choice) -> None:
        self.plan = Plan()
        self.lost: dict[str, ObjectId] = {}
        self._store = store
        self._refs = refs
        self._remote = remote
        self._choice = choice
        self._bases = Bases(refs, remote)
        self._had_there: set[ObjectId] | None = None

    def push(self, progress: Progress | None = None) -> Pushed:
        """Send what the remote lacks, and set its refs; what others change there meanwhile stays as they change it."""
        self._store.hold(self._roots())
        pushed = self._push(progress)
        here = {row.run for row in self._choice.rows} | {*self._choice.names.values()}
        there = travelling(self._remote.mirror.refs)
        track(self._refs, self._remote, {name: oid for name, oid in there.items() if oid in here})
        return pushed

    def look_ahead(self) -> Pushed:
        """Return what a push would send and set, without doing it."""
        refs = self._draw(self._remote.mirror)
        objects = [*closure(self._store.alone(), self._roots(), self._remote.mirror.has)]
        return Pushed(len(objects), sum(self._store.sizes_of(oid).stored_bytes for oid in objects), refs)

    def find_unequal(self) -> list[tuple[JobRow, ObjectId]]:
        """Return the jobs pushed for whose action key the remote has a run with another outcome, and that run."""
        there = RemoteStore(self._remote)
        rivals = there.get_many([run for _, run in self.plan.rivals])
        jobs = {run: decode(data, Run).job for run, data in rivals.items()}
        nodes = there.get_many([job for job in jobs.values() if job])
        outcomes = {job: decode(data, JobNode).outcome for job, data in nodes.items()}
        return [
            (row, run)
            for row, run in self.plan.rivals
            if (job := jobs[run]) is not None and outcomes[job] != row.outcome
        ]

    def _push(self, progress: Progress | None) -> Pushed:
        while True:
            try:
                return push(self._store, self._remote, self._roots(), self._draw, why=_WHY, progress=progress)
            except ObjectNotFound as err:
                if not self._choice.is_all or not self._leave_out(ObjectId(err.oid)):
                    raise

    def _leave_out(self, oid: ObjectId) -> bool:
        """Choose nothing that takes an object, which is nowhere; return whether there was any such thing."""
        hurt = above(self._store, self._roots(), oid)
        left = [row for row in self._choice.rows if row.run in hurt]
        names = [name for name, node in self._choice.names.items() if node in hurt]
        self.lost.update(dict.fromkeys((*(row.label for row in left), *names), oid))
        self._choice = replace(
            self._choice,
            rows=[row for row in self._choice.rows if row.run not in hurt],
            names={name: node for name, node in self._choice.names.items() if node not in hurt},
        )
        return bool(left or names)

    def _roots(self) -> list[ObjectId]:
        return [*dict.fromkeys((*(row.run for row in self._choice.rows), *self._choice.names.values()))]

    # -- which refs ------------------------------------------------------------------------------------------

    def _draw(self, mirror: Mirror) -> dict[str, ObjectId | None]:
        """Return the refs to be set at the remote, as it is now."""
        self.plan = Plan()
        refs: dict[str, ObjectId] = self._draw_labels(mirror)
        refs |= self._draw_actions(mirror, {*refs.values()})
        for name, oid in self._choice.names.items():
            if name.startswith(BUILDS):
                refs |= self._draw_build(mirror, name, oid)
            elif self._is_wanted(name, oid, mirror.refs.find(name)):
                refs[name] = oid
                self.plan.names[name] = name
        return {**refs}

    def _draw_labels(self, mirror: Mirror) -> dict[str, ObjectId]:
        there = dict(mirror.refs.names(LABELS))
        labelled = {*there.values()}
        new: dict[ObjectId, JobRow] = {}
        for row in self._choice.rows:
            if row.run in labelled:
                self.plan.known += 1
            elif self._was_deleted(row):
                self.plan.deleted += 1
            else:
                new.setdefault(row.run, row)
        drawn = self._numbers(there).draw_for(new.values()) if new else []
        self.plan.labels = [(row, f"{row.workdir}-{number}") for row, number in drawn]
        return {label_ref(row.workdir, number): row.run for row, number in drawn}

    def _draw_actions(self, mirror: Mirror, runs: set[ObjectId]) -> dict[str, ObjectId]:
        """Return the actions that the remote lacks; one that it has is kept, whatever came of the job here."""
        refs = {}
        for row, _ in self.plan.labels:
            name = ACTIONS + row.key
            there, mine = mirror.refs.find(name), self._refs.find(name)
            # of several runs with a key, the one that it leads to here
            is_meant = mine is not None and (mine == row.run or mine not in runs)
            if there is None and is_meant and not self._is_private(row):
                refs[name] = row.run
            elif there not in (None, row.run):
                assert there is not None
                self.plan.rivals.append((row, there))
        return refs

    def _is_private(self, row: JobRow) -> bool:
        return row.facts > 0 and why_private(get_run(self._store, row.run).facts) != ""

    def _draw_build(self, mirror: Mirror, name: str, oid: ObjectId) -> dict[str, ObjectId]:
        there = dict(mirror.refs.names(BUILDS))
        if oid in there.values():
            return {}
        numbers = self._numbers(there)
        number = numbers.draw(BUILD, find_build(name) or 0) or numbers.draw_next(BUILD)
        self.plan.names[name] = f"{BUILDS}{number}"
        return {f"{BUILDS}{number}": oid}

    def _is_wanted(self, name: str, here: ObjectId, there: ObjectId | None) -> bool:
        """Return whether a ref is to be set there, as it is newer here."""
        newer = self._bases.compare(name, here, there)
        if newer == "both" and there is not None:
            bring(self._store, self._remote, [there])
            if not mean_the_same(self._store, name, here, there):
                self.plan.conflicts.append(name)
        return newer == "here" or (newer == "same" and there is None and not self._choice.is_all)

    def _was_deleted(self, row: JobRow) -> bool:
        if not self._choice.is_all:
            return False
        if self._had_there is None:
            self._had_there = self._bases.runs_had_there()
        return row.run in self._had_there

    def _numbers(self, there: Iterable[str]) -> Numbers:
        return Numbers((*there, *self._bases.names_had_there()))
