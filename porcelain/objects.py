"""Objects by their ids alone, without any ref: short ids to whole ones and back, and what kind they are."""

import io
from typing import TYPE_CHECKING, BinaryIO, Final

from cas.errors import AccError, AmbiguousId, CorruptObject, NotANode, ObjectNotFound
from cas.oid import ObjectId, is_prefix
from cas.store import Store
from jobs.errors import NoSuchDataset, NoSuchFile, NoSuchJob

if TYPE_CHECKING:
    from cas.formats.node import Envelope

BLOB: Final = "blob"
CORRUPT: Final = "corrupt"
LEAST_DIGITS: Final = 4

ID_DIGITS: Final = 64
_CANDIDATES_SHOWN = 20
# of a candidate more than the prefix, so that it is one of the few that begin so
_DIGITS_MORE = 8
_LARGEST_NODE_BYTES = 1 << 26
# canonical JSON has no spaces, and blobs come before nodes: every node holds these bytes
_LINKS = b'"links":{"blobs":['


class SpecError(AccError, ValueError):
    """A text that names nothing, whatever the project holds."""


# what a text that names nothing here raises; one that names several objects raises AmbiguousId
NAMES_NOTHING: Final = (SpecError, NoSuchJob, NoSuchFile, NoSuchDataset, ObjectNotFound)


def is_whole_id(text: str) -> bool:
    """Return whether `text` is an object id with all its digits."""
    return len(text) == ID_DIGITS and is_prefix(text)


def get_whole_id(store: Store, prefix: str) -> ObjectId:
    """Return the id of the object that `prefix` stands for.

    Raises
    ------
    SpecError
        When it is not 4 to 64 hex digits.
    ObjectNotFound
        When no object begins so.
    AmbiguousId
        When several do; it names them with their kinds.
    """
    if not is_prefix(prefix):
        raise SpecError(f"'{prefix}' is no object id", hint="an object id is 4 to 64 hex digits")
    if is_whole_id(prefix):
        whole = ObjectId(prefix)
        found = [whole] if store.has(whole) or store.promises(whole) else []
    else:
        found = sorted(store.ids(prefix)) or sorted(store.promised_ids(prefix))
    if not found:
        raise ObjectNotFound(prefix)
    if len(found) > 1:
        shown = found[:_CANDIDATES_SHOWN]
        candidates = [f"{oid[: len(prefix) + _DIGITS_MORE]} ({_describe(store, oid)})" for oid in shown]
        raise AmbiguousId(prefix, candidates, more=len(found) - len(shown))
    return found[0]


def shortest_id(store: Store, oid: ObjectId, least: int = LEAST_DIGITS) -> str:
    """Return the first digits of `oid` that no other object begins with, at least so many."""
    others = [other for other in store.ids(oid[:least]) if other != oid]
    digits = least
    while any(other.startswith(oid[:digits]) for other in others):
        digits += 1
    return oid[:digits]


def get_kind(store: Store, oid: ObjectId) -> str:
    """Return the kind of a node, or "blob"."""
    with store.open(oid) as stream:
        return kind_of(stream)


def kind_of(stream: BinaryIO) -> str:
    """Return the kind of the node that `stream` reads, or "blob"; the stream is at its start then."""
    envelope = find_envelope(stream)
    stream.seek(0)
    return envelope.kind if envelope else BLOB


def find_envelope(stream: BinaryIO) -> "Envelope | None":
    """Return the envelope of the node that `stream` reads, or None when that is a blob."""
    # a look at the size and the first byte: a blob may be larger than memory
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > _LARGEST_NODE_BYTES or stream.read(1) != b"{":
        return None
    data = b"{" + stream.read()
    if _LINKS not in data:
        return None  # users store JSON too, and to parse it costs a hundred times as much as to look
    # here, not above: to print a blob takes a third less time without it
    from cas.formats.node import read_envelope

    try:
        return read_envelope(data)
    except NotANode:
        return None


def _describe(store: Store, oid: ObjectId) -> str:
    try:
        return get_kind(store, oid)
    except (CorruptObject, ObjectNotFound):
        return CORRUPT
