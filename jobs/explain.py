"""Why a job would run or be reused now, and why one ran then: the whole story, for whoever asks."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from cas.errors import AccError
from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.builder import Builder, Methods
from jobs.context import Context
from jobs.facets.runs import get_run, row_of_run
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Inputs, Outcome
from jobs.nodes.references import INPUT, walk_references
from jobs.nodes.run import FORCED, Run
from jobs.request import Request
from jobs.reuse.difference import Side, differences
from jobs.reuse.hit import CheckedFact, Hit, describe
from jobs.reuse.index import JobIndex
from jobs.reuse.inputfiles import InputFiles
from jobs.reuse.inputs import Given
from jobs.reuse.key import KeyParts, action_key
from jobs.reuse.why import Nearest, find_nearest, reason

_COMPARED_AT_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a build would do now, and why.

    Attributes
    ----------
    request : Request
        What was asked for, or what a stored job was given, as things are now.
    hit : Hit
        The job that would be reused, if there is one.
    reason : str
        In one line why a job would run; "" when one is reused.
    facts : sequence of CheckedFact
        What the run that has the key learned beyond it, and whether it holds.
    nearest : Nearest or None
        When a job would run: that which differs least, or the stored job that was asked about.
    sizes : mapping of str to int
        Bytes of input files as they are now, by content.
    unseen : sequence of str
        Input files of a stored job that were not found again, and are taken for unchanged.
    origin : str
        When no job here is reused: a remote that has one with the key, or "".
    """

    request: Request
    hit: Hit
    reason: str = ""
    facts: Sequence[CheckedFact] = ()
    nearest: Nearest | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    unseen: Sequence[str] = ()
    origin: str = ""


class Learned(NamedTuple):
    """What two runs asked, in words, and the answer that each got."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """Why a job ran when it did.

    Attributes
    ----------
    why : str
        What was written down then, in one line.
    side : Side or None
        What it was given; None when it failed.
    nearest : Nearest or None
        Of the jobs that were done before it began, that which differs least.
    facts : sequence of Learned
        What this run and the nearest asked alike, with different answers.
    """

    why: str
    side: Side | None = None
    nearest: Nearest | None = None
    facts: Sequence[Learned] = ()


def explain(builder: Builder, request: Request) -> Explanation:
    """Return what a build would do with `request`, and why; nothing runs."""
    found = _with_the_key(builder, request)
    if found is not None:
        return found
    origin = builder.find_origin(request)
    nearest = builder.find_nearest(request)
    why = reason(nearest) if nearest else builder.explain(request, Hit(None))
    sizes: dict[str, int] = {file.content: file.path.stat().st_size for file in request.given.files}
    return Explanation(request, Hit(None), why, nearest=nearest, sizes=sizes, origin=origin)


def _with_the_key(builder: Builder, request: Request) -> Explanation | None:
    """Return the explanation when there is a run with the key, reused or not, else None."""
    hit = builder.find(request, only_look=True)
    if hit.ran is None and not hit.why_not:
        return None
    facts = [] if hit.ran is None else builder.check_facts(hit.ran, request)
    origin = "" if hit.row else builder.find_origin(request)
    return Explanation(request, hit, hit.why_not, facts, origin=origin)


@dataclass(slots=True)
class _Found:
    """The input files of a stored job, as far as they are found by the names that it saw.

    Attributes
    ----------
    sizes : dict of str to int
        Bytes of those that were found, by content.
    unseen : list of str
        The others.
    """

    inputs: InputFiles
    sizes: dict[str, int] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    def find_content(self, name: str) -> ObjectId | None:
        """Return the content of a file as it is now, or None."""
        file = self.inputs.find(name)
        if file is None:
            self.unseen.append(name)
            return None
        with suppress(OSError):  # it may go just now
            self.sizes[file.content] = file.path.stat().st_size
        return file.content


class Explainer:
    """Explains stored jobs: why each ran, and whether it would be reused."""

    def __init__(
        self,
        context: Context,
        index: JobIndex,
        methods: Methods,
        builder: Builder,
        inputs: InputFiles,
    ) -> None:
        self._context = context
        self._index = index
        self._methods = methods
        self._builder = builder
        self._inputs = inputs

    def now(self, row: JobRow) -> Explanation:
        """Return what a build would do now with what a finished job was given; raises as a build would."""
        request, files = self._again(row)
        found = _with_the_key(self._builder, request)
        if found is None:
            there = Side.of_job(self._context.store, self._index, row)
            nearest = Nearest(row, there, differences(there, request.side()))
            origin = self._builder.find_origin(request)
            found = Explanation(request, Hit(None), reason(nearest), nearest=nearest, origin=origin)
        return replace(found, sizes=files.sizes, unseen=files.unseen)

    def then(self, row: JobRow) -> Told:
        """Return why a job ran when it did."""
        if row.outcome is None:
            return Told(row.why)
        store = self._context.store
        run = get_run(store, row.run)
        before = [
            other
            for other in self._index.neighbours(row, later=False, limit=_COMPARED_AT_MOST)
            if other.state == "done" and other.ended <= run.times.start
        ]
        side = Side.of_job(store, self._index, row)
        nearest = find_nearest(store, self._index, before, side)
        if nearest is None or nearest.differences or row.why == FORCED:
            return Told(row.why, side, nearest)
        return Told(row.why, side, nearest, self._learned(get_run(store, nearest.row.run), run))

    def _learned(self, before: Run, after: Run) -> list[Learned]:
        """Return what two runs asked alike, and learned otherwise."""
        known = {dumps([fact.kind, fact.about]): fact.was for fact in before.facts}
        pairs = ((known.get(dumps([fact.kind, fact.about])), fact) for fact in after.facts)
        return [
            Learned(describe(self._index, fact), was, fact.was)
            for was, fact in pairs
            if was is not None and was != fact.was
        ]

    def find_stale(self, row: JobRow, *, at_most: int) -> list[tuple[JobRow, str]]:
        """Return the jobs that `row` was made from and that would run again, nearest first, each with the reason.

        Parameters
        ----------
        at_most
            Look at so many jobs, the nearest first.
        """
        stale, waiting, seen = [], [row], {row.run}
        for each in waiting:
            if each is not row:
                why = self._why_again(each)
                stale += [(each, why)] if why else []
            inputs = (entry.run for entry in get_run(self._context.store, each.run).inputs)
            for run in inputs:
                if run not in seen and len(seen) <= at_most:
                    seen.add(run)
                    waiting.append(row_of_run(self._context, run))
        return stale

    def _why_again(self, row: JobRow) -> str:
        """Return in one line why a build would run `row` again, or ""."""
        try:
            return self.now(row).reason
        except AccError as err:
            return str(err)

    def _again(self, row: JobRow) -> tuple[Request, _Found]:
        """Return what `row` was given, as a request of now, and its input files."""
        now = self._context
        assert row.outcome is not None
        method = self._methods.get(row.method)
        run, before = get_run(now.store, row.run), get_node(now.store, row.outcome, Outcome).inputs
        files = _Found(self._inputs)
        inputs = Inputs.from_json(_refreshed(before.to_json(), files.find_content))
        given = Given({}, {}, {}, inputs)
        for found in walk_references(before.to_json()):
            origin = run.find_input(found.path)
            if origin is not None:
                given.rows.setdefault(dumps({found.tag: found.content}), []).append(row_of_run(now, origin))
        environment = self._methods.environment(method)
        parts = KeyParts(row.method, method.source, method.version, inputs, now.slices, environment)
        return Request(method, given, parts, action_key(parts)), files


def _refreshed(structure: Json, content_of: Callable[[str], ObjectId | None]) -> Any:
    """Return a structure with the content of its input files as it is now."""
    if isinstance(structure, list):
        return [_refreshed(item, content_of) for item in structure]
    if not isinstance(structure, dict):
        return structure
    file = structure.get(INPUT)
    if isinstance(file, dict):
        content = content_of(str(file["name"]))
        return {INPUT: {**file, "content": content or file["content"]}}
    return {key: _refreshed(item, content_of) for key, item in structure.items()}
