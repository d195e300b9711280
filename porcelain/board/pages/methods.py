"""Methods and build scripts: all of them, and what each says of itself."""

from pathlib import Path
from typing import Final

from cas.errors import AccError
from jobs.errors import MethodError
from jobs.nodes.build import DONE
from porcelain.board.drawing.code import Code, numbered
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage, Page
from porcelain.board.pages.builds import newest_of
from porcelain.script import Script, find_scripts, to_view
from porcelain.views import job_views, method_views
from porcelain.views.plain import View, moment

_NEWEST: Final = 20
_SOURCE_BYTES: Final = 1 << 20


def methods(project: ShownProject, asked: Asked) -> Page:
    """Show all methods by package, and the build scripts."""
    del asked
    try:
        lines, problem = project.shelf.lines(), None
    except MethodError as err:  # a package that is not what it should be
        lines, problem = [], str(err)
    shown = [line | _runs(project, line["name"]) for line in lines]
    packages: dict[str, list[View]] = {}
    for line in shown:
        packages.setdefault(line["package"], []).append(line)
    own = project.catalog.packages
    view: View = {
        "methods": shown,
        "scripts": [to_view(script, project.config.root) for script in _scripts(project)],
        "problem": problem,
    }
    drawn = {
        "packages": sorted(packages.items(), key=lambda item: item[0] not in own),
        "first_line": method_views.first_line,
    }
    return Page("methods.html", "Methods", view, drawn)


def method(project: ShownProject, asked: Asked) -> Page:
    """Show what a method says of itself, its code and its newest jobs; also one that is broken, or gone."""
    name = asked.names["name"]
    view: View = {"name": name, "error": None, "package": None, **_runs(project, name)}
    path = None
    try:
        view |= method_views.method(project.shelf.get(name))
        path = Path(view["file"])
    except AccError as err:
        path = _find_path(project, name)
        if path is None and not view["jobs_count"]:
            raise NoSuchPage(str(err), hint="the page Methods lists those that there are") from err
        view["error"] = str(err)
    rows = project.index.rows(_NEWEST, method=name)
    view["newest"] = job_views.log(project.resolver, rows)
    return Page("method.html", name, view, {"code": path and _code(path)})


def script(project: ShownProject, asked: Asked) -> Page:
    """Show a build script: what it says of itself, its code, its newest builds."""
    name = asked.names["name"]
    found = [each for each in _scripts(project) if name in (each.title, f"{each.package}.{each.title}")]
    builds = newest_of(project, name, _NEWEST)
    if not found and not builds:
        raise NoSuchPage(f"no build script '{name}'", hint="the page Methods lists those that there are")
    view: View = {
        "name": name,
        "scripts": [to_view(each, project.config.root) for each in found],
        "builds": builds,
    }
    codes = [_code(each.path) for each in found]
    return Page("script.html", name, view, {"codes": codes, "done": DONE})


def _scripts(project: ShownProject) -> list[Script]:
    return find_scripts(project.config.root, project.catalog.packages)


def _runs(project: ShownProject, name: str) -> View:
    """Return how many jobs a method has, and its newest one."""
    newest = next(iter(project.index.rows(1, method=name)), None)
    return {
        "jobs_count": project.index.count(method=name) if newest else 0,
        "last": newest and newest.label,
        "last_ended": newest and moment(newest.ended),
        "last_state": newest and newest.state,
    }


def _find_path(project: ShownProject, name: str) -> Path | None:
    try:
        return project.shelf.find_path(name)
    except MethodError:
        return None


def _code(path: Path) -> Code | None:
    """Return the text of a file, highlighted; None when it cannot be read or is too long."""
    try:
        if path.stat().st_size > _SOURCE_BYTES:
            return None
        return numbered(path.read_text("utf-8", "replace"), path.name)
    except OSError:
        return None
