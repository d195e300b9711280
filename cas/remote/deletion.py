"""Delete files of a remote that nobody needs, while others may be about to send files of the same names.

First the log is told which, then they are deleted, then it is told that they are gone; in between nobody sends or names
any of them, see `cas.remote.uploads`. Whoever dies in between leaves that to the next one who comes by.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from cas.errors import CorruptRemote
from cas.remote.filesystem.kinds import nonce
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.uploads import Moved

log = logging.getLogger(__name__)

# so many in one request
_AT_ONCE: Final = 1000
# a deletion is begun so soon after it was told, or not at all
_PROMPT_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 1.0
_MOST_TRIES: Final = 20

# of some files, which are to be deleted still: asked when others have changed the remote meanwhile
Chosen = Callable[[Sequence[str]], Sequence[str]]


def delete_files(remote: Remote, keys: Sequence[str], still: Chosen, since: int) -> list[str]:
    """Delete those of `keys` that are still to be deleted when the log is told, and return them.

    Parameters
    ----------
    since
        The time by the server's clock, in seconds since 1970.
    """
    deleted: list[str] = []
    ended: Sequence[str] = ()
    for at in range(0, len(keys), _AT_ONCE):
        begun = time.time()
        ended = _tell(remote, keys[at : at + _AT_ONCE], ended, still, since)
        if not 0 <= time.time() - begun < _PROMPT_SECONDS:
            break  # the machine may have slept, and others count it as dead
        remote.bucket.delete(ended)
        deleted += ended
    if ended:
        remote.commit(lambda: _change({}, ended))
    return deleted


def again(remote: Remote, step: Callable[[], None]) -> None:
    """Take a step when nobody deletes files; again, when what it relied on, or had sent, was deleted meanwhile."""
    for _ in range(_MOST_TRIES):
        settle(remote)
        with suppress(Moved):
            step()
            return
        remote.look()
    raise CorruptRemote(f"what one relies on goes from remote '{remote.name}' again and again")


def settle(remote: Remote) -> None:
    """Wait until nobody deletes files; who does not come to an end for `remote.patience_seconds` has died."""
    while deleting := remote.mirror.deleting():
        if not _changes(remote, deleting):
            log.info("remote '%s': somebody has died while deleting %d files", remote.name, len(deleting))
            remote.commit(partial(_ended, remote, deleting))


def _changes(remote: Remote, deleting: Mapping[str, int]) -> bool:
    """Return whether other files are being deleted before the patience with those ends."""
    deadline = time.monotonic() + remote.patience_seconds
    while time.monotonic() < deadline:
        time.sleep(min(_AGAIN_SECONDS, remote.patience_seconds))
        remote.look()
        if remote.mirror.deleting() != deleting:
            return True
    return False


def _tell(
    remote: Remote, keys: Sequence[str], ended: Sequence[str], still: Chosen, since: int
) -> Sequence[str]:
    told: Sequence[str] = ()

    def draw() -> Change:
        nonlocal told
        taken = remote.mirror.deleting().keys() - set(ended)
        told = [key for key in still(keys) if key not in taken]
        return _change(dict.fromkeys(told, since), ended)

    remote.commit(draw)
    return told


def _ended(remote: Remote, seen: Mapping[str, int]) -> Change | None:
    """Return the change that tells of the end of what was seen, unless that has changed."""
    return _change({}, [*seen]) if remote.mirror.deleting() == seen else None


def _change(begun: Mapping[str, int], ended: Sequence[str]) -> Change:
    return Change(
        nonce(),
        "delete",
        dropped=dict.fromkeys([*begun]),
        deleting={**dict.fromkeys(ended), **begun},
    )
