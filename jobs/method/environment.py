"""What of the environment counts in an action key: Python, acc's engine, and the distributions that are imported."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from cas.formats.canonical import Json
from jobs.method.cache import Cache
from jobs.method.modules import Place, find_on_path
from jobs.nodes.fields import as_list, as_text

# raised when the same method, options and inputs give another outcome than before
ENGINE_VERSION: Final = 1

Setting: TypeAlias = Literal["exact", "minor", "none"]

_METADATA_SUFFIXES: Final = (".dist-info", ".egg-info")
_UNVERSIONED: Final = "?"


def environment(imports: Iterable[str], setting: Setting, cache: Cache) -> dict[str, str]:
    """Return what counts of the environment, by name: "python", "acc" and each distribution, with its version.

    A name that is not installed is left out; installing it changes the environment.

    Parameters
    ----------
    imports : iterable of str
        Top-level names that the source imports from installed packages.
    setting : str
        "exact": whole versions; "minor": their first two parts; "none": nothing counts.
    cache : Cache
        Remembers which distributions provide a name, until something is installed beside them.
    """
    if setting == "none":
        return {}
    parts = 2 if setting == "minor" else None
    versions = dict(found for name in imports for found in _distributions(name, cache))
    cut = {name: ".".join(version.split(".")[:parts]) for name, version in sorted(versions.items())}
    python = ".".join(map(str, sys.version_info[: parts or 3]))
    return {"python": python, "acc": str(ENGINE_VERSION), **cut}


def _distributions(name: str, cache: Cache) -> Iterator[tuple[str, str]]:
    """Yield name and version of each installed distribution that provides the top-level module `name`."""
    place = find_on_path(name)
    if place is None:
        return
    for folder in _holders(place):
        if not folder.is_dir():
            continue
        key = f"{folder}:{folder.stat().st_mtime_ns}:{name}"
        found = cache.get("environment", key)
        if found is None:
            found = _look_up(name, folder, alone=place.path is not None)
            cache.put("environment", key, found)
        for distribution, version in map(as_list, as_list(found)):
            yield as_text(distribution), as_text(version)


def _holders(place: Place) -> list[Path]:
    """Return the folders, such as site-packages, that a top-level module lies in."""
    if place.folders:
        return [folder.parent for folder in place.folders]
    return [place.path.parent] if place.path is not None else []


def _look_up(name: str, folder: Path, *, alone: bool) -> list[Json]:
    """Return name and version of the distributions in `folder` that provide `name`.

    When the module is the only one of its name (it is no shared folder), the first distribution found is the one,
    and one that is called like the module is tried first: that spares reading the records of all others.
    """
    installed = [path for path in folder.iterdir() if path.suffix in _METADATA_SUFFIXES]
    installed.sort(key=lambda path: (_normalized(path.stem.split("-")[0]) != _normalized(name), path.name))
    found: list[Json] = []
    for path in installed:
        if _provides(path, name):
            distribution, _, rest = path.stem.partition("-")
            found.append([_normalized(distribution), rest.partition("-")[0] or _UNVERSIONED])
            if alone:
                break
    return found or [[_normalized(name), _UNVERSIONED]]


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _provides(metadata: Path, name: str) -> bool:
    """Return whether the distribution has files of the top-level module `name`, by its own records."""
    try:
        record = (metadata / "RECORD").read_bytes()
        # a package, a module, or an extension module: "name/", "name.py", "name.cpython-311.so"
        return re.search(rb"(?m)^" + re.escape(name.encode()) + rb"(/|\.[\w.-]+,)", record) is not None
    except OSError:
        pass
    try:
        return name in (metadata / "top_level.txt").read_text(encoding="utf-8").split()
    except OSError:
        return False
