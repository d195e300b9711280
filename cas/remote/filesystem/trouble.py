"""What an error of a filesystem elsewhere means: each library has errors of its own, and acc four kinds of them."""

import errno
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

Trouble: TypeAlias = Literal["missing", "taken", "short", "denied", "passing", "other"]

_BY_STATUS: Final[dict[int, Trouble]] = {
    401: "denied",
    403: "denied",
    404: "missing",
    408: "passing",
    409: "passing",
    412: "taken",
    416: "short",
    429: "passing",
    500: "passing",
    502: "passing",
    503: "passing",
    504: "passing",
}
_BY_ERRNO: Final[dict[int, Trouble]] = dict.fromkeys(
    (
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EPIPE,
        errno.ETIMEDOUT,
        getattr(errno, "EREMOTEIO", errno.EIO),  # what s3fs makes of an internal error; not on macOS
    ),
    "passing",
)
_PACKAGES: Final = frozenset(
    {"adlfs", "aiohttp", "azure", "botocore", "fsspec", "gcsfs", "google", "paramiko", "requests"}
)
# by the names of their classes: what raises them need not be installed
_BY_NAME: Final[dict[str, Trouble]] = {
    "AuthenticationException": "denied",
    "ClientAuthenticationError": "denied",
    "CredentialRetrievalError": "denied",
    "DefaultCredentialsError": "denied",
    "NoCredentialsError": "denied",
    "PartialCredentialsError": "denied",
    "ProfileNotFound": "denied",
    "BadHostKeyException": "denied",
    "ResourceExistsError": "taken",
    "ClientConnectionError": "passing",
    "ClientPayloadError": "passing",
    "ConnectionError": "passing",
    "EOFError": "passing",
    "FSTimeoutError": "passing",
    "HTTPClientError": "passing",
    "IncompleteRead": "passing",
    "ReadTimeoutError": "passing",
    "ResponseParserError": "passing",
    "ResponseStreamingError": "passing",
    "SSHException": "passing",
    "ServiceRequestError": "passing",
    "TimeoutError": "passing",
    "NoValidConnectionsError": "passing",
    "gaierror": "passing",
}


def kind_of_trouble(error: BaseException) -> Trouble:
    """Return what an error means.

    Returns
    -------
    str
        "missing": there is no such file. "taken": a file is there that should not be, or is another than it should
        be. "short": it ends before what is wanted. "denied": one may not, or nobody knows who one is. "passing": it
        may well go when one tries again. "other": it will not.
    """
    if isinstance(error, FileNotFoundError):
        return "missing"
    if isinstance(error, FileExistsError):
        return "taken"
    if isinstance(error, PermissionError):
        return "denied"
    for each in _chain(error):
        found = _BY_STATUS.get(_status(each)) or _by_class(each) or _by_errno(each)
        if found is not None:
            return found
    return "other"


def is_known(error: BaseException) -> bool:
    """Return whether an error is one of those that filesystems raise, and no mistake of ours."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError | ValueError | NotImplementedError) or package in _PACKAGES


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made of."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _status(error: BaseException) -> int:
    """Return the HTTP status that an error tells, or 0."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    for name in ("status", "status_code", "code"):
        told = getattr(error, name, None)
        if isinstance(told, int):
            return told
    return 0


def _by_class(error: BaseException) -> Trouble | None:
    names = (each.__name__ for each in type(error).__mro__)
    return next((_BY_NAME[name] for name in names if name in _BY_NAME), None)


def _by_errno(error: BaseException) -> Trouble | None:
    return _BY_ERRNO.get(error.errno or 0) if isinstance(error, OSError) else None
