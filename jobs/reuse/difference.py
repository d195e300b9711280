"""What differs between what two jobs were given: code, options, inputs, slices and environment, by name and value."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final, Literal, TypeAlias

from cas.errors import AccError
from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.facets.runs import get_run
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Inputs, Outcome
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE, from_structure, walk_references
from jobs.nodes.run import ActionKey
from jobs.nodes.source import Source
from jobs.reuse.changes import ABSENT, changes, pair_in_words
from jobs.reuse.index import JobIndex
from jobs.reuse.key import KeyParts, action_key

Kind: TypeAlias = Literal["source", "version", "option", "dataset", "job", "slices", "environment"]

_SHORT: Final = 40
_ID_SHOWN: Final = 12
_GROUPS: Final[tuple[Kind, ...]] = ("option", "dataset", "job")


@dataclass(frozen=True, slots=True)
class Reference:
    """A job, dataset or file that a job was given.

    Attributes
    ----------
    tag : str
        Which of these it is.
    content : Json
        What stands in the node, by which it counts.
    row : JobRow or None
        The job that it comes from; None for an input file, and where nobody knows.
    """

    tag: str
    content: Json
    row: JobRow | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """The id of what it refers to: of an outcome, a dataset or a file."""
        if isinstance(self.content, str):
            return self.content
        # in what a fact from elsewhere says may be anything
        content = self.content if isinstance(self.content, dict) else {}
        if self.tag == WITHFILE:
            blobs = content.get("blobs")
            return str(blobs[0]) if isinstance(blobs, list) and blobs else ""
        return str(content.get("node" if self.tag == DATASET else "content", ""))

    @property
    def name(self) -> str:
        """Name of the dataset or file; "" of a job."""
        return str(self.content.get("name", "")) if isinstance(self.content, dict) else ""

    def __repr__(self) -> str:
        if self.tag == INPUT:
            return repr(self.name)
        label = self.row.label if self.row else self.id[:_ID_SHOWN]
        return label + {JOB: "", DATASET: "/", WITHFILE: ":"}[self.tag] + self.name


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    Attributes
    ----------
    kind, name : str
        What it is: an option and its name, a file of the source and its path, a distribution ...
    place : str
        Where in the value of an option, as "['a'][0]"; "" for all of it.
    before, after : object
        The values; `ABSENT` for what is not there, `Reference` for jobs, datasets and files. Of a file of the source
        the ids.
    """

    kind: Kind
    name: str
    before: object
    after: object
    place: str = ""

    @property
    def subject(self) -> str:
        """What it is about, for people."""
        if self.kind == "slices":
            return "slices"
        if self.kind == "version":
            return f"version of '{self.name}'"
        if self.kind == "environment":
            return self.name
        if self.kind == "source":
            return f"source {self.name}"
        return f"{self.kind} '{self.name}'" + (f" at {self.place}" if self.place else "")

    def values(self, room: int) -> tuple[str, str]:
        """Return before and after in words of at most `room` characters; "" and "" when these say nothing."""
        if self.kind == "source":
            return "", ""
        if self.kind == "environment":
            return str(self.before), str(self.after)
        words = pair_in_words(self.before, self.after, room)
        return ("", "") if words[0] == words[1] else words

    def verb(self) -> str:
        """Return what happened to it: "new", "gone" or "changed"."""
        return "new" if self.before is ABSENT else "gone" if self.after is ABSENT else "changed"

    def __str__(self) -> str:
        before, after = self.values(_SHORT)
        if before or after:
            return f"{self.subject}: {before} -> {after}"
        if isinstance(self.after, Reference) and self.after.tag == INPUT:
            return f"{self.subject}: content of {self.after!r} changed"
        return f"{self.subject} {self.verb()}"


class Side:
    """What one job was given, or is to be given.

    Parameters
    ----------
    parts, key
        Its action key, and what that is made of as far as it is known: the version of a stored job is not.
    read_source
        Gives its source node.
    read
        Gives a blob of its source.
    find_origin
        Gives the job that a reference of its inputs comes from.
    """

    def __init__(
        self,
        parts: KeyParts,
        key: ActionKey,
        *,
        read_source: Callable[[], Source],
        read: Callable[[ObjectId], bytes],
        find_origin: Callable[[str, Json], JobRow | None],
    ) -> None:
        self.parts = parts
        self.key = key
        self._read_source = read_source
        self._read = read
        self._find_origin = find_origin

    @classmethod
    def of_job(cls, store: Store, index: JobIndex, row: JobRow) -> "Side":
        """Return what a stored job was given; of one that failed only code and environment are known."""
        run = get_run(store, row.run)
        outcome = get_node(store, row.outcome, Outcome) if row.outcome else Outcome("", 0, Inputs(), {}, {})
        parts = KeyParts(row.method, run.source, None, outcome.inputs, outcome.slices, run.environment)

        @cache
        def origins() -> Mapping[tuple[str, bytes], ObjectId]:
            # by what they are, once: of ten thousand inputs each is asked for
            came = dict(reversed([*run.inputs]))
            found: dict[tuple[str, bytes], ObjectId] = {}
            for each in walk_references(outcome.inputs.to_json()):
                if each.path in came:
                    found.setdefault((each.tag, dumps(each.content)), came[each.path])
            return found

        def find_origin(tag: str, content: Json) -> JobRow | None:
            origin = origins().get((tag, dumps(content)))
            return index.of_run(origin) if origin else None

        return cls(
            parts,
            run.key,
            read_source=lambda: get_node(store, run.source, Source),
            read=store.get,
            find_origin=find_origin,
        )

    @cached_property
    def source(self) -> Source:
        """The source node; like the version it is asked for again and again when many jobs are compared with one."""
        return self._read_source()

    @cached_property
    def version(self) -> int | None:
        """The number by which it counts when it is of a standard method, else None."""
        if self.parts.version is not None or action_key(self.parts) == self.key:
            return self.parts.version
        return _declared_version(self._read(self.source.files[self.source.main]))

    def text(self, path: str) -> str:
        """Return a file of the source; one that is not there is empty."""
        blob = self.source.files.get(path)
        return "" if blob is None else self._read(blob).decode("utf-8", "replace")

    def value(self, structure: Json) -> object:
        """Return the value of a structure of its inputs, with a `Reference` for each job, dataset and file."""
        return from_structure(structure, self.reference)

    def reference(self, tag: str, content: Json) -> Reference:
        """Return what a tag of its inputs refers to."""
        return Reference(tag, content, None if tag == INPUT else self._find_origin(tag, content))


def differences(before: Side, after: Side) -> list[Difference]:
    """Return what differs between what two jobs of a method were given."""
    slices = before.parts.slices, after.parts.slices
    return [
        *_code(before, after),
        *_inputs(before, after),
        *([Difference("slices", "slices", *slices)] if slices[0] != slices[1] else ()),
        *_environment(before.parts.environment, after.parts.environment),
    ]


def count_things(before: Side, after: Side) -> int:
    """Return how many things differ, as far as that shows without a look at what they are."""
    old, new = before.parts, after.parts
    count = (old.source != new.source) + (old.slices != new.slices) + (old.environment != new.environment)
    for then, now in zip(_groups(old.inputs), _groups(new.inputs), strict=True):
        if then != now:
            count += sum(then.get(name, ABSENT) != now.get(name, ABSENT) for name in {*then, *now})
    return count


def _groups(inputs: Inputs) -> tuple[Mapping[str, Json], ...]:
    return inputs.options, inputs.datasets, inputs.jobs


def code_diff(before: Side, after: Side, path: str, names: tuple[str, str]) -> list[str]:
    """Return a unified diff of a file of the source; `names` are what the two sides are called in it."""
    return text_diff(before.text(path), after.text(path), (f"{names[0]}: {path}", f"{names[1]}: {path}"))


def text_diff(before: str, after: str, names: tuple[str, str]) -> list[str]:
    """Return a unified diff of two texts."""
    # here, not above: a build says in one line what differs
    from difflib import unified_diff

    return list(unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


def _code(before: Side, after: Side) -> Iterator[Difference]:
    if before.parts.source == after.parts.source:
        return
    versions = before.version, after.version
    if None not in versions:
        if versions[0] != versions[1]:
            yield Difference("version", after.parts.method, *versions)
        return
    old, new = before.source, after.source
    for path in sorted({*old.files, *new.files}):
        blobs = old.files.get(path, ABSENT), new.files.get(path, ABSENT)
        if blobs[0] != blobs[1]:
            yield Difference("source", path, *blobs)


def _inputs(before: Side, after: Side) -> Iterator[Difference]:
    for kind, old, new in zip(
        _GROUPS, _groups(before.parts.inputs), _groups(after.parts.inputs), strict=True
    ):
        for name in sorted({*old, *new}):
            if name in old and name in new and dumps(old[name]) == dumps(new[name]):
                continue
            was = before.value(old[name]) if name in old else ABSENT
            now = after.value(new[name]) if name in new else ABSENT
            for change in changes(was, now):
                yield Difference(kind, name, change.before, change.after, change.place)


def _environment(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Difference("environment", name, before.get(name, ABSENT), after.get(name, ABSENT))


def _declared_version(code: bytes) -> int | None:
    """Return the number that the text of a method assigns to `version`."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "version":
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, int):
                return value.value
    return None


def size_of(differing: list[Difference], before: Side, after: Side) -> int:
    """Return how much differs: the places in options and inputs, and the lines of the source."""
    size = 0
    for each in differing:
        try:
            size += _lines_changed(before, after, each.name) if each.kind == "source" else 1
        except AccError:
            size += 1  # a file of the source is missing
    return size


def _lines_changed(before: Side, after: Side, path: str) -> int:
    return sum(line[:1] in "+-" for line in code_diff(before, after, path, ("", ""))[2:])
