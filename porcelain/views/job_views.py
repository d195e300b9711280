"""Logs, jobs, chains, results and workdirs as plain dicts: what `--json` prints and tables show.

Every value is one that JSON has; times are UTC texts, durations seconds, jobs their labels.
"""

import json
from collections.abc import Iterable, Iterator

from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.nodes.chain import walk_back
from jobs.nodes.facts import undeclared
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.parts import ANALYSIS, part_order
from jobs.nodes.references import DATASET, INPUT, WITHFILE, Found, from_structure, walk_references
from jobs.nodes.run import MICROSECONDS, Run
from jobs.remote.privacy import why_private
from porcelain.spec import Resolver
from porcelain.views.plain import View, moment, plain

# -- many jobs -----------------------------------------------------------------------------------------------


def row(job: JobRow) -> View:
    """Return one line of a log."""
    return {
        "label": job.label,
        "method": job.method,
        "state": job.state,
        "ended": moment(job.ended),
        "seconds": job.seconds,
        "caption": job.caption,
        "why": job.why,
        "earlier": job.earlier or None,
        "origin": job.origin or None,
        "job": job.job,
        "run": job.run,
    }


def log(resolver: Resolver, rows: Iterable[JobRow], *, graph: bool = False) -> list[View]:
    """Return the lines of a log; with `graph` each has its inputs."""
    return [row(job) | ({"inputs": inputs(resolver, job)} if graph else {}) for job in rows]


def ancestry(resolver: Resolver, newest: JobRow) -> list[JobRow]:
    """Return a job and all that it was made from, newest first."""
    found = {newest.run: newest}
    waiting = [newest]
    while waiting:
        run = resolver.run(waiting.pop())
        for oid in (*(entry.run for entry in run.inputs), *(subjob.run for subjob in run.subjobs)):
            job = None if oid in found else resolver.find_row(oid)
            if job is not None:
                found[oid] = job
                waiting.append(job)
    return sorted(found.values(), key=lambda job: job.ended, reverse=True)


def chain(resolver: Resolver, newest: JobRow, length: int = -1) -> list[JobRow]:
    """Return the chain of jobs that ends in `newest`, oldest first."""
    return walk_back(newest, resolver.find_previous, length=length)


# -- one job -------------------------------------------------------------------------------------------------


def job(resolver: Resolver, found: JobRow) -> View:
    """Return everything about one job."""
    run = resolver.run(found)
    outcome = resolver.outcome(found) if found.outcome else None
    return row(found) | {
        "started": moment(run.times.start),
        "stages": {
            stage: run.times.stages[stage] / MICROSECONDS
            for stage in sorted(run.times.stages, key=part_order)
        },
        "slices": [micros / MICROSECONDS for micros in run.times.slices],
        "begun": {
            "stages": {stage: micros / MICROSECONDS for stage, micros in run.times.stages_begun.items()},
            "slices": [micros / MICROSECONDS for micros in run.times.slices_begun],
        },
        "path": str(resolver.config.workdirs[found.workdir] / found.label)
        if found.workdir in resolver.config.workdirs
        else None,
        "outcome": found.outcome,
        "source": run.source,
        "key": run.key,
        "options": options(resolver, run, outcome) if outcome else _setup_options(resolver, found),
        "inputs": inputs(resolver, found),
        "files": [
            {"name": name, "size": entry.size, "blob": entry.blob}
            for name, entry in sorted(outcome.files.items() if outcome else ())
        ],
        "datasets": [
            _dataset_line(resolver, *item) for item in (outcome.datasets.items() if outcome else ())
        ],
        "subjobs": [_subjob(resolver, *subjob) for subjob in run.subjobs],
        "parent": run.parent or None,
        "host": run.host,
        "user": run.user,
        "versions": dict(run.versions),
        "environment": dict(run.environment),
        "facts": [fact.to_json() for fact in run.facts],
        "undeclared": list(undeclared(run.facts)),
        "private": why_private(run.facts) or None,
        "output": [*run.printed()],
        "failure": run.failure.to_json() if run.failure else None,
    }


def options(resolver: Resolver, run: Run, outcome: Outcome) -> View:
    """Return the options of a job; jobs, datasets and files in them are shown as their specs."""
    names = {
        dumps({found.tag: found.content}): name for found, name, _ in _references(resolver, run, outcome)
    }

    def dereference(tag: str, content: Json) -> object:
        return names.get(dumps({tag: content}), "?")

    shown: View = plain(from_structure(dict(outcome.inputs.options), dereference))
    return shown


def inputs(resolver: Resolver, found: JobRow) -> list[View]:
    """Return what a job was given: jobs, datasets and files, each with its place, its spec and its job."""
    run = resolver.run(found)
    if found.outcome is None:
        return [
            _input(resolver, entry.path, label_of(resolver, entry.run), entry.run) for entry in run.inputs
        ]
    outcome = resolver.outcome(found)
    return [
        _input(resolver, ref.path, name, origin) for ref, name, origin in _references(resolver, run, outcome)
    ]


def output(resolver: Resolver, found: JobRow, what: str = "") -> dict[str, str]:
    """Return what a job printed, by stage or slice, in order.

    Parameters
    ----------
    what
        Only that: "prepare", "analysis" (all its slices), "synthesis", or the number of a slice.
    """
    parts = [
        (part, blob)
        for part, blob in resolver.run(found).printed().items()
        if what in ("", part) or (what == ANALYSIS and part.isdigit())
    ]
    return {part: resolver.store.get(blob).decode("utf-8", "replace") for part, blob in parts}


def source(resolver: Resolver, found: JobRow) -> dict[str, str]:
    """Return the code that ran, by path; the method file comes first."""
    from jobs.nodes.source import Source

    node = get_node(resolver.store, resolver.run(found).source, Source)
    paths = sorted(node.files, key=lambda path: (path != node.main, path))
    return {path: resolver.store.get(node.files[path]).decode("utf-8", "replace") for path in paths}


def _dataset_line(resolver: Resolver, name: str, node: ObjectId) -> View:
    # here, not above: most jobs that are looked at have no datasets
    from porcelain.views.dataset_views import dataset_line

    return dataset_line(resolver, name, node)


def label_of(resolver: Resolver, run: ObjectId) -> str:
    """Return the label of a run, or its short id when it is not among the jobs here."""
    found = resolver.find_row(run)
    return run[:12] if found is None else found.label


def _subjob(resolver: Resolver, run: ObjectId, built: bool) -> View:  # noqa: FBT001 - a field of a subjob
    found = resolver.find_row(run)
    return {"job": label_of(resolver, run), "method": found and found.method, "built": built}


def _input(resolver: Resolver, path: str, name: str, origin: ObjectId | None) -> View:
    found = None if origin is None else resolver.find_row(origin)
    return {"path": path, "spec": name, "job": found and found.label, "method": found and found.method}


def _references(
    resolver: Resolver, run: Run, outcome: Outcome
) -> Iterator[tuple[Found, str, ObjectId | None]]:
    """Yield each reference among a job's inputs, its spec, and the run that it came from."""
    for found in walk_references(outcome.inputs.to_json()):
        origin = run.find_input(found.path)
        label = label_of(resolver, origin) if origin else _label_of_content(resolver, found)
        content = found.content if isinstance(found.content, dict) else {}
        if found.tag == DATASET:
            label = f"{label}/{content['name']}"
        elif found.tag == WITHFILE:
            label = f"{label}:{content['name']}"
        elif found.tag == INPUT:
            label = str(content["name"])
        yield found, label, origin


def _label_of_content(resolver: Resolver, found: Found) -> str:
    rows = resolver.index.of_outcome(ObjectId(found.content)) if isinstance(found.content, str) else []
    return rows[0].label if rows else "?"


def setup(resolver: Resolver, found: JobRow) -> View:
    """Return the setup.json that a job left, for a failed one the only word of its options; {} when there is none."""
    folder = resolver.config.workdirs.get(found.workdir)
    try:
        left = json.loads((folder / found.label / "setup.json").read_text("utf-8")) if folder else {}
    except (OSError, ValueError):
        return {}
    return left if isinstance(left, dict) else {}


def _setup_options(resolver: Resolver, found: JobRow) -> View:
    given = setup(resolver, found).get("options")
    return given if isinstance(given, dict) else {}


# -- the project ---------------------------------------------------------------------------------------------


def results(resolver: Resolver) -> list[View]:
    """Return the result links of the project by name."""
    from porcelain.results import ResultLinks

    directory = resolver.config.result_directory
    entries = ResultLinks(directory, resolver.store, resolver.index.refs).entries()
    return [
        {
            "name": name,
            "job": label_of(resolver, result.run),
            "file": result.name,
            "blob": result.blob,
            "link": str(directory / name),
            "header": result.header,
            "description": result.description,
            "present": (directory / name).is_symlink(),
        }
        for name, result in entries.items()
    ]


def workdirs(resolver: Resolver) -> list[View]:
    """Return the workdirs of the project; new jobs go to the target."""
    index = resolver.index
    return [
        {
            "name": name,
            "path": str(path),
            "target": name == resolver.config.workdir,
            "jobs": index.count(workdir=name),
            "newest": next((newest.label for newest in index.rows(1, workdir=name)), None),
        }
        for name, path in resolver.config.workdirs.items()
    ]
