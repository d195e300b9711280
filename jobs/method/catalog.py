"""Which methods there are, and each of them by its name; a broken file hurts only who asks for it."""

import os
import posixpath
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from cas.formats.canonical import Json, dumps
from cas.oid import oid_of
from jobs.errors import MethodError
from jobs.method.cache import Cache
from jobs.method.closure import Closure, find_closure
from jobs.method.declarations import Declarations
from jobs.method.definition import METHOD_PREFIX, Method, describe
from jobs.method.environment import Setting, environment
from jobs.method.modules import OWN_NAMES
from jobs.nodes.source import Source

Describe: TypeAlias = Callable[[Closure, Mapping[str, Path]], Json]

# raised when the JSON of declarations changes its form
_DECLARATIONS_FORMAT: Final = 2


class MethodName(NamedTuple):
    """A method that there is: its name, the package that has it, and its file."""

    name: str
    package: str
    path: Path


class Catalog:
    """The methods of a project and those that come with acc.

    A catalog is a snapshot: a method that was asked for once is not read again, so that a build sees each file in
    one state only. A new catalog sees what has changed.

    Parameters
    ----------
    root : Path
        The project.
    packages : mapping of str to Path
        Folder of each of the project's method packages, by its dotted name (see `find_packages`).
    standard : tuple of str and Path
        The package of acc's own methods; a project's method of the same name comes before them.
    cache : Cache
        Where declarations and environments are remembered.
    setting : str
        How far the environment counts: "exact", "minor" or "none".
    describe : callable
        Gives the declarations of a closure as JSON; by default it imports the method in this process.
    """

    def __init__(
        self,
        root: Path,
        packages: Mapping[str, Path],
        standard: tuple[str, Path],
        *,
        cache: Cache,
        setting: Setting = "minor",
        describe: Describe = describe,
    ) -> None:
        self.packages = packages
        self._root = root
        self._standard = dict([standard])
        self._cache = cache
        self._setting = setting
        self._describe = describe
        self._methods: dict[str, Method] = {}
        self._environments: dict[str, Mapping[str, str]] = {}

    def names(self) -> list[MethodName]:
        """Return all methods, sorted by name; none is read.

        Raises
        ------
        MethodError
            When a method package of the project is not what it should be.
        """
        for package, folder in self.packages.items():
            _check_package(package, folder)
        own = list(_methods_in(self.packages))
        hidden = {method.name for method in own}
        return sorted(
            [*own, *(method for method in _methods_in(self._standard) if method.name not in hidden)]
        )

    def get(self, name: str) -> Method:
        """Return the method with that name.

        Raises
        ------
        MethodError
            When there is none, or more than one, or its files do not load.
        """
        if name not in self._methods:
            self._methods[name] = self._load(self._find(name))
        return self._methods[name]

    def environment(self, method: Method) -> Mapping[str, str]:
        """Return the versions that count in the keys of a method."""
        if method.name not in self._environments:
            found = environment(method.closure.imports, self._setting, self._cache)
            self._environments[method.name] = found
        return self._environments[method.name]

    def is_standard(self, source: Source) -> bool:
        """Return whether a source is that of one of acc's own methods."""
        return posixpath.dirname(source.main).replace("/", ".") in self._standard

    def _find(self, name: str) -> MethodName:
        known = self.names()
        found = [method for method in known if method.name == name]
        if len(found) > 1:
            raise MethodError(
                f"method '{name}' is in two packages: {' and '.join(method.package for method in found)}",
                hint="rename one of them: " + ", ".join(str(method.path) for method in found),
            )
        if not found:
            raise MethodError(f"no method '{name}'", hint=_close(name, [method.name for method in known]))
        return found[0]

    def _load(self, found: MethodName) -> Method:
        installed = found.package in self._standard
        packages = self._standard if installed else self.packages
        closure = find_closure(found.path, packages, found.path.parent if installed else self._root)
        method = Method.of(found.name, found.package, closure, installed=installed)
        return self.declare(method, {} if installed else packages)

    def declare(self, method: Method, packages: Mapping[str, Path]) -> Method:
        """Return `method` with its declarations; `packages` is where modules are found that its closure lacks."""
        # defaults may come from packages that it imports, and so change with them
        environment = oid_of(dumps(dict(self.environment(method))))
        key = f"{_DECLARATIONS_FORMAT}-{sys.version_info[0]}.{sys.version_info[1]}-{environment}-{method.source}"
        body = self._cache.get("declarations", key)
        known = body is not None
        if not known:
            body = self._describe(method.closure, packages)
        declarations = Declarations.from_json(body)
        assert declarations.version is not None or not method.installed, f"{method.path} has no version"
        if declarations.settled and not known:
            self._cache.put("declarations", key, body)
        return method.declaring(declarations)


def find_packages(names: Iterable[str], root: Path) -> dict[str, Path]:
    """Return the folder of each method package of a project, by its dotted name.

    >>> find_packages(["mymethods", "lib.more", "../library"], Path("/home/me/project"))["library"]
    PosixPath('/home/me/library')

    Parameters
    ----------
    names : iterable of str
        The packages as a project lists them: dotted names, or folders relative to `root`.
    root : Path
        The project, absolute.
    """
    packages = {}
    for name in names:
        dotted = all(part.isidentifier() for part in name.split("."))
        folder = Path(os.path.abspath(root / (name.replace(".", "/") if dotted else name)))
        inside = folder.is_relative_to(root) and folder != root
        packages[".".join(folder.relative_to(root).parts) if inside else folder.name] = folder
    return packages


def _check_package(package: str, folder: Path) -> None:
    if not folder.is_dir():
        raise MethodError(
            f"no method package '{package}'", hint=f"'methods' in acc.toml lists it; looked for '{folder}'"
        )
    if not (folder / "__init__.py").is_file():
        raise MethodError(
            f"method package '{package}' has no __init__.py",
            hint=f"an empty file will do: '{folder / '__init__.py'}'",
        )
    top = package.partition(".")[0]
    if top in sys.stdlib_module_names or top in OWN_NAMES:
        raise MethodError(
            f"method package '{package}' has a name that Python or acc uses", hint="rename the folder"
        )


def _methods_in(packages: Mapping[str, Path]) -> Iterable[MethodName]:
    for package, folder in packages.items():
        for path in folder.glob(f"{METHOD_PREFIX}*.py"):
            name = path.stem.removeprefix(METHOD_PREFIX)
            if path.stem.isidentifier() and name:
                yield MethodName(name, package, path)


def _close(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=3)
    if close:
        return "did you mean " + " or ".join(f"'{each}'" for each in close) + "?"
    return "'acc method' lists them"
