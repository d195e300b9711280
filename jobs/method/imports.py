"""What one Python file imports, found in its text without running it."""

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

_DYNAMIC: Final = frozenset({"import_module", "__import__"})
_BODIES: Final = ("body", "orelse", "finalbody", "handlers", "cases")


class Import(NamedTuple):
    """One import of one module.

    Attributes
    ----------
    module : str
        Its dotted name; relative to the importing package when `level` is not 0.
    level : int
        The number of leading dots.
    names : tuple of str
        What is imported from it (`from module import names`), each maybe a module too; "*" for all.
    line : int
        Where in the file.
    """

    module: str
    level: int
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What the text of a file says of what else it needs.

    Attributes
    ----------
    imports : tuple of Import
        In the order of the text, those inside functions and conditions too.
    hidden : tuple of int
        Lines that import a module whose name shows only when they run.
    exported : tuple of str
        The names in `__all__`, as far as they are written out.
    depend_extra : tuple of str and Import, or None
        The module's `depend_extra`: names of files, and modules as they were imported. None when it is not
        written out as texts and names of imported modules.
    """

    imports: tuple[Import, ...]
    hidden: tuple[int, ...] = ()
    exported: tuple[str, ...] = ()
    depend_extra: tuple[str | Import, ...] | None = ()


@lru_cache(maxsize=4096)
def scan(code: bytes) -> Scan:
    """Return what the Python text `code` imports; raise SyntaxError when it does not parse."""
    with warnings.catch_warnings():
        # they are shown when the code is compiled to run, and once is enough
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(code)
        except (ValueError, RecursionError, MemoryError) as err:
            raise SyntaxError(str(err) or "too deeply nested") from err
    imports = list(_statements(tree.body))
    hidden = []
    # expressions are walked only where they can matter, for that costs more than parsing
    if any(name.encode() in code for name in _DYNAMIC):
        for call in _dynamic_calls(tree):
            found = _called(call)
            if found is None:
                hidden.append(call.lineno)
            else:
                imports.append(found)
    return Scan(tuple(imports), tuple(hidden), _exported(tree), _depend_extra(tree))


def _statements(body: Iterable[ast.AST]) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, 0, (), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(
                node.module or "", node.level, tuple(alias.name for alias in node.names), node.lineno
            )
        else:
            for field in _BODIES:
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    yield from _statements(inner)


def _dynamic_calls(tree: ast.Module) -> Iterator[ast.Call]:
    nodes = list(ast.walk(tree))
    # `from importlib import import_module as load`
    aliases = (alias for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names)
    names = _DYNAMIC | {alias.asname for alias in aliases if alias.name in _DYNAMIC}
    for node in nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
            yield node


def _called(call: ast.Call) -> Import | None:
    """Return the import that `import_module("name")` or `__import__("name")` stands for, if it says so."""
    name = _text(call.args[0]) if call.args else None
    if not name:
        return None
    module = name.lstrip(".")
    level = len(name) - len(module)
    if not level:
        return Import(module, 0, (), call.lineno)
    package = next((word.value for word in call.keywords if word.arg == "package"), None)
    if package is None and len(call.args) > 1:
        package = call.args[1]
    if isinstance(package, ast.Name) and package.id == "__package__":
        return Import(module, level, (), call.lineno)
    anchor = _text(package)
    if anchor is None or level > 1:
        return None
    return Import(f"{anchor}.{module}", 0, (), call.lineno)


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _assigned(tree: ast.Module, name: str) -> list[ast.expr | None]:
    values: list[ast.expr | None] = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            # what is added to (+=) is not written out
            values.append(node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None)
    return values


def _exported(tree: ast.Module) -> tuple[str, ...]:
    values = [value for value in _assigned(tree, "__all__") if isinstance(value, ast.List | ast.Tuple)]
    return tuple(text for value in values for item in value.elts if (text := _text(item)) is not None)


def _depend_extra(tree: ast.Module) -> tuple[str | Import, ...] | None:
    values = _assigned(tree, "depend_extra")
    if not values:
        return ()
    last = values[-1]
    if len(values) > 1 or not isinstance(last, ast.List | ast.Tuple | ast.Set):
        return None
    bound = _bound(tree.body)
    extras = [_text(item) or bound.get(ast.unparse(item)) for item in last.elts]
    return tuple(extra for extra in extras if extra is not None) if None not in extras else None


def _bound(body: Iterable[ast.stmt]) -> Mapping[str, Import]:
    """Return the imports at the top of a module by the text that stands for what they bind."""
    bound = {}
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name] = Import(alias.name, 0, (), node.lineno)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found = Import(node.module or "", node.level, (alias.name,), node.lineno)
                bound[alias.asname or alias.name] = found
    return bound
