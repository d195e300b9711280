"""The scratch files of a running job: what each part printed and is doing, what each slice returned."""

import secrets
from pathlib import Path
from typing import Final

_OUTPUT: Final = "output"
_RESULT: Final = "result"
_STATUS: Final = "status"
_READS: Final = "reads"


def scratch_name(label: str) -> str:
    """Return what the files of a job of that label may begin with, and nobody else's ever do.

    The label alone is not enough: what a killed build left there must not be taken for this run's.
    """
    return f"{label}-{secrets.token_hex(4)}"


def parse_name(name: str) -> tuple[str, str]:
    """Return the label of the job whose scratch or staging has that name, and the part whose output it is, or "".

    >>> parse_name("dev-12-0a1b2c3d.output.prepare"), parse_name("dev-12-0a1b2c3d")
    (('dev-12', 'prepare'), ('dev-12', ''))
    """
    stem, _, rest = name.partition(".")
    kind, _, part = rest.partition(".")
    return stem.rpartition("-")[0], part if kind == _OUTPUT else ""


class Scratch:
    """Files that the processes of one job leave for each other and for the launcher; gone when the job ends.

    They lie beside each other in a folder of all jobs, since a folder for each job costs as much as the files.

    Parameters
    ----------
    folder
        Where scratch files are.
    name
        What those of this job begin with.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._parts: dict[str, None] = {}

    def output(self, part: str) -> Path:
        """Return the file of what `part` prints: a stage, or the number of a slice."""
        return self._folder / f"{self._name}.{_OUTPUT}.{part}"

    def status(self, part: str) -> Path:
        """Return the file of what `part` is doing (see `jobs.status`)."""
        return self._folder / f"{self._name}.{_STATUS}.{part}"

    def result(self, sliceno: int) -> Path:
        """Return the file of what analysis of a slice returned."""
        return self._folder / f"{self._name}.{_RESULT}.{sliceno}"

    def reads(self) -> Path:
        """Return the file where processes that the method forks leave word of what they read."""
        return self._folder / f"{self._name}.{_READS}"

    def note(self, part: str) -> None:
        """Remember that a part has begun, so that its files are looked for."""
        self._parts[part] = None

    def outputs(self) -> dict[str, bytes]:
        """Return what each part printed; parts that printed nothing are left out."""
        return {part: text for part in self._parts if (text := self._read(part))}

    def _read(self, part: str) -> bytes:
        try:
            return self.output(part).read_bytes()
        except FileNotFoundError:
            return b""

    def clear(self) -> None:
        """Remove the files."""
        self.reads().unlink(missing_ok=True)
        for part in self._parts:
            self.output(part).unlink(missing_ok=True)
            self.status(part).unlink(missing_ok=True)
            if part.isdigit():
                self.result(int(part)).unlink(missing_ok=True)
