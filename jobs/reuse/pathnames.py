"""Names for files that hold wherever a project lies: "input/x.csv", "project/notes.txt", "/data/x.csv"."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cas.formats.canonical import Json, tag
from cas.oid import ObjectId, oid_of
from jobs.method.options import InputPath
from jobs.nodes.references import INPUT as INPUT_TAG
from jobs.nodes.references import Referable

INPUT: Final = "input"
PROJECT: Final = "project"


@dataclass(frozen=True, slots=True)
class PathNames:
    """The folders of a project, by which a path gets a name and a name its path.

    Attributes
    ----------
    root, input_directory : Path
        The project, and where its input files are.
    """

    root: Path
    input_directory: Path

    def name_of(self, path: str) -> str:
        """Return the name of the file at `path`; a file outside the project has its whole path."""
        # as it is written first: a link in the project has a name of its own
        real = os.path.realpath(path)
        return self._find_name(os.path.abspath(path)) or self._find_name(real) or real

    def _find_name(self, path: str) -> str | None:
        for name, folder in ((INPUT, self.input_directory), (PROJECT, self.root)):
            for prefix in (os.path.abspath(folder), os.path.realpath(folder)):
                if path == prefix or path.startswith(os.path.join(prefix, "")):
                    return os.path.join(name, os.path.relpath(path, prefix)).removesuffix("/.")
        return None

    def path_of(self, name: str) -> Path:
        """Return the path of the file with that name."""
        place, _, rest = name.partition("/")
        folders = {INPUT: self.input_directory, PROJECT: self.root}
        return folders[place] / rest if place in folders else Path(name)

    def to_structure(self, value: object) -> Json:
        """Return a value as structure, in which an input file that its name does not tell says where it is."""
        return tag(value, self._to_reference)

    def _to_reference(self, value: object) -> Json | None:
        if not isinstance(value, Referable):
            return None
        reference = value.to_reference()
        # a URL is its own place
        if isinstance(value, InputPath) and "://" not in value:
            path = os.path.abspath(value.path)
            where = self._find_name(path) or path
            if where != f"{INPUT}/{value}":
                return {INPUT_TAG: {"content": value.content, "name": str.__str__(value), "path": where}}
        return reference


def content_of(path: Path, file_id: Callable[[Path], ObjectId]) -> ObjectId:
    """Return the content id of a file; a folder's content are the names in it.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    try:
        return file_id(path)
    except IsADirectoryError:
        return oid_of(b"\0".join(sorted(os.fsencode(entry.name) for entry in path.iterdir())))
