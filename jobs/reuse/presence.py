"""Whether what came of a job can still be read: it is here, or a remote has it."""

from cas.errors import CorruptObject, NotANode, ObjectNotFound
from cas.oid import ObjectId
from cas.store import Store
from jobs.footprint import own_objects


def find_lost(store: Store, outcome: ObjectId) -> ObjectId | None:
    """Return an object of an outcome that can be had no more: a node, a file, or a part of a dataset; else None.

    Nobody is asked: what a remote has is known as of the last look at it. Where a project has no remote, what nodes
    link to is here, and this costs nothing.
    """
    try:
        return store.find_lost(own_objects(store, outcome))
    except ObjectNotFound as err:
        return ObjectId(err.oid)
    except (CorruptObject, NotANode):
        return outcome
