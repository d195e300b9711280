"""Why a job runs: what differs from the nearest earlier job of its method, by name and value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cas.errors import AccError
from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Inputs, Outcome
from jobs.nodes.references import from_structure
from jobs.nodes.source import Source
from jobs.records import get_run
from jobs.reuse.index import JobIndex
from jobs.reuse.key import KeyParts

_SHOWN = 40
_COMPARED_AT_MOST = 16


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs; `before` and `after` are in words, "" when that says nothing."""

    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.before} -> {self.after}" if self.before or self.after else self.what


def why_new(store: Store, index: JobIndex, parts: KeyParts, source: Source) -> str:
    """Return in one line why there is no job yet for the key of `parts`.

    Parameters
    ----------
    source
        The source that is to run, whose node may not be stored yet.
    """
    nearest: list[Difference] | None = None
    for row in index.of_method(parts.method, limit=_COMPARED_AT_MOST):
        try:
            found = list(differences(store, row, parts, source))
        except AccError:
            continue  # objects of it are missing: it tells nothing
        if not found:
            return f"like '{row.label}', which cannot be reused"
        if nearest is None or len(found) < len(nearest):
            nearest = found
        if len(nearest) == 1:
            break
    return "; ".join(map(str, nearest)) if nearest else f"first run of '{parts.method}'"


def differences(store: Store, row: JobRow, parts: KeyParts, source: Source) -> Iterator[Difference]:
    """Yield what differs between a finished job and the parts of a new key."""
    assert row.outcome is not None
    assert row.job is not None
    outcome = get_node(store, row.outcome, Outcome)
    run = get_run(store, row.run)
    yield from _source(store, get_node(store, row.job, JobNode).source, parts, source)
    yield from _inputs(outcome.inputs, parts.inputs)
    if outcome.slices != parts.slices:
        yield Difference("slices", str(outcome.slices), str(parts.slices))
    yield from _environment(run.environment, parts.environment)


def _source(store: Store, before: ObjectId, parts: KeyParts, source: Source) -> Iterator[Difference]:
    if before == parts.source or parts.version is not None:
        return
    old = get_node(store, before, Source).files
    for path in sorted({*old, *source.files}):
        if old.get(path) != source.files.get(path):
            change = "new" if path not in old else "gone" if path not in source.files else "changed"
            yield Difference(f"source {path} {change}")


def _inputs(before: Inputs, after: Inputs) -> Iterator[Difference]:
    for kind, old, new in (
        ("option", before.options, after.options),
        ("dataset", before.datasets, after.datasets),
        ("job", before.jobs, after.jobs),
    ):
        yield from _values(kind, old, new)


def _values(kind: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if dumps(before) == dumps(after):
            continue
        what = f"{kind} '{name}'"
        shown = _shown(before), _shown(after)
        yield Difference(f"{what} changed") if shown[0] == shown[1] else Difference(what, *shown)


def _environment(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Difference(name, before.get(name, "none"), after.get(name, "none"))


def _shown(value: Json) -> str:
    """Return `value` in few letters, as a user would write it; what counts by its content is shown by its name."""
    text = repr(from_structure(value, _name_of))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


class _Name(str):
    """Stands for a job, dataset or file in a value that is shown."""

    def __repr__(self) -> str:
        return str(self)


def _name_of(tag: str, content: Json) -> object:
    return _Name(content["name"] if isinstance(content, dict) else f"a {tag[1:]}")
