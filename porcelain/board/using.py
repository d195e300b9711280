"""Who has what: as the catalogue knows it, and as those jobs tell themselves that it has not read yet."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.facets.runs import get_run
from jobs.nodes.listing import JobRow
from jobs.nodes.run import Run
from jobs.reuse.refnames import RESULTS
from porcelain.board.catalogue.uses import HOW_WORDS, given_of
from porcelain.board.opened import ShownProject
from porcelain.looking import holders
from porcelain.looking.holders import Holder
from porcelain.views import job_views

# of so many jobs that the catalogue has not read their runs are, or else their outcomes
_RUNS: Final = 300
_OUTCOMES: Final = 1_000
_NEVER: Final = -1 << 63


class User(NamedTuple):
    """A job that was given another, and how: one of `HOW_WORDS`."""

    row: JobRow
    how: str


class Found(NamedTuple):
    """What was found, and whether that is all."""

    users: Sequence[User]
    total: int
    is_all: bool


class Holding(NamedTuple):
    """Who has a blob, a page of that, and how many jobs do."""

    holders: Sequence[Holder]
    total: int


def users_of(project: ShownProject, row: JobRow, start: int, limit: int) -> Found:
    """Return jobs that were given a job, or wanted it as a subjob, the oldest first."""
    unread, is_all = unread_since(project, row)
    late = [User(each, how) for each in unread if (how := _how(project, each, row.run)) is not None]
    uses = project.catalogue.uses
    known = uses.count(row.run)
    named = uses.of(row.run, start, limit)
    rows = rows_of(project, [(use.workdir, use.number) for use in named])
    users = [User(rows[place], use.how) for use in named if (place := (use.workdir, use.number)) in rows]
    rest = late[max(0, start - known) :][: limit - len(named)]
    return Found([*users, *rest], known + len(late), is_all)


def unread_since(project: ShownProject, row: JobRow) -> tuple[Sequence[JobRow], bool]:
    """Return jobs that ended with or after one and that the catalogue has not read, and whether that is all of them."""
    index = job_views.index_of(project.resolver, row)
    if index is not project.index or not project.catalogue.is_listed():
        rows = index.followers(row, _RUNS)
        return rows, len(rows) < _RUNS
    project.catalogue.catch_up()
    labels = project.catalogue.jobs.unread(row.ended, _RUNS)
    return [*rows_of(project, labels).values()], len(labels) < _RUNS


def find_next(project: ShownProject, row: JobRow, after: Sequence[JobRow]) -> str | None:
    """Return the label of the job behind one in its chain, or None; `after` are those that it is likely to be among."""
    known = project.catalogue.uses.find_next(row.run)
    if known is not None:
        return job_views.label_of(project.resolver, known)
    if row.is_here and project.catalogue.is_listed() and project.catalogue.progress().is_complete:
        return None
    return next((each.label for each in after if _how(project, each, row.run) == HOW_WORDS[0]), None)


def holders_of(project: ShownProject, blob: ObjectId, start: int, limit: int) -> Holding:
    """Return jobs that have a blob, and as what, the oldest first."""
    catalogue = project.catalogue
    catalogue.catch_up()
    unread = catalogue.jobs.unread(_NEVER, _OUTCOMES)
    if len(unread) == _OUTCOMES or not catalogue.is_listed():
        all_of_them = holders.find_jobs(project.resolver, project.index.rows(), [blob])[blob]
        return Holding(all_of_them[start : start + limit], len(all_of_them))
    known = catalogue.uses.count_holders(blob)
    named = catalogue.uses.holders(blob, start, limit)
    late = holders.find_jobs(project.resolver, [*rows_of(project, unread).values()], [blob])[blob]
    rest = late[max(0, start - known) :][: limit - len(named)]
    return Holding([*_as_what(project, [*rows_of(project, named).values()], blob), *rest], known + len(late))


def results_of(project: ShownProject, blob: ObjectId) -> list[str]:
    """Return the names of the result links that lead to a blob."""
    names = {name.removeprefix(RESULTS): oid for name, oid in project.index.refs.names(RESULTS)}
    known = project.catalogue.results_of(names, blob)
    return holders.find_results(project.resolver, [blob])[blob] if known is None else known


def _as_what(project: ShownProject, rows: Sequence[JobRow], blob: ObjectId) -> list[Holder]:
    """Return as what some jobs have a blob that each of them has."""
    found = holders.find_jobs(project.resolver, rows, [blob])[blob]
    rest = [row for row in rows if row.run not in {each.row.run for each in found}]
    found += holders.find_code(project.resolver, rest, [blob])[blob]
    met = {each.row.run for each in found}
    found += [Holder("held", row, "") for row in rest if row.run not in met]
    return sorted(found, key=lambda each: each.row.ended)


def rows_of(project: ShownProject, labels: Sequence[tuple[str, int]]) -> dict[tuple[str, int], JobRow]:
    """Return the rows of jobs that the catalogue names; what has gone, or is damaged, is left out."""
    try:
        return project.index.of_labels(labels)
    except AccError:  # one of them is damaged: the others are not
        found: dict[tuple[str, int], JobRow] = {}
        for label in labels:
            with suppress(AccError):
                found |= project.index.of_labels([label])
        return found


def _how(project: ShownProject, row: JobRow, run: ObjectId) -> str | None:
    """Return how a job was given a run; None when it was not, or cannot be read."""
    try:
        node = get_run(project.resolver.store, row.run)
    except AccError:
        return None
    how = given_by(node).get(run)
    return None if how is None else HOW_WORDS[how]


def given_by(node: Run) -> dict[ObjectId, int]:
    """Return the runs that a run was given, or wanted, and how."""
    return given_of(node.inputs, (subjob.run for subjob in node.subjobs))
