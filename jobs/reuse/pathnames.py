"""Names for files that hold wherever a project lies: "input/x.csv", "project/notes.txt", "/data/x.csv"."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        real = os.path.realpath(path)
        for name, folder in ((INPUT, self.input_directory), (PROJECT, self.root)):
            prefix = os.path.join(os.path.realpath(folder), "")
            if real.startswith(prefix):
                return f"{name}/{real.removeprefix(prefix)}"
        return real

    def path_of(self, name: str) -> Path:
        """Return the path of the file with that name."""
        place, _, rest = name.partition("/")
        folders = {INPUT: self.input_directory, PROJECT: self.root}
        return folders[place] / rest if place in folders else Path(name)
