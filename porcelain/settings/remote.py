"""Remotes, as acc.toml names them: `[remotes.NAME]`."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from cas.url import find_url, without_secrets
from porcelain.settings.address import canonical_url
from porcelain.settings.place import Place, check_known, flag, table
from porcelain.settings.secrets import refuse_secret_options
from porcelain.settings.service import SERVICES

TABLE: Final = "remotes"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")
# `acc push dev-12` means the job
_LABEL = re.compile(r".*-(\d+|LATEST)")
_KNOWN: Final = ("url", "read", "write", "trusted", "options")


class Remote(NamedTuple):
    """A named place elsewhere.

    Attributes
    ----------
    url
        One for each place, whatever acc.toml calls it: of a folder `file://` and its absolute path. It holds no secret.
    options
        What fsspec is given beside the URL.
    read
        Builds look there for jobs before they compute.
    write
        Builds publish there what they have computed.
    trusted
        What comes from there may be loaded, run again, and given to jobs.
    """

    name: str
    url: str
    options: Mapping[str, object]
    read: bool
    write: bool
    trusted: bool

    @property
    def scheme(self) -> str:
        """What its URL begins with, as `s3`."""
        return self.url.partition(":")[0]


def read_remotes(path: Path, value: object) -> Mapping[str, Remote]:
    """Return the remotes that the table `[remotes]` of the `acc.toml` at `path` names, in their order."""
    place = Place(path, TABLE, secretive=True)
    found = table(place, value)
    return MappingProxyType(
        {name: read_remote(place.within(name), name, value) for name, value in found.items()}
    )


def read_remote(place: Place, name: str, value: object) -> Remote:
    """Return the remote `name`, of which `value` is the table at `place`.

    Raises
    ------
    ConfigError
        When the table says what no remote can be, or holds a secret, which the error does not repeat.
    """
    check_name(place, name)
    given = table(place, value)
    check_known(place, given, _KNOWN, hint="; what its filesystem is given goes into the table 'options'")
    if "url" not in given:
        raise place.refusal("has no 'url'", hint='such as url = "s3://bucket/folder"')
    flags = {key: flag(place.within(key), given.get(key, False)) for key in ("read", "write", "trusted")}
    url = canonical_url(place.within("url"), given["url"])
    remote = Remote(name, url, MappingProxyType(_options(place, given, url)), **flags)
    _check_flags(place, remote)
    return remote


def check_name(place: Place, name: str) -> None:
    """Raise `ConfigError` when `name` cannot name a remote."""
    if not _NAME.fullmatch(name) or _LABEL.fullmatch(name):
        raise place.remark(
            f"'{without_secrets(name)}' cannot name a remote",
            hint="use letters, digits, '_' and '-', beginning with a letter, and nothing like dev-12, which is a label",
        )


def _options(place: Place, given: Mapping[str, object], url: str) -> dict[str, object]:
    inner = place.within("options")
    options = table(inner, given.get("options", {}))
    parts = find_url(url)
    refuse_secret_options(inner, options, parts.scheme if parts else "")
    return options


def _check_flags(place: Place, remote: Remote) -> None:
    service = SERVICES.get(remote.scheme)
    if remote.write and service is not None and service.read_only:
        raise place.within("write").refusal(
            f"cannot be true: {remote.scheme} URLs are only read",
            hint="push by another way to the same folder, such as sftp://",
        )
    if remote.read and not remote.trusted:
        raise place.within("read").refusal(
            "needs 'trusted = true': what a build reuses, it takes as its own",
            hint="stored values are pickles, which can run code, and a claim that a job was done is not checked; say "
            "trusted = true if you trust all who can write there",
        )
