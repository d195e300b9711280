"""Import project code: from the bytes of a closure, or from the live files; never from `.pyc` files.

A `.pyc` is trusted when size and mtime of its source fit, so an edit of the same size within a tick of the clock
would run stale; what runs here is the text that was read.
"""

import importlib
import importlib.util
import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import ClassVar, NamedTuple, TypeAlias

from jobs.method.modules import OWN_NAMES, Module, Place, Places, package_place

OnLive: TypeAlias = Callable[[str, Path, bytes], None]


class Misses(NamedTuple):
    """Who is told of modules that are not there.

    Attributes
    ----------
    note : callable
        Called with the path, without suffix, at which project code looked for a module in vain.
    known : frozenset of str
        Top-level names that need no word: the closure has looked for them too.
    """

    note: Callable[[Path], None]
    known: frozenset[str] = frozenset()


class SourceFinder:
    """Gives Python the modules of a project.

    A module that is not among `modules` is imported from its live file and reported. Modules of the standard
    library and of acc are never answered for, so project code cannot hide them.

    Parameters
    ----------
    modules : mapping of str to Module
        The modules that are known, by name.
    live_roots : mapping of str to Path
        Folder of each method package by its dotted name; modules beside the packages are found too.
    on_live : callable, optional
        Called with name, file and bytes of each module that comes from its live file, before it runs.
    misses : Misses, optional
        Told where a module could come that would be imported then.
    beside : Path, optional
        One more folder where modules are found.
    """

    is_of_project: ClassVar = True

    def __init__(
        self,
        modules: Mapping[str, Module],
        live_roots: Mapping[str, Path],
        on_live: OnLive | None = None,
        *,
        misses: Misses | None = None,
        beside: Path | None = None,
    ) -> None:
        self._modules = modules
        self._folders = _folders_without_file(modules)
        self._roots = live_roots
        parents = [folder.parents[name.count(".")] for name, folder in live_roots.items()]
        self._search = tuple(dict.fromkeys([*parents, *([beside] if beside else [])]))
        self._on_live = on_live
        self._misses = misses
        self._ours: set[str] = set()
        self._put_aside: dict[str, ModuleType] = {}

    def install(self) -> None:
        """Answer for the project from now on; modules of it that were imported before are put aside."""
        sys.meta_path.insert(0, self)
        tops = {name.partition(".")[0] for name in (*self._modules, *self._roots)} - OWN_NAMES
        # to look at each of the names would copy 80 pages of a forked process
        if not sys.modules.keys().isdisjoint(tops):
            for name in list(sys.modules):
                if name.partition(".")[0] in tops:
                    self._put_aside[name] = sys.modules.pop(name)

    def remove(self) -> None:
        """Answer no more, forget the modules that were imported, and bring back those that were put aside."""
        sys.meta_path.remove(self)
        for name in self._ours:
            sys.modules.pop(name, None)
        self._ours.clear()
        sys.modules.update(self._put_aside)
        self._put_aside.clear()

    def execute(self, name: str) -> ModuleType:
        """Import the module `name` and return it; whatever its code raises comes through."""
        return importlib.import_module(name)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return how to import the module, or None when it is not of the project; called by Python."""
        top, _, submodule = fullname.partition(".")
        if top in sys.stdlib_module_names or (submodule and top not in self._ours) or top in OWN_NAMES:
            return None
        spec = self._known(fullname) or self._live(fullname, None if path is None else tuple(map(Path, path)))
        if spec is not None:
            self._ours.add(fullname)
        return spec

    def _known(self, name: str) -> ModuleSpec | None:
        module = self._modules.get(name)
        if module is not None:
            return _spec(module, None)
        return _folder_spec(name, (self._folders[name],)) if name in self._folders else None

    def _live(self, name: str, folders: tuple[Path, ...] | None) -> ModuleSpec | None:
        place = self._find_live(name, folders)
        if place is None:
            return None
        if place.path is None:
            return _folder_spec(name, place.folders)
        return _spec(Module(name, place.path, place.path.read_bytes()), self._on_live)

    def _find_live(self, name: str, folders: tuple[Path, ...] | None) -> Place | None:
        if name in self._roots:
            return package_place(self._roots[name])
        searched = self._search if folders is None else folders
        last = name.rpartition(".")[2]
        place = Places().find(last, searched)
        # a mere folder beside the packages is one only when nothing better has its name
        if folders is None and place is not None and place.path is None and _is_taken(name):
            place = None
        if self._misses is not None and (place or folders is not None or self._is_asked_for(name)):
            for folder in _passed_over(searched, place):
                self._misses.note(folder / last)
        return place

    def _is_asked_for(self, name: str) -> bool:
        """Return whether project code asks for the top-level module `name`, and not by an import that is known."""
        if self._misses is None or name in self._misses.known:
            return False
        frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to see who imports
        while frame.f_back is not None and _imports(frame):
            frame = frame.f_back
        return frame.f_globals.get("__name__") in self._ours


def import_live(path: Path, package: str, live_roots: Mapping[str, Path]) -> ModuleType:
    """Import the build script at `path` and return its module, with project code from its live files.

    Project code stays importable until the next call, which begins afresh: files that changed are read again.

    Parameters
    ----------
    path : Path
        The file.
    package : str
        Dotted name of the package that it belongs to, or ""; then it finds modules in its own folder.
    live_roots : mapping of str to Path
        Folder of each method package by its dotted name.
    """
    if _live_finder:
        _live_finder.pop().remove()
    # a name that no module has: the script may be called like one of Python's own
    name = f"{package}.{path.stem}" if package else f"script_{path.stem}"
    finder = SourceFinder({name: Module(name, path, path.read_bytes())}, live_roots, beside=path.parent)
    finder.install()
    _live_finder.append(finder)
    return finder.execute(name)


_live_finder: list[SourceFinder] = []


class _TextLoader(SourceFileLoader):
    """Runs the bytes of a module as if they were in its file."""

    def __init__(self, module: Module, on_run: OnLive | None) -> None:
        super().__init__(module.name, str(module.path))
        self._module = module
        self._on_run = on_run

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the module, or of another file that it reads through its loader."""
        return self._module.code if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled module, reporting it first; called by Python just before the module runs."""
        if self._on_run is not None:
            self._on_run(fullname, self._module.path, self._module.code)
        code: CodeType = self.source_to_code(self._module.code, self.path)
        text = importlib.util.decode_source(self._module.code)
        # no mtime: so linecache never looks whether the file is still like this
        linecache.cache[self.path] = (len(text), None, text.splitlines(keepends=True), self.path)
        return code


def _spec(module: Module, on_live: OnLive | None) -> ModuleSpec | None:
    if module.path.suffix == ".py":
        folders = [str(module.path.parent)] if module.is_package else None
        loader = _TextLoader(module, on_live)
        return importlib.util.spec_from_file_location(
            module.name, module.path, loader=loader, submodule_search_locations=folders
        )
    # an extension can only be loaded from its file
    if module.path.read_bytes() != module.code:
        raise ImportError(f"'{module.path}' is not what it was when the job was asked for", name=module.name)
    if on_live is not None:
        on_live(module.name, module.path, module.code)
    return importlib.util.spec_from_file_location(module.name, module.path)


def _folder_spec(name: str, folders: Sequence[Path]) -> ModuleSpec:
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder) for folder in folders]
    return spec


def _folders_without_file(modules: Mapping[str, Module]) -> dict[str, Path]:
    """Return the folder of each package above a module that is none itself, having no `__init__.py`."""
    folders = {}
    for name, module in modules.items():
        folder = module.path.parent if not module.is_package else module.path.parents[1]
        above = name.rpartition(".")[0]
        while above:
            if above not in modules:
                folders[above] = folder
            above, folder = above.rpartition(".")[0], folder.parent
    return folders


def _passed_over(searched: Sequence[Path], place: Place | None) -> Sequence[Path]:
    """Return the folders in which no file of the module was found, up to the one that has it."""
    if place is None or place.path is None:
        return searched
    holder = place.path.parents[len(place.folders)]  # of a package the folder around it
    return searched[: list(searched).index(holder)]


def _imports(frame: FrameType) -> bool:
    """Return whether a frame is part of the machinery of imports."""
    name = frame.f_globals.get("__name__")
    return name in (__name__, "importlib") or frame.f_code.co_filename.startswith("<frozen importlib")


def _is_taken(name: str) -> bool:
    spec = PathFinder.find_spec(name)
    return spec is not None and spec.has_location
