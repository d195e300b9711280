"""Loose objects: one object, one file, in a folder named by the first two digits of its id."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cas.errors import CorruptObject, ObjectNotFound
from cas.files import (
    PlaceTaken,
    UnreadableFile,
    create_temporary,
    is_temporary,
    kind_of,
    open_file,
    rename_durably,
    sync_file,
    sync_folder,
    write_all,
)
from cas.formats.encoder import Encoder
from cas.formats.frame import FrameTable
from cas.formats.seal import Seal
from cas.formats.stream import StoredForm, read_table, verify_object
from cas.formats.tail import encode_tail, find_tail
from cas.local.pins import NoPins, Pinner
from cas.oid import Buffer, ObjectId, is_prefix


class LooseObjects:
    """The folder `objects/`.

    Parameters
    ----------
    folder
        Where they lie.
    durable
        What is stored here is synced.
    pins
        Where each id is noted before it is asked whether the object is here.
    """

    def __init__(self, folder: Path, *, durable: bool, pins: Pinner | None = None) -> None:
        self.folder = folder
        self.durable = durable
        self._pins = pins or NoPins()
        self._root = str(folder)

    def path_of(self, oid: ObjectId) -> str:
        """Return where the object lies, or would lie."""
        return f"{self._root}/{oid[:2]}/{oid}"

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is here."""
        path = self.path_of(oid)
        # half the time of os.path.exists, a sixth of Path.exists
        return os.access(path, os.F_OK) and kind_of(path) == "file"

    def has_durably(self, oid: ObjectId) -> bool:
        """Return whether the object is here and, if this store is durable, survives a power failure.

        What is in its place and has no seal of its own, as what a power failure left, does not count: it is replaced.
        """
        if not self.has(oid):
            return False
        try:
            stored = self.find_open(oid)
        except CorruptObject:
            return False
        if stored is None:
            return False
        stored.close()
        if self.durable:
            # whoever put it there may not have come so far yet
            sync_folder(self.folder / oid[:2])
        return True

    def find_open(self, oid: ObjectId) -> StoredForm | None:
        """Return the stored form of an object, whose file the caller closes, or None when it is not here."""
        try:
            return open_loose(self.path_of(oid), oid)
        except FileNotFoundError:
            return None

    def add(self, seal: Seal, stored: bytes) -> None:
        """Store an object of one frame, unless it is here."""
        draft = Draft(self)
        draft.take(stored)
        draft.commit(seal, None)

    def writer(self) -> "LooseWriter":
        """Return a writer of an object that comes piece by piece."""
        return LooseWriter(self)

    def ids(self, prefix: str = "") -> Iterator[ObjectId]:
        """Yield the ids of the objects here that begin with `prefix`."""
        for folder in self._folders():
            if folder.startswith(prefix[:2]):
                for name in os.listdir(f"{self._root}/{folder}"):  # noqa: PTH208 - names, not a Path each
                    if name.startswith(prefix) and _fits(name, folder):
                        yield ObjectId(name)

    def verify(self, oid: ObjectId) -> None:
        """Raise `CorruptObject` unless every byte of the file is as it was written."""
        stored = self.find_open(oid)
        if stored is None:
            raise ObjectNotFound(oid, where=self._root)
        try:
            verify_object(stored)
            found = find_tail(stored.fd, os.fstat(stored.fd).st_size, stored.seal.digest)
            assert found is not None
            tail = encode_tail(stored.seal, read_table(stored), named=found.named)
            if stored.read(found.start, found.start + len(tail)) != tail:
                raise stored.corrupt("its seek table is damaged")
        finally:
            stored.close()

    def delete(self, oid: ObjectId) -> bool:
        """Remove the object; return whether it was here."""
        try:
            Path(self.path_of(oid)).unlink()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        return True

    def foreign(self) -> Iterator[Path]:
        """Yield what lies in the folder and is neither an object nor on its way to be one."""
        paths = sorted(self.folder.iterdir())
        folders = set(self._folders())
        for path in paths:
            if path.name not in folders and not is_temporary(path):
                yield path
        for folder in sorted(folders):
            for path in sorted((self.folder / folder).iterdir()):
                if not _fits(path.name, folder):
                    yield path

    def place(self, temporary: Path, oid: ObjectId) -> None:
        """Give a finished file its name; drop it when the object is here."""
        target = Path(self.path_of(oid))
        self._pins.add([bytes.fromhex(oid)])
        if self.has_durably(oid):
            temporary.unlink()
            return
        try:
            rename_durably(temporary, target, durable=self.durable)
        except FileNotFoundError:
            try:
                target.parent.mkdir(exist_ok=True)
            except FileExistsError as err:  # a symlink to nothing
                raise PlaceTaken(target) from err
            if self.durable:
                sync_folder(self.folder)
            rename_durably(temporary, target, durable=self.durable)

    def _folders(self) -> Iterator[str]:
        with os.scandir(self._root) as entries:
            # what a symlink leads to is not the store's: nothing there is moved or deleted
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        return (name for name in names if len(name) == 2 and is_prefix(name * 2))


class Draft:
    """A loose object on its way: a temporary file, which a crash leaves as garbage.

    Nothing is buffered: a forked child would write what its parent had in the buffer a second time.
    """

    def __init__(self, loose: LooseObjects) -> None:
        self._loose = loose
        self._fd = -1

    def take(self, part: bytes) -> None:
        """Append part of the stored form."""
        if self._fd < 0:
            # objects never change: 0444 less the umask
            self._path, self._fd = create_temporary(self._loose.folder, 0o444)
        try:
            write_all(self._fd, part)
        except OSError:
            self.abort()  # on a full disk the part that did fit must not stay in the way of others
            raise

    def commit(self, seal: Seal, table: FrameTable | None) -> None:
        """Make it the object that `seal` tells of."""
        try:
            self.take(encode_tail(seal, table))
            if self._loose.durable:
                sync_file(self._fd)
            self._loose.place(self._path, seal.oid)
        except BaseException:
            self.abort()
            raise
        os.close(self._fd)
        self._fd = -1

    def abort(self) -> None:
        """Drop the file; does nothing after `commit`."""
        if self._fd >= 0:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._fd)
            self._fd = -1


class LooseWriter:
    """An object that comes piece by piece and becomes a loose one."""

    def __init__(self, loose: LooseObjects) -> None:
        self._draft = Draft(loose)
        self._encoder = Encoder(self._draft.take)

    def write(self, data: Buffer) -> None:
        """Append `data`."""
        self._encoder.write(data)

    def cut(self) -> None:
        """Say that a frame may well end here."""
        self._encoder.cut()

    def commit(self) -> ObjectId:
        """Store the object and return its id."""
        seal = self._encoder.finish()
        self._draft.commit(seal, self._encoder.table)
        return seal.oid

    def abort(self) -> None:
        """Forget the object; does nothing after `commit`."""
        self._encoder.close()
        self._draft.abort()


def open_loose(path: str | Path, oid: ObjectId) -> StoredForm:
    """Return the stored form of the loose object in the file at `path`; the caller closes its file."""
    try:
        fd, size = open_file(path)
    except UnreadableFile as err:
        raise CorruptObject(oid, err.reason, where=str(path)) from err
    try:
        tail = find_tail(fd, size, bytes.fromhex(oid))
        if tail is None:
            raise CorruptObject(oid, "its seal is damaged or missing, or that of another", where=str(path))
        return StoredForm(fd, 0, tail.seal, str(path))
    except BaseException:
        os.close(fd)
        raise


def _fits(name: str, folder: str) -> bool:
    """Return whether a file of this name belongs in `folder`."""
    return len(name) == 64 and is_prefix(name) and name.startswith(folder)
