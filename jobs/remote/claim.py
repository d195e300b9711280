"""A claim: the run that somebody else says a key leads to. It was written elsewhere, and is read as such."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from cas.errors import AccError, NotANode, ObjectNotFound, UnknownFormat, UnsafeName
from cas.files import check_name
from cas.formats.canonical import dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.facets.runs import make_row
from jobs.nodes.facts import is_sound
from jobs.nodes.fields import as_map
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.parts import ANALYSIS, LOAD, PREPARE, SYNTHESIS
from jobs.nodes.references import from_structure, linked_blobs
from jobs.nodes.run import Run
from jobs.nodes.source import Source
from jobs.remote.privacy import why_private
from jobs.reuse.key import KeyParts, action_key
from jobs.reuse.rebuild import checked_run
from jobs.reuse.refcheck import WrongRef

_STAGES: Final = frozenset({LOAD, PREPARE, ANALYSIS, SYNTHESIS})
_MOST_DIGITS: Final = 6  # of the number of a slice


class UnsoundClaim(AccError):
    """A run that is not what it is said to be, or that no acc has written."""


class SizedBlob(NamedTuple):
    """A blob, and the raw size that a node tells of it; -1: it tells none."""

    oid: ObjectId
    bytes: int = -1


@dataclass(frozen=True, slots=True)
class Claim:
    """A run from elsewhere, and what came of it.

    Attributes
    ----------
    oid, outcome_id : ObjectId
        Of the nodes `run` and `outcome`.
    """

    oid: ObjectId
    run: Run
    outcome_id: ObjectId
    outcome: Outcome

    def row(self, origin: str) -> JobRow:
        """Return the row that stands for the run, under the label that it has elsewhere."""
        return make_row(self.oid, self.run, self.outcome_id)._replace(origin=origin)

    def check_fits(self, parts: KeyParts) -> None:
        """Raise `UnsoundClaim` unless the run is one of the job with these parts.

        The key alone does not say so: whoever wrote the run could have put any into it.
        """
        run, outcome = self.run, self.outcome
        told = {
            "key": run.key == action_key(parts),
            "method": run.method == parts.method,
            "source": parts.version is not None or run.source == parts.source,
            "inputs": dumps(outcome.inputs.to_json()) == dumps(parts.inputs.to_json()),
            "number of slices": outcome.slices == parts.slices,
            "environment": run.environment == parts.environment,
        }
        for what, fits in told.items():
            if not fits:
                raise UnsoundClaim(f"it has another {what} than its name says")


def read_claim(store: Store, oid: ObjectId, *, may_be_private: bool = False) -> Claim:
    """Return a run from elsewhere, with all that it links to in `store`.

    Parameters
    ----------
    may_be_private
        It is to be listed, and not to be reused.

    Raises
    ------
    UnsoundClaim
        When it failed, or is none that acc could have written: its names, sizes, times and nodes must fit.
    """
    try:
        claim = _read(store, oid)
        _check(store, claim)
        private = why_private(claim.run.facts)
    except (NotANode, UnknownFormat, UnsafeName, WrongRef, ObjectNotFound) as err:
        raise UnsoundClaim(str(err)) from err
    if private and not may_be_private:
        raise UnsoundClaim(f"nobody but who ran it can reuse it: {private}")
    return claim


def blobs_of(store: Store, outcome: Outcome) -> Iterator[SizedBlob]:
    """Yield the blobs that whoever uses a job may read: those of its files, of its datasets, and of what it was given.

    Datasets before its own in their chains are left out: they are those of other jobs.
    """
    for entry in outcome.files.values():
        yield SizedBlob(entry.blob, entry.size)
    yield from map(SizedBlob, linked_blobs(outcome.inputs.to_json()))
    if outcome.datasets:
        yield from _blobs_of_datasets(store, outcome.datasets.values())


def _blobs_of_datasets(store: Store, heads: Iterable[ObjectId]) -> Iterator[SizedBlob]:
    # here, not above: few jobs of a build come from elsewhere
    from jobs.dataset.head import ColumnNode, DatasetHead

    columns = {
        column.node for head in heads for column in get_node(store, head, DatasetHead).columns.values()
    }
    for column in columns:
        for part in get_node(store, column, ColumnNode).slices:
            yield SizedBlob(part.blob, part.bytes)


def _read(store: Store, oid: ObjectId) -> Claim:
    run = get_node(store, oid, Run)
    if run.job is None or run.failure is not None:
        raise UnsoundClaim("it failed")
    job = get_node(store, run.job, JobNode)
    if job.source != run.source:
        raise UnsoundClaim("it ran another source than its job has")
    return Claim(oid, run, job.outcome, get_node(store, job.outcome, Outcome))


def _check(store: Store, claim: Claim) -> None:
    run, outcome = checked_run(claim.run), claim.outcome
    if outcome.method != run.method:
        raise UnsoundClaim(f"its outcome is that of method '{outcome.method:.40}'")
    source = get_node(store, run.source, Source)
    for name in (source.main, *source.files, *outcome.files):
        check_name(name)
    if source.main not in source.files:
        raise UnsoundClaim(f"its source lacks '{source.main:.40}'")
    for name, entry in outcome.files.items():
        if entry.size < 0:
            raise UnsoundClaim(f"its file '{name:.40}' has {entry.size} bytes")
    times = run.times
    for part in (*run.output, *times.stages, *times.stages_begun):
        if part not in _STAGES and not (part.isascii() and part.isdigit() and len(part) <= _MOST_DIGITS):
            raise UnsoundClaim(f"it has a part '{part:.40}'")
    _check_facts(run)


def _check_facts(run: Run) -> None:
    """Raise `UnsoundClaim` unless each fact can be looked at here."""
    if not all(map(is_sound, run.facts)):
        raise UnsoundClaim("its facts are none")
    try:
        for fact in run.facts:
            if fact.kind == "subjob":
                from_structure(as_map(fact.about)["arguments"], lambda *_: None)
    except (LookupError, TypeError, ValueError, ArithmeticError) as err:
        raise UnsoundClaim(f"its facts are none: {type(err).__name__}") from err
