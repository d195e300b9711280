"""Read the fields of a node's body: each getter returns what its name says or raises TypeError.

Whatever comes out of a store was written by somebody else, so a body is checked field by field before it
becomes a typed node; the decoder turns what is raised here into `NotANode`.
"""

from collections.abc import Mapping

from cas.formats.canonical import Json
from cas.oid import ObjectId, parse_oid


def as_text(value: Json) -> str:
    """Return `value`, a text."""
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r:.40}")
    return value


def as_int(value: Json) -> int:
    """Return `value`, an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected an integer, found {value!r:.40}")
    return value


def as_bool(value: Json) -> bool:
    """Return `value`, true or false."""
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, found {value!r:.40}")
    return value


def as_oid(value: Json) -> ObjectId:
    """Return `value`, a whole object id."""
    return parse_oid(as_text(value))


def as_list(value: Json) -> list[Json]:
    """Return `value`, a list."""
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {value!r:.40}")
    return value


def as_map(value: Json) -> dict[str, Json]:
    """Return `value`, a mapping of texts."""
    if not isinstance(value, dict):
        raise TypeError(f"expected a mapping, found {value!r:.40}")
    return value


def as_oids(value: Json) -> dict[str, ObjectId]:
    """Return `value`, a mapping of texts to object ids."""
    return {name: as_oid(oid) for name, oid in as_map(value).items()}


def as_texts(value: Json) -> dict[str, str]:
    """Return `value`, a mapping of texts to texts."""
    return {name: as_text(text) for name, text in as_map(value).items()}


def text_or_none(value: Json) -> str | None:
    """Return `value`, a text or null."""
    return None if value is None else as_text(value)


def oid_or_none(value: Json) -> ObjectId | None:
    """Return `value`, an object id or null."""
    return None if value is None else as_oid(value)


def to_json(mapping: Mapping[str, str]) -> dict[str, Json]:
    """Return `mapping` as plain JSON (a new dict, in the caller's order)."""
    return dict(mapping)
