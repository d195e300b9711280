"""The scratch folder of a running job, beside what it stages: what each part printed, what each slice returned."""

from contextlib import suppress
from pathlib import Path
from typing import Final

_OUTPUT: Final = "output."
_RESULT: Final = "result."


class Scratch:
    """Files that the processes of one job leave for each other and for the launcher; gone when the job ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def output(self, part: str) -> Path:
        """Return the file of what `part` prints: a stage, or the number of a slice."""
        return self.folder / f"{_OUTPUT}{part}"

    def result(self, sliceno: int) -> Path:
        """Return the file of what analysis of a slice returned."""
        return self.folder / f"{_RESULT}{sliceno}"

    def outputs(self) -> dict[str, bytes]:
        """Return what each part printed; parts that printed nothing are left out."""
        texts = {
            path.name.removeprefix(_OUTPUT): path.read_bytes() for path in self.folder.glob(f"{_OUTPUT}*")
        }
        return {part: text for part, text in texts.items() if text}

    def clear(self) -> None:
        """Remove the files, and the folder when nothing else lies in it."""
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                if path.name.startswith((_OUTPUT, _RESULT)):
                    path.unlink()
        with suppress(OSError):
            self.folder.rmdir()
