"""Objects that are not here, but at a remote: brought when somebody reads them."""

import errno
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from cas.errors import (
    AccError,
    CorruptObject,
    CorruptRemote,
    NotARemote,
    ObjectNotFound,
    RemoteDenied,
    RemoteFileGone,
    RemoteUnreachable,
    StoreReadOnly,
    UnknownFormat,
)
from cas.files import lock_file
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.state import Remote
from cas.remote.transfer.fetch import fetch_blobs
from cas.store import Sizes

# what keeps one remote from giving an object, and need not keep another
_TROUBLE: Final = (
    CorruptObject,
    CorruptRemote,
    NotARemote,
    ObjectNotFound,
    RemoteDenied,
    RemoteFileGone,
    RemoteUnreachable,
    UnknownFormat,
)
# who brings an object holds the lock of its id, one of so many: of several processes that read it, one brings it
_LOCKS: Final = 32


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
        """Bring those of `oids` that a remote has; the others are left to the caller to miss.

        Raises
        ------
        RemoteUnreachable, RemoteDenied, CorruptObject, CorruptRemote
            When a remote that should have one does not give it, and no other does.
        """
        lacking = set(oids)
        troubles: list[tuple[Remote, set[ObjectId], AccError]] = []
        for remote in self._all():
            known = set(lacking)
            try:
                _look_if_new(remote)
                known = {oid for oid in lacking if _has(remote, oid)}
                if known:
                    _bring_from(remote, store, known)
                lacking -= known
            except _TROUBLE as err:
                # where nothing was ever made, nothing can have been promised
                if not (isinstance(err, NotARemote) and remote.mirror.is_new):
                    troubles.append((remote, known, err))
        for remote, known, trouble in troubles:
            if known & lacking:
                # what the libraries have to say fills screens, and a job's traceback is to show the method's part
                raise _explained(trouble, remote, min(known & lacking)) from None

    def promises(self, oid: ObjectId) -> bool:
        """Return whether a remote had an object when it was last looked at."""
        return any(_has(remote, oid) for remote in self._all())

    def find_sizes(self, oid: ObjectId) -> Sizes | None:
        """Return how long an object is that a remote had when it was last looked at, or None."""
        for remote in self._all():
            if not _has(remote, oid):
                continue
            packed, large = remote.mirror.find_packed(oid), remote.mirror.find_large(oid)
            if packed is not None:
                return Sizes(packed.entry.raw_bytes, packed.entry.stored_bytes)
            if large is not None:
                return Sizes(large.raw_bytes, large.stored_bytes)
        return None

    def ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield the ids that begin with `prefix` of what remotes had when they were last looked at."""
        for digest in {digest for remote in self._all() for digest in remote.mirror.digests(prefix)}:
            yield ObjectId(digest.hex())

    def look_if_lost(self) -> list[AccError]:
        """Look at the remotes of which nothing is known here any more; return why some could not be looked at."""
        troubles: list[AccError] = []
        for remote in self._all():
            try:
                _look_if_new(remote)
            except _TROUBLE as err:
                troubles.append(err)
        return troubles

    def _all(self) -> Sequence[Remote]:
        if self._remotes is None:
            self._remotes = self._open()
        return self._remotes


@contextmanager
def _bringing(store: LocalStore, oids: Collection[ObjectId]) -> Iterator[None]:
    """Be the only one of all processes that brings any of these objects, inside the block."""
    folder = store.root / "locks" / "bring"
    numbers = {int(oid[:2], 16) % _LOCKS for oid in oids}
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number in sorted(numbers):  # in one order, so that no two wait for each other
                stack.enter_context(lock_file(folder / str(number)))
        except OSError as err:
            if err.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            raise StoreReadOnly(
                f"object '{min(oids)}' is at a remote, and cannot be stored in '{store.name}': it is read-only"
            ) from err
        yield


def _has(remote: Remote, oid: ObjectId) -> bool:
    """Return whether a remote has an object, as far as anybody on this machine knows."""
    mirror = remote.mirror
    return mirror.has(oid) or (mirror.catch_up() and mirror.has(oid))


def _look_if_new(remote: Remote) -> None:
    """Look at a remote of which this machine knows nothing, or not all, any more."""
    if remote.mirror.is_new or remote.mirror.lacking():
        remote.look()


def _bring_from(remote: Remote, store: LocalStore, oids: Collection[ObjectId]) -> None:
    with _bringing(store, oids):
        lacking = {oid for oid in oids if not store.has(oid)}
        try:
            fetch_blobs(store, remote, lacking)
        except FileNotFoundError:
            # gc has moved things there since
            remote.look()
            fetch_blobs(store, remote, {oid for oid in lacking if remote.mirror.has(oid)})


def _explained(error: AccError, remote: Remote, oid: ObjectId) -> AccError:
    """Return an error that says which object could not be had."""
    if isinstance(error, CorruptObject | ObjectNotFound):
        return error
    hint = error.hint or f"'acc fsck --remote {remote.name}' says what is wrong there"
    text = f"object '{oid[:12]}' is only at a remote: {error}"
    return (
        CorruptRemote(text, hint=hint) if isinstance(error, RemoteFileGone) else type(error)(text, hint=hint)
    )
