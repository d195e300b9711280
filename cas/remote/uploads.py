"""Files on their way to a remote: nobody relies on one that gc has taken, or is about to, before it is named there.

A file gets its name from what it holds, so a file that was deleted may come again; and what was sent and is named by
no transaction yet is garbage to everybody else. So whoever deletes says so in the log before, and after; and whoever
names a file looks whether somebody has said so since it was sent.
"""

from pathlib import Path

from cas.remote.bucket import Bucket
from cas.remote.keys import index_key, named_by, object_key, pack_key
from cas.remote.mirror import Mirror
from cas.remote.transaction import Change


class Moved(Exception):
    """Something at the remote that one relied on is gone, or is about to be: gc was there."""


class Uploads:
    """The files that this process has sent to a remote."""

    def __init__(self, bucket: Bucket, mirror: Mirror) -> None:
        self._bucket = bucket
        self._mirror = mirror
        # by key, what was known of deletions when it was sent
        self._sent: dict[str, int] = {}

    def send(self, key: str, data: bytes) -> None:
        """Send a file; raise `Moved` while somebody deletes the one that has its name."""
        self._begin(key)
        self._bucket.put(key, data)

    def send_file(self, key: str, path: Path) -> None:
        """Send a local file, unless it is there still and only waits for being deleted."""
        self._begin(key)
        waits = key in self._mirror.dropped()
        if not (waits and self._bucket.find_bytes(key) == path.stat().st_size):
            self._bucket.put_file(key, path)

    def check(self, change: Change) -> None:
        """Raise `Moved` unless all that a change names, and nothing named before, is there and nobody deletes it."""
        mirror = self._mirror
        new = named_by(change) - known_files(mirror)
        if new & mirror.deleting().keys():
            raise Moved
        # nothing was deleted since those others were sent
        doubtful = [key for key in sorted(new) if self._sent.get(key) != mirror.deletions]
        if any(length is None for length in self._bucket.each(self._bucket.find_bytes, doubtful)):
            raise Moved
        self._sent.update(dict.fromkeys(doubtful, mirror.deletions))

    def _begin(self, key: str) -> None:
        if key in self._mirror.deleting():
            raise Moved
        self._sent[key] = self._mirror.deletions


def known_files(mirror: Mirror) -> set[str]:
    """Return the keys of the packs, indexes and large objects that a remote tells of."""
    keys = {object_key(oid, large.file_bytes) for oid, large in mirror.large()}
    for name, packs in mirror.indexes().items():
        keys |= {index_key(name), *map(pack_key, packs)}
    return keys
