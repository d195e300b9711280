"""From a configuration to the store and the refs under `.acc`, without the engine."""

from typing import TYPE_CHECKING

from cas.local.refs import LocalRefs
from jobs.reuse.index import TABLES
from porcelain.config import Config

if TYPE_CHECKING:
    from cas.local.store import LocalStore


def open_store(config: Config) -> "LocalStore":
    """Return the project's store; made on first use, since a fresh clone has no `.acc`."""
    # here, not above: what only asks the refs need not load zstandard
    from cas.local.store import LocalStore

    if not (config.data / "format").is_file():
        return LocalStore.create(config.data, durability=config.durability)
    return LocalStore(config.data, durability=config.durability)


def open_refs(config: Config) -> LocalRefs:
    """Return the project's refs, with the listing tables of the engine."""
    return LocalRefs(config.data / "refs.sqlite", TABLES, durability=config.durability)
