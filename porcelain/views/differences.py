"""What differs, as plain dicts and lines: between what jobs were given, and between what came of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cas.errors import AccError
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.comparison.outcomes import OutcomeDifference, compare_outcomes
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE
from jobs.reuse.changes import ABSENT
from jobs.reuse.difference import Difference, Reference, Side, code_diff, text_diff
from porcelain.views.plain import View, plain

_ROOM: Final = 400
_TEXT_BYTES: Final = 64 << 10
_SHOWN_BELOW: Final = 4
# the kinds of what differs in what came of a job; the others are of what it was given
CAME_OUT: Final = ("file", "dataset", "column")


@dataclass(frozen=True, slots=True)
class Sides:
    """Two jobs that are compared by what they were given.

    Attributes
    ----------
    names : tuple of str
        What the two are called: their labels, or "now".
    sizes : mapping of str to int
        Bytes of input files that are known, by content; the store knows those that it has.
    """

    store: Store
    before: Side
    after: Side
    names: tuple[str, str]
    sizes: Mapping[str, int] = field(default_factory=dict)

    def size_of(self, blob: str) -> int | None:
        """Return the bytes of a file, when anybody knows."""
        return self.sizes.get(blob, _size_of(self.store, blob))


def difference(sides: Sides, found: Difference) -> View:
    """Return one thing that differs between what two jobs were given."""
    lines = _are_lines(found)
    values = ("", "") if lines else found.values(_ROOM)
    detail = _known_detail(sides, found)
    is_diff = found.kind == "source" and detail[1:2]
    return {
        "kind": found.kind,
        "name": found.name,
        "place": found.place,
        "what": f"{found.subject} changed" if lines else str(found),
        "subject": found.subject,
        "before": _value(found.before),
        "after": _value(found.after),
        "words": list(values) if any(values) else None,
        "changed_lines": [sum(line[:1] == sign for line in detail[2:]) for sign in "+-"] if is_diff else None,
        "detail": detail,
    }


def _value(value: object) -> Any:
    """Return a value as JSON has it; a job, dataset or file as its spec and its id."""
    if value is ABSENT:
        return None
    if isinstance(value, Reference):
        return {"spec": value.name if value.tag == INPUT else repr(value), "id": value.id}
    return plain(value)


def _known_detail(sides: Sides, found: Difference) -> list[str]:
    try:
        return list(_detail(sides, found))
    except AccError as err:
        return [f"what differs in it is not known: {err}"]


def _detail(sides: Sides, found: Difference) -> Iterator[str]:
    """Yield more lines about a difference: a text as a diff, of an input what differs in what came of it."""
    old, new = found.before, found.after
    if found.kind == "source":
        yield from code_diff(sides.before, sides.after, found.name, sides.names)
    elif _are_lines(found):
        yield from text_diff(str(old), str(new), sides.names)
    elif isinstance(old, Reference) and isinstance(new, Reference):
        yield from _inside(sides, old, new)


def _are_lines(found: Difference) -> bool:
    """Return whether the values are texts that are best told apart line by line."""
    values = found.before, found.after
    return found.kind == "option" and all(isinstance(value, str) and "\n" in value for value in values)


def _inside(sides: Sides, old: Reference, new: Reference) -> Iterator[str]:
    if INPUT in (old.tag, new.tag):
        same = old.id == new.id
        yield (
            "the same content"
            if same
            else f"content {_id_and_size(sides, old)} -> {_id_and_size(sides, new)}"
        )
    if old.tag != new.tag:
        return
    if old.tag in (INPUT, WITHFILE):
        yield from file_diff(sides.store, (ObjectId(old.id), ObjectId(new.id)), (repr(old), repr(new)))
    elif old.tag in (JOB, DATASET) and old.row and new.row:
        yield from _below(sides.store, old.row, new.row)


def _id_and_size(sides: Sides, file: object) -> str:
    if not isinstance(file, Reference):
        return repr(file)
    size = sides.size_of(file.id)
    return file.id[:12] + (f" ({size:,} bytes)" if size is not None else "")


def _size_of(store: Store, blob: str) -> int | None:
    """Return the size of a file when its bytes are stored, which those of input files need not be."""
    try:
        return store.size_of(ObjectId(blob))
    except AccError:
        return None


def file_diff(store: Store, blobs: tuple[ObjectId, ObjectId], names: tuple[str, str]) -> list[str]:
    """Return a unified diff of two stored files; nothing when they are large, no texts, or not stored."""
    texts = [_text_of(store, blob) for blob in blobs]
    return text_diff(texts[0], texts[1], names) if texts[0] is not None and texts[1] is not None else []


def _text_of(store: Store, blob: ObjectId) -> str | None:
    size = _size_of(store, blob)
    if size is None or size > _TEXT_BYTES:
        return None
    try:
        text = store.get(blob).decode()
    except (AccError, UnicodeDecodeError):
        return None
    return None if "\0" in text else text


def _below(store: Store, old: JobRow, new: JobRow) -> Iterator[str]:
    """Yield what differs in the outcomes of two jobs that were inputs, one level down."""
    assert old.outcome is not None
    assert new.outcome is not None
    if old.method != new.method:
        yield f"another method: {old.method} -> {new.method}"
        return
    found = compare_outcomes(
        store, get_node(store, old.outcome, Outcome), get_node(store, new.outcome, Outcome)
    )
    came_out = [in_words(each) for each in found if each.kind in ("file", "dataset")] + list(_columns(found))
    given = [in_words(each) for each in found if each.kind not in CAME_OUT]
    shown = [*given[:_SHOWN_BELOW], *came_out[:_SHOWN_BELOW]]
    yield from shown
    more = len(given) + len(came_out) - len(shown)
    if more:
        yield f"and {more} more; 'acc diff {old.label} {new.label}' tells all"


def _columns(found: Sequence[OutcomeDifference]) -> Iterator[str]:
    """Yield a line for each dataset whose columns differ."""
    by_dataset: dict[str, list[str]] = {}
    for each in found:
        if each.kind == "column" and each.column not in by_dataset.setdefault(each.name, []):
            by_dataset[each.name].append(each.column)
    for dataset, names in by_dataset.items():
        yield f"dataset '{dataset}': other columns: {', '.join(names)}"


def outcome_difference(found: OutcomeDifference) -> View:
    """Return one thing that differs between two outcomes."""
    return {
        "kind": found.kind,
        "name": found.name,
        "column": found.column or None,
        "slice": found.sliceno,
        "row": found.row,
        "what": found.what,
        "before": found.before,
        "after": found.after,
        "same_value": found.same_value,
    }


def in_words(found: OutcomeDifference) -> str:
    """Return a line about one thing that differs between two outcomes."""
    name = f" '{found.name}'" if found.name else ""
    return f"{found.kind}{name}: {how(outcome_difference(found))}"


def how(view: View) -> str:
    """Return in words how a thing differs of which `outcome_difference` tells; a column with its name."""
    column = f"column '{view['column']}': " if view["column"] else ""
    values = " -> ".join(value for value in (view["before"], view["after"]) if value)
    return f"{column}{view['what']}" + (f": {values}" if values else "")
