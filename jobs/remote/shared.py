"""The shared action index: runs that remotes have for a key, brought here before they are believed."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cas.errors import AccError, CorruptObject, CorruptRemote, ObjectNotFound, RemoteNotFound
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.remote.claim import Claim, UnsoundClaim, blobs_of, read_claim
from jobs.remote.sharedlease import SharedLeases
from jobs.remote.sidethread import SideThread
from jobs.reuse.key import KeyParts, action_key
from jobs.reuse.refnames import ACTIONS

if TYPE_CHECKING:
    from cas.remote.state import Remote
    from cas.remote.transfer.reading import Reader

log = logging.getLogger(__name__)
T = TypeVar("T")

# what others have published since a remote was looked at is seen by a build that goes on so long
_FRESH_SECONDS: Final = 20.0
# whoever waits for a job would rather run it himself than wait longer for nothing
_PATIENCE_SECONDS: Final = 30.0
# jobs are asked for in the order in which they were published: one request brings a few hundred of them
_AROUND_BYTES: Final = 1 << 20
_MOST_DAMAGED: Final = 3


class Found(NamedTuple):
    """A run that a remote has for a key, and the name of that remote."""

    claim: Claim
    origin: str


@dataclass(slots=True)
class _Place:
    """A remote that is asked.

    Attributes
    ----------
    damaged : int
        How many runs could not be had from it.
    missed : float
        When it was found not to be there yet, by `time.monotonic`.
    """

    remote: "Remote"
    reader: "Reader"
    is_out: bool = False
    damaged: int = 0
    missed: float = float("-inf")

    @property
    def name(self) -> str:
        return self.remote.name


class SharedIndex:
    """The action indexes of remotes. Several threads may ask; each waits for its answer.

    What goes wrong is a warning: a remote that does not answer is asked no more, and a build goes on without it.

    Parameters
    ----------
    open_remotes, open_store
        Give the remotes, in the order in which they are asked, and a store for the nodes of what they have; called
        when something is asked for the first time. Nobody else uses these objects.
    makes : sequence of str
        The remotes that this build publishes at: they need not be there yet.
    leases
        Of remotes, by name, where others may hold leases: what they hold is listed whenever a remote is looked at.
    """

    def __init__(
        self,
        open_remotes: "Callable[[], Sequence[Remote]]",
        open_store: Callable[[], LocalStore],
        makes: Sequence[str] = (),
        leases: Mapping[str, SharedLeases] = MappingProxyType({}),
    ) -> None:
        self._open_remotes = open_remotes
        self._open_store = open_store
        self._makes = frozenset(makes)
        self._leases = leases
        self._thread = SideThread("acc-shared-index")
        self._places: list[_Place] | None = None
        self._store: LocalStore | None = None
        self._moved = 0.0
        self._is_stuck = False
        self._warnings: list[str] = []

    def find(self, wanted: Sequence[KeyParts], *, fresh_seconds: float = _FRESH_SECONDS) -> list[Found]:
        """Return the runs that remotes have for jobs with one of these parts; all nodes that they reach are here.

        Each blob that whoever uses such a job may read is here, or known to be at a remote.

        Parameters
        ----------
        fresh_seconds
            A remote that was looked at so lately is not looked at again.
        """
        return self._ask(lambda: self._find(wanted, fresh_seconds)) or []

    def find_origin(self, wanted: Sequence[KeyParts]) -> str:
        """Return the name of a remote that has a run for jobs with one of these parts, or ""; nothing is brought."""
        return self._ask(lambda: self._find_origin(wanted)) or ""

    def take_warnings(self) -> list[str]:
        """Return what went wrong since this was asked last."""
        warnings, self._warnings = self._warnings, []
        return warnings

    def close(self) -> None:
        """Give back what is open, unless somebody still waits there."""
        self._thread.close()
        if self._store is not None and not self._is_stuck:
            self._store.pins.release()

    # -- in the thread that waits ------------------------------------------------------------------------------

    def _ask(self, work: Callable[[], T]) -> T | None:
        if self._is_stuck:
            return None
        self._moved = time.monotonic()
        try:
            return self._thread.call(work, lambda: self._moved + _PATIENCE_SECONDS)
        except TimeoutError:
            self._is_stuck = True
            self._warnings.append(
                f"remotes are left out of this build: nothing came of them for {_PATIENCE_SECONDS:.0f} s"
            )
            return None

    def _find_origin(self, wanted: Sequence[KeyParts]) -> str:
        for place in self._looked_at():
            if any(self._find_run(place, parts) for parts in wanted):
                return place.name
        return ""

    def _find(self, wanted: Sequence[KeyParts], fresh_seconds: float) -> list[Found]:
        found = []
        for place in self._looked_at(fresh_seconds):
            for parts in wanted:
                run = self._find_run(place, parts)
                claim = run and self._take(place, run, parts)
                if claim:
                    found.append(Found(claim, place.name))
        return found

    def _looked_at(self, fresh_seconds: float = _FRESH_SECONDS) -> list[_Place]:
        """Return the remotes that answer, each looked at not long ago."""
        return [place for place in self._all() if not place.is_out and self._looks(place, fresh_seconds)]

    def _all(self) -> list[_Place]:
        if self._places is None:
            from cas.remote.transfer.reading import Reader

            self._places = [
                _Place(remote, Reader(remote, ahead_bytes=_AROUND_BYTES, behind_bytes=_AROUND_BYTES))
                for remote in self._open_remotes()
            ]
        return self._places

    def _looks(self, place: _Place, fresh_seconds: float) -> bool:
        self._moved = time.monotonic()
        if self._moved - place.missed < fresh_seconds:
            return False
        try:
            if place.remote.look_unless_fresh(fresh_seconds):
                self._note_leases(place)
        except RemoteNotFound as err:
            if place.name in self._makes:
                place.missed = time.monotonic()
                return False
            self._leave_out(place, err)
        except (AccError, OSError) as err:
            self._leave_out(place, err)
        return not place.is_out

    def _note_leases(self, place: _Place) -> None:
        """See what others elsewhere run, since the remote is asked anyway; short jobs ask nothing for themselves."""
        leases = self._leases.get(place.name)
        if leases is not None:
            from cas.remote.leases import Leases

            leases.note(Leases(place.remote).others())

    def _leave_out(self, place: _Place, err: Exception) -> None:
        place.is_out = True
        self._warnings.append(f"remote '{place.name}' is left out of this build: {err}")

    def _find_run(self, place: _Place, parts: KeyParts) -> ObjectId | None:
        return place.remote.mirror.refs.find(ACTIONS + action_key(parts))

    def _take(self, place: _Place, run: ObjectId, parts: KeyParts) -> Claim | None:
        """Return a run that a remote has, brought here and checked; None when it cannot be had, or is not sound."""
        try:
            claim = self._bring(place, run)
            claim.check_fits(parts)
            self._check_blobs(place, claim)
        except (UnsoundClaim, ObjectNotFound, CorruptObject, CorruptRemote, FileNotFoundError) as err:
            self._warnings.append(f"'{parts.method}' is not taken from remote '{place.name}': {err}")
            place.damaged += 1
            if place.damaged == _MOST_DAMAGED:
                self._leave_out(place, UnsoundClaim("too much there is damaged"))
            return None
        except (AccError, OSError) as err:
            self._leave_out(place, err)
            return None
        return claim

    def _bring(self, place: _Place, run: ObjectId) -> Claim:
        from cas.remote.transfer.fetch import fetch_nodes

        if self._store is None:
            self._store = self._open_store()
        store = self._store

        def fetch() -> None:
            fetch_nodes(store, place.remote, [run], progress=self._move, reader=place.reader)

        try:
            fetch()
        except FileNotFoundError:
            place.remote.look()  # gc has moved things there since
            fetch()
        return read_claim(store.alone(), run)

    def _move(self, *_: int) -> None:
        self._moved = time.monotonic()

    def _check_blobs(self, place: _Place, claim: Claim) -> None:
        """Raise `UnsoundClaim` unless each blob is here or at a remote, and as long as it is said to be."""
        from cas.remote.promises import Promises

        assert self._store is not None
        store, promises = self._store.alone(), Promises([place.remote for place in self._all()].copy)
        looked = False
        for blob in blobs_of(store, claim.outcome):
            sizes = store.sizes_of(blob.oid) if store.has(blob.oid) else promises.find_sizes(blob.oid)
            if sizes is None and not looked:
                looked = True
                place.remote.look()
                sizes = promises.find_sizes(blob.oid)
            if sizes is None:
                raise UnsoundClaim(f"its blob '{blob.oid[:12]}' is gone")
            if blob.bytes not in (-1, sizes.raw_bytes):
                raise UnsoundClaim(f"its blob '{blob.oid[:12]}' is not {blob.bytes} bytes long")
