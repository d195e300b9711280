"""Publishing jobs at a remote: their keys lead to them there, with all that they were made from."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cas.errors import AccError, CorruptObject, CorruptRemote, NotARemote, ObjectNotFound
from cas.formats.node import get_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.run import Run
from jobs.remote.claim import Claim, UnsoundClaim, read_claim
from jobs.remote.privacy import why_private
from jobs.reuse.refnames import ACTIONS

if TYPE_CHECKING:
    from cas.remote.mirror import Mirror
    from cas.remote.state import Remote

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

# each round sets what the one before found out about; more of them need others who set the same keys meanwhile
_MOST_ROUNDS: Final = 4
_NAMED_AT_MOST: Final = 3


@dataclass(slots=True)
class Published:
    """What has been published.

    Attributes
    ----------
    jobs, bytes, requests : int
        Jobs; bytes of files that were sent, and requests that it took.
    """

    jobs: int = 0
    bytes: int = 0
    requests: int = 0


class Publication:
    """Jobs that are to be published at one remote. Not for several threads.

    A key that leads to another run there is left as it is, but where facts make the difference: then the newer run is
    of more use to everybody.

    Parameters
    ----------
    remote, store
        The remote, and the store with the jobs; nobody else uses these objects.
    warn
        Hears what the user should know.

    Attributes
    ----------
    waiting : dict of ActionKey to JobRow
        The jobs that are not published yet.
    bytes : int
        About so many bytes of files they will take.
    """

    def __init__(self, remote: "Remote", store: LocalStore, warn: Callable[[str], None]) -> None:
        self.done = Published()
        self.waiting: dict[str, JobRow] = {}
        self.bytes = 0
        self._remote = remote
        self._store = store
        self._warn = warn
        self._seen: set[ObjectId] = set()
        self._added: dict[ObjectId, JobRow] = {}
        self._decided: dict[tuple[ObjectId, ObjectId], bool] = {}

    def add(self, row: JobRow, *, is_new: bool) -> None:
        """Have a job published at the next `send`, unless it is private, or there as far as is known.

        Parameters
        ----------
        is_new
            It has just run. Of others it is enough that the remote has a run with their key.
        """
        there = self._find_there(row)
        if there == row.run or (there is not None and not is_new):
            return
        try:
            private = why_private(get_node(self._store, row.run, Run).facts) if row.facts else ""
            if private:
                log.debug("'%s' is not published at '%s': %s", row.label, self._remote.name, private)
                return
            self.bytes += sum(self._weigh(row.run))
        except AccError as err:
            self._warn(f"'{row.label}' cannot be published at '{self._remote.name}': {err}")
            return
        self._added[row.run] = self.waiting[row.key] = row

    def send(self, progress: Progress) -> None:
        """Publish all that waits; raises what is wrong with the remote, and all that is not published waits then."""
        before = self._remote.bucket.traffic.requests
        try:
            self._make()
            for _ in range(_MOST_ROUNDS):
                self._push(progress)
                if not self.waiting:
                    break
        finally:
            self.done.requests += self._remote.bucket.traffic.requests - before
        self.bytes = 0

    def hurry(self) -> None:
        """Have no request tried again any more; from another thread too."""
        self._remote.bucket.hurry()

    def close(self) -> None:
        """Give back what is open."""
        self._store.pins.release()
        self._remote.mirror.close()

    # -- what is there -----------------------------------------------------------------------------------------

    def _find_there(self, row: JobRow) -> ObjectId | None:
        """Return the run to which the key of a job leads, as of the last look."""
        mirror = self._remote.mirror
        return None if mirror.is_new else mirror.refs.find(ACTIONS + row.key)

    def _weigh(self, run: ObjectId) -> Iterable[int]:
        """Yield the stored bytes of all that a run reaches and the remote lacks, each once."""
        from cas.remote.transfer.push import closure

        def is_there(oid: ObjectId) -> bool:
            if oid in self._seen or self._remote.mirror.has(oid):
                return True
            self._seen.add(oid)
            return False

        for oid in closure(self._store, [run], is_there):
            yield self._store.sizes_of(oid).stored_bytes

    def _make(self) -> None:
        """See that there is a remote, and that all jobs wait again if it is another one than before."""
        before = self._remote.mirror.uuid
        if not before:
            self._remote.make()
        try:
            self._remote.look_unless_fresh()
        except NotARemote:
            self._remote.make()
            self._remote.look()
        if before not in ("", self._remote.mirror.uuid):
            self.waiting.update((row.key, row) for row in self._added.values())

    # -- what is done ------------------------------------------------------------------------------------------

    def _push(self, progress: Progress) -> None:
        """Send what waits, and set the keys of which it is clear that they lead to nothing better."""
        from cas.remote.transfer.push import push

        rows = list(self.waiting.values())
        for row in rows:
            self._decide(row, self._find_there(row))
        wanted = [row for row in rows if self._may_set(row, self._find_there(row))]
        # what differs is sent too: whoever wants to know why has both
        pushed = push(
            self._store,
            self._remote,
            [row.run for row in rows],
            lambda mirror: self._refs(mirror, wanted),
            why="build",
            progress=progress,
        )
        self.done.bytes += pushed.bytes
        for row in rows:
            there = self._find_there(row)
            if there is not None and not self._may_set(row, there) and self._is_decided(row, there):
                self.done.jobs += there == row.run
                self.waiting.pop(row.key, None)

    def _refs(self, mirror: "Mirror", rows: Iterable[JobRow]) -> Mapping[str, ObjectId]:
        found = ((row, mirror.refs.find(ACTIONS + row.key)) for row in rows)
        return {ACTIONS + row.key: row.run for row, there in found if self._may_set(row, there)}

    def _may_set(self, row: JobRow, there: ObjectId | None) -> bool:
        return there is None or self._decided.get((row.run, there), False)

    def _is_decided(self, row: JobRow, there: ObjectId) -> bool:
        return there == row.run or (row.run, there) in self._decided

    def _decide(self, row: JobRow, there: ObjectId | None) -> None:
        """Find out whether a job is of more use than the run to which its key leads."""
        if there is not None and not self._is_decided(row, there):
            self._decided[row.run, there] = self._is_better(row, there)

    def _is_better(self, row: JobRow, there: ObjectId) -> bool:
        try:
            theirs = self._bring(there)
        except (UnsoundClaim, ObjectNotFound, CorruptObject, CorruptRemote) as err:
            log.info("'%s' takes the place of run '%s' at '%s': %s", row.label, there, self._remote.name, err)
            return True
        if theirs.run.key != row.key:
            return True
        if theirs.outcome_id == row.outcome:
            return False
        if row.facts or theirs.run.facts:
            return row.ended > theirs.run.times.end
        assert row.outcome is not None
        names = _differing(get_node(self._store, row.outcome, Outcome), theirs.outcome)
        self._warn(
            f"'{row.method}' is not reproducible: '{row.label}' differs from what '{self._remote.name}' has{names}"
        )
        return False

    def _bring(self, run: ObjectId) -> Claim:
        from cas.remote.transfer.fetch import fetch_nodes

        fetch_nodes(self._store, self._remote, [run])
        return read_claim(self._store, run)


def _differing(one: Outcome, other: Outcome) -> str:
    """Return in words in which files and datasets two outcomes differ."""
    files = {name for name in {*one.files, *other.files} if one.files.get(name) != other.files.get(name)}
    datasets = {
        name
        for name in {*one.datasets, *other.datasets}
        if one.datasets.get(name) != other.datasets.get(name)
    }
    names = sorted(files | datasets)
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", in " + ", ".join(map(repr, names[:_NAMED_AT_MOST])) + more if names else ""
