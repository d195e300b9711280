"""Objects that are not here, but at a remote: brought when somebody reads them."""

from collections.abc import Callable, Collection, Sequence

from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.fetch import fetch_blobs
from cas.remote.state import Remote
from cas.store import Sizes


class Promises:
    """Where a local store finds what it lacks; a `Source`.

    Parameters
    ----------
    remotes
        Gives the remotes, in the order in which they are asked; called when something is lacking for the first time.
    """

    def __init__(self, remotes: Callable[[], Sequence[Remote]]) -> None:
        self._open = remotes
        self._remotes: Sequence[Remote] | None = None

    def bring(self, store: LocalStore, oids: Collection[ObjectId]) -> None:
        """Bring those of `oids` that a remote has; the others are left to the caller to miss."""
        lacking = set(oids)
        for remote in self._all():
            known = {oid for oid in lacking if remote.mirror.has(oid)}
            if known:
                self._bring_from(remote, store, known)
                lacking -= known

    def promises(self, oid: ObjectId) -> bool:
        """Return whether a remote had an object when it was last looked at."""
        return any(remote.mirror.has(oid) for remote in self._all())

    def find_sizes(self, oid: ObjectId) -> Sizes | None:
        """Return how long an object is that a remote had when it was last looked at, or None."""
        for remote in self._all():
            packed, large = remote.mirror.find_packed(oid), remote.mirror.find_large(oid)
            if packed is not None:
                return Sizes(packed.entry.raw_bytes, packed.entry.stored_bytes)
            if large is not None:
                return Sizes(large.raw_bytes, large.stored_bytes)
        return None

    def _all(self) -> Sequence[Remote]:
        if self._remotes is None:
            self._remotes = self._open()
        return self._remotes

    def _bring_from(self, remote: Remote, store: LocalStore, oids: set[ObjectId]) -> None:
        try:
            fetch_blobs(store, remote, oids)
        except FileNotFoundError:
            # gc has moved things there since
            remote.look()
            fetch_blobs(store, remote, {oid for oid in oids if remote.mirror.has(oid)})
