"""URLs of places elsewhere: their parts, what in one is secret, and how one is shown without that."""

import re
from typing import Final, NamedTuple

# whose URLs have a user in them that is no secret; the others log in with keys and tokens
USER_SCHEMES: Final = frozenset(
    {"sftp", "ssh", "ftp", "ftps", "smb", "webhdfs", "hdfs", "abfs", "abfss", "az"}
)

# what follows is a path, whatever is in it
_FOLDER_SCHEMES: Final = frozenset({"file", "local"})

_HIDDEN: Final = "***"
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_WITHIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
# as ssh and git write a place, `user:password@host:path`, which is no URL
_PLAIN_LOGIN = re.compile(r"\A[^/:@\s]+:[^/@\s]*@")
_PORT = re.compile(r"\d+/")
# texts that are nothing but secrets, whatever they are called: keys of AWS, private keys, signed tokens, tokens of
# Google and GitHub, what Azure signs with and what it has signed, and the header of a login
_KEYS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|-----BEGIN .*"
    r"|\beyJ[\w-]{10,}\.[\w.-]+"
    r"|\bya29\.[\w-]+"
    r"|\b(?:gh[oprsu]_|github_pat_)\w{20,}"
    r"|\b(?:AccountKey|SharedAccessSignature|SharedAccessKey)=[^;\s]*"
    r"|(?<![\w+/])[A-Za-z0-9+/]{86}=="
    r"|\b(?:sig|X-Amz-Signature|X-Goog-Signature|Signature)=[^&\s]+"
    r"|\b(?:Bearer|Basic) [\w+/=.~-]{8,}",
    re.DOTALL,
)


class Url(NamedTuple):
    """A URL in its parts: `password` is None when there is none; `query` begins with `?` or `#`."""

    scheme: str
    user: str
    password: str | None
    host: str
    path: str
    query: str


def find_url(text: str) -> Url | None:
    """Return the URL that `text` is, or None when it is none.

    >>> find_url("sftp://anna@host:22/data")
    Url(scheme='sftp', user='anna', password=None, host='host:22', path='/data', query='')
    """
    match = _URL.fullmatch(text)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    if scheme in _FOLDER_SCHEMES:
        return Url(scheme, "", None, "", match["rest"], "")
    user, password, rest = _login(match["rest"])
    host, tail = _cut(rest, "/?#")
    path, query = _cut(tail, "?#")
    return Url(scheme, user, password, host, path, query)


def holds_secret(text: str) -> bool:
    """Return whether a password, a key or a token is to be seen in `text`, be it a URL or not."""
    if _KEYS.search(text) or _PLAIN_LOGIN.match(text):
        return True
    urls = [text, *_WITHIN.findall(text)] if "://" in text else []
    return any(url is not None and url.password is not None for url in map(find_url, urls))


def without_secrets(text: str) -> str:
    """Return a URL, or a text with URLs in it, fit to be shown: without passwords, tokens, keys and queries.

    >>> without_secrets("sftp://anna:hunter2@host/data")
    'sftp://anna:***@host/data'
    >>> without_secrets("cannot read https://host/data?sig=abc")
    'cannot read https://host/data?***'
    """
    if _URL.fullmatch(text):
        # as a whole: a password may hold what ends a URL in a sentence
        shown = _shown(text)
    else:
        shown = _WITHIN.sub(lambda match: _shown(match[0]), _PLAIN_LOGIN.sub(f"{_HIDDEN}@", text))
    return _KEYS.sub(_HIDDEN, shown)


def _shown(text: str) -> str:
    url = find_url(text)
    if url is None:
        return text
    user = url.user if url.scheme in USER_SCHEMES else (_HIDDEN if url.user else "")
    login = user if url.password is None else f"{user}:{_HIDDEN}"
    query = f"{url.query[0]}{_HIDDEN}" if url.query else ""
    return f"{url.scheme}://{login}{'@' if login else ''}{url.host}{url.path}{query}"


def _login(rest: str) -> tuple[str, str | None, str]:
    """Return user, password and what follows them; a password may hold what has a meaning elsewhere: `/`, `@`, `?`."""
    before, at, after = rest.rpartition("@")
    user, colon, password = before.partition(":")
    if at and colon and not user.startswith("[") and "/" not in user and not _PORT.match(password):
        return user, password, after
    user, at, _ = _cut(rest, "/?#")[0].rpartition("@")
    return user, None, rest[len(user) + len(at) :]


def _cut(text: str, marks: str) -> tuple[str, str]:
    """Return what is before the first of `marks`, and the rest."""
    at = min((found for found in map(text.find, marks) if found >= 0), default=len(text))
    return text[:at], text[at:]
