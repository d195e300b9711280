"""Where Python modules are: found in folders as Python finds them, without importing anything."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final, NamedTuple

OWN_NAMES: Final = frozenset({"acc", "porcelain", "jobs", "cas"})

_SUFFIXES: Final = (*EXTENSION_SUFFIXES, ".py")
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
# not all of the standard library is in sys.stdlib_module_names: its tests are not
_STDLIB: Final = Path(os.__file__).parent
_PACKAGE_FILE: Final = "__init__.py"


@dataclass(frozen=True, slots=True)
class Module:
    """A module of project code, as it is to run.

    Attributes
    ----------
    name : str
        Its dotted name.
    path : Path
        Where the file is, or was; tracebacks show it.
    code : bytes
        The text that runs, whatever the file holds by now.
    """

    name: str
    path: Path
    code: bytes

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__.py` of a package."""
        return self.path.name == _PACKAGE_FILE


class Place(NamedTuple):
    """Where a module is.

    Attributes
    ----------
    path : Path or None
        Its file; None for a package that is only a folder, without `__init__.py`.
    folders : tuple of Path
        Where its submodules are; empty when it is no package.
    """

    path: Path | None
    folders: tuple[Path, ...] = ()


def package_place(folder: Path) -> Place:
    """Return the place of the package in `folder`."""
    path = folder / _PACKAGE_FILE
    return Place(path if path.is_file() else None, (folder,))


def relative_path(name: str, place: Place) -> str:
    """Return the path of the module `name`, which has a file, under the folder that holds its top package."""
    assert place.path is not None
    folders = name.split(".")
    return "/".join([*(folders if place.folders else folders[:-1]), place.path.name])


class Places:
    """Finds modules in folders; each folder is listed once, so what changes afterwards does not show."""

    def __init__(self) -> None:
        self._listings: dict[Path, frozenset[str]] = {}

    def find(self, name: str, folders: Iterable[Path]) -> Place | None:
        """Return the place of the module whose last part is `name` in the first of `folders` that has it."""
        portions = []
        for folder in folders:
            names = self._names(folder)
            if name in names:
                if _PACKAGE_FILE in self._names(folder / name):
                    return Place(folder / name / _PACKAGE_FILE, (folder / name,))
                portions.append(folder / name)
            for suffix in _SUFFIXES:
                if name + suffix in names:
                    return Place(folder / (name + suffix))
        portions = [portion for portion in portions if portion.is_dir()]
        return Place(None, tuple(portions)) if portions else None

    def _names(self, folder: Path) -> frozenset[str]:
        names = self._listings.get(folder)
        if names is None:
            try:
                with os.scandir(folder) as entries:
                    names = frozenset(entry.name for entry in entries)
            except OSError:
                names = frozenset()
            self._listings[folder] = names
        return names


def is_found(path: Path) -> bool:
    """Return whether the module file `path` is what Python finds under its name in its folder."""
    return _at(path) == path


def is_missing(path: Path) -> bool:
    """Return whether there is no module file at `path`, which has no suffix: neither a module nor a package."""
    place = Places().find(path.name, (path.parent,))
    return place is None or place.path is None


def _at(path: Path) -> Path | None:
    folder, name = path.parent, path.name.partition(".")[0]
    if path.name == _PACKAGE_FILE:
        folder, name = folder.parent, folder.name
    place = Places().find(name, (folder,))
    return None if place is None else place.path


def find_on_path(name: str) -> Place | None:
    """Return where Python would import the top-level module `name` from, or None; nothing is imported.

    Finders that say so by `is_of_project` are not asked: what they know is no installation.
    """
    for finder in sys.meta_path:
        if getattr(finder, "is_of_project", False):
            continue
        find_spec = getattr(finder, "find_spec", None)
        spec = find_spec(name, None, None) if find_spec is not None else None
        if spec is not None:
            path = Path(spec.origin) if spec.has_location and spec.origin else None
            return Place(path, tuple(map(Path, spec.submodule_search_locations or ())))
    return None


def is_installed(place: Place) -> bool:
    """Return whether a module is part of an installation, and so known by its version and not by its text."""
    paths = (*place.folders, *((place.path,) if place.path else ()))
    return not paths or any(
        path.is_relative_to(_STDLIB) or not _INSTALLED.isdisjoint(path.parts) for path in paths
    )
