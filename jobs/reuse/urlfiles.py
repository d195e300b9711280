"""Input files at URLs: fetched by fsspec into a folder, anew when what is there is not what it was."""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from blake3 import blake3

from cas.errors import AccError
from cas.files import find_abandoned, temporary_path
from cas.formats.canonical import Json
from cas.oid import ObjectId, oid_of_file
from jobs.errors import NoSuchFile, OptionError
from jobs.method.cache import RACY_NS, Cache
from jobs.method.options import InputPath

log = logging.getLogger(__name__)

_KIND: Final = "remote"
# of what filesystems tell of a file, by names without case and dashes: what tells one content from another
_MARKS: Final = frozenset({"etag", "contentmd5", "md5hash", "crc32c", "digest", "versionid", "generation"})
# and what does so unless it is young
_TIMES: Final = frozenset({"mtime", "lastmodified", "updated"})
# an etag that files share whose contents are said to mean the same
_WEAK: Final = "W/"
_DAY_SECONDS: Final = 86_400


class UrlFiles:
    """The files at URLs, as far as they were asked for.

    Only a process that forks no other afterwards may ask: clients for most protocols have threads.

    Parameters
    ----------
    folder
        Where they are put, one for each URL; it may be deleted at any time.
    cache
        Remembers what a filesystem said of a file when it was fetched.
    """

    def __init__(self, folder: Path, cache: Cache) -> None:
        self._folder = folder
        self._cache = cache

    def get(self, url: str) -> InputPath:
        """Return the file at `url`, named by it without its query.

        It is fetched unless its filesystem says of it what it said when it was fetched before.

        Raises
        ------
        NoSuchFile
            When it cannot be had.
        OptionError
            When the URL has a password in it, or what reads it is not installed.
        """
        name = _name_of(url)
        key = blake3(url.encode()).hexdigest(length=16)
        path = self._folder / key
        with _naming(name, url):
            files, place = _open_filesystem(url)
            version = _version(files, place)
            known = self._cache.get(_KIND, key)
            if version is not None and isinstance(known, list) and known[:-1] == [version]:
                content = ObjectId(str(known[-1]))
                if self._has(path, content):
                    return InputPath(name, path, content)
            content = self._fetch(files, place, path)
            if version is not None and _version(files, place) == version:
                self._cache.put(_KIND, key, [version, content])
        log.debug("fetched %s", name)
        return InputPath(name, path, content)

    def _has(self, path: Path, content: ObjectId) -> bool:
        try:
            return self._cache.file_id(path) == content
        except OSError:
            return False

    def _fetch(self, files: Any, place: str, path: Path) -> ObjectId:
        self._folder.mkdir(parents=True, exist_ok=True)
        for abandoned in find_abandoned(self._folder, age_seconds=_DAY_SECONDS):
            abandoned.unlink(missing_ok=True)
        temporary = temporary_path(self._folder)
        try:
            files.get_file(place, str(temporary))
            content = oid_of_file(temporary)
            # who reads what was there before goes on reading it
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return content


# ---- names and errors


def _name_of(url: str) -> str:
    """Return the URL without its query, in which there may be a signature; refuse one with a password."""
    for part in url.split("::"):
        scheme, user = urlsplit(part).scheme, urlsplit(part).netloc.rpartition("@")[0]
        if ":" in user:
            raise OptionError(
                f"an input file at '{scheme}://...' has a password in its URL",
                hint="its file system takes passwords from the environment or a file of its own",
            )
    return re.split("[?#]", url, maxsplit=1)[0]


@contextmanager
def _naming(name: str, url: str) -> Iterator[None]:
    """Raise what goes wrong with a URL as errors that do not have its query."""
    try:
        yield
    except AccError:
        raise
    except ImportError as err:
        raise OptionError(
            f"'{name}' cannot be read: {err}", hint="install what it asks for with pip"
        ) from None
    except Exception as err:  # noqa: BLE001 - of what many clients raise, which are not ours
        reason = _reason(err.__cause__ or err, shown=name == url)
        raise NoSuchFile(f"no input file '{name}'", hint=reason) from None


def _reason(err: BaseException, *, shown: bool) -> str:
    """Return what went wrong; `shown`: whether the URL may be among it."""
    words = str(err) if shown else ""
    status = getattr(err, "status", None)
    if status is not None:
        # the rest has the URL that a server redirects to, which may be signed
        words = f"{status} {getattr(err, 'message', '')}".strip()
    return f"{type(err).__name__}: {words}" if words else type(err).__name__


# ---- filesystems


def _open_filesystem(url: str) -> tuple[Any, str]:
    """Return the filesystem of a URL, and the place of the file in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise OptionError(
            "a URL needs fsspec, which is not installed", hint="pip install 'acc[remote]'"
        ) from None
    files, place = url_to_fs(url)
    files.invalidate_cache()  # of folders that were listed earlier in this process
    return files, place


def _version(files: Any, place: str) -> Json:
    """Return what tells the content of a file from others, as its filesystem says, or None when that is too little."""
    info: Mapping[str, Any] = files.info(place)
    if info.get("type") == "directory":
        raise IsADirectoryError("it is a folder")
    told = {re.sub("[-_]", "", key).lower(): value for key, value in info.items() if value not in (None, "")}
    told = {key: value for key, value in told.items() if key in _MARKS | _TIMES | {"size"}}
    marks = {key for key in told.keys() & _MARKS if not str(told[key]).startswith(_WEAK)}
    times = [_seconds(told[key]) for key in told.keys() & _TIMES]
    if marks or ("size" in told and times and all(map(_is_old, times))):
        return {key: str(value) for key, value in sorted(told.items())}
    return None


def _is_old(seconds: float | None) -> bool:
    # as of a local file, but by two clocks
    return seconds is not None and seconds < time.time() - RACY_NS / 1e9


def _seconds(told: object) -> float | None:
    """Return a time, as filesystems tell it, in seconds since 1970; None when it is none."""
    try:
        if isinstance(told, datetime):
            return told.timestamp()
        return parsedate_to_datetime(told).timestamp() if isinstance(told, str) else float(str(told))
    except ValueError:
        return None
