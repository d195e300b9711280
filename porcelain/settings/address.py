"""Where a remote is: what acc.toml says, in the one form that acc uses."""

import re
from typing import Final

from cas.url import Url, find_url, holds_secret, without_secrets
from porcelain.settings.place import Place
from porcelain.settings.secrets import refuse_secret_url
from porcelain.settings.service import ALIASES, SERVICES, credentials_hint

FILE: Final = "file"

# no text of UTF-8 has these surrogates: they stand for bytes of a command line
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# what fsspec takes for a pattern, or for one filesystem over another, wherever it stands
_MEANINGFUL = re.compile(r"[*?\[\]]|::")
_FOLDER_URL = re.compile(r"(?:file|local):(?://(?:localhost(?=/))?)?", re.IGNORECASE)
# `simplecache::s3://...`: one filesystem over another
_CHAIN = re.compile(r"[A-Za-z][\w+.-]*::|.*::[A-Za-z][\w+.-]*://", re.DOTALL)
# `anna@server:/data` and `s3:/bucket`
_NEARLY = re.compile(r"(?P<before>[^/\s]+):(?P<after>.*)", re.DOTALL)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+)(?::\d{1,5})?")
# whose URLs begin with the name of a server, in which case does not count
_SERVERS: Final = {"sftp", "ftp", "ftps", "smb", "http", "https", "webhdfs"}
_EXAMPLES: Final = "such as s3://bucket/folder, sftp://user@server/folder, or the path of a folder"


def canonical_url(place: Place, value: object) -> str:
    """Return the URL of a remote as acc uses it: of a folder its absolute path, with one name for each scheme.

    Raises
    ------
    ConfigError
        When it is no URL and no folder, or holds a secret, which the error does not repeat.
    """
    if not isinstance(value, str) or not value.strip() or _UNFIT.search(value):
        raise place.error("a URL or a folder", value)
    text = value.strip()
    if _FOLDER_URL.match(text):
        return _of_folder(place, _FOLDER_URL.sub("", text, count=1))
    url = find_url(text)
    if url is None or _CHAIN.match(text):
        _refuse_nearly(place, text)
        return _of_folder(place, text)
    url = url._replace(scheme=ALIASES.get(url.scheme, url.scheme))
    refuse_secret_url(place, url, text)
    return _of_url(place, url)


def is_relative_folder(text: str) -> bool:
    """Return whether a text names a folder, and which one depends on where it is said."""
    return ":" not in text.partition("/")[0] and not text.startswith(("/", "~"))


def _of_folder(place: Place, text: str) -> str:
    path = place.resolve(text or ".")
    root = place.path.parent
    if path == root or path.is_relative_to(root / ".acc"):
        raise place.refusal("is the project itself", hint="a remote has a folder of its own")
    _check_path(place, str(path), str(path))
    return f"{FILE}://{path}"


def _of_url(place: Place, url: Url) -> str:
    shown = without_secrets(f"{url.scheme}://{url.host}{url.path}")
    if url.query:
        raise place.refusal(
            f"has a '{url.query[0]}' in it, and a remote is a folder",
            hint="what its filesystem should know goes into the table 'options' of the remote",
        )
    if not url.host and url.scheme != "memory":
        raise place.refusal(f"names no server and no bucket: '{shown}'", hint=_EXAMPLES)
    if url.scheme in _SERVERS and not _HOST.fullmatch(url.host):
        raise place.refusal(f"has no server's name before its folder: '{shown}'", hint=_EXAMPLES)
    if {".", ".."}.intersection(url.path.split("/")):
        raise place.refusal(f"must go down only, without '.' and '..': '{shown}'")
    _check_path(place, url.path, shown)
    host = url.host.lower() if url.scheme in _SERVERS else url.host
    return f"{url.scheme}://{url.user}{'@' if url.user else ''}{host}{url.path.rstrip('/')}"


def _check_path(place: Place, path: str, shown: str) -> None:
    found = _MEANINGFUL.search(path)
    if found:
        raise place.refusal(
            f"has '{found[0]}' in it, which filesystems take for a pattern or more: '{shown}'"
        )


def _refuse_nearly(place: Place, text: str) -> None:
    """Raise `ConfigError` for what somebody may take for a URL, and is neither that nor meant as a folder."""
    if _CHAIN.match(text):
        raise place.refusal(
            "puts one filesystem over another",
            hint="name the place alone; acc keeps what it has read in the project's store",
        )
    match = _NEARLY.fullmatch(text)
    if match is None:
        return
    if holds_secret(text):
        raise place.refusal(
            "has a password in it, and acc.toml is no place for one",
            hint=f"leave it out; {credentials_hint('sftp')}",
        )
    before, after = match["before"], match["after"].lstrip("/")
    is_scheme = before.lower() in SERVICES or before.lower() in ALIASES
    meant = f"{before}://{after}" if is_scheme else f"sftp://{before}/{after}"
    raise place.refusal(
        f"is no URL: '{text}'", hint=f"did you mean '{meant}'? A folder may be written as ./NAME"
    )
