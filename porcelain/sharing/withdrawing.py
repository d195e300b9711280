"""What goes away at a remote: labels with their actions, sessions, result links, builds; gc there takes the rest."""

from collections.abc import Collection, Iterator, Mapping

from cas.errors import RefNotFound
from cas.formats.node import decode, read_envelope
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.filesystem.kinds import nonce
from cas.remote.transaction import Change
from jobs.errors import UsageError
from jobs.nodes.build import Build
from jobs.nodes.result import Result
from jobs.nodes.run import Run
from jobs.nodes.session import Session
from jobs.reuse.refnames import ACTIONS, LABELS, find_label
from porcelain.sharing.listing import RemoteIndex
from porcelain.sharing.wings import travelling

_WHY = "push --delete"


class StillNeeded(UsageError):
    """What is to be deleted at a remote, and something else there was made from."""


class Withdrawal:
    """Refs that are to be deleted at a remote, all or none.

    Parameters
    ----------
    there
        Its jobs; their nodes are in `store`.
    names
        The refs, by their names there.
    """

    def __init__(self, store: LocalStore, there: RemoteIndex, names: Collection[str]) -> None:
        self._store = store
        self._there = there
        self._remote = there.remote
        self._names = {*names}

    def commit(self) -> dict[str, ObjectId | None]:
        """Delete the refs there, and actions of runs that have no label there any more; return what was changed.

        Raises
        ------
        RefNotFound
            When the remote has no such ref.
        StillNeeded
            When what stays there was made from a run that would lose its label: that would free nothing, and hide
            where the other came from.
        """
        refs: dict[str, ObjectId | None] = {}

        def draw() -> Change:
            nonlocal refs
            refs = self.draw()
            return Change(nonce(), _WHY, refs=refs)

        self._remote.commit(draw)
        return refs

    def draw(self) -> dict[str, ObjectId | None]:
        """Return what would be changed, as the remote is now."""
        there = travelling(self._remote.mirror.refs)
        for name in sorted(self._names - there.keys()):
            raise RefNotFound(f"{name}@{self._remote.name}")
        kept = {name: oid for name, oid in there.items() if name not in self._names}
        labelled = {oid for name, oid in kept.items() if name.startswith(LABELS)}
        going = {
            oid: name
            for name, oid in there.items()
            if name in self._names and not (name.startswith(LABELS) and oid in labelled)
        }
        self._check(kept, going)
        return dict.fromkeys(self._names) | self._actions(going, labelled)

    def _check(self, kept: Mapping[str, ObjectId], going: Mapping[ObjectId, str]) -> None:
        for name, root in kept.items():
            seen: set[ObjectId] = set()
            above = [*self._made_from(root)]
            while above:
                oid = above.pop()
                if oid in seen:
                    continue
                seen.add(oid)
                if oid in going:
                    raise StillNeeded(
                        f"'{self._shown(going[oid])}' cannot be deleted: '{self._shown(name)}' needs it",
                        hint="delete that too, or before",
                    )
                above.extend(self._made_from(oid))

    def _made_from(self, oid: ObjectId) -> Iterator[ObjectId]:
        """Yield the runs, sessions and builds that a node was made from."""
        data = self._store.get(oid)
        kind = read_envelope(data).kind
        if kind == Run.KIND:
            run = decode(data, Run)
            yield from (entry.run for entry in run.inputs)
            yield from (subjob.run for subjob in run.subjobs)
        elif kind == Session.KIND:
            session = decode(data, Session)
            yield from (entry.run for entry in session.jobs)
            yield from (dep.node for dep in session.deps.values())
        elif kind == Result.KIND:
            yield decode(data, Result).run
        elif kind == Build.KIND:
            yield from (entry.run for entry in decode(data, Build).jobs)

    def _actions(
        self, going: Mapping[ObjectId, str], labelled: Collection[ObjectId]
    ) -> dict[str, ObjectId | None]:
        """Return the actions of runs that go; one that another job there has too is that one's from now on."""
        refs: dict[str, ObjectId | None] = {}
        for name in going.values():
            label = find_label(name) if name.startswith(LABELS) else None
            row = self._there.find_label(f"{label[0]}-{label[1]}") if label else None
            if row is not None and self._remote.mirror.refs.find(ACTIONS + row.key) == row.run:
                left = (other.run for other in self._there.of_key(row.key) if other.run in labelled)
                refs[ACTIONS + row.key] = next(left, None)
        return refs

    def _shown(self, name: str) -> str:
        label = find_label(name) if name.startswith(LABELS) else None
        return f"{label[0]}-{label[1]}@{self._remote.name}" if label else f"{name}@{self._remote.name}"
