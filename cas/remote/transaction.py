"""One change of what a remote holds: refs, indexes over packs, large objects, and files that are dropped.

Several changes one after the other make one change; all of them make the state of the remote.

Notes
-----
Source: docs/reference/formats/remote.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self, TypeVar

from cas.errors import CorruptRemote, NotCanonical, UnknownFormat, UnsafeName
from cas.files import check_name
from cas.formats.canonical import Json, dumps, is_dense, loads
from cas.oid import ObjectId, is_oid

V = TypeVar("V")

_FORMAT: Final = 1
_FIELDS: Final = frozenset({"deleting", "dropped", "format", "indexes", "nonce", "objects", "refs", "why"})
_MOST_BYTES: Final = 1 << 62


class LargeObject(NamedTuple):
    """How long an object with a file of its own is, its stored form, and that file; in bytes."""

    raw_bytes: int
    stored_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction, or what several say together.

    Attributes
    ----------
    nonce : str
        Tells it from every other, also from one that says the same.
    why : str
        What it was for, in a few words.
    refs : mapping of str to ObjectId or None
        Refs that are set, or deleted.
    indexes : mapping of str to mapping of str to int, or None
        Indexes that come, each with the packs that it tells of and their lengths in bytes; or go.
    objects : mapping of str to LargeObject or None
        Large objects that come, or go, by their ids.
    dropped : mapping of str to int or None
        Files that are no longer needed, by key, and since when by the server's clock, in seconds since 1970; or of
        which this need not be said any more.
    deleting : mapping of str to int or None
        Files that somebody is deleting, and since when, so that nobody may send one of that name or rely on it; or
        that are gone.
    """

    nonce: str
    why: str = ""
    refs: Mapping[str, ObjectId | None] = field(default_factory=dict)
    indexes: Mapping[str, Mapping[str, int] | None] = field(default_factory=dict)
    objects: Mapping[str, LargeObject | None] = field(default_factory=dict)
    dropped: Mapping[str, int | None] = field(default_factory=dict)
    deleting: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.refs or self.indexes or self.objects or self.dropped or self.deleting)

    def then(self, later: "Change", *, from_the_start: bool) -> "Change":
        """Return what this change and a later one say together.

        Parameters
        ----------
        from_the_start
            Nothing stands before this one: what goes need not be told.
        """
        return Change(
            nonce=later.nonce,
            why="merged",
            refs=_both(self.refs, later.refs, from_the_start=from_the_start),
            indexes=_both(self.indexes, later.indexes, from_the_start=from_the_start),
            objects=_both(self.objects, later.objects, from_the_start=from_the_start),
            dropped=_both(self.dropped, later.dropped, from_the_start=from_the_start),
            deleting=_both(self.deleting, later.deleting, from_the_start=from_the_start),
        )

    def encode(self) -> bytes:
        """Return it as canonical JSON."""
        indexes: dict[str, Json] = {
            name: None if packs is None else dict(packs) for name, packs in self.indexes.items()
        }
        objects: dict[str, Json] = {
            oid: None if large is None else [*large] for oid, large in self.objects.items()
        }
        return dumps(
            {
                "format": _FORMAT,
                "nonce": self.nonce,
                "why": self.why,
                "refs": dict(self.refs),
                "indexes": indexes,
                "objects": objects,
                "dropped": dict(self.dropped),
                "deleting": dict(self.deleting),
            }
        )

    @classmethod
    def decode(cls, data: bytes, where: str) -> Self:
        """Return the change that `encode` gave as `data`.

        Whoever can write to a bucket can write anything there: what names files or refs is checked.

        Raises
        ------
        CorruptRemote
            When it is none.
        UnknownFormat
            When a later version of acc wrote it.
        """
        try:
            if is_dense(data):
                raise ValueError("too many lists")
            body = loads(data)
            if not isinstance(body, dict) or type(body["format"]) is not int:
                raise ValueError("no format")
            if body["format"] != _FORMAT:
                raise UnknownFormat(
                    f"'{where}' has format {body['format']}, which this acc does not know",
                    hint="use a newer acc",
                )
            if body.keys() != _FIELDS:
                raise ValueError("other fields")
            return cls(
                nonce=_text(body["nonce"]),
                why=_text(body["why"]),
                refs=_mapping(body["refs"], check_name, _oid),
                indexes=_mapping(body["indexes"], _oid, _packs),
                objects=_mapping(body["objects"], _oid, _large),
                dropped=_mapping(body["dropped"], check_name, _size),
                deleting=_mapping(body["deleting"], check_name, _size),
            )
        except (NotCanonical, UnsafeName, ValueError, KeyError, TypeError, AttributeError) as err:
            raise CorruptRemote(f"'{where}' is no transaction of a remote: {err}") from err


def _both(
    first: Mapping[str, V | None], second: Mapping[str, V | None], *, from_the_start: bool
) -> dict[str, V | None]:
    both = {**first, **second}
    return {name: value for name, value in both.items() if value is not None} if from_the_start else both


def _mapping(body: Json, key: Callable[[str], str], value: Callable[[Json], V]) -> dict[str, V | None]:
    if not isinstance(body, dict):
        raise TypeError("no mapping")
    return {key(name): None if content is None else value(content) for name, content in body.items()}


def _text(body: Json) -> str:
    if not isinstance(body, str):
        raise TypeError("no text")
    return body


def _oid(body: Json) -> ObjectId:
    if not isinstance(body, str) or not is_oid(body):
        raise TypeError("no object id")
    return ObjectId(body)


def _size(body: Json) -> int:
    if type(body) is not int or not 0 <= body <= _MOST_BYTES:
        raise TypeError("no size")
    return body


def _packs(body: Json) -> dict[str, int]:
    if not isinstance(body, dict):
        raise TypeError("no packs")
    return {_oid(name): _size(length) for name, length in body.items()}


def _large(body: Json) -> LargeObject:
    if not isinstance(body, list) or len(body) != len(LargeObject._fields):
        raise TypeError("no large object")
    return LargeObject(*map(_size, body))
