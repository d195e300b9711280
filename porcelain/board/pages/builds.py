"""The runs of build scripts: all of them, and each with its jobs and what is other than the time before."""

import re
from typing import Any, Final

from cas.errors import AccError
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.nodes.build import DONE, Build
from porcelain.board.drawing.ansi import to_html
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage, Page, Slot
from porcelain.spec import get_oid
from porcelain.views import build_views
from porcelain.views.plain import View

_PAGE_ROWS: Final = 50
_WORD: Final = re.compile(r"[^\s'\",:;()]+")
_JOB_ROWS: Final = 100
_CHANGES: Final = 50
# the builds before one are looked through so far for one of the same script
_EARLIER: Final = 500
_OUTPUT_CHARACTERS: Final = 200_000
_LINE: Final = "build line"


def builds(project: ShownProject, asked: Asked) -> Page:
    """Show the builds of the project, newest first, or those of one script."""
    ids = project.buildlog.ids()
    script = asked.text("script")
    if script:
        ids = {number: oid for number, oid in ids.items() if _line(project, number, oid)["script"] == script}
    slot = Slot(asked.number("page", 1), _PAGE_ROWS, len(ids))
    shown = list(ids.items())[slot.start : slot.start + slot.size]
    view: View = {
        "builds": [_line(project, number, oid) for number, oid in shown],
        "script": script or None,
        **slot.to_view(),
    }
    return Page("builds.html", "Builds", view, {"slot": slot, "done": DONE}, live=slot.number == 1)


def build(project: ShownProject, asked: Asked) -> Page:
    """Show one build: its jobs and how it got them, what it said, and what is other than in the one before."""
    resolver = project.resolver
    target = resolver.resolve(asked.names["name"])
    if target.kind != "build":
        raise NoSuchPage(f"'{asked.names['name']}' is no build", hint="builds are named as build-7")
    name, node = target.name, get_node(project.store, get_oid(target), Build)
    slot = Slot(asked.number("page", 1), _JOB_ROWS, len(node.jobs))
    view = build_views.build_of_node(resolver, name, node, slice(slot.start, slot.start + slot.size))
    view |= {"changes": _changes(project, name, node), **slot.to_view()}
    drawn = {
        "slot": slot,
        "done": DONE,
        "failed": _failed_job(project, node),
        "output": to_html((view["output"] or "")[-_OUTPUT_CHARACTERS:]),
        "cut": len(view["output"] or "") > _OUTPUT_CHARACTERS,
    }
    return Page("build.html", f"{name} {node.script}", view, drawn)


def _failed_job(project: ShownProject, node: Build) -> str | None:
    """Return the label of the job by which a build failed, when it names one that is here."""
    for word in _WORD.findall(node.status):
        row = project.index.find_label(word)
        if row is not None and row.state == "failed":
            return row.label
    return None


def newest_line(project: ShownProject) -> View | None:
    """Return the newest build as a line of a list, or None."""
    newest = project.buildlog.find_newest()
    return newest and _line(project, *newest)


def newest_of(project: ShownProject, script: str, limit: int) -> list[View]:
    """Return the newest builds of a script, as lines of a list."""
    found: list[View] = []
    for number, oid in list(project.buildlog.ids().items())[:_EARLIER]:
        line = _line(project, number, oid)
        found += [line] if line["script"] == script else []
        if len(found) == limit:
            break
    return found


def _line(project: ShownProject, number: int, oid: ObjectId) -> View:
    """Return a build as a line of a list; what is in it cannot change, so that the line is kept."""
    name = f"build-{number}"
    known: Any = project.cache.get(_LINE, oid)
    if isinstance(known, dict):
        return known | {"build": name}
    try:
        node = get_node(project.store, oid, Build)
    except AccError as err:
        return _unreadable(name, err)
    line = build_views.build_line(name, node)
    project.cache.put(_LINE, oid, line)
    return line


def _unreadable(name: str, err: AccError) -> View:
    """Return the line of a build whose object is hurt: the others are still there to be seen."""
    counts = {"built": 0, "reused": 0, "seconds": 0.0}
    return {"build": name, "script": "?", "user": None, "status": str(err), "started": None, **counts}


def _changes(project: ShownProject, name: str, node: Build) -> View | None:
    """Return what is other than in the build before of the same script; None when there is none."""
    number = name.rpartition("-")[2]
    if not number.isdecimal():
        return None  # a build of a remote
    earlier = [(other, oid) for other, oid in project.buildlog.ids().items() if other < int(number)]
    for other, oid in earlier[:_EARLIER]:
        if _line(project, other, oid)["script"] == node.script:
            try:
                before = get_node(project.store, oid, Build)
            except AccError:
                return None
            return {"before": f"build-{other}"} | build_views.build_changes(
                project.resolver, before, node, _CHANGES
            )
    return None
