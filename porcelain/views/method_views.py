"""Methods as plain dicts: what `--json` prints and tables show."""

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cas.errors import AccError
from jobs.method.catalog import Catalog, MethodName
from jobs.method.containers import Items, Table
from jobs.method.converter import Anything, Choice, Converter, FileOfJob, FromOutside, Text, Typed, bare
from jobs.method.definition import Method
from porcelain.views.plain import View, plain


def method_line(catalog: Catalog, found: MethodName) -> View:
    """Return one line of the list; a method that does not load is listed with why."""
    view = {"name": found.name, "package": found.package, "description": "", "error": None}
    try:
        return view | {"description": _description(catalog.get(found.name))}
    except AccError as err:
        return view | {"error": str(err)}


def unread_line(found: MethodName) -> View:
    """Return the same from the text of the method alone, without importing it."""
    return {
        "name": found.name,
        "package": found.package,
        "description": _written_description(found.path),
        "error": None,
    }


def method(found: Method) -> View:
    """Return everything that a method says of itself."""
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
    return found.declarations.description or docstring(found.path)


def _written_description(path: Path) -> str:
    """Return the text that a file assigns to `description`, else its docstring."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in body:
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "description"
            and isinstance(node.value, ast.Constant)
        ):
            return inspect.cleandoc(str(node.value.value))
    return docstring(path)


def docstring(path: Path) -> str:
    """Return the docstring of a file without running it; "" when it has none or does not parse."""
    try:
        return ast.get_docstring(ast.parse(path.read_bytes())) or ""
    except (OSError, SyntaxError, ValueError):
        return ""


def first_line(text: str) -> str:
    """Return the first line of a description."""
    return text.partition("\n")[0]
