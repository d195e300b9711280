"""A look at a remote, and the nodes that come of it."""

import time
from collections.abc import Callable, Iterable

from cas.errors import RemoteUnreachable
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.state import Remote
from cas.remote.transfer.fetch import fetch_nodes

Progress = Callable[[int, int], None]

_LOOKED = "looked"


def look(remote: Remote) -> None:
    """Learn what a remote holds now, and note when that was."""
    remote.look()
    remote.mirror.keep_note(_LOOKED, repr(time.time()))


def look_if_reached(remote: Remote) -> RemoteUnreachable | None:
    """Learn what a remote holds now; when it does not answer, and something is known of it, return that error."""
    try:
        look(remote)
    except RemoteUnreachable as err:
        if remote.mirror.is_new:
            raise
        return err
    return None


def looked_at(remote: Remote) -> float | None:
    """Return when a remote was last looked at by a command, in seconds since 1970, or None."""
    noted = remote.mirror.note(_LOOKED)
    return float(noted) if noted else None


def bring(
    store: LocalStore, remote: Remote, roots: Iterable[ObjectId], progress: Progress | None = None
) -> int:
    """Have nodes here with all nodes that they reach; return how many were not. What is here is asked of nobody."""
    wanted = [*dict.fromkeys(roots)]
    lacking = set(wanted) - store.hold(wanted)
    if not lacking:
        return 0
    try:
        return fetch_nodes(store, remote, [oid for oid in wanted if oid in lacking], progress=progress)
    except FileNotFoundError:
        # things have moved there since the last look
        look(remote)
        return fetch_nodes(store, remote, [oid for oid in wanted if oid in lacking], progress=progress)
