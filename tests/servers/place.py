"""A place at a server where a remote may be: its URL, its options, and how acc finds the keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self


@dataclass(frozen=True)
class Place:
    """`options` stand in acc.toml, what is secret is only in `environment`; `secrets` give fsspec the same here."""

    url: str
    options: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is in its filesystem."""
        from fsspec.core import strip_protocol

        return str(strip_protocol(self.url))

    def filesystem(self, **more: Any) -> Any:
        """Return a new filesystem, which shares and remembers nothing."""
        from fsspec.core import url_to_fs

        options = {**self.options, **self.secrets, "skip_instance_cache": True, **more}
        if self.url.startswith("s3:"):
            options.setdefault("use_listings_cache", False)
        return url_to_fs(self.url, **options)[0]

    def through(self, endpoint_url: str) -> Self:
        """Return the same place as it is seen through a proxy."""
        return replace(self, options={**self.options, "endpoint_url": endpoint_url})

    def known_by(self, key: str, secret: str) -> Self:
        """Return the same place for somebody with other keys."""
        return replace(self, **s3_keys(key, secret))


def s3_keys(key: str, secret: str) -> dict[str, Mapping[str, str]]:
    """Return the keys as fsspec and as the environment have them."""
    environment = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    return {"secrets": {"key": key, "secret": secret}, "environment": environment}
