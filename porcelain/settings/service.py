"""What reads which URLs, how it is installed, and where it finds who the user is."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final, NamedTuple

from porcelain.settings.place import ConfigError


class Service(NamedTuple):
    """What is behind the URLs of a scheme.

    Attributes
    ----------
    module
        What has to be importable, beside fsspec.
    extra
        What `pip install 'acc[...]'` installs it with.
    credentials
        Where passwords and keys belong: who asks for them there.
    read_only
        It takes no files.
    """

    module: str
    extra: str
    credentials: str
    read_only: bool = False


_WEB: Final = Service(
    "aiohttp",
    "remote",
    "passwords belong into ~/.netrc, which is read if client_kwargs has trust_env = true",
    read_only=True,
)
SERVICES: Final[Mapping[str, Service]] = {
    "s3": Service(
        "s3fs",
        "s3",
        "s3fs takes keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from ~/.aws/credentials, where profile = "
        '"NAME" picks one',
    ),
    "gs": Service(
        "gcsfs",
        "gcs",
        "gcsfs takes keys from the file that GOOGLE_APPLICATION_CREDENTIALS names, or from 'gcloud auth "
        "application-default login'",
    ),
    "abfs": Service(
        "adlfs",
        "azure",
        "adlfs takes keys from AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING; "
        "with anon = false from 'az login'",
    ),
    "sftp": Service(
        "paramiko", "ssh", "ssh takes keys from the ssh agent, ~/.ssh, or the file that key_filename names"
    ),
    "http": _WEB,
    "https": _WEB,
}
# other names of the same schemes; a place has one URL, or two projects would take it for two
ALIASES: Final[Mapping[str, str]] = {
    "s3a": "s3",
    "gcs": "gs",
    "az": "abfs",
    "abfss": "abfs",
    "ssh": "sftp",
    "local": "file",
}


def credentials_hint(scheme: str) -> str:
    """Return where credentials for URLs of `scheme` belong."""
    service = SERVICES.get(scheme)
    if service is not None:
        return service.credentials
    return "credentials belong into environment variables, or a file that its filesystem reads by itself"


def check_installed(scheme: str) -> None:
    """Raise `ConfigError` when what reads URLs of `scheme` is not installed; nothing of it is loaded."""
    if not _is_there("fsspec"):
        raise _missing(scheme, "fsspec", SERVICES[scheme].extra if scheme in SERVICES else "remote")
    if scheme in SERVICES:
        service = SERVICES[scheme]
        if not _is_there(service.module):
            raise _missing(scheme, service.module, service.extra)
        return
    from fsspec.registry import known_implementations, registry

    if scheme in registry:
        return
    if scheme not in known_implementations:
        raise ConfigError(f"no filesystem for '{scheme}' URLs", hint="acc knows " + ", ".join(SERVICES))
    known = known_implementations[scheme]
    module = known["class"].partition(".")[0]
    if not _is_there(module):
        raise ConfigError(f"'{scheme}' URLs need {module}, which is not installed", hint=known.get("err", ""))


def _is_there(module: str) -> bool:
    return find_spec(module) is not None


def _missing(scheme: str, module: str, extra: str) -> ConfigError:
    return ConfigError(
        f"'{scheme}' URLs need {module}, which is not installed", hint=f"pip install 'acc[{extra}]'"
    )
