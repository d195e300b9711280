"""The filesystem behind a URL, by its kind: each has its own way to put a file so that nobody sees half of it."""

import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cas.errors import NotARemote
from cas.remote.filesystem.files import Files
from cas.remote.filesystem.folder import FolderFiles
from cas.remote.filesystem.ssh import SshFiles, open_ssh
from cas.url import without_secrets

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


class S3Files(Files):
    """A bucket of S3, or of what speaks as S3 does."""

    def __init__(self, filesystem: Any, root: str) -> None:
        super().__init__(filesystem, root)
        filesystem.retries = 1
        filesystem.connect()  # here, not at the first request: it looks at the options

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
        folder, _, name = self.root.rpartition("/")
        within = (self.root, prefix) if prefix or not folder else (folder, f"{name}/")
        found: dict[str, Any] = self.filesystem.find(within[0], prefix=within[1], detail=True)
        return found


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
    """Return the filesystem that holds what is at `url`, for this process and none that it forks.

    Parameters
    ----------
    options
        What fsspec is to be told besides.

    Raises
    ------
    NotARemote
        When nothing that is installed reads such URLs, or the URL cannot be one.
    """
    shown, scheme = without_secrets(url), urlsplit(url).scheme
    if _MAGIC & set(urlsplit(url).path):
        raise NotARemote(f"'{shown}' has one of the characters {' '.join(sorted(_MAGIC))} in it")
    try:
        told = _over(_DEFAULTS.get(_EXTRAS.get(scheme, ""), {}), options)
        filesystem, root = _open(url, told)
        return _KINDS.get(_protocol(filesystem), Files)(filesystem, root)
    except ImportError as err:
        extra = _EXTRAS.get(scheme, "remote")
        raise NotARemote(
            f"nothing is installed that reads '{scheme}' URLs", hint=f"pip install 'acc[{extra}]'"
        ) from err
    except ValueError as err:
        raise NotARemote(f"'{shown}' cannot be a remote: {err}") from err
    except TypeError as err:
        raise NotARemote(f"options of '{shown}' do not fit: {err}") from err


_KINDS: Final[Mapping[str, type[Files]]] = {
    "s3": S3Files,
    "file": FolderFiles,
    "sftp": SshFiles,
    "memory": MemoryFiles,
}


def _over(defaults: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return defaults with options in their place; a table of options takes the place of what it names only.

    >>> _over({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 4}})
    {'a': {'x': 1, 'y': 4}, 'b': 3}
    """
    merged = dict(defaults)
    for name, value in options.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _over(before, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return merged


def _protocol(filesystem: Any) -> str:
    protocol = filesystem.protocol
    return str(protocol if isinstance(protocol, str) else protocol[0])


def _open(url: str, options: dict[str, Any]) -> tuple[Any, str]:
    if urlsplit(url).scheme in ("sftp", "ssh"):
        return open_ssh(url, options)
    from fsspec.core import url_to_fs

    # fsspec gives a process one for all that have the same options, and a forked child another
    filesystem, root = url_to_fs(url, **options)
    return filesystem, root


def nonce() -> str:
    """Return a text that nobody else has."""
    return uuid.uuid4().hex
