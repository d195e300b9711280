"""What the engine looks up about a run: its node, its row, what facts note of it, and what post.json says."""

from typing import Final

from cas.errors import ObjectNotFound
from cas.formats.canonical import dumps
from cas.formats.node import get_node
from cas.oid import ObjectId, oid_of
from cas.store import Store
from jobs.context import Context
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.outcome import Outcome
from jobs.nodes.run import MICROSECONDS, Run
from jobs.nodes.values import DotDict

SETUP_VERSION: Final = 1
_KEPT_RUNS: Final = 4096
_runs: dict[ObjectId, Run] = {}


def get_run(store: Store, run: ObjectId) -> Run:
    """Return a run node; those read lately are kept, since a chain is walked again and again."""
    node = _runs.get(run)
    if node is None:
        if len(_runs) >= _KEPT_RUNS:
            _runs.clear()
        node = _runs[run] = get_node(store, run, Run)
    return node


def row_of_run(now: Context, run: ObjectId) -> JobRow:
    """Return the row of a run: from the listing, or made again from its nodes when it is not listed here."""
    return now.labels.of_run(run) or row_without_label(now.store, run)


def row_without_label(store: Store, run: ObjectId) -> JobRow:
    """Return the row of a run that is not listed here, made from its nodes."""
    node = get_run(store, run)
    outcome = get_node(store, node.job, JobNode).outcome if node.job else None
    return make_row(run, node, outcome).without_label()


def make_row(run: ObjectId, node: Run, outcome: ObjectId | None) -> JobRow:
    """Return the row of a run from its node and its job's outcome; `earlier` no node tells."""
    workdir, number = split_label(node.label) or (node.label, 0)
    return JobRow(
        workdir=workdir,
        number=number,
        run=run,
        job=node.job,
        outcome=outcome,
        method=node.method,
        key=node.key,
        state="failed" if node.failure else "done",
        ended=node.times.end,
        micros=node.times.end - node.times.start,
        caption=node.caption,
        why=node.why,
        facts=len(node.facts),
        previous=node.previous or "",
    )


def gone(row: JobRow) -> ObjectNotFound:
    """Return the error that objects of a job are missing."""
    hint = f"'acc build --force {row.method}' makes them again; 'acc fsck' names all that is missing"
    return ObjectNotFound(row.outcome or row.run, where=row.label, hint=hint)


def aside(now: Context, row: JobRow, what: str) -> str:
    """Return what a fact of kind "aside" notes: the label, an id of the output, or the run."""
    if what == "label":
        return row.label
    if what == "output":
        return oid_of(dumps(dict(get_run(now.store, row.run).output)))
    return row.run


def exectime(run: Run) -> DotDict:
    """Return the times of a run in seconds: total, by stage, and of each slice."""
    stages = {stage: micros / MICROSECONDS for stage, micros in run.times.stages.items()}
    return DotDict(
        total=run.times.seconds, **stages, per_slice=[micros / MICROSECONDS for micros in run.times.slices]
    )


def post(outcome: Outcome, run: Run, subjobs: dict[str, bool]) -> DotDict:
    """Return what post.json holds of a job."""
    return DotDict(
        starttime=run.times.start / MICROSECONDS,
        endtime=run.times.end / MICROSECONDS,
        exectime=exectime(run),
        files=sorted(outcome.files),
        subjobs=DotDict(subjobs),
    )


def output_parts(store: Store, run: Run) -> dict[str | int, str]:
    """Return what each part of a job printed: stages by name and slices by number, in the order in which they ran."""
    return {
        int(part) if part.isdigit() else part: store.get(blob).decode("utf-8", "replace")
        for part, blob in run.printed().items()
    }
