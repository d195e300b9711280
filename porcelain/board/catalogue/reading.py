"""What a job's nodes tell the catalogue: the objects that it holds, their sizes, and the words by which it is found."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from cas.errors import AccError, CorruptObject, NotANode, ObjectNotFound
from cas.formats.canonical import Json
from cas.formats.node import Envelope, read_envelope
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.store import Sizes
from jobs.footprint import walk_own
from jobs.nodes.fields import as_list, as_map, as_oid, as_oids, as_text
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import INPUT, WITHFILE, from_structure, walk_references
from jobs.nodes.run import Run
from porcelain.board.catalogue.uses import FILE, given_of
from porcelain.views.plain import plain

_DAMAGE: Final = (CorruptObject, NotANode, ObjectNotFound)
# nodes that many jobs share, such as sources and the columns of a chain, are kept; the largest of them are small
_MOST_KEPT: Final = 2_000
_LONGEST_KEPT: Final = 100_000
# of a field that goes on and on, the beginning is searched
_LONGEST_FIELD: Final = 20_000
# what separates texts, or marks places in them, stands in none of them
_CONTROLS: Final = dict.fromkeys([*range(32), 127], " ")


class Told(NamedTuple):
    """What the nodes of a job tell.

    Attributes
    ----------
    sizes : mapping of ObjectId to Sizes
        Of the objects that it holds of its own and that are here.
    lacking : bool
        Some of them are not here, or damaged.
    texts : mapping of str to list of str
        What to find it by, for some of the fields of `FIELDS`; "places" has the dataset of each column.
    given : mapping of ObjectId to int
        The runs and input files that it was given, and how, as numbers of `HOW_WORDS`.
    """

    sizes: Mapping[ObjectId, Sizes]
    lacking: bool
    texts: Mapping[str, list[str]]
    given: Mapping[ObjectId, int]


class JobReader:
    """Reads jobs from what is here; nothing is asked of remotes."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store.alone()
        self._kept: dict[ObjectId, Envelope] = {}

    def read(self, run: ObjectId) -> Told:
        """Return what the nodes of a run tell, as far as they can be read."""
        seen: dict[ObjectId, Envelope] = {}

        def read(oid: ObjectId) -> Envelope:
            seen[oid] = self._envelope(oid)
            return seen[oid]

        held: dict[ObjectId, None] = {}
        lacking = False
        try:
            for oid in walk_own(read, run):
                held[oid] = None
        except _DAMAGE:
            lacking = True
        sizes = {
            oid: found for oid in held if (found := self._find_sizes(oid, was_read=oid in seen)) is not None
        }
        texts: dict[str, list[str]] = {}
        given: dict[ObjectId, int] = {}
        for envelope in seen.values():
            try:
                for field, lines in _texts_of(envelope, seen):
                    texts.setdefault(field, []).extend(lines)
                given |= _given_of(envelope)
            except (AccError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError):
                lacking = True
        return Told(sizes, lacking or len(sizes) < len(held), texts, given)

    def _envelope(self, oid: ObjectId) -> Envelope:
        found = self._kept.get(oid)
        if found is None:
            # has: what is missing is not looked for twice, as one looks for what others may be moving
            if not self._store.has(oid):
                raise ObjectNotFound(oid, where=self._store.name)
            data = self._store.get(oid)
            found = read_envelope(data)
            if len(data) <= _LONGEST_KEPT and found.kind not in (Run.KIND, Outcome.KIND, "job"):
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[oid] = found
        return found

    def _find_sizes(self, oid: ObjectId, *, was_read: bool) -> Sizes | None:
        try:
            return self._store.sizes_of(oid) if was_read or self._store.has(oid) else None
        except (AccError, OSError):
            return None


def joined(texts: Iterable[str]) -> str:
    """Return texts as a field holds them, a line each; what separates them stands in none."""
    lines, left = [], _LONGEST_FIELD
    for text in texts:
        # a lone surrogate is no text of UTF-8, and SQLite takes none
        line = text[:left].translate(_CONTROLS).encode("utf-8", "replace").decode()
        lines.append(line)
        left -= len(line) + 1
        if left <= 0:
            break
    return "\n".join(lines)


def _texts_of(envelope: Envelope, nodes: Mapping[ObjectId, Envelope]) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield fields, and what a node that is none of a dataset adds to each; `nodes` are those that could be read."""
    body = envelope.body
    if envelope.kind == Run.KIND:
        failure = body["failure"]
        yield "failure", [as_text(as_map(failure)["message"])] if failure else []
    elif envelope.kind == Outcome.KIND:
        options = as_map(as_map(body["inputs"])["options"])
        yield "options", [f"{name}={_shown(value)}" for name, value in options.items()]
        yield "files", sorted(as_map(body["files"]))
        datasets = as_oids(body["datasets"])
        yield "datasets", list(datasets)
        for name, node in datasets.items():
            if node in nodes:
                yield from _dataset_texts(name, nodes[node].body)


def _given_of(envelope: Envelope) -> dict[ObjectId, int]:
    """Return what a node says that its job was given: runs, and input files by their contents."""
    if envelope.kind == Run.KIND:
        inputs = map(as_list, as_list(envelope.body["inputs"]))
        subjobs = map(as_list, as_list(envelope.body["subjobs"]))
        return given_of(
            ((as_text(path), as_oid(run)) for path, run in inputs), (as_oid(run) for run, _ in subjobs)
        )
    if envelope.kind != Outcome.KIND:
        return {}
    contents = (
        as_oid(as_map(found.content)["content"])
        for found in walk_references(envelope.body["inputs"])
        if found.tag == INPUT
    )
    return dict.fromkeys(contents, FILE)


def _dataset_texts(name: str, head: Mapping[str, Json]) -> Iterator[tuple[str, Iterable[str]]]:
    columns = [as_text(as_map(column)["name"]) for column in as_list(head["columns"])]
    yield "columns", columns
    yield "places", [name] * len(columns)
    yield "datasets", [as_text(head[key]) for key in ("filename", "caption") if head.get(key)]


def _shown(value: Json) -> str:
    shown = plain(from_structure(value, _name_of))
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _name_of(tag: str, content: Any) -> str:
    return str(content["name"]) if tag in (INPUT, WITHFILE) else ""
