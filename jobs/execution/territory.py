"""Whose a file is that a job reads: acc's, the project's, the system's; by what its path begins with."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Territory:
    """What the paths of files begin with, by how reading them counts (see `prefixes`); the longest decides.

    So a `.venv` in the project is none of it, and a project in `/usr/src` is none of the system.

    Attributes
    ----------
    own : tuple of str
        Of acc, the jobs, the installation and the system: not noted.
    noted : tuple of str
        Of the project: noted, as is what lies in none of these.
    passing : tuple of str
        For temporary files: noted when they were there before the job, which made the others.
    """

    own: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()

    def is_quiet(self, name: str) -> bool:
        """Return whether reading the file `name`, an absolute path, is nothing to note, wherever it comes from."""
        return _longest(name, self.own) > max(_longest(name, self.noted), _longest(name, self.passing))

    def is_passing(self, name: str) -> bool:
        """Return whether it matters if the file `name` was there before the job."""
        return _longest(name, self.passing) > max(_longest(name, self.own), _longest(name, self.noted))


def _longest(name: str, beginnings: tuple[str, ...]) -> int:
    """Return the length of the longest of `beginnings` that `name` has, or 0."""
    if not name.startswith(beginnings):
        return 0
    return max(len(each) for each in beginnings if name.startswith(each))


# where everything is noted
NOWHERE: Final = Territory()


def prefixes(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what the paths of all files under `folders` begin with, as they are written and real."""
    return tuple(
        os.path.join(path, "")
        for folder in folders
        for path in dict.fromkeys((os.path.realpath(folder), os.path.abspath(folder)))
    )
