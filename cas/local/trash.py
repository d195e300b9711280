"""Where gc puts what nothing reaches: one rename away from coming back, until a grace is over.

Readers find objects here too. Writers do not: they store anew what is here.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cas.formats.pack import SUFFIX, Pack
from cas.formats.stream import StoredForm
from cas.local.loose import LooseObjects, open_loose
from cas.local.packs import PackFolder
from cas.oid import ObjectId, is_prefix


class Emptied(NamedTuple):
    """What `Trash.empty` has deleted."""

    files: int
    bytes: int


class Trash:
    """The folder `trash/`: a folder for each gc that moved something, named by its time, with files as they were."""

    def __init__(self, folder: Path, loose: LooseObjects, packs: PackFolder) -> None:
        self.folder = folder
        self._loose = loose
        self._packs = packs
        self._known: dict[Path, Pack] = {}

    def begin(self) -> Path:
        """Return a new folder for what one gc moves away."""
        bin_ = self.folder / str(time.time_ns())
        bin_.mkdir(parents=True)
        return bin_

    def move_loose(self, oid: ObjectId, bin_: Path) -> None:
        """Move a loose object away; does nothing when it is gone."""
        with suppress(FileNotFoundError):
            Path(self._loose.path_of(oid)).rename(bin_ / oid)

    def move_pack(self, path: str, bin_: Path) -> None:
        """Move a pack away; does nothing when it is gone."""
        with suppress(FileNotFoundError):
            Path(path).rename(bin_ / Path(path).name)

    def find_open(self, oid: ObjectId) -> StoredForm | None:
        """Return the stored form of an object that is here, whose file the caller closes, or None."""
        path = self._find(oid)
        if path is None:
            return None
        with suppress(FileNotFoundError):  # it has just been deleted, or restored
            return self._pack(path).find_open(bytes.fromhex(oid)) if _is_pack(path) else open_loose(path, oid)
        return None

    def restore(self, oid: ObjectId) -> bool:
        """Move the file back that holds an object, so that all see it again; return whether it was here."""
        path = self._find(oid)
        if path is None:
            return False
        try:
            if _is_pack(path):
                path.rename(self._packs.folder / path.name)
                self._packs.sync()
            else:
                self._loose.place(path, oid)
        except FileNotFoundError:
            return False
        self._known.pop(path, None)
        return True

    def files(self) -> Iterator[Path]:
        """Yield every file that is here."""
        for bin_ in self._bins():
            yield from sorted(bin_.iterdir())

    def empty(self, *, grace_seconds: float) -> Emptied:
        """Delete what was moved here at least so long ago."""
        files = freed = 0
        for bin_ in self._bins():
            if time.time() - int(bin_.name) / 1e9 < grace_seconds:
                continue
            for path in bin_.iterdir():
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
                    files += 1
            with suppress(OSError):  # something came into it meanwhile, or another gc was quicker
                bin_.rmdir()
        return Emptied(files, freed)

    def _bins(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*") if path.name.isdecimal())

    def _find(self, oid: ObjectId) -> Path | None:
        """Return the file that holds an object."""
        digest = bytes.fromhex(oid)
        for path in self.files():
            if path.name == oid or (_is_pack(path) and self._holds(path, digest)):
                return path
        return None

    def _holds(self, path: Path, digest: bytes) -> bool:
        try:
            return self._pack(path).index.find(digest) is not None
        except FileNotFoundError:
            return False

    def _pack(self, path: Path) -> Pack:
        return self._known.setdefault(path, Pack(str(path)))


def _is_pack(path: Path) -> bool:
    return path.suffix == SUFFIX and is_prefix(path.stem)
