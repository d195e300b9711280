"""Where remotes are, as plain data that crosses to other processes; nothing of one is loaded before it is asked."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cas.oid import ObjectId

if TYPE_CHECKING:
    from cas.errors import AccError
    from cas.local.store import LocalStore
    from cas.remote.promises import Promises
    from cas.remote.state import Arriving, Remote
    from cas.store import Sizes


class Place(NamedTuple):
    """One remote of a project.

    Attributes
    ----------
    name : str
        What the project calls it.
    url : str
        Where it is; it holds no secret.
    options : mapping
        What fsspec is given beside the URL; no secret is among them.
    folder : Path
        Where this machine keeps what it knows of it.
    trusted : bool
        Whether what comes from there may be loaded, run again, and given to jobs.
    """

    name: str
    url: str
    options: Mapping[str, Any]
    folder: Path
    trusted: bool

    def open(self, arriving: "Arriving | None" = None) -> "Remote":
        """Return the remote; nothing is asked of it yet.

        Parameters
        ----------
        arriving
            Hears of the nodes that come from there, before they are stored.
        """
        from cas.remote.bucket import Bucket
        from cas.remote.mirror import Mirror
        from cas.remote.state import Remote

        return Remote(Bucket(self.url, self.options, name=self.name), Mirror(self.folder), arriving)


class LatePromises:
    """The promises of remotes that are opened when something is lacking, which seldom is; a `Source`.

    Parameters
    ----------
    remotes
        Gives the remotes, in the order in which they are asked.
    """

    def __init__(self, remotes: "Callable[[], Sequence[Remote]]") -> None:
        self._open = remotes
        self._promises: Promises | None = None

    def bring(self, store: "LocalStore", oids: Collection[ObjectId]) -> None:
        """Bring those of `oids` that a remote has; the others are left to the caller to miss."""
        self._opened().bring(store, oids)

    def promises(self, oid: ObjectId) -> bool:
        """Return whether a remote had an object when it was last looked at."""
        return self._opened().promises(oid)

    def find_sizes(self, oid: ObjectId) -> "Sizes | None":
        """Return how long an object is that a remote had when it was last looked at, or None."""
        return self._opened().find_sizes(oid)

    def ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield the ids that begin with `prefix` of what remotes had when they were last looked at."""
        return self._opened().ids(prefix)

    def look_if_lost(self) -> "list[AccError]":
        """Look at the remotes of which nothing is known here any more; return why some could not be looked at."""
        return self._opened().look_if_lost()

    def _opened(self) -> "Promises":
        if self._promises is None:
            from cas.remote.promises import Promises

            self._promises = Promises(self._open)
        return self._promises
