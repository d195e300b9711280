"""Input files by the texts that callers give, and the names that methods see of them, as they are now."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.errors import NoSuchFile
from jobs.method.options import InputPath


class InputFiles:
    """Finds input files.

    Parameters
    ----------
    folder
        The input directory.
    file_id
        Gives the content id of a file, as it is now.
    fetch
        Gives the file at a URL, as it is now.
    """

    def __init__(
        self, folder: Path, file_id: Callable[[Path], ObjectId], fetch: Callable[[str], InputPath]
    ) -> None:
        self._folder = folder
        self.file_id = file_id
        self._fetch = fetch

    def get(self, text: str) -> InputPath:
        """Return the file at a URL, or at a path in the input directory or elsewhere.

        Raises
        ------
        NoSuchFile
            When there is none, or a folder.
        """
        if "://" in text:
            return self._fetch(text)
        path = Path(os.path.abspath(self._folder / text))
        try:
            content = self.file_id(path)
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchFile(f"no input file '{text}'", hint=f"looked for '{path}'") from None
        except IsADirectoryError:
            raise NoSuchFile(f"input file '{text}' is a folder") from None
        name = path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else path.name
        return InputPath(name, path, content)

    def find(self, name: str) -> InputPath | None:
        """Return the file that a method saw under `name`, or None when it cannot be read."""
        with suppress(AccError, OSError):
            return self.get(name)
        return None
