"""Jobs, datasets and files inside users' values: the tags that stand for them in a node.

A reference names content, never a label: `{"$job": outcome}`, `{"$dataset": {"name", "node"}}`,
`{"$withfile": {"blobs", "extra", "name", "sliced"}}`, `{"$input": {"content", "name"}}`. What can stand for
itself in this way says so with a method `to_reference`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from cas.errors import NotCanonical
from cas.formats.canonical import Json, tag, untag
from cas.oid import ObjectId
from jobs.nodes.fields import as_list, as_map, as_oid, as_text

JOB = "$job"
DATASET = "$dataset"
WITHFILE = "$withfile"
INPUT = "$input"
TAGS = frozenset({JOB, DATASET, WITHFILE, INPUT})

Dereference: TypeAlias = Callable[[str, Json], object]


@runtime_checkable
class Referable(Protocol):
    """A value that stands in a node as a reference."""

    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form: one key, one of the tags of this room."""


@runtime_checkable
class Saveable(Protocol):
    """A reference that, saved in a value, has to say more than it does in a key."""

    def to_saved_reference(self) -> dict[str, Json]:
        """Return the tagged form with what it takes to find the value again."""


def to_structure(value: object) -> Json:
    """Return a user's value as tagged structure, its jobs, datasets and files as references."""
    return tag(value, _reference)


def from_structure(structure: Json, dereference: Dereference) -> object:
    """Return the user's value; `dereference(tag, content)` gives what a reference stands for.

    Raises `NotCanonical` when there is a tag of some other kind: nobody would know what it stands for.
    """

    def known(tag: str, content: Json) -> object:
        if tag not in TAGS:
            raise NotCanonical(f"a value with an unknown tag '{tag}'")
        return dereference(tag, content)

    return untag(structure, known)


def _reference(value: object) -> Json | None:
    return value.to_reference() if isinstance(value, Referable) else None


class Found(NamedTuple):
    """A reference in a structure: where ("jobs.previous", "options.files.0"), which tag, and what stands in it."""

    path: str
    tag: str
    content: Json


def walk_references(structure: Json, path: str = "") -> Iterator[Found]:
    """Yield each reference in `structure`, in canonical order."""
    if isinstance(structure, list):
        for number, item in enumerate(structure):
            yield from walk_references(item, f"{path}.{number}" if path else str(number))
    elif isinstance(structure, dict):
        for key in sorted(structure):
            if key in TAGS:
                yield Found(path, key, structure[key])
            else:
                yield from walk_references(structure[key], f"{path}.{key}" if path else key)


def linked_nodes(structure: Json) -> Iterator[ObjectId]:
    """Yield the outcomes and dataset heads that `structure` refers to; raise as getters do for what is no reference."""
    for found in walk_references(structure):
        if found.tag == JOB:
            yield as_oid(found.content)
        elif found.tag == DATASET:
            as_text(as_map(found.content)["name"])
            yield as_oid(as_map(found.content)["node"])


def linked_blobs(structure: Json) -> Iterator[ObjectId]:
    """Yield the blobs of the files that `structure` refers to; an input file's content need not be stored.

    Raises as getters do for what is no reference.
    """
    for found in walk_references(structure):
        if found.tag in (WITHFILE, INPUT):
            as_text(as_map(found.content)["name"])
        if found.tag == INPUT:
            as_text(as_map(found.content)["content"])
        if found.tag == WITHFILE:
            yield from map(as_oid, as_list(as_map(found.content)["blobs"]))
