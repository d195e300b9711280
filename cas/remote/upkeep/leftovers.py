"""Files of a remote that nobody needs any more: dropped ones, and those that writers have left who died."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from cas.errors import CorruptRemote, RemoteDenied, RemoteUnreachable
from cas.remote.bucket import Listed
from cas.remote.deletion import delete_files
from cas.remote.keys import CLOCK, INDEXES, LEASES, OBJECTS, PACKS, is_of_objects
from cas.remote.log import covering, list_log, read_file
from cas.remote.state import Remote
from cas.remote.uploads import known_files

# a file of the log stays for a day whatever the grace: who has not looked for so long looks before he commits, and
# does not take its number for a free one
_LOG_SECONDS: Final = 86_400.0
# clocks and leases are those of somebody who lives, or they are as old
_BRIEF_SECONDS: Final = 86_400.0
_AT_ONCE: Final = 1000


class Leftovers:
    """The files of a remote that can be deleted.

    Parameters
    ----------
    grace_seconds
        How long files stay after they were dropped, or written by somebody who never named them.

    Attributes
    ----------
    now : float
        The time by the server's clock, in seconds since 1970.
    """

    def __init__(self, remote: Remote, grace_seconds: float) -> None:
        self.now = remote.bucket.now()
        self._remote = remote
        self._grace = grace_seconds
        self._listed = {
            listed.key: listed
            for folder in (PACKS, INDEXES, OBJECTS)
            for listed in remote.bucket.list(folder)
            if is_of_objects(listed.key)
        }

    def find(self) -> dict[str, int]:
        """Return the files that can be deleted, and how long they are."""
        others = [*self._brief(), *self._merged()]
        return self._lengths(self._unneeded()) | {listed.key: listed.bytes for listed in others}

    def delete(self) -> dict[str, int]:
        """Delete files, and return which, and how long they were."""
        remote = self._remote
        gone = delete_files(remote, self._unneeded(), self._still, int(self.now))
        others = [*self._brief(), *self._merged()]
        for at in range(0, len(others), _AT_ONCE):
            remote.bucket.delete([listed.key for listed in others[at : at + _AT_ONCE]])
        # not every server knows of parts, and not everybody may give them up
        with suppress(RemoteDenied, RemoteUnreachable):
            remote.bucket.tidy(self.now - max(self._grace, _BRIEF_SECONDS))
        return self._lengths(gone) | {listed.key: listed.bytes for listed in others}

    def _unneeded(self) -> list[str]:
        """Return the files that were dropped, or that nobody has ever named, longer ago than the grace."""
        mirror, before = self._remote.mirror, self.now - self._grace
        dropped = mirror.dropped()
        since = {key: listed.modified for key, listed in self._listed.items()} | dropped
        return self._still([key for key, time in since.items() if time <= before])

    def _lengths(self, keys: Sequence[str]) -> dict[str, int]:
        return {key: self._listed[key].bytes if key in self._listed else 0 for key in keys}

    def _still(self, keys: Sequence[str]) -> list[str]:
        named = known_files(self._remote.mirror)
        return [key for key in keys if key not in named]

    def _brief(self) -> list[Listed]:
        before = self.now - _BRIEF_SECONDS
        listed = [file for folder in (CLOCK, LEASES) for file in self._remote.bucket.list(folder)]
        return [file for file in listed if file.modified <= before]

    def _merged(self) -> list[Listed]:
        """Return the files of the log of which others, which can be read, tell the same."""
        bucket, before = self._remote.bucket, self.now - max(self._grace, _LOG_SECONDS)
        files = list_log(bucket)
        chain = covering(files, 0)
        old = [file for file in files if file not in chain and file.modified <= before]
        if old:
            with suppress(CorruptRemote, FileNotFoundError):
                for file in chain:
                    read_file(bucket, file)
                return [Listed(file.key, file.bytes, file.modified) for file in old]
        return []
