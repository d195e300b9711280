"""Logs, jobs, chains, results and workdirs as plain dicts: what `--json` prints and tables show.

Every value is one that JSON has; times are UTC texts, durations seconds, jobs their labels.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from cas.errors import AccError
from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.nodes.chain import walk_back
from jobs.nodes.facts import undeclared
from jobs.nodes.listing import AT, JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.parts import ANALYSIS, is_slice, part_order
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE, Found, from_structure, walk_references
from jobs.nodes.run import MICROSECONDS, Run
from jobs.remote.privacy import why_private
from jobs.reuse.index import JobIndex
from porcelain.spec import Resolver
from porcelain.views.plain import View, moment, plain

_ID_DIGITS: Final = 12

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
    nodes = _Nodes(resolver, found)
    return row(found) | {name: value for part in _PARTS for name, value in part(nodes).items()}


def remains(resolver: Resolver, found: JobRow) -> View:
    """Return of a job what can be read, when not all of its objects can; the rest is None, or empty.

    Under "problems" is what is wrong, in words.
    """
    nodes, problems = _Nodes(resolver, found), list[str]()
    view = row(found) | deepcopy(dict(_UNKNOWN))
    for part in _PARTS:
        try:
            view |= part(nodes)
        except AccError as err:
            problems += [] if str(err) in problems else [str(err)]
    return view | {"problems": problems}


_UNKNOWN: Final[Mapping[str, Any]] = {
    "started": None,
    "stages": {},
    "slices": [],
    "begun": {"stages": {}, "slices": []},
    "path": None,
    "outcome": None,
    "source": None,
    "key": None,
    "options": {},
    "inputs": [],
    "files": [],
    "datasets": [],
    "subjobs": [],
    "parent": None,
    "host": "",
    "user": "",
    "versions": {},
    "environment": {},
    "facts": [],
    "undeclared": [],
    "private": None,
    "output": [],
    "failure": None,
}


@dataclass
class _Nodes:
    """A job and its nodes, each read once."""

    resolver: Resolver
    found: JobRow

    @cached_property
    def run(self) -> Run:
        return self.resolver.run(self.found)

    @cached_property
    def outcome(self) -> Outcome | None:
        return self.resolver.outcome(self.found) if self.found.outcome else None

    @cached_property
    def rows(self) -> Mapping[ObjectId, JobRow]:
        """Of the runs that it names, those that are listed; asked for together, as there may be thousands."""
        run = self.run
        return self.resolver.find_rows(
            [*(entry.run for entry in run.inputs), *(subjob.run for subjob in run.subjobs)]
        )

    @cached_property
    def references(self) -> Sequence["_Reference"]:
        return [*_references(self)]

    def label(self, run: ObjectId) -> str:
        """Return the label of a run that it names, or its short id."""
        return self.rows[run].label if run in self.rows else run[:_ID_DIGITS]


class _Reference(NamedTuple):
    """A reference among the inputs of a job, its spec, and the job that it came from if that is listed."""

    found: Found
    spec: str
    row: JobRow | None


def _of_run(nodes: _Nodes) -> View:
    run = nodes.run
    return {
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
        "source": run.source,
        "key": run.key,
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


def _of_place(nodes: _Nodes) -> View:
    found, workdirs = nodes.found, nodes.resolver.config.workdirs
    return {
        "path": str(workdirs[found.workdir] / found.label) if found.workdir in workdirs else None,
        "outcome": found.outcome,
    }


def _of_options(nodes: _Nodes) -> View:
    return {"options": _options(nodes)}


def _of_inputs(nodes: _Nodes) -> View:
    return {"inputs": _inputs(nodes)}


def _of_files(nodes: _Nodes) -> View:
    files = nodes.outcome.files if nodes.outcome else {}
    return {
        "files": [
            {"name": name, "size": entry.size, "blob": entry.blob} for name, entry in sorted(files.items())
        ]
    }


def _of_datasets(nodes: _Nodes) -> View:
    datasets = nodes.outcome.datasets if nodes.outcome else {}
    return {"datasets": [_dataset_line(nodes.resolver, *item) for item in datasets.items()]}


def _of_subjobs(nodes: _Nodes) -> View:
    return {"subjobs": [_subjob(nodes, *subjob) for subjob in nodes.run.subjobs]}


def _subjob(nodes: _Nodes, run: ObjectId, built: bool) -> View:  # noqa: FBT001 - a field of a subjob
    found = nodes.rows.get(run)
    return {"job": nodes.label(run), "method": found and found.method, "built": built}


_PARTS: Final = (_of_run, _of_place, _of_options, _of_inputs, _of_files, _of_datasets, _of_subjobs)


def options(resolver: Resolver, found: JobRow) -> View:
    """Return the options of a job; jobs, datasets and files in them are shown as their specs."""
    return _options(_Nodes(resolver, found))


def _options(nodes: _Nodes) -> View:
    if nodes.outcome is None:
        return _setup_options(nodes.resolver, nodes.found)
    names = {dumps({found.tag: found.content}): spec for found, spec, _ in nodes.references}

    def dereference(tag: str, content: Json) -> object:
        return names.get(dumps({tag: content}), "?")

    shown: View = plain(from_structure(dict(nodes.outcome.inputs.options), dereference))
    return shown


def inputs(resolver: Resolver, found: JobRow) -> list[View]:
    """Return what a job was given: jobs, datasets and files, each with its place, its spec and its job."""
    return _inputs(_Nodes(resolver, found))


def _inputs(nodes: _Nodes) -> list[View]:
    if nodes.outcome is None:
        return [
            _input(_KINDS.get(entry.path.partition(".")[0], JOB), entry.path, nodes.label(entry.run), row)
            for entry in nodes.run.inputs
            for row in (nodes.rows.get(entry.run),)
        ]
    return [_input(found.tag, found.path, spec, row) for found, spec, row in nodes.references]


# of what a failed job was given nothing but the place is known
_KINDS: Final = {"datasets": DATASET, "options": WITHFILE}


def _input(tag: str, path: str, spec: str, row: JobRow | None) -> View:
    return {
        "path": path,
        "kind": tag.removeprefix("$"),
        "spec": spec,
        "job": row and row.label,
        "method": row and row.method,
    }


def _references(nodes: _Nodes) -> Iterator[_Reference]:
    if nodes.outcome is None:
        return
    origins = {entry.path: entry.run for entry in nodes.run.inputs}
    for found in walk_references(nodes.outcome.inputs.to_json()):
        origin = origins.get(found.path)
        label = nodes.label(origin) if origin else _label_of_content(nodes.resolver, found)
        content = found.content if isinstance(found.content, dict) else {}
        if found.tag == DATASET:
            label = f"{label}/{content['name']}"
        elif found.tag == WITHFILE:
            label = f"{label}:{content['name']}"
        elif found.tag == INPUT:
            label = str(content["name"])
        yield _Reference(found, label, nodes.rows.get(origin) if origin else None)


def _label_of_content(resolver: Resolver, found: Found) -> str:
    rows = resolver.index.of_outcome(ObjectId(found.content)) if isinstance(found.content, str) else []
    return rows[0].label if rows else "?"


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
        if what in ("", part) or (what == ANALYSIS and is_slice(part))
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


def index_of(resolver: Resolver, found: JobRow) -> JobIndex:
    """Return the listing that a row is of: that of a remote, when it has its label there."""
    remote = found.workdir.partition(AT)[2]
    return resolver.at(remote).index if remote else resolver.index


def label_of(resolver: Resolver, run: ObjectId) -> str:
    """Return the label of a run, or its short id when it is not among the jobs here."""
    found = resolver.find_row(run)
    return run[:_ID_DIGITS] if found is None else found.label


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
