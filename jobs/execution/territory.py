"""Whose a file is that a job reads: acc's, the project's, the system's; by what its path begins with."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Territory:
    """What the paths of files begin with, by how reading them counts (see `prefixes`).

    Attributes
    ----------
    own : tuple of str
        Of acc, the jobs and the installation: never noted.
    noted : tuple of str
        Of the project: noted otherwise.
    passing : tuple of str
        For temporary files: noted when they were there before the job, which made the others.
    quiet : tuple of str
        Of the rest of the system: not noted. What is in none of these is.
    """

    own: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()

    def is_quiet(self, name: str) -> bool:
        """Return whether reading the file `name`, an absolute path, is nothing to note, wherever it comes from."""
        if name.startswith(self.own):
            return True
        return name.startswith(self.quiet) and not name.startswith((*self.noted, *self.passing))

    def is_passing(self, name: str) -> bool:
        """Return whether it matters if the file `name` was there before the job."""
        return name.startswith(self.passing) and not name.startswith((*self.own, *self.noted))


# where everything is noted
NOWHERE: Final = Territory()


def prefixes(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what the paths of all files under `folders` begin with, as they are written and real."""
    return tuple(
        os.path.join(path, "")
        for folder in folders
        for path in dict.fromkeys((os.path.realpath(folder), os.path.abspath(folder)))
    )
