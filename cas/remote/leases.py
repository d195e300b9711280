"""Leases at a remote: who computes a key, so that others elsewhere wait for the result. They save work, nothing else.

A lease is a file that its holder makes if there is none and writes again every now and then, as long as he lives. Who
sees it stand still for a minute by his own clock takes its holder for dead; he may take it over, if it still stands as
he saw it.

Notes
-----
Source: docs/reference/formats/remote.md.
"""

import time
from collections.abc import Callable
from typing import Final

from cas.errors import NotCanonical
from cas.formats.canonical import dumps, loads
from cas.remote.filesystem.kinds import nonce
from cas.remote.keys import LEASES
from cas.remote.state import Remote

# a lease that has not changed for so long is that of somebody who has died
STALE_SECONDS: Final = 60.0
_MOST_BYTES: Final = 1 << 12
_MOST_LETTERS: Final = 100


class Leases:
    """The leases at a remote, as one process holds them and sees those of others.

    Parameters
    ----------
    holder
        Who this is, as those who wait are told: user and machine.
    stale_seconds
        Who stands still for so long has died.
    clock
        Gives the time in seconds, from any start; never set back.
    """

    def __init__(
        self,
        remote: Remote,
        holder: str = "",
        *,
        stale_seconds: float = STALE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = remote.bucket
        self._remote = remote
        self.holder = holder
        self._stale_seconds = stale_seconds
        self._clock = clock
        # by key: what we wrote last, and its number
        self._held: dict[str, tuple[bytes, int]] = {}
        # by key: what others had written when it was seen to change, and when that was
        self._seen: dict[str, tuple[bytes, float]] = {}

    def others(self) -> set[str]:
        """Return the keys of the leases that others hold, or held when they died; one request."""
        keys = {listed.key.removeprefix(LEASES) for listed in self._bucket.list(LEASES)}
        return keys - self._held.keys()

    def take(self, key: str) -> bool:
        """Take the lease of a key, unless somebody who lives has it; return whether it is ours."""
        data = _encode(self.holder, nonce(), 0)
        taken = self._bucket.create(LEASES + key, data, exclusive=self._remote.is_exclusive())
        if not taken and not self.is_alive(key):
            mark = self._bucket.find_mark(LEASES + key)
            seen = self._seen.get(key)
            # between the two requests he may have woken up
            if mark is not None and seen is not None and self._find(key) == seen[0]:
                taken = self._bucket.replace(LEASES + key, data, mark)
        if taken:
            self._held[key] = data, 0
        return taken

    def is_alive(self, key: str) -> bool:
        """Return whether somebody holds the lease of a key who may be alive, as far as this process has seen."""
        return self.find_holder(key) is not None

    def find_holder(self, key: str) -> str | None:
        """Return who holds the lease of a key, as he says, and may be alive, as far as this process has seen."""
        data = self._find(key)
        if data is None:
            self._seen.pop(key, None)
            return None
        before = self._seen.get(key)
        if before is None or before[0] != data:
            before = self._seen[key] = data, self._clock()
        is_stale = self._clock() - before[1] >= self._stale_seconds
        return None if is_stale else _text_of(data, "holder")[:_MOST_LETTERS]

    def beat(self, key: str) -> bool:
        """Tell that the holder of a lease, this process, lives; return whether it is still ours."""
        data, number = self._held[key]
        mark = self._bucket.find_mark(LEASES + key)
        if mark is not None and self._find(key) == data:
            new = _encode(self.holder, _text_of(data, "nonce"), number + 1)
            if self._bucket.replace(LEASES + key, new, mark):
                self._held[key] = new, number + 1
                return True
        del self._held[key]
        return False

    def give_back(self, key: str) -> None:
        """End a lease of ours; does nothing when somebody has taken it over."""
        data, _ = self._held.pop(key, (None, 0))
        if data is not None and self._find(key) == data:
            self._bucket.delete([LEASES + key])

    def hurry(self) -> None:
        """Have no request tried again from now on: nobody waits for it any more."""
        self._bucket.hurry()

    def close(self) -> None:
        """Give back what is open."""
        self._remote.mirror.close()

    def _find(self, key: str) -> bytes | None:
        return self._bucket.find(LEASES + key, most_bytes=_MOST_BYTES)


def _encode(holder: str, name: str, beat: int) -> bytes:
    return dumps({"beat": beat, "holder": holder, "nonce": name}) + b"\n"


def _text_of(data: bytes, member: str) -> str:
    """Return a member of what somebody has written, or ""."""
    try:
        told = loads(data.rstrip(b"\n"))
    except NotCanonical:
        return ""
    text = told.get(member) if isinstance(told, dict) else None
    return text if isinstance(text, str) else ""
