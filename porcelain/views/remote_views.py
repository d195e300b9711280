"""Remotes as plain dicts: what acc.toml says of them."""

from porcelain.settings.remote import Remote
from porcelain.views.plain import View, plain


def remote_view(remote: Remote) -> View:
    """Return all that is configured of a remote; it holds no secret."""
    return {
        "name": remote.name,
        "url": remote.url,
        "read": remote.read,
        "write": remote.write,
        "trusted": remote.trusted,
        "options": plain(remote.options),
    }
