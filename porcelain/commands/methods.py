"""`acc method`, `acc script`: what can be built, and by what."""

import ast
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cas.errors import AccError
from jobs.method.catalog import Catalog, MethodName, find_packages
from jobs.method.containers import Items, Table
from jobs.method.converter import Anything, Choice, Converter, FileOfJob, FromOutside, Text, Typed, bare
from jobs.method.definition import Method
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.layout import Column
from porcelain.project import Project
from porcelain.script import find_scripts
from porcelain.views.plain import View, plain


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
            shown = [_line(project.catalog, found) for found in project.catalog.names()]
            term.emit_json(shown) if given.json else _print_methods(shown)
        else:
            view = _view(project.catalog.get(given.name))
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
        {"name": found.title, "file": _relative(found.path, here.root), "description": _docstring(found.path)}
        for found in find_scripts(here.root, find_packages(here.methods, here.root))
    ]
    if given.json:
        term.emit_json(shown)
    elif shown:
        rows = [[view["name"], view["file"], _first_line(view["description"])] for view in shown]
        term.table([Column("script"), Column("file", cut=True), Column("description", cut=True)], rows)
    else:
        term.note(
            "no build scripts; write build.py with a function main(urd), beside acc.toml or in a method package"
        )
    return 0


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _line(catalog: Catalog, found: MethodName) -> View:
    """Return one line of the list; a method that does not load is listed with why."""
    view = {"name": found.name, "package": found.package, "description": "", "error": None}
    try:
        return view | {"description": _description(catalog.get(found.name))}
    except AccError as err:
        return view | {"error": str(err)}


def _print_methods(shown: list[View]) -> None:
    rows = [
        [view["name"], view["package"], view["error"] or _first_line(view["description"])] for view in shown
    ]
    term.table([Column("method"), Column("package"), Column("description", cut=True)], rows)


def _view(found: Method) -> View:
    declared = found.declarations
    return {
        "name": found.name,
        "package": found.package,
        "file": str(found.path),
        "description": _description(found),
        "options": [
            {
                "name": name,
                "takes": takes(converter),
                "required": converter.mandatory,
                "default": _default(converter),
                "comment": declared.comments.get(name, ""),
            }
            for name, converter in declared.options.items()
        ],
        "datasets": [{"name": name, "list": many} for name, many in declared.datasets.items()],
        "jobs": [{"name": name, "list": many} for name, many in declared.jobs.items()],
        "stages": {stage: list(arguments) for stage, arguments in declared.stages.items()},
        "source": found.source,
        "files": sorted(found.closure.files),
        "imports": sorted(found.closure.imports),
        "unresolved": list(found.closure.unresolved),
    }


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


def takes(converter: Converter) -> str:
    """Return in words what an option takes."""
    inner: Any = bare(converter)
    return _WORDS[type(inner)](inner)


_WORDS: Mapping[type, Callable[[Any], str]] = {
    Anything: lambda _: "anything",
    Choice: lambda choice: " | ".join(choice.names),
    FileOfJob: lambda _: "file of a job",
    FromOutside: lambda file: "input file, or a list of such" if file.several else "input file",
    Items: lambda items: f"{items.container} of {takes(items.item)}",
    Table: lambda table: f"dict of {takes(table.item)}",
    Text: lambda _: "text",
    Typed: lambda typed: typed.scalar.name,
}


def _default(converter: Converter) -> Any:
    said = converter if hasattr(converter, "initial") else bare(converter)
    return plain(getattr(said, "initial", None))


def _description(found: Method) -> str:
    return found.declarations.description or _docstring(found.path)


def _docstring(path: Path) -> str:
    """Return the docstring of a file without running it; "" when it has none or does not parse."""
    try:
        return ast.get_docstring(ast.parse(path.read_bytes())) or ""
    except (OSError, SyntaxError, ValueError):
        return ""


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
