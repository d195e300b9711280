"""Where gc puts what nothing reaches: one rename away from coming back, until a grace is over.

Readers find objects here too. Writers do not: they store anew what is here, or bring it back before they rely on it.
What is to be deleted is condemned before gc looks for pins and refs a last time. From then on only gc brings it back,
or what a node links to could be deleted right after the node had come back.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from cas.files import kind_of, rename_durably
from cas.formats.pack import SUFFIX, Pack
from cas.formats.stream import StoredForm
from cas.local.loose import LooseObjects, open_loose
from cas.local.packs import PackFolder
from cas.oid import ObjectId, is_oid, is_prefix

_CONDEMNED: Final = ".condemned"


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

    def is_empty(self) -> bool:
        """Return whether nothing has been moved away that may still come back."""
        return not self._bins() and not self._condemned()

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
        path = self._find(oid, self._bins() + self._condemned())
        if path is None:
            return None
        with suppress(FileNotFoundError):  # it has just been deleted, or restored
            return self._pack(path).find_open(bytes.fromhex(oid)) if _is_pack(path) else open_loose(path, oid)
        return None

    def restore(self, oid: ObjectId, *, condemned: bool = False) -> bool:
        """Move the file back that holds an object, so that all see it again; return whether that was done.

        Who is not gc asks the store again when it was not: another process may have been quicker.
        """
        path = self._find(oid, self._bins() + (self._condemned() if condemned else []))
        if path is None:
            return False
        try:
            if _is_pack(path):
                rename_durably(path, self._packs.folder / path.name, durable=self._packs.durable)
            else:
                self._loose.place(path, oid)
        except FileNotFoundError:
            return False
        self._known.pop(path, None)
        return True

    def holds(self, oid: ObjectId) -> bool:
        """Return whether an object is here."""
        return self._find(oid, self._bins() + self._condemned()) is not None

    def files(self) -> Iterator[Path]:
        """Yield every file that is here."""
        for bin_ in self._bins() + self._condemned():
            yield from _files(bin_)

    def foreign(self) -> Iterator[Path]:
        """Yield what lies in the folder and was not moved here by a gc."""
        for bin_ in sorted(self.folder.glob("*")):
            kind = kind_of(bin_)
            if kind in {"file", "other"} or not bin_.name.removesuffix(_CONDEMNED).isdecimal():
                yield bin_
                continue
            for path in sorted(bin_.glob("*")):
                if kind_of(path) in ("folder", "other") or not _is_ours(path):
                    yield path

    def condemn(self, *, grace_seconds: float) -> None:
        """Take from the reach of others what was moved here at least so long ago."""
        for bin_ in self._bins():
            if not grace_seconds or time.time() - int(bin_.name) / 1e9 >= grace_seconds:
                condemned = bin_.with_name(bin_.name + _CONDEMNED)
                if not os.path.lexists(condemned):  # else something that is none of ours is in the way
                    bin_.rename(condemned)
        self._known.clear()

    def empty(self) -> Emptied:
        """Delete what is condemned."""
        files = freed = 0
        for bin_ in self._condemned():
            for path in _files(bin_):
                freed += path.stat().st_size
                path.unlink()
                files += 1
            with suppress(OSError):  # something lies in it that is none of ours
                bin_.rmdir()
        return Emptied(files, freed)

    def _bins(self) -> list[Path]:
        return sorted(
            path for path in self.folder.glob("*") if path.name.isdecimal() and kind_of(path) == "folder"
        )

    def _condemned(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*" + _CONDEMNED) if kind_of(path) == "folder")

    def _find(self, oid: ObjectId, bins: Iterable[Path]) -> Path | None:
        """Return the file in one of `bins` that holds an object."""
        digest = bytes.fromhex(oid)
        for bin_ in bins:
            for path in _files(bin_):
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


def _files(bin_: Path) -> list[Path]:
    try:
        with os.scandir(bin_) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []  # gc has just emptied it, or it is none of ours


def _is_ours(path: Path) -> bool:
    return is_oid(path.stem) and path.suffix in ("", SUFFIX)


def _is_pack(path: Path) -> bool:
    return path.suffix == SUFFIX and is_prefix(path.stem)
