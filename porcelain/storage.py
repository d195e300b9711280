"""From a configuration to the store and the refs under `.acc`, without the engine."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from porcelain.config import DATA_FOLDER, Config, load

if TYPE_CHECKING:
    from cas.local.refs import LocalRefs
    from cas.local.store import LocalStore, Source
    from cas.remote.place import Place
    from cas.remote.state import Remote
    from cas.store import Store
    from jobs.reuse.trust import Trust

_FOLDER_DIGITS = 16


def open_store(config: Config) -> "LocalStore":
    """Return the project's store; made on first use, since a fresh clone has no `.acc`."""
    # here, not above: what only asks the refs need not load zstandard, and below the other way round
    from cas.local.store import LocalStore

    if not _has_store(config):
        # refs first: where a store is and they are not, they are gone
        open_refs(config).create()
        store = LocalStore.create(config.data, durability=config.durability)
    else:
        store = LocalStore(config.data, durability=config.durability)
    if config.remotes:
        store.source = _open_source(lambda: config)
    return store


def open_store_to_read(root: Path) -> "LocalStore":
    """Return the store of the project in `root`, for a command that puts nothing into it."""
    from cas.local.store import LocalStore

    # acc.toml says nothing that reading needs, and to parse it is a tenth of the time of `acc cat-file -p ID`
    data = root / DATA_FOLDER
    if not (data / "format").is_file():
        return open_store(load(root))
    store = LocalStore(data)
    store.source = _open_source(lambda: load(root))
    return store


def open_refs(config: Config, *, hasty: bool = False) -> "LocalRefs":
    """Return the project's refs, with the listing tables of the engine; made on first use, as the store is.

    Parameters
    ----------
    hasty
        The last of what is written may be lost in a power failure: for what can be had again.
    """
    from cas.local.refs import LocalRefs
    from jobs.reuse.index import TABLES

    durability = "later" if hasty and config.durability != "none" else config.durability
    return LocalRefs(
        config.data / "refs.sqlite", TABLES, durability=durability, create=not _has_store(config)
    )


def places(config: Config) -> "list[Place]":
    """Return where the remotes of the project are, in the order of acc.toml."""
    if not config.remotes:
        return []
    from cas.oid import oid_of
    from cas.remote.place import Place

    return [
        Place(
            name=remote.name,
            url=remote.url,
            options=dict(remote.options),
            folder=config.data / "cache" / "remotes" / oid_of(remote.url.encode())[:_FOLDER_DIGITS],
            trusted=remote.trusted,
        )
        for remote in config.remotes.values()
    ]


def open_remote(config: Config, name: str) -> "Remote":
    """Return a remote of the project; nothing is asked of it yet. Where runs come from is noted as they arrive."""
    remote = config.get_remote(name)
    (place,) = (place for place in places(config) if place.name == remote.name)
    return place.open(open_trust(config).arriving(place.url))


def open_remote_stores(config: Config) -> "list[Store]":
    """Return the objects of each remote of the project, to fetch good copies from."""
    if not config.remotes:
        return []
    from cas.remote.store import RemoteStore

    return [RemoteStore(open_remote(config, name)) for name in config.remotes]


def open_trust(config: Config) -> "Trust":
    """Return what says what may be done with runs that came from elsewhere."""
    from jobs.reuse.trust import FILE, Origins, Trust

    return Trust(Origins(config.data / FILE), places(config))


def _open_source(find_config: Callable[[], Config]) -> "Source":
    """Return where objects are found that are promised; neither remotes nor acc.toml are looked at before one is."""
    from cas.remote.place import LatePromises

    def remotes() -> "list[Remote]":
        config = find_config()
        return [open_remote(config, name) for name in config.remotes]

    return LatePromises(remotes)


def _has_store(config: Config) -> bool:
    return (config.data / "format").is_file()
