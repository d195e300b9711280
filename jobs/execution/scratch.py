"""The scratch files of a running job: what each part printed, what each slice returned."""

from pathlib import Path
from typing import Final

_OUTPUT: Final = "output"
_RESULT: Final = "result"
_READS: Final = "reads"


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
            if part.isdigit():
                self.result(int(part)).unlink(missing_ok=True)
