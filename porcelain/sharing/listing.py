"""The jobs that a remote has labels for, listed as those of the project are: in a cache beside the mirror."""

from collections.abc import Collection
from contextlib import suppress
from typing import Final

from cas.errors import AccError, UnsafeName
from cas.formats.node import get_node
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.refs import Cell, Table
from cas.remote.state import Remote
from jobs.nodes.listing import AT, JobRow, split_label
from jobs.nodes.run import Run
from jobs.reuse.index import TABLES, JobIndex, Listing
from jobs.reuse.rebuild import list_run
from jobs.reuse.refnames import LABELS, find_label, label_ref
from porcelain import term
from porcelain.sharing.looking import bring, look
from porcelain.sharing.wings import believed, travelling

_SEEN: Final = Table("seen", {"uuid": "text", "number": "integer"}, ("uuid",))


class RemoteIndex(JobIndex):
    """Finds jobs that a remote has labels for; their rows say so, as in "dev-12@origin".

    Parameters
    ----------
    remote
        As it was when it was last looked at; one that nobody has looked at yet is looked at now.
    store
        Where its nodes are, and where those come that are lacking.
    home
        The labels of the project.
    """

    def __init__(self, remote: Remote, store: LocalStore, home: JobIndex) -> None:
        refs = LocalRefs(
            remote.mirror.folder / f"listing-{remote.name}.sqlite", (*TABLES, _SEEN), durability="none"
        )
        super().__init__(refs)
        self.remote = remote
        self._home = home
        if remote.mirror.is_new:
            look(remote)
        _Listed(remote, store, refs).bring_up_to_date()

    def find_label(self, label: str) -> JobRow | None:
        """Return the run with that label there."""
        parts = split_label(label)
        return None if parts is None else self.find(self._there(parts[0]), parts[1])

    def find_latest(self, workdir: str | None = None) -> JobRow | None:
        """Return the newest finished job, in one workdir there or in all."""
        return super().find_latest(workdir and self._there(workdir))

    def rows(
        self, limit: int | None = None, *, workdir: str | None = None, method: str | None = None
    ) -> list[JobRow]:
        """Return all runs, newest first; those of one workdir there, or of one method."""
        return super().rows(limit, workdir=workdir and self._there(workdir), method=method)

    def of_run(self, run: ObjectId) -> JobRow | None:
        """Return the row of that run node: of the project if it has a label here, else of the remote."""
        return self._home.of_run(run) or super().of_run(run)

    def of_runs(self, runs: Collection[ObjectId]) -> dict[ObjectId, JobRow]:
        """Return the rows of those run nodes that have one here or there."""
        return super().of_runs(runs) | self._home.of_runs(runs)

    def _there(self, workdir: str) -> str:
        return f"{workdir}{AT}{self.remote.name}"


class _Listed:
    """The listing of a remote on its way to say what the mirror says."""

    def __init__(self, remote: Remote, store: LocalStore, refs: LocalRefs) -> None:
        self._remote = remote
        self._store = store
        self._refs = refs

    def bring_up_to_date(self) -> None:
        mirror = self._remote.mirror
        seen: dict[str, Cell] = {"uuid": mirror.uuid, "number": mirror.number}
        if self._refs.select("seen") == [seen]:
            return
        wanted = travelling(mirror.refs)
        listed = {self._name_there(name): oid for name, oid in self._refs.names()}
        news = {name: oid for name, oid in wanted.items() if listed.get(name) != oid}
        bring(self._store, self._remote, news.values())
        sound = believed(self._store, news, self._remote.name)
        with self._refs.transaction("listed") as transaction:
            listing = Listing(transaction)
            for name in listed.keys() - wanted.keys() | news.keys() & listed.keys():
                transaction.delete(self._name_here(name))
                if label := find_label(name):
                    listing.remove(self._there(label[0]), label[1])
            for name, oid in sound.items():
                # a name that is as long as it may be has no room for that of the remote
                with suppress(UnsafeName):
                    transaction.set(self._name_here(name), oid)
                    self._list(listing, name, oid)
            for row in transaction.select("seen"):
                transaction.remove("seen", row)
            transaction.insert("seen", seen)

    def _list(self, listing: Listing, name: str, oid: ObjectId) -> None:
        label = find_label(name) if name.startswith(LABELS) else None
        if label is None:
            return
        try:
            row, datasets = list_run(self._store, oid, get_node(self._store, oid, Run))
        except AccError as err:
            term.warn(f"ref '{name}' of remote '{self._remote.name}' is left out: {err}")
        else:
            listing.write(row._replace(workdir=self._there(label[0]), number=label[1]), datasets)

    def _there(self, workdir: str) -> str:
        return f"{workdir}{AT}{self._remote.name}"

    def _name_here(self, name: str) -> str:
        """Return what a ref of the remote is called in the listing: a label has the name of the remote with it."""
        label = find_label(name) if name.startswith(LABELS) else None
        return label_ref(self._there(label[0]), label[1]) if label else name

    def _name_there(self, name: str) -> str:
        return name.replace(f"{AT}{self._remote.name}/", "/", 1) if name.startswith(LABELS) else name
