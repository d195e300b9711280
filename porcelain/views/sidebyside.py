"""Two jobs, files or datasets side by side, as plain dicts: what `acc diff` prints."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from cas.errors import AccError
from cas.oid import ObjectId
from cas.store import Store
from jobs.comparison.outcomes import ENDLESS, UNFINISHED, OutcomeDifference, Patience, compare_outcomes
from jobs.comparison.sameness import Unreadable, read_json, read_pickle
from jobs.errors import NoSuchJob
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import FileEntry, Inputs, Outcome
from jobs.nodes.parts import part_order
from jobs.nodes.run import MICROSECONDS, Run
from jobs.reuse.changes import ABSENT, changes, pair_in_words
from jobs.reuse.difference import Difference, Kind, Side, differences, text_diff
from porcelain.spec import Resolver, Target, get_oid
from porcelain.views import job_views
from porcelain.views.differences import CAME_OUT, Sides, difference, file_diff, outcome_difference
from porcelain.views.plain import View

# of what a failed job was given, its run holds only this
_KNOWN_OF_FAILED: Final = ("source", "environment")
_SECTIONS: Final[Mapping[str, Kind]] = {"options": "option", "datasets": "dataset", "jobs": "job"}
_VALUE_BYTES: Final = 1 << 20
_CHANGES_SHOWN: Final = 10
_ROOM: Final = 60


def jobs(resolver: Resolver, before: JobRow, after: JobRow, patience: Patience = ENDLESS) -> View:
    """Return what differs between two jobs: what they were given, what came out, what they printed, their times."""
    found = jobs_but_outcomes(resolver, before, after, patience)
    return found | {"came_out": came_out(resolver, before, after, patience)}


def jobs_but_outcomes(
    resolver: Resolver, before: JobRow, after: JobRow, patience: Patience = ENDLESS
) -> View:
    """Return the same without what came out, for which files and datasets may have to be read."""
    store, labels = resolver.store, (before.label, after.label)
    runs = resolver.run(before), resolver.run(after)
    sides = Side.of_job(store, resolver.index, before), Side.of_job(store, resolver.index, after)
    given = differences(*sides)
    if before.outcome is None or after.outcome is None:
        given = [each for each in given if each.kind in _KNOWN_OF_FAILED]
        given += _setup_differences(resolver, before, after)
    elif before.method != after.method:
        given = [each for each in given if each.kind != "source"]
    return {
        "before": before.label,
        "after": after.label,
        "methods": [before.method, after.method],
        "states": [before.state, after.state],
        "equal": before.outcome is not None and before.outcome == after.outcome,
        "given": [difference(Sides(store, *sides, labels), each) for each in given],
        "failures": [run.failure and run.failure.message for run in runs],
        "output": _output(resolver, (before, after), runs, patience),
        "times": _times(runs),
    }


def parts(resolver: Resolver, before: Target, after: Target, patience: Patience = ENDLESS) -> View:
    """Return what differs between two files, or two datasets, of jobs."""
    if before.kind != after.kind:
        raise NoSuchJob(f"a {before.kind} and a {after.kind} cannot be compared", hint="name two of a kind")
    specs = _spec(before), _spec(after)
    outcomes = [_outcome_of_part(resolver, target, after.name) for target in (before, after)]
    return {
        "before": specs[0],
        "after": specs[1],
        "equal": before.oid == after.oid,
        "came_out": _differences(resolver.store, (outcomes[0], outcomes[1]), specs, patience),
    }


def _outcome_of_part(resolver: Resolver, target: Target, name: str) -> Outcome:
    """Return an outcome that has one file or dataset, by the name of what it is compared to."""
    oid = get_oid(target)
    nothing = Outcome("", 0, Inputs(), {}, {})
    if target.kind == "dataset":
        return replace(nothing, datasets={name: oid})
    return replace(nothing, files={name: FileEntry(oid, resolver.store.size_of(oid))})


def _spec(target: Target) -> str:
    label = target.row.label if target.row else "?"
    return f"{label}{'/' if target.kind == 'dataset' else ':'}{target.name}"


def came_out(resolver: Resolver, before: JobRow, after: JobRow, patience: Patience = ENDLESS) -> list[View]:
    """Return what differs of the files and datasets of two jobs; nothing when one of them failed."""
    if before.outcome is None or after.outcome is None or before.outcome == after.outcome:
        return []
    outcomes = resolver.outcome(before), resolver.outcome(after)
    return _differences(resolver.store, outcomes, (before.label, after.label), patience)


def _differences(
    store: Store, outcomes: tuple[Outcome, Outcome], specs: tuple[str, str], patience: Patience
) -> list[View]:
    """Return what differs of files and datasets: one dict each, with what differs inside it.

    Parameters
    ----------
    specs
        Of the jobs, or of the files.
    """
    before, after = outcomes
    found: dict[tuple[str, str], list[OutcomeDifference]] = {}
    for each in compare_outcomes(store, before, after, patience):
        if each.kind in CAME_OUT:
            kind = "file" if each.kind == "file" else "dataset"
            found.setdefault((kind, each.name), []).append(each)
    return [
        _file(store, inside[0], (before.files.get(name), after.files.get(name)), specs, patience)
        if kind == "file"
        else _dataset(store, name, inside, (before.datasets.get(name), after.datasets.get(name)))
        for (kind, name), inside in found.items()
    ]


def _setup_differences(resolver: Resolver, before: JobRow, after: JobRow) -> Iterator[Difference]:
    """Yield what differs between what two jobs were given, as far as the setup.json that each left tells."""
    old, new = (job_views.setup(resolver, row) for row in (before, after))
    for section, kind in _SECTIONS.items():
        was, now = old.get(section), new.get(section)
        if not isinstance(was, dict) or not isinstance(now, dict):
            continue
        for name in sorted({*was, *now}):
            for change in changes(was.get(name, ABSENT), now.get(name, ABSENT)):
                yield Difference(kind, name, change.before, change.after, change.place)


# -- files -------------------------------------------------------------------------------------------------------


def _file(
    store: Store,
    found: OutcomeDifference,
    entries: tuple[FileEntry | None, FileEntry | None],
    specs: tuple[str, str],
    patience: Patience,
) -> View:
    old, new = entries
    has_detail = old and new and not found.same_value and not patience.is_late()
    return {
        **outcome_difference(found),
        "sizes": [entry and entry.size for entry in entries],
        "blobs": [entry and entry.blob for entry in entries],
        "detail": _file_detail(store, found.name, (old, new), specs) if old and new and has_detail else [],
    }


def _file_detail(
    store: Store, name: str, entries: tuple[FileEntry, FileEntry], specs: tuple[str, str]
) -> list[str]:
    """Return where two values differ, or a diff of two texts."""
    if max(entry.size for entry in entries) <= _VALUE_BYTES:
        read = read_json if name.endswith(".json") else read_pickle
        try:
            values = [read(store.get(entry.blob)) for entry in entries]
        except (Unreadable, AccError):
            pass
        else:
            return list(_value_detail(values[0], values[1]))
    blobs = entries[0].blob, entries[1].blob
    called = [spec if ":" in spec else f"{spec}:{name}" for spec in specs]
    return file_diff(store, blobs, (called[0], called[1]))


def _value_detail(before: object, after: object) -> Iterator[str]:
    found = changes(before, after)
    for change in islice(found, _CHANGES_SHOWN):
        old, new = pair_in_words(change.before, change.after, _ROOM)
        yield f"{change.place or 'value'}: {old} -> {new}"
    more = sum(1 for _ in found)
    if more:
        yield f"and {more} more"


# -- datasets ----------------------------------------------------------------------------------------------------


def _dataset(
    store: Store, name: str, inside: Sequence[OutcomeDifference], nodes: tuple[ObjectId | None, ...]
) -> View:
    # here, not above: most jobs have none
    from cas.formats.node import get_node
    from jobs.dataset.head import DatasetHead

    heads = [node and get_node(store, node, DatasetHead) for node in nodes]
    return {
        "kind": "dataset",
        "name": name,
        "what": inside[0].what if None in nodes else "differs",
        "nodes": list(nodes),
        "lines": [head and sum(head.lines) for head in heads],
        "columns": [head and len(head.columns) for head in heads],
        "differences": [] if None in nodes else [outcome_difference(each) for each in inside],
    }


# -- runs --------------------------------------------------------------------------------------------------------


def _output(
    resolver: Resolver, rows: tuple[JobRow, JobRow], runs: tuple[Run, Run], patience: Patience
) -> list[View]:
    """Return what the jobs printed differently, by stage or slice."""
    old, new = (run.output for run in runs)
    labels = (rows[0].label, rows[1].label)
    return [
        {
            "part": part,
            "detail": _output_detail(resolver.store, (old.get(part), new.get(part)), labels, patience),
        }
        for part in sorted({*old, *new}, key=part_order)
        if old.get(part) != new.get(part)
    ]


def _output_detail(
    store: Store, blobs: tuple[ObjectId | None, ObjectId | None], labels: tuple[str, str], patience: Patience
) -> list[str]:
    sizes = [store.size_of(blob) for blob in blobs if blob]
    if patience.is_late() or max(sizes, default=0) > patience.value_bytes:
        return [f"{UNFINISHED}: {' and '.join(f'{size:,} bytes' for size in sizes)}"]
    old, new = (store.get(blob).decode("utf-8", "replace") if blob else "" for blob in blobs)
    return text_diff(old, new, labels)


def _times(runs: tuple[Run, Run]) -> dict[str, list[Any]]:
    """Return the seconds of each stage, and of all, of both jobs."""
    stages = sorted({stage for run in runs for stage in run.times.stages}, key=part_order)
    times: dict[str, list[Any]] = {
        stage: [_seconds(run.times.stages.get(stage)) for run in runs] for stage in stages
    }
    return times | {"total": [run.times.seconds for run in runs]}


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / MICROSECONDS
