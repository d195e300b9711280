"""A remote in a folder behind SSH."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cas.errors import RemoteDenied
from cas.files import is_temporary, temporary_path
from cas.remote.filesystem.files import Files

# what is done with a server that is not in known_hosts, by the names that fsspec has for it; paramiko's classes
_POLICIES: Final = {"reject": "RejectPolicy", "warning": "WarningPolicy", "auto_add": "AutoAddPolicy"}
_NOWHERE: Final = logging.NullHandler()


class SshFiles(Files):
    """A folder behind SSH: a file gets its name when it is whole."""

    at_once = 1  # paramiko mixes up the answers of requests that several threads make

    def __init__(self, filesystem: Any, root: str) -> None:
        super().__init__(filesystem, root)
        self._folders: set[str] = set()

    def get(self, key: str, most_bytes: int | None = None) -> bytes:
        """Return what is in a file; of a longer one than that, as much."""
        return self.get_range(key, 0, (1 << 62) if most_bytes is None else most_bytes)

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from `start` to `end`; fewer when it is shorter."""
        with self.filesystem.ftp.open(self.path(key), "rb") as file:
            length = min(end, file.stat().st_size) - start
            # in parts of 32 KiB, all asked for at once: one by one they take three times as long
            return b"".join(file.readv([(start, length)])) if length > 0 else b""

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
            if is_temporary(Path(path)) and info["mtime"].timestamp() <= before:
                with suppress(FileNotFoundError):
                    self.filesystem.rm_file(path)

    def _find(self, prefix: str) -> dict[str, Any]:
        found = super()._find(prefix)
        return {path: info for path, info in found.items() if not is_temporary(Path(path))}

    def _draft(self, key: str) -> str:
        folder = self.path(key).rpartition("/")[0]
        if folder not in self._folders:  # each part of its path costs a request
            self.filesystem.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        return str(temporary_path(Path(folder)))


def open_ssh(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """Return fsspec's filesystem behind SSH, and the folder there.

    Hosts are known by the user's `known_hosts`, as they are to ssh; one that is not known is refused, unless the option
    `host_key_policy` says otherwise.
    """
    from fsspec.implementations.sftp import SFTPFileSystem
    from fsspec.utils import infer_storage_options

    place = infer_storage_options(url)
    folder = place.pop("path")
    del place["protocol"]
    told = {"host_key_policy": "reject", **place, **options}
    policy = str(told.pop("host_key_policy"))
    if policy not in _POLICIES:
        raise ValueError(f"host_key_policy is none of {', '.join(_POLICIES)}")

    class KnownHosts(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
        """fsspec's, which knows no hosts by itself."""

        cachable = False

        def _connect(self) -> None:
            self.client = _connect(self.host, self.ssh_kwargs, _POLICIES[policy])
            self.ftp = self.client.open_sftp()

    return KnownHosts(**told), folder


def _connect(host: str, told: Mapping[str, Any], policy: str) -> Any:
    """Return a client of SSH that has logged in; raise `RemoteDenied` when it may not, or the host is not known."""
    import paramiko

    # it logs what it raises too, with a traceback, which Python prints where nobody listens
    logging.getLogger("paramiko").addHandler(_NOWHERE)
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    client.set_missing_host_key_policy(getattr(paramiko, policy)())
    try:
        client.connect(host, **told)
    except paramiko.SSHException as err:
        # paramiko has no class of its own for these two, and to try again would not help
        if "not found in known_hosts" in str(err):
            raise RemoteDenied(
                f"server '{host}' is not in ~/.ssh/known_hosts",
                hint="log in there once with ssh, which shows the server's key and asks",
            ) from err
        if "No authentication methods" in str(err):
            raise RemoteDenied(
                f"server '{host}' lets nobody in without a key",
                hint="have one in the ssh agent or as ~/.ssh/id_*, or name one by the option key_filename",
            ) from err
        raise
    return client
