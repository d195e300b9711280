"""What acc needs of a filesystem elsewhere, asked of any of fsspec's: whole files, ranges, listings, creating once.

Each kind of filesystem has its own way to put a file so that nobody sees half of it, and to create one only if it is
not there.
"""

import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from cas.errors import NotARemote
from cas.files import (
    TEMPORARY_PREFIX,
    is_temporary,
    place_new,
    sync_file,
    sync_folder,
    temporary_path,
    write_all,
)

# parts of a large file: so many bytes, so many at once
PART_BYTES: Final = 16 << 20
_PARTS_AT_ONCE: Final = 4
# which package reads which URLs, as an extra of acc
_EXTRAS: Final = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
} | {
    "sftp": "ssh",
    "ssh": "ssh",
}
# a listing that is kept would not tell what others have written. Requests are tried again by who asks, and only there;
# a server that has not said a word for so many seconds will not say one
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "s3": {
        "use_listings_cache": False,
        "config_kwargs": {"connect_timeout": 10, "read_timeout": 30, "retries": {"total_max_attempts": 1}},
    },
    "gcs": {"use_listings_cache": False},
    "azure": {"use_listings_cache": False},
}
_MAGIC: Final = frozenset("*?[]")
_memory_lock = threading.Lock()


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
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")

    def path(self, key: str) -> str:
        """Return where the file `key` is."""
        return f"{self.root}/{key}"

    def get(self, key: str) -> bytes:
        """Return what is in a file."""
        return bytes(self.filesystem.cat_file(self.path(key)))

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


class S3Files(Files):
    """A bucket of S3, or of what speaks as S3 does."""

    def __init__(self, filesystem: Any, root: str) -> None:
        super().__init__(filesystem, root)
        filesystem.retries = 1
        filesystem.connect()  # here, not at the first request: it looks at the options

    def get(self, key: str) -> bytes:
        """Return what is in a file."""
        # asked for from a place on, it is one request; else its length is asked for first
        return bytes(self.filesystem.cat_file(self.path(key), start=0))

    def put_file(self, key: str, source: Path) -> None:
        """Make the bytes of the local file `source` the content of a file: a large one in parts, some at once."""
        self.filesystem.put_file(
            str(source), self.path(key), chunksize=PART_BYTES, max_concurrency=_PARTS_AT_ONCE
        )

    def replace(self, key: str, data: bytes, mark: str) -> None:
        """Put a file, if it still has the mark `mark`; else raise `FileExistsError`."""
        self.filesystem.pipe_file(self.path(key), data, IfMatch=mark)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files, a thousand in a request."""
        if keys:
            self.filesystem.rm([self.path(key) for key in keys])

    def tidy(self, before: float) -> None:
        """Give up large files that were not sent to their end: their parts cost as files do."""
        bucket, _, prefix = self.root.partition("/")
        told = self.filesystem.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix)
        for upload in told.get("Uploads") or ():
            if upload["Initiated"].timestamp() <= before and upload["Key"].startswith(prefix):
                self.filesystem.call_s3(
                    "abort_multipart_upload",
                    Bucket=bucket,
                    Key=upload["Key"],
                    UploadId=upload["UploadId"],
                )

    def _find(self, prefix: str) -> dict[str, Any]:
        # with a prefix it is one request; without, an empty folder is asked for twice more
        found: dict[str, Any] = self.filesystem.find(self.root, prefix=prefix, detail=True)
        return found


class FolderFiles(Files):
    """A folder, on this machine or shared by several: every file is synced, and gets its name when it is whole."""

    def put(self, key: str, data: bytes) -> None:
        """Make `data` the content of a file, in place of what is there."""
        self._write(key, data).replace(self._target(key))
        sync_folder(self._target(key).parent)

    def put_file(self, key: str, source: Path) -> None:
        """Make the bytes of the local file `source` the content of a file."""
        from cas.files import clone_or_copy

        target = self._target(key)
        draft = temporary_path(target.parent)
        self._make_folder(target.parent)
        clone_or_copy(source, draft)
        draft.chmod(0o644)
        self._sync(draft)
        draft.replace(target)
        sync_folder(target.parent)

    def create(self, key: str, data: bytes) -> None:
        """Make a file; raise `FileExistsError` when it is there."""
        draft = self._write(key, data)
        if not place_new(draft, self._target(key)):
            raise FileExistsError(key)
        sync_folder(self._target(key).parent)

    def mark(self, key: str) -> str:
        """Return what tells this content of a file from every other."""
        status = os.stat(self._target(key))
        return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"

    def tidy(self, before: float) -> None:
        """Remove files on their way that never came to their end."""
        for path in Path(self.root).rglob(TEMPORARY_PREFIX + "*"):
            with suppress(FileNotFoundError):
                if is_temporary(path) and path.lstat().st_mtime <= before:
                    path.unlink()

    def _find(self, prefix: str) -> dict[str, Any]:
        found = super()._find(prefix)
        return {path: info for path, info in found.items() if not is_temporary(Path(path))}

    def _target(self, key: str) -> Path:
        return Path(self.path(key))

    def _write(self, key: str, data: bytes) -> Path:
        folder = self._target(key).parent
        self._make_folder(folder)
        draft = temporary_path(folder)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            write_all(descriptor, data)
            sync_file(descriptor)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return draft

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)

    @staticmethod
    def _sync(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


class SshFiles(Files):
    """A folder behind SSH: a file gets its name when it is whole."""

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from `start` to `end`; fewer when it is shorter."""
        with self.filesystem.ftp.open(self.path(key), "rb") as file:
            file.seek(start)
            return bytes(file.read(end - start))

    def put(self, key: str, data: bytes) -> None:
        """Make `data` the content of a file, in place of what is there."""
        draft = self._draft(key)
        with self.filesystem.ftp.open(draft, "wb") as file:
            file.set_pipelined(True)
            file.write(data)
        self.filesystem.ftp.posix_rename(draft, self.path(key))

    def put_file(self, key: str, source: Path) -> None:
        """Make the bytes of the local file `source` the content of a file."""
        draft = self._draft(key)
        self.filesystem.ftp.put(str(source), draft)
        self.filesystem.ftp.posix_rename(draft, self.path(key))

    def create(self, key: str, data: bytes) -> None:
        """Make a file; raise `FileExistsError` when it is there."""
        draft = self._draft(key)
        with self.filesystem.ftp.open(draft, "wb") as file:
            file.write(data)
        try:
            # the protocol's own rename, unlike that of POSIX, replaces nothing
            self.filesystem.ftp.rename(draft, self.path(key))
        except OSError as err:
            with suppress(OSError):
                self.filesystem.ftp.remove(draft)
            if self.filesystem.exists(self.path(key)):
                raise FileExistsError(key) from err
            raise

    def mark(self, key: str) -> str:
        """Return what tells this content of a file from every other, if not written within the same second."""
        status = self.filesystem.ftp.stat(self.path(key))
        return f"{status.st_mtime}-{status.st_size}"

    def tidy(self, before: float) -> None:
        """Remove files on their way that never came to their end."""
        for path, info in super()._find("").items():
            if is_temporary(Path(path)) and _modified(info) <= before:
                with suppress(FileNotFoundError):
                    self.filesystem.rm_file(path)

    def _find(self, prefix: str) -> dict[str, Any]:
        found = super()._find(prefix)
        return {path: info for path, info in found.items() if not is_temporary(Path(path))}

    def _draft(self, key: str) -> str:
        folder = self.path(key).rpartition("/")[0]
        self.filesystem.makedirs(folder, exist_ok=True)
        return str(temporary_path(Path(folder)))


class MemoryFiles(Files):
    """fsspec's memory, shared by the threads of a process."""

    def create(self, key: str, data: bytes) -> None:
        """Make a file; raise `FileExistsError` when it is there."""
        with _memory_lock:
            if self.filesystem.exists(self.path(key)):
                raise FileExistsError(key)
            self.put(key, data)

    def mark(self, key: str) -> str:
        """Return what tells this content of a file from every other."""
        return str(self.filesystem.info(self.path(key))["created"])


def open_files(url: str, options: Mapping[str, Any]) -> Files:
    """Return the filesystem that holds what is at `url`, a new one: none is shared with a process that forks.

    Parameters
    ----------
    options
        What fsspec is to be told besides.

    Raises
    ------
    NotARemote
        When nothing that is installed reads such URLs, or the URL cannot be one.
    """
    if _MAGIC & set(url):
        raise NotARemote(f"'{url}' has one of the characters {' '.join(sorted(_MAGIC))} in it")
    scheme = urlsplit(url).scheme
    try:
        from fsspec.core import url_to_fs

        told = {**_DEFAULTS.get(_EXTRAS.get(scheme, ""), {}), **options}
        filesystem, root = url_to_fs(url, skip_instance_cache=True, **told)
        return _KINDS.get(_protocol(filesystem), Files)(filesystem, root)
    except ImportError as err:
        extra = _EXTRAS.get(scheme, "remote")
        raise NotARemote(
            f"nothing is installed that reads '{scheme}' URLs", hint=f"pip install 'acc[{extra}]'"
        ) from err
    except ValueError as err:
        raise NotARemote(f"'{url}' cannot be a remote: {err}") from err
    except TypeError as err:
        raise NotARemote(f"options of '{url}' do not fit: {err}") from err


_KINDS: Final[Mapping[str, type[Files]]] = {
    "s3": S3Files,
    "file": FolderFiles,
    "sftp": SshFiles,
    "memory": MemoryFiles,
}


def _protocol(filesystem: Any) -> str:
    protocol = filesystem.protocol
    return str(protocol if isinstance(protocol, str) else protocol[0])


def nonce() -> str:
    """Return a text that nobody else has."""
    return uuid.uuid4().hex


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
