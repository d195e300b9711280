"""Bytes, ids, names: objects named by their BLAKE3, and refs that point at them."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cas.errors import AccError as AccError
    from cas.local.refs import LocalRefs as LocalRefs
    from cas.local.store import LocalStore as LocalStore
    from cas.memory import MemoryStore as MemoryStore
    from cas.oid import ObjectId as ObjectId
    from cas.oid import oid_of as oid_of
    from cas.oid import oid_of_file as oid_of_file
    from cas.refs import Refs as Refs
    from cas.store import Store as Store

# each name is imported when it is asked for: whoever wants the id of a file need not load SQLite
_ROOMS = {
    "AccError": "cas.errors",
    "LocalRefs": "cas.local.refs",
    "LocalStore": "cas.local.store",
    "MemoryStore": "cas.memory",
    "ObjectId": "cas.oid",
    "Refs": "cas.refs",
    "Store": "cas.store",
    "oid_of": "cas.oid",
    "oid_of_file": "cas.oid",
}
__all__ = list(_ROOMS)


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'cas' has no attribute '{name}'")
    return getattr(import_module(_ROOMS[name]), name)
