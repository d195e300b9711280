"""The closure of a method: all project files that its code is made of, found statically from its imports.

Project code is what lies in the folders that hold the method packages, and what Python would import from
elsewhere but the standard library and the installed packages. Those count by version, and so does acc itself.
"""

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import MethodError
from jobs.method.imports import Import, Scan, scan
from jobs.method.modules import (
    OWN_NAMES,
    Module,
    Place,
    Places,
    find_on_path,
    is_installed,
    package_place,
    relative_path,
)


@dataclass(frozen=True, slots=True)
class Closure:
    """The files of a method.

    Paths are those of the modules under the folder that holds their package ("mymethods/a_count.py"), so they
    are the same wherever the project lies.

    Attributes
    ----------
    name : str
        Dotted name of the method's module.
    main : str
        Path of the method file.
    files : mapping of str to bytes
        Content of each file, the method file among them.
    real : mapping of str to Path
        Where each file lies now, absolute.
    modules : mapping of str to str
        Dotted name of each module, and its path.
    imports : frozenset of str
        Top-level names that are imported and are neither project code nor of the standard library or acc.
    unresolved : tuple of str
        What could not be followed, each with file and line; it may show when the method runs.
    """

    name: str
    main: str
    files: Mapping[str, bytes]
    real: Mapping[str, Path]
    modules: Mapping[str, str]
    imports: frozenset[str]
    unresolved: tuple[str, ...]

    def to_modules(self) -> dict[str, Module]:
        """Return the modules of the closure by name, to be run from these bytes."""
        return {name: Module(name, self.real[path], self.files[path]) for name, path in self.modules.items()}


def find_closure(main: Path, packages: Mapping[str, Path], root: Path) -> Closure:
    """Return the closure of the method file `main`.

    Parameters
    ----------
    main : Path
        The method file, directly in one of the packages.
    packages : mapping of str to Path
        Folder of each method package, absolute, by its dotted name.
    root : Path
        The project; modules beside the packages are found here too.

    Raises
    ------
    MethodError
        When a file cannot be read or does not parse, or `depend_extra` names what is not there.
    """
    package = next(name for name, folder in packages.items() if folder == main.parent)
    name = f"{package}.{main.stem}"
    walk = _Walk(packages, root)
    walk.add_module(name)
    walk.add_extras(name)
    walk.follow_all()
    return Closure(
        name=name,
        main=walk.modules[name],
        files=walk.files,
        real=walk.real,
        modules=walk.modules,
        imports=frozenset(walk.imports),
        unresolved=tuple(walk.unresolved),
    )


class _Walk:
    """Collects files, following imports from file to file."""

    def __init__(self, packages: Mapping[str, Path], root: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.real: dict[str, Path] = {}
        self.modules: dict[str, str] = {}
        self.imports: set[str] = set()
        self.unresolved: list[str] = []
        self._pending: list[str] = []
        self._packages = packages
        parents = [folder.parents[name.count(".")] for name, folder in packages.items()]
        self._search = tuple(dict.fromkeys([*parents, root]))
        self._places = Places()
        self._found: dict[str, Place | None] = {}

    # -- where a module is

    def _find(self, name: str) -> Place | None:
        """Return the place of a module of the project; None when it is none."""
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def _look_up(self, name: str) -> Place | None:
        if name in self._packages:
            return package_place(self._packages[name])
        parent, _, last = name.rpartition(".")
        if parent:
            place = self._find(parent)
            return self._places.find(last, place.folders) if place is not None else None
        if name in sys.stdlib_module_names or name in OWN_NAMES:
            return None
        place = self._places.find(name, self._search)
        if place is not None and place.path is not None:
            return None if is_installed(place) else place
        # a mere folder is a package only when nothing better has its name
        elsewhere = find_on_path(name)
        if elsewhere is None or (elsewhere.path is None and place is not None):
            return place
        return None if is_installed(elsewhere) else elsewhere

    def _is_project(self, names: Iterable[str]) -> bool:
        """Return whether one of the modules `names` is a file of the project, and not just a folder."""
        return any(place is not None and place.path is not None for place in map(self._find, names))

    # -- collecting

    def add_module(self, name: str) -> bool:
        """Add the module and the packages around it; return whether there is such a module."""
        place = self._find(name)
        if place is None:
            return False
        for above in _upwards(name):
            found = self._find(above)
            if found is not None and found.path is not None and above not in self.modules:
                self.modules[above] = relative_path(above, found)
                self._add_file(self.modules[above], found.path)
                self._pending.append(above)
        return True

    def _add_file(self, path: str, real: Path) -> None:
        try:
            self.files[path] = real.read_bytes()
        except OSError as err:
            raise MethodError(f"cannot read '{path}': {err.strerror}") from err
        self.real[path] = real

    def follow_all(self) -> None:
        """Add what the modules that were added import, until nothing is new."""
        while self._pending:
            name = self._pending.pop()
            scanned = self._scan(name)
            for found in scanned.imports:
                if not self._add_import(found, name):
                    self._note(name, found.line, f"no module '{'.' * found.level}{found.module}'")
            for line in scanned.hidden:
                self._note(name, line, "imports a module whose name shows only when it runs")

    def _note(self, name: str, line: int, text: str) -> None:
        self.unresolved.append(f"{self.modules[name]}:{line}: {text}")

    def _scan(self, name: str) -> Scan:
        path = self.modules[name]
        if not path.endswith(".py"):
            return Scan(())
        try:
            return scan(self.files[path])
        except SyntaxError as err:
            where = f"line {err.lineno}: " if err.lineno else ""
            raise MethodError(f"cannot parse '{self.real[path]}': {where}{err.msg}") from err

    def _add_import(self, found: Import, name: str) -> bool:
        """Add what the module `name` imports; return False when that is missing."""
        target = self._absolute(found, name)
        if target is None:
            return False
        if not self._is_project([*_upwards(target), *(f"{target}.{each}" for each in found.names)]):
            top = target.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in OWN_NAMES:
                self.imports.add(top)
            return True
        complete = self.add_module(target)
        for submodule in self._named(target, found.names):
            self.add_module(submodule)
        return complete

    def _absolute(self, found: Import, name: str) -> str | None:
        if not found.level:
            return found.module
        is_package = self.modules[name].endswith("/__init__.py")
        parts = name.split(".")
        kept = len(parts) - found.level + is_package
        return ".".join([*parts[:kept], *filter(None, [found.module])]) if kept > 0 else None

    def _named(self, target: str, names: tuple[str, ...]) -> Iterator[str]:
        """Yield the modules that `from target import names` imports, if they are there."""
        for name in names:
            if name != "*":
                yield f"{target}.{name}"
            elif target in self.modules:
                yield from (f"{target}.{each}" for each in self._scan(target).exported)

    def add_extras(self, name: str) -> None:
        """Add what the method's `depend_extra` names: files beside it, and modules."""
        extras = self._scan(name).depend_extra
        if extras is None:
            raise MethodError(
                f"depend_extra in '{self.modules[name]}' is not written out",
                hint="it must be a list or tuple of file names and imported modules",
            )
        for extra in extras:
            if isinstance(extra, Import):
                added = self._add_import(extra, name)
            else:
                dotted = all(part.isidentifier() for part in extra.split("."))
                added = self._add_extra_file(extra, name) or (dotted and self.add_module(extra))
            if not added:
                shown = extra.module if isinstance(extra, Import) else extra
                raise MethodError(
                    f"depend_extra in '{self.modules[name]}' names '{shown}', which is not there"
                )

    def _add_extra_file(self, extra: str, name: str) -> bool:
        main = self.modules[name]
        real = self.real[main].parent / extra
        if not real.is_file():
            return False
        path = posixpath.normpath(posixpath.join(posixpath.dirname(main), extra))
        if path.startswith(("../", "/")):
            raise MethodError(f"depend_extra in '{main}' names '{extra}', which lies outside of the project")
        self._add_file(path, real)
        return True


def _upwards(name: str) -> Iterator[str]:
    """Yield the packages around a module, outermost first, and its own name last."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
