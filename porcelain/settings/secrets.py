"""Secrets, which acc.toml does not take: it lies in version control, and every colleague has it."""

import re
from typing import Final

from cas.url import USER_SCHEMES, Url, holds_secret
from porcelain.settings.place import ConfigError, Place
from porcelain.settings.service import credentials_hint

_SEPARATORS = re.compile(r"[^a-z0-9]")
# how the names end under which s3fs, gcsfs, adlfs, paramiko, aiohttp and others take secrets, without case and dashes
_ENDINGS: Final = (
    "key",
    "accesskeyid",
    "secret",
    "token",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "credential",
    "credentials",
    "connectionstring",
    "auth",
    "authorization",
    "cookie",
    "cookies",
    "signature",
    "sas",
)
_NAMES: Final = {"pass", "sig"}
# what gcsfs takes under the name of `token` that is none: how to log in, or the file that holds it
_WAYS: Final = {"anon", "browser", "cache", "cloud", "google_default"}
_FILE = re.compile(r"[^\s{}\"']+\.json")


def refuse_secret_url(place: Place, url: Url, text: str) -> None:
    """Raise `ConfigError` when there is a password, a key or a signature in a URL."""
    hint = f"leave it out; {credentials_hint(url.scheme)}"
    if url.password is not None:
        raise place.refusal("has a password in it, and acc.toml is no place for one", hint=hint)
    if url.user and url.scheme not in USER_SCHEMES:
        raise place.refusal(
            "has a key or a token before its '@', and acc.toml is no place for one", hint=hint
        )
    names = re.findall(r"[?&#;]([^=&;]+)=", url.query)
    if holds_secret(text) or any(map(_names_secret, names)):
        raise place.refusal("has a key or a signature in it, and acc.toml is no place for one", hint=hint)


def refuse_secret_options(place: Place, options: object, scheme: str) -> None:
    """Raise `ConfigError` when a secret is among options, at any depth: by its name or by its looks."""
    if isinstance(options, dict):
        for name, value in options.items():
            inner = place.within(name)
            if _names_secret(name) and not _is_harmless(name, value, scheme):
                raise _refusal(inner, "is a secret", scheme)
            refuse_secret_options(inner, value, scheme)
    elif isinstance(options, list):
        for value in options:
            refuse_secret_options(place, value, scheme)
    elif isinstance(options, str) and holds_secret(options):
        raise _refusal(place, "looks like a secret", scheme)


def _refusal(place: Place, what: str, scheme: str) -> ConfigError:
    return place.refusal(
        f"{what}, and acc.toml is no place for one", hint=f"leave it out; {credentials_hint(scheme)}"
    )


def _names_secret(name: str) -> bool:
    plain = _SEPARATORS.sub("", name.lower())
    return plain in _NAMES or plain.endswith(_ENDINGS)


def _is_harmless(name: str, value: object, scheme: str) -> bool:
    if isinstance(value, bool):
        return True
    # whatever is in an inner table is looked at by its own name, but gcsfs takes a table for a token
    if scheme == "gs" and name == "token":
        return isinstance(value, str) and (value in _WAYS or bool(_FILE.fullmatch(value)))
    return False
