"""What comes from a remote: nodes, refs that keep them here, and blobs when they are asked for."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cas.graph import Walk
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.refs import Refs
from cas.remote.state import Remote
from cas.remote.transfer.fetch import fetch_blobs
from porcelain.sharing.looking import Progress, bring, look
from porcelain.sharing.wings import believed, track, tracked, travelling

# blobs of so many stored bytes are put into the store together, so that who is interrupted goes on behind them
_BATCH_BYTES: Final = 64 << 20


@dataclass(slots=True)
class Fetched:
    """What a fetch has brought.

    Attributes
    ----------
    refs : dict of str to ObjectId
        The refs of the remote that were fetched, by their names there.
    new, gone : int
        How many of them were not known as they are, and how many that were known the remote has no more.
    nodes, blobs : int
        Objects that were not here.
    """

    refs: dict[str, ObjectId] = field(default_factory=dict)
    new: int = 0
    gone: int = 0
    nodes: int = 0
    blobs: int = 0


class Fetcher:
    """Brings what a remote has.

    Parameters
    ----------
    progress
        Called with the number of objects and of stored bytes that have come so far.
    """

    def __init__(self, store: LocalStore, refs: Refs, remote: Remote, progress: Progress) -> None:
        self._store = store
        self._refs = refs
        self._remote = remote
        self._progress = progress

    def fetch(self, names: Collection[str] | None = None) -> Fetched:
        """Bring the nodes of refs of the remote, or of all, and note what these are there."""
        look(self._remote)
        there = travelling(self._remote.mirror.refs)
        chosen = there if names is None else {name: there[name] for name in names}
        known = tracked(self._refs, self._remote.name)
        done = Fetched(nodes=bring(self._store, self._remote, chosen.values(), self._progress))
        done.refs = believed(self._store, chosen, self._remote.name)
        done.new = sum(known.get(name) != oid for name, oid in done.refs.items())
        gone = known.keys() - there.keys()
        done.gone = len(gone)
        track(self._refs, self._remote, done.refs, gone)
        return done

    def bring_blobs(self, done: Fetched) -> None:
        """Bring all blobs that the refs reach which were fetched."""
        for batch in self._batches(self._lacking_blobs(done.refs)):
            before = done.nodes + done.blobs

            def told(objects: int, stored: int, before: int = before) -> None:
                self._progress(before + objects, stored)

            done.blobs += fetch_blobs(self._store, self._remote, batch, progress=told)

    def _lacking_blobs(self, refs: Mapping[str, ObjectId]) -> Iterator[ObjectId]:
        for visit in Walk(self._store).visit(refs.values()):
            if visit.role == "blob" and visit.missing:
                yield visit.oid

    def _batches(self, oids: Iterable[ObjectId]) -> Iterator[list[ObjectId]]:
        batch, total = [], 0
        for oid in oids:
            batch.append(oid)
            total += self._stored_bytes(oid)
            if total >= _BATCH_BYTES:
                yield batch
                batch, total = [], 0
        if batch:
            yield batch

    def _stored_bytes(self, oid: ObjectId) -> int:
        packed, large = self._remote.mirror.find_packed(oid), self._remote.mirror.find_large(oid)
        return packed.entry.stored_bytes if packed else large.stored_bytes if large else 0
