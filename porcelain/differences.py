"""What differs, as plain dicts and lines: between what jobs were given, and between what came of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from cas.errors import AccError
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.compare import OutcomeDifference, compare_outcomes
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE
from jobs.reuse.changes import ABSENT
from jobs.reuse.difference import Difference, Reference, Side, code_diff, text_diff
from porcelain.plain import View, plain

_ROOM = 400
_TEXT_BYTES = 64 << 10
_SHOWN_BELOW = 6


def difference(store: Store, found: Difference, before: Side, after: Side, names: tuple[str, str]) -> View:
    """Return one thing that differs between what two jobs were given.

    Parameters
    ----------
    names
        What the two are called: their labels, or "now".
    """
    values = found.values(_ROOM)
    detail = list(_detail(store, found, before, after, names))
    changed = (
        [sum(line[:1] == sign for line in detail[2:]) for sign in "+-"] if found.kind == "source" else None
    )
    return {
        "kind": found.kind,
        "name": found.name,
        "place": found.place,
        "what": str(found),
        "subject": found.subject,
        "before": _value(found.before),
        "after": _value(found.after),
        "words": list(values) if any(values) else None,
        "changed_lines": changed,
        "detail": detail,
    }


def _value(value: object) -> Any:
    """Return a value as JSON has it; a job, dataset or file as its spec and its id."""
    if value is ABSENT:
        return None
    if isinstance(value, Reference):
        return {"spec": value.name if value.tag == INPUT else repr(value), "id": value.id}
    return plain(value)


def _detail(
    store: Store, found: Difference, before: Side, after: Side, names: tuple[str, str]
) -> Iterator[str]:
    """Yield more lines about a difference: a text as a diff, of an input what differs in what came of it."""
    old, new = found.before, found.after
    if found.kind == "source":
        yield from code_diff(before, after, found.name, names)
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        yield from text_diff(old, new, names)
    elif isinstance(old, Reference) and isinstance(new, Reference):
        yield from _inside(store, old, new)


def _inside(store: Store, old: Reference, new: Reference) -> Iterator[str]:
    if INPUT in (old.tag, new.tag):
        yield f"content {_id_and_size(store, old)} -> {_id_and_size(store, new)}"
    if old.tag != new.tag:
        return
    if old.tag in (INPUT, WITHFILE):
        yield from file_diff(store, (ObjectId(old.id), ObjectId(new.id)), (repr(old), repr(new)))
    elif old.tag in (JOB, DATASET) and old.row and new.row:
        yield from _below(store, old.row, new.row)


def _id_and_size(store: Store, file: Reference) -> str:
    size = _size_of(store, file.id)
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
    try:
        found = compare_outcomes(
            store, get_node(store, old.outcome, Outcome), get_node(store, new.outcome, Outcome)
        )
    except AccError as err:
        yield f"what differs in them is not known: {err}"
        return
    lines = [*map(in_words, (each for each in found if each.kind != "column")), *_columns(found)]
    yield from lines[:_SHOWN_BELOW]
    if len(lines) > _SHOWN_BELOW:
        yield f"and {len(lines) - _SHOWN_BELOW} more; 'acc diff {old.label} {new.label}' tells all"


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
    values = f": {view['before']} -> {view['after']}" if view["before"] or view["after"] else ""
    return f"{column}{view['what']}{values}"
