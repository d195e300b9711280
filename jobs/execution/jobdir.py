"""The job directory of a run: claimed by its number, setup.json and post.json, and its files taken in."""

import os
import shutil
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cas.files import check_name
from cas.oid import Buffer
from cas.store import Store
from jobs.errors import NoSuchFile
from jobs.nodes.listing import split_label
from jobs.nodes.outcome import FileEntry
from jobs.nodes.values import to_json_bytes

SETUP, POST, OUTPUT = "setup.json", "post.json", "OUTPUT"
INTERNAL = frozenset({SETUP, POST, OUTPUT})
_PIECE_BYTES = 1 << 20


class JobDirectory:
    """`<workdir>/<label>/`: what people and other programs see of a run, and where it writes its files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def claim(cls, workdir: str, folder: Path, last_number: int) -> tuple["JobDirectory", int]:
        """Make the directory of the next number after `last_number` that nobody has claimed; return both.

        A directory is made by one process only, so it is what makes a number one's own; the number becomes
        final with the refs. Refs that know of no number may have been lost: then the directories count, and a
        gap between them is no free number.
        """
        number = (last_number or highest_number(workdir, folder)) + 1
        while True:
            path = folder / f"{workdir}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            except FileNotFoundError:
                folder.mkdir(parents=True)
            else:
                return cls(path), number

    def write_setup(self, setup: Mapping[str, Any]) -> None:
        """Write setup.json."""
        self.path.mkdir(exist_ok=True)  # the method is on its way, and may have removed it
        (self.path / SETUP).write_bytes(to_json_bytes(setup, sort_keys=False))

    def write_post(self, post: Mapping[str, Any]) -> None:
        """Write post.json; it is there when, and only when, the job is finished."""
        (self.path / POST).write_bytes(to_json_bytes(post, sort_keys=False))

    def take_in(self, names: Iterable[str], store: Store) -> dict[str, FileEntry]:
        """Return the entries of the files `names`, put into `store`."""
        return {name: self._take_in(name, store) for name in names}

    def _take_in(self, name: str, store: Store) -> FileEntry:
        path = self.path / check_name(name)
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise NoSuchFile(f"file '{name}' leads out of the job directory")
        try:
            with open(path, "rb") as stream:
                return put_file(stream, store)
        except FileNotFoundError:
            raise NoSuchFile(
                f"registered file '{name}' is not there", hint="it was removed before the job ended"
            ) from None

    def keep_output(self, outputs: Mapping[str, bytes]) -> None:
        """Write what each part printed into `OUTPUT`, for whoever looks into a failed run's directory."""
        folder = self.path / OUTPUT
        folder.mkdir(parents=True, exist_ok=True)
        for part, text in outputs.items():
            (folder / part).write_bytes(text)

    def tidy(self) -> None:
        """Remove all that the job wrote there; its files are in the store."""
        self.path.mkdir(exist_ok=True)  # a method may have removed it
        for entry in os.scandir(self.path):
            if entry.name in (SETUP, POST):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink()


def highest_number(workdir: str, folder: Path) -> int:
    """Return the highest number of a job directory that is there, or 0."""
    names = (entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
    return max((label[1] for label in map(split_label, names) if label and label[0] == workdir), default=0)


def put_file(stream: Any, store: Store) -> FileEntry:
    """Return the entry of all that `stream` holds, put into `store` piece by piece."""
    return put_pieces(iter(partial(stream.read, _PIECE_BYTES), b""), store)


def put_pieces(pieces: Iterable[Buffer], store: Store) -> FileEntry:
    """Return the entry of a file that comes piece by piece, put into `store`."""
    writer = store.writer()
    size = 0
    try:
        for piece in pieces:
            writer.write(piece)
            size += len(piece)
        return FileEntry(writer.commit(), size)
    except BaseException:
        writer.abort()
        raise
