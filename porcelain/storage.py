"""From a configuration to the store and the refs under `.acc`, without the engine."""

from pathlib import Path
from typing import TYPE_CHECKING

from porcelain.config import DATA_FOLDER, Config, load

if TYPE_CHECKING:
    from cas.local.refs import LocalRefs
    from cas.local.store import LocalStore
    from cas.remote.state import Remote


def open_store(config: Config) -> "LocalStore":
    """Return the project's store; made on first use, since a fresh clone has no `.acc`."""
    # here, not above: what only asks the refs need not load zstandard, and below the other way round
    from cas.local.store import LocalStore

    if not _has_store(config):
        # refs first: where a store is and they are not, they are gone
        open_refs(config).create()
        return LocalStore.create(config.data, durability=config.durability)
    return LocalStore(config.data, durability=config.durability)


def open_store_to_read(root: Path) -> "LocalStore":
    """Return the store of the project in `root`, for a command that puts nothing into it."""
    from cas.local.store import LocalStore

    # acc.toml says nothing that reading needs, and to parse it is a tenth of the time of `acc cat-file -p ID`
    data = root / DATA_FOLDER
    return LocalStore(data) if (data / "format").is_file() else open_store(load(root))


def open_refs(config: Config) -> "LocalRefs":
    """Return the project's refs, with the listing tables of the engine; made on first use, as the store is."""
    from cas.local.refs import LocalRefs
    from jobs.reuse.index import TABLES

    return LocalRefs(
        config.data / "refs.sqlite", TABLES, durability=config.durability, create=not _has_store(config)
    )


def open_remote(config: Config, name: str) -> "Remote":
    """Return a remote of the project; nothing is asked of it yet."""
    from cas.oid import oid_of
    from cas.remote.bucket import Bucket
    from cas.remote.mirror import Mirror
    from cas.remote.state import Remote

    found = config.get_remote(name)
    folder = config.data / "cache" / "remotes" / oid_of(found.url.encode())[:16]
    return Remote(Bucket(found.url, found.options, name=name), Mirror(folder))


def _has_store(config: Config) -> bool:
    return (config.data / "format").is_file()
