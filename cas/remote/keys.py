"""Where the files of a remote are: the keys of its format file, packs, indexes, large objects and leases.

Notes
-----
Source: docs/reference/formats/remote.md.
"""

import re
from typing import Final

from cas.remote.transaction import Change

FORMAT: Final = "format"
PACKS: Final = "packs/"
INDEXES: Final = "idx/"
OBJECTS: Final = "objects/"
LEASES: Final = "leases/"
CLOCK: Final = "clock/"
_PACK_SUFFIX: Final = ".pack"
_KEY: Final = re.compile(
    r"packs/[0-9a-f]{64}\.pack|idx/[0-9a-f]{64}|objects/([0-9a-f]{2})/\1[0-9a-f]{62}-[0-9]+"
)


def index_key(name: str) -> str:
    """Return the key of an index."""
    return INDEXES + name


def pack_key(name: str) -> str:
    """Return the key of a pack."""
    return PACKS + name + _PACK_SUFFIX


def object_key(oid: str, file_bytes: int) -> str:
    """Return the key of a large object whose file has that length: stored forms differ from writer to writer."""
    return f"{OBJECTS}{oid[:2]}/{oid}-{file_bytes}"


def is_of_objects(key: str) -> bool:
    """Return whether a key is that of a pack, an index or a large object."""
    return _KEY.fullmatch(key) is not None


def named_by(change: Change) -> set[str]:
    """Return the keys of the packs, indexes and large objects that a change tells of."""
    keys = {object_key(oid, large.file_bytes) for oid, large in change.objects.items() if large is not None}
    for name, packs in change.indexes.items():
        if packs is not None:
            keys |= {index_key(name), *map(pack_key, packs)}
    return keys
