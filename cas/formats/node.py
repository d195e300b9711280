"""The envelope of every node: kind, format and links, derived by the encoder and checked by the decoder.

gc, fsck and transfer follow the links and know nothing of the rest, so a node may never hold an id that its
links do not name: that is why no caller writes links, and why a decoded node must name the same ones again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, Self, TypeVar, cast

from cas.errors import NotANode, NotCanonical, UnknownFormat
from cas.formats.canonical import Json, dumps, loads
from cas.oid import ObjectId
from cas.store import Store

_ENVELOPE: Final = frozenset({"kind", "format", "links"})
_HEX_DIGITS: Final = b"0123456789abcdef"


class Node(Protocol):
    """A kind of node: a frozen dataclass that knows its body and what it links to."""

    KIND: ClassVar[str]
    FORMAT: ClassVar[int]

    def to_body(self) -> dict[str, Json]:
        """Return its fields as they stand in the JSON, beside kind, format and links."""

    def blobs(self) -> Iterable[ObjectId]:
        """Return all blobs that the body names, in any order."""

    def nodes(self) -> Iterable[ObjectId]:
        """Return all nodes that the body names, in any order."""

    @classmethod
    def from_body(cls, body: dict[str, Json]) -> Self:
        """Return the node with this body; `LookupError`, `TypeError` or `ValueError` say that it is none."""


N = TypeVar("N", bound=Node)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What can be said of a node of any kind."""

    kind: str
    format: int
    blobs: tuple[ObjectId, ...]
    nodes: tuple[ObjectId, ...]
    body: dict[str, Json]


def encode(node: Node) -> bytes:
    """Return the bytes of `node`: canonical JSON, with its links."""
    body = node.to_body()
    assert not _ENVELOPE & body.keys(), f"{node.KIND} has a field that the envelope has"
    links: Json = {"blobs": _links(node.blobs()), "nodes": _links(node.nodes())}
    return dumps({"kind": node.KIND, "format": node.FORMAT, "links": links, **body})


def decode(data: bytes, cls: type[N]) -> N:
    """Return the node of kind `cls` whose bytes `data` is; raise `NotANode` or `UnknownFormat`."""
    envelope = read_envelope(data)
    if envelope.kind != cls.KIND:
        raise NotANode(f"a '{envelope.kind}' node where a '{cls.KIND}' is wanted")
    if envelope.format != cls.FORMAT:
        raise UnknownFormat(
            f"a '{cls.KIND}' node of format {envelope.format}; this acc reads format {cls.FORMAT}",
            hint="it was written by another version of acc",
        )
    try:
        node = cls.from_body(envelope.body)
        links = (_links(node.blobs()), _links(node.nodes()))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as err:
        raise NotANode(f"a '{cls.KIND}' node with a wrong body: {type(err).__name__}: {err}") from err
    if links != ([*envelope.blobs], [*envelope.nodes]):
        raise NotANode(f"a '{cls.KIND}' node whose links are not those of its body")
    return node


def read_envelope(data: bytes) -> Envelope:
    """Return kind, format, links and body of a node of any kind; raise `NotANode` when `data` is none."""
    try:
        structure = loads(data)
    except NotCanonical as err:
        raise NotANode(f"no node: {err}") from err
    if not isinstance(structure, dict) or not structure.keys() >= _ENVELOPE:
        raise NotANode("no node: it lacks kind, format or links")
    kind, version, links = structure["kind"], structure["format"], structure["links"]
    if not isinstance(kind, str) or type(version) is not int:
        raise NotANode("no node: its kind is no text or its format no number")
    if not isinstance(links, dict) or links.keys() != {"blobs", "nodes"}:
        raise NotANode("no node: its links are not blobs and nodes")
    body = {key: value for key, value in structure.items() if key not in _ENVELOPE}
    return Envelope(kind, version, _read_links(links["blobs"]), _read_links(links["nodes"]), body)


def put_node(store: Store, node: Node) -> ObjectId:
    """Store `node` and return its id; what it links to must be there before."""
    return store.put(encode(node))


def get_node(store: Store, oid: ObjectId, cls: type[N]) -> N:
    """Return the node of kind `cls` named `oid`; raise `ObjectNotFound`, `NotANode` or `UnknownFormat`."""
    try:
        return decode(store.get(oid), cls)
    except (NotANode, UnknownFormat) as err:
        raise type(err)(f"object '{oid}' is {err}", hint=err.hint) from err


def _links(oids: Iterable[ObjectId]) -> list[Json]:
    return [*sorted(set(oids))]


def _read_links(links: Json) -> tuple[ObjectId, ...]:
    # all at once: a run has hundreds of links, and looking at each alone cost more than parsing the JSON
    try:
        texts = cast("list[str]", links)
        only_hex = not "".join(texts).encode().translate(None, delete=_HEX_DIGITS)
        fits = only_hex and {64}.issuperset(map(len, texts)) and texts == sorted(set(texts))
    except TypeError:
        fits = False
    if not fits:
        raise NotANode("no node: its links are not object ids, each once and sorted")
    return cast("tuple[ObjectId, ...]", tuple(texts))
