"""A remote's files by their keys: each request tried again while that helps, counted, and a few at a time."""

import logging
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from cas.errors import AccError, CorruptRemote, RemoteDenied, RemoteFileGone, RemoteUnreachable
from cas.remote.filesystem.files import Files
from cas.remote.filesystem.kinds import nonce, open_files
from cas.remote.filesystem.trouble import is_known, kind_of_trouble
from cas.url import without_secrets

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 8
_TRIES: Final = 6
# the pause doubles from try to try: 3 to 6 s in all
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


# filesystems that were opened before a fork, held for ever: s3fs would close one, by a thread that the child has not
_of_parents: list[Files | None] = []


class Listed(NamedTuple):
    """A file as a listing tells of it: its key, its length, and when it was written by the server's clock."""

    key: str
    bytes: int
    modified: float


@dataclass(slots=True)
class Traffic:
    """What has gone to and from a remote.

    Attributes
    ----------
    requests : int
        How often the filesystem was asked; what it does in parts counts once.
    sent, received : int
        Bytes of files.
    """

    requests: int = 0
    sent: int = 0
    received: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, *, sent: int = 0, received: int = 0) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.sent += sent
            self.received += received


class Bucket:
    """The files of a remote. May be used by several threads, and on both sides of a fork.

    Parameters
    ----------
    url, options
        What fsspec is to be given.
    name
        What it is called in messages.

    Attributes
    ----------
    traffic : Traffic
        What has gone to and fro.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None, *, name: str = "") -> None:
        self.name = name or url
        self.url = url
        self.traffic = Traffic()
        self._options = dict(options or {})
        self._files: Files | None = None
        self._owner = 0
        self._opening = threading.Lock()
        self._room = threading.BoundedSemaphore()
        self._hasty = threading.Event()

    def hurry(self) -> None:
        """Have no request tried again from now on: nobody waits for it any more."""
        self._hasty.set()

    def find(self, key: str, *, most_bytes: int | None = None) -> bytes | None:
        """Return what is in a file, or None when there is none; raise `CorruptRemote` when it is longer than that."""
        end = None if most_bytes is None else most_bytes + 1
        data = self._ask(f"read '{key}'", lambda files: files.get(key, end), missing=True)
        self.traffic.count(received=len(data or b""))
        if data is not None and most_bytes is not None and len(data) > most_bytes:
            raise CorruptRemote(f"'{key}' in remote '{self.name}' is longer than {most_bytes} bytes")
        return data

    def get(self, key: str, *, most_bytes: int | None = None) -> bytes:
        """Return what is in a file; raise `RemoteFileGone` when there is none."""
        data = self.find(key, most_bytes=most_bytes)
        if data is None:
            raise RemoteFileGone(key, self.name)
        return data

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from `start` to `end`.

        Raises
        ------
        RemoteFileGone
            When there is none.
        CorruptRemote
            When it ends before.
        """
        data = self._ask(f"read '{key}'", lambda files: files.get_range(key, start, end), missing=True)
        if data is None:
            raise RemoteFileGone(key, self.name)
        self.traffic.count(received=len(data))
        if len(data) > end - start:
            data = data[start:end]  # a web server may send the whole file, whatever part one wants
        if len(data) != end - start:
            raise CorruptRemote(f"'{key}' in remote '{self.name}' is cut short")
        return data

    def put(self, key: str, data: bytes) -> None:
        """Make `data` the content of a file, in place of what is there."""
        self._ask(f"write '{key}'", lambda files: files.put(key, data))
        self.traffic.count(sent=len(data))

    def put_file(self, key: str, source: Path) -> None:
        """Make the bytes of the local file `source` the content of a file."""
        self._ask(f"write '{key}'", lambda files: files.put_file(key, source))
        self.traffic.count(sent=source.stat().st_size)

    def create(self, key: str, data: bytes, *, exclusive: bool = True) -> bool:
        """Make a file with `data`, which nobody else writes; return whether it was not there.

        A request whose answer was lost may have been done: what stands there is read back and compared.

        Parameters
        ----------
        exclusive
            Rely on the filesystem; else look, write and read back, which two may do at the same moment.
        """
        if exclusive:
            done = self._ask(f"create '{key}'", lambda files: _told(files.create, key, data), taken=True)
            self.traffic.count(sent=len(data))
            return done is not None or self.find(key) == data
        found = self.find(key)
        if found is None:
            self.put(key, data)
            found = self.find(key)
        return found == data

    def replace(self, key: str, data: bytes, mark: str) -> bool:
        """Put a file if it still has that mark; return whether it had."""
        done = self._ask(
            f"write '{key}'", lambda files: _told(files.replace, key, data, mark), taken=True, missing=True
        )
        self.traffic.count(sent=len(data))
        return done is not None or self.find(key) == data

    def find_mark(self, key: str) -> str | None:
        """Return what tells this content of a file from every other, or None when there is no file."""
        self.traffic.count()
        return self._ask(f"look at '{key}'", lambda files: files.mark(key), missing=True)

    def find_bytes(self, key: str) -> int | None:
        """Return how long a file is, or None when there is none."""
        self.traffic.count()
        return self._ask(f"look at '{key}'", lambda files: files.length(key), missing=True)

    def list(self, prefix: str) -> list[Listed]:
        """Return the files whose keys begin with `prefix`, a folder with its slash, sorted by key."""
        found = self._ask(f"list '{prefix}'", lambda files: (files.root, [*files.list(prefix)]))
        assert found is not None
        self.traffic.count()
        root, files = found
        start = root.lstrip("/") + "/"
        keys = (
            Listed(file.path.lstrip("/").removeprefix(start), file.bytes, file.modified) for file in files
        )
        return sorted(listed for listed in keys if listed.key.startswith(prefix))

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files; those that are not there are none to remove."""
        if keys:
            self._ask(f"delete '{keys[0]}'", lambda files: files.delete(keys))
            self.traffic.count()

    def tidy(self, before: float) -> None:
        """Remove what writers that died before that time have left and no listing tells of."""
        self._ask("remove what is left", lambda files: files.tidy(before))
        self.traffic.count()

    def can_create_once(self, key: str, data: bytes) -> bool:
        """Return whether the filesystem refuses to create a file that is there: tried with one that holds `data`."""
        done = self._ask(f"create '{key}'", lambda files: _told(files.create, key, data), taken=True)
        self.traffic.count(sent=len(data))
        return done is None

    def now(self) -> float:
        """Return the time by the server's clock, in seconds since 1970: that of a file which is written for this."""
        key = f"clock/{nonce()}"
        self.put(key, b"")
        try:
            return max(listed.modified for listed in self.list("clock/") if listed.key == key)
        finally:
            # who may write may not always delete; gc takes what is left
            with suppress(RemoteDenied):
                self.delete([key])

    def each(self, call: Callable[[T], R], items: Iterable[T], *, ahead: int = AT_ONCE) -> Iterator[R]:
        """Yield `call(item)` of each of `items`, in order, a few of them under way at a time."""
        waiting: list[Future[R]] = []
        with ThreadPoolExecutor(ahead, thread_name_prefix="acc-remote") as pool:
            try:
                for item in items:
                    waiting.append(pool.submit(call, item))
                    if len(waiting) > ahead:
                        yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for future in waiting:
                    future.cancel()

    def _ask(
        self, what: str, call: Callable[[Files], T], *, missing: bool = False, taken: bool = False
    ) -> T | None:
        """Return what `call` returns; None for a file that is missing, or taken, where the caller expects that."""
        for attempt in range(1, _TRIES + 1):
            try:
                files = self._open()
                with self._room:
                    return call(files)
            except AccError:
                raise
            except Exception as err:
                trouble = kind_of_trouble(err)
                if (trouble == "missing" and missing) or (trouble == "taken" and taken):
                    return None
                if trouble != "passing" or attempt == _TRIES or self._hasty.is_set():
                    raise self._error(what, err) from err
                log.info("remote '%s': cannot %s, trying again (%s)", self.name, what, type(err).__name__)
            self._hasty.wait(_pause_seconds(attempt))
        raise AssertionError("not reached")

    def _error(self, what: str, err: Exception) -> Exception:
        """Return the error that the user is told of; what the library says may be long, and holds addresses."""
        trouble = kind_of_trouble(err)
        if trouble == "missing":
            return RemoteUnreachable(
                f"cannot {what} in remote '{self.name}': there is no such bucket or folder",
                hint="look at its url in acc.toml",
            )
        if trouble == "denied":
            return RemoteDenied(
                f"cannot {what} in remote '{self.name}': access is denied",
                hint="are the right credentials in the environment, or in the provider's own files?",
            )
        if trouble == "passing":
            return RemoteUnreachable(
                f"cannot {what} in remote '{self.name}': it does not answer ({type(err).__name__})",
                hint="nothing is lost; try again later",
            )
        if trouble == "short":
            return CorruptRemote(f"cannot {what} in remote '{self.name}': the file is cut short")
        if is_known(err):
            return RemoteUnreachable(f"cannot {what} in remote '{self.name}': {_short(err)}")
        return err

    def _open(self) -> Files:
        if self._files is None or self._owner != os.getpid():
            if self._owner != os.getpid():
                self._opening = (
                    threading.Lock()
                )  # in a forked child nobody would ever release that of its parent
                _of_parents.append(self._files)
                self._owner, self._files = os.getpid(), None
            with self._opening:
                if self._files is None:
                    self._files = open_files(self.url, self._options)
                    self._room = threading.BoundedSemaphore(self._files.at_once)
        return self._files


def _told(call: Callable[..., None], *arguments: Any) -> bool:
    call(*arguments)
    return True


def _pause_seconds(attempt: int) -> float:
    """Return how long to wait before another try: twice as long each time, and not all clients as long."""
    longest: float = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1)


def _short(err: Exception) -> str:
    """Return what an error says in one short line; of an error of the system its words, without number and path."""
    told = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
    text = " ".join(without_secrets(told).split()) or type(err).__name__
    return text if len(text) <= 200 else text[:200] + "..."
