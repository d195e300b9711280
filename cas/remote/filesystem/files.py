"""What acc needs of a filesystem elsewhere, asked of any of fsspec's: whole files, ranges, listings, creating once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple


class ListedFile(NamedTuple):
    """A file as a listing tells of it.

    Attributes
    ----------
    path : str
        Where it is, as the filesystem says.
    bytes : int
        How long it is.
    modified : float
        When it was written, by the server's clock, in seconds since 1970.
    """

    path: str
    bytes: int
    modified: float


class Files:
    """A filesystem whose files appear whole, as those of object stores do.

    Parameters
    ----------
    filesystem
        One of fsspec's.
    root
        The folder, or bucket and prefix, as the filesystem names it.

    Attributes
    ----------
    at_once : int
        So many requests may be under way at a time.
    """

    at_once = 8

    def __init__(self, filesystem: Any, root: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")

    def path(self, key: str) -> str:
        """Return where the file `key` is."""
        return f"{self.root}/{key}"

    # asked for from a place on, a file of S3 is one request; else its length is asked for first
    def get(self, key: str, most_bytes: int | None = None) -> bytes:
        """Return what is in a file; of a longer one than that, as much or all of it."""
        return bytes(self.filesystem.cat_file(self.path(key), start=0, end=most_bytes))

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from `start` to `end`; fewer when it is shorter."""
        return bytes(self.filesystem.cat_file(self.path(key), start=start, end=end))

    def put(self, key: str, data: bytes) -> None:
        """Make `data` the content of a file, in place of what is there."""
        self.filesystem.pipe_file(self.path(key), data)

    def put_file(self, key: str, source: Path) -> None:
        """Make the bytes of the local file `source` the content of a file."""
        self.filesystem.put_file(str(source), self.path(key))

    def create(self, key: str, data: bytes) -> None:
        """Make a file; raise `FileExistsError` when it is there, as far as the filesystem can tell."""
        self.filesystem.pipe_file(self.path(key), data, mode="create")

    def replace(self, key: str, data: bytes, mark: str) -> None:
        """Put a file if it still has that mark; else raise `FileExistsError`, as far as the filesystem can tell."""
        if self.mark(key) != mark:
            raise FileExistsError(key)
        self.put(key, data)

    def mark(self, key: str) -> str:
        """Return what tells this content of a file from every other."""
        info = self.filesystem.info(self.path(key))
        return str(info.get("ETag") or info.get("etag") or info.get("mtime") or "")

    def length(self, key: str) -> int:
        """Return how long a file is, in bytes."""
        return int(self.filesystem.info(self.path(key))["size"])

    def list(self, prefix: str) -> Iterator[ListedFile]:
        """Yield the files in a folder and in those below it; none when there is no such folder."""
        with suppress(FileNotFoundError):
            for path, info in self._find(prefix).items():
                if info.get("type") == "file":
                    yield ListedFile(path, int(info["size"] or 0), _modified(info))  # the web tells no length

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files; those that are not there are none to remove."""
        for key in keys:
            with suppress(FileNotFoundError):
                self.filesystem.rm_file(self.path(key))

    def tidy(self, before: float) -> None:
        """Remove what writers that died before that time, in seconds since 1970, have left and no listing tells of."""

    def _find(self, prefix: str) -> dict[str, Any]:
        found: dict[str, Any] = self.filesystem.find(self.path(prefix), detail=True)
        return found


def _modified(info: Mapping[str, Any]) -> float:
    """Return when a file was written, in seconds since 1970; 0 when the filesystem does not say."""
    for name in ("LastModified", "mtime", "last_modified", "updated", "created"):
        told = info.get(name)
        if isinstance(told, datetime):
            return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
        if isinstance(told, int | float):
            return float(told)
        if isinstance(told, str):
            with suppress(ValueError):
                return datetime.fromisoformat(told).timestamp()
    return 0.0
