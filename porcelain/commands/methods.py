"""`acc method`, `acc script`: what can be built, and by what."""

from collections.abc import Sequence

from jobs.method.catalog import find_packages
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.layout import Column
from porcelain.project import Project
from porcelain.script import find_scripts, to_view
from porcelain.views import method_views
from porcelain.views.method_views import first_line, method_line
from porcelain.views.plain import View


def method(arguments: Sequence[str]) -> int:
    """List methods, or describe one."""
    parser = Parser(
        "method",
        "list methods, or describe one",
        prints="a line for each method: name, package, what it does; with NAME its options and what they take,\n"
        "its datasets and jobs, its stages, and the files of its source",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="describe this method")
    parser.add_json()
    given = parser.parse(arguments)
    with Project(config.here()) as project:
        if given.name is None:
            shown = [method_line(project.catalog, found) for found in project.catalog.names()]
            term.emit_json(shown) if given.json else _print_methods(shown)
        else:
            view = method_views.method(project.catalog.get(given.name))
            term.emit_json(view) if given.json else _print_method(view)
    return 0


def script(arguments: Sequence[str]) -> int:
    """List build scripts."""
    parser = Parser(
        "script",
        "list build scripts",
        prints="a line for each: its name for 'acc build', its file, what it does",
    )
    parser.add_json()
    given = parser.parse(arguments)
    here = config.here()
    shown = [
        to_view(found, here.root) for found in find_scripts(here.root, find_packages(here.methods, here.root))
    ]
    if given.json:
        term.emit_json(shown)
    elif shown:
        rows = [[view["name"], view["file"], first_line(view["description"])] for view in shown]
        term.table([Column("script"), Column("file", cut=True), Column("description", cut=True)], rows)
    else:
        term.note(
            "no build scripts; write build.py with a function main(urd), beside acc.toml or in a method package"
        )
    return 0


def _print_methods(shown: list[View]) -> None:
    rows = [
        [view["name"], view["package"], view["error"] or first_line(view["description"])] for view in shown
    ]
    term.table([Column("method"), Column("package"), Column("description", cut=True)], rows)


def _print_method(view: View) -> None:
    term.heading(f"{view['name']}  {view['package']}")
    term.line(view["file"])
    if view["description"]:
        term.line()
        term.line(view["description"])
    term.section("options", map(_option_cells, view["options"]))
    for group in ("datasets", "jobs"):
        term.section(group, ([entry["name"], "a list" if entry["list"] else ""] for entry in view[group]))
    term.section("stages", ([f"{stage}({', '.join(names)})"] for stage, names in view["stages"].items()))
    term.section("source", ([name] for name in view["files"]))
    term.section("imports", ([name] for name in view["imports"]))
    term.section("imports that could not be followed", ([text] for text in view["unresolved"]))


def _option_cells(option: View) -> list[str]:
    default = "required" if option["required"] else repr(option["default"])
    return [option["name"], option["takes"], default, option["comment"]]
