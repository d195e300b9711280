"""One job: what it is, what it was given, what came of it, and how."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.facets.runs import get_run
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.parts import part_in_words
from jobs.nodes.run import Run
from jobs.reuse.hit import describe
from porcelain.board import addresses
from porcelain.board.catalogue.uses import PREVIOUS
from porcelain.board.drawing.gantt import chart
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.board.pages.outputs import previews
from porcelain.board.using import find_next, given_by
from porcelain.spec import Resolver
from porcelain.views import job_views, printed
from porcelain.views.plain import View

_LISTED: Final = 50
_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"})
_MOST_PICTURES: Final = 12
_PICTURE_BYTES: Final = 8 << 20
_SHORT_TEXT: Final = 160
_SUMMARY_TEXT: Final = 60
_LONG_TEXT: Final = 20_000
_SAID_FACTS: Final = 100
_NEXT_AMONG: Final = 10
_SECTIONS: Final = ("options", "inputs", "files", "datasets", "subjobs", "facts")


class Value(NamedTuple):
    """The value of an option as text: all of it if it is short, else its begin and as much as anybody reads.

    Attributes
    ----------
    left_out : int
        How many characters are in neither.
    """

    short: str
    long: str
    left_out: int


def job(project: ShownProject, asked: Asked) -> Page:
    """Show everything about one job."""
    resolver = project.resolver
    row = resolver.job(asked.names["spec"])
    view = job_views.remains(resolver, row)
    run = _find_run(resolver, row)
    view |= _neighbours(project, row)
    cost = project.catalogue.cost(row.run)
    view["sizes"] = cost and {"alone": cost.alone._asdict(), "shared": cost.shared._asdict()}
    slots = {name: Slot(asked.number(name, 1), _LISTED, len(view[name])) for name in _SECTIONS}
    drawn = {
        "slots": slots,
        "options": [(name, _value(value)) for name, value in _cut(view["options"].items(), slots["options"])],
        "inputs": [each | {"address": _address(each)} for each in _cut(view["inputs"], slots["inputs"])],
        "files": _cut(view["files"], slots["files"]),
        "datasets": _cut(view["datasets"], slots["datasets"]),
        "subjobs": _cut(view["subjobs"], slots["subjobs"]),
        "facts": _said(project, run, slots["facts"]) if run else [],
        "pictures": [each["name"] for each in view["files"] if _is_picture(each)][:_MOST_PICTURES],
        "failed_in": view["failure"] and part_in_words(view["failure"]["stage"], view["failure"]["sliceno"]),
        "printed": previews(project, run, printed.parts(project.store, run)) if run else None,
        "chart": chart(view),
        "commands": _commands(view, row),
        # elsewhere other builds and jobs are called so
        "parent_is_build": _is_build(view["parent"] or ""),
        "parent_address": _parent_address(view["parent"]) if row.is_here and not row.origin else None,
    }
    return Page("job.html", f"{row.label} {row.method}", view, drawn)


def _find_run(resolver: Resolver, row: JobRow) -> Run | None:
    """Return the run node of a job, which is kept for the next time, or None when it cannot be read."""
    try:
        return get_run(resolver.store, row.run)
    except AccError:
        return None


def _neighbours(project: ShownProject, row: JobRow) -> View:
    """Return the jobs beside a job: of its method by time, and of its chain."""
    view: View = {}
    resolver = project.resolver
    index = job_views.index_of(resolver, row)
    after = index.neighbours(row, later=True, limit=_NEXT_AMONG)
    before = index.neighbours(row, later=False, limit=1)
    previous = _find_previous(resolver, row)
    view["previous"] = previous and job_views.label_of(resolver, previous)
    view["next"] = find_next(project, row, after)
    view["earlier_job"] = before[0].label if before else None
    view["later_job"] = after[0].label if after else None
    return view


def _find_previous(resolver: Resolver, row: JobRow) -> ObjectId | None:
    """Return the run before that of a job in its chain; None at the first, and where nothing can be read."""
    run = _find_run(resolver, row)
    return next((given for given, how in given_by(run).items() if how == PREVIOUS), None) if run else None


def _cut(entries: Any, slot: Slot) -> list[Any]:
    return [*entries][slot.start : slot.start + slot.size]


def _value(value: object) -> Value:
    text = value if isinstance(value, str) and "\n" in value else json.dumps(value, ensure_ascii=False)
    if len(text) <= _SHORT_TEXT and "\n" not in text:
        return Value(text, "", 0)
    return Value(text[:_SUMMARY_TEXT].split("\n")[0], text[:_LONG_TEXT], max(0, len(text) - _LONG_TEXT))


def _address(entry: View) -> str | None:
    """Return where an input is shown; input files are not in the store."""
    spec: str = entry["spec"]
    if entry["kind"] == "job":
        return addresses.job(spec)
    if entry["kind"] == "dataset":
        # of a failed job only the job is known that a dataset was of
        return addresses.dataset(spec) if "/" in spec else addresses.job(spec)
    if entry["kind"] == "withfile":
        label, mark, name = spec.partition(":")
        return addresses.file(label, name) if mark else addresses.job(label)
    return None


def _parent_address(parent: str | None) -> str | None:
    """Return where that is shown which made a job: a build, or the job of which it is a subjob."""
    if parent is None:
        return None
    return addresses.build(parent) if _is_build(parent) else addresses.job(parent)


def _is_build(parent: str) -> bool:
    parts = split_label(parent)
    return parts is not None and parts[0] == "build"


def _is_picture(file: View) -> bool:
    return PurePosixPath(file["name"]).suffix.lower() in _PICTURES and file["size"] <= _PICTURE_BYTES


def _said(project: ShownProject, run: Run, slot: Slot) -> Sequence[View]:
    """Return what a run learned, in words; what was read without being declared is listed apart."""
    return [*_facts(project, run, slot)]


def _facts(project: ShownProject, run: Run, slot: Slot) -> Iterator[View]:
    for fact in run.facts[slot.start : slot.start + slot.size]:
        try:
            what = describe(project.index, fact)
        except (AccError, LookupError, TypeError, ValueError):  # a run from elsewhere may say anything
            what = "?"
        yield {"kind": fact.kind, "what": what, "was": fact.was}


def _commands(view: View, row: JobRow) -> list[tuple[str, str]]:
    """Return what to type to see more of a job, each with what it does."""
    label = shlex.quote(view["label"])
    found = [("all of this", f"acc job {label}")]
    if view["output"]:
        found.append(("what it printed", f"acc job -o {label}"))
    found.append(("its code", f"acc job -s {label}"))
    if view["datasets"]:
        name = view["datasets"][0]["name"]
        spec = view["label"] if name == "default" else f"{view['label']}/{name}"
        found.append(("the first rows", f"acc ds -r 10 {shlex.quote(spec)}"))
    if view["files"]:
        found.append(("its files, in its folder", f"acc checkout {label}"))
    if view["earlier_job"]:
        found.append(("compared with the one before", f"acc diff {shlex.quote(view['earlier_job'])} {label}"))
    found.append(("would it be reused", f"acc why {label}"))
    if row.is_here and row.outcome:
        found.append(("run it again and compare", f"acc verify {label}"))
    return found
