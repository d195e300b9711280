"""A remote in a folder, on this machine or shared by several."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from cas.files import (
    TEMPORARY_PREFIX,
    clone_or_copy,
    is_temporary,
    place_new,
    sync_file,
    sync_folder,
    temporary_path,
    write_all,
)
from cas.remote.filesystem.files import Files


class FolderFiles(Files):
    """A folder, on this machine or shared by several: every file is synced, and gets its name when it is whole."""

    def put(self, key: str, data: bytes) -> None:
        """Make `data` the content of a file, in place of what is there."""
        self._write(key, data).replace(self._target(key))
        sync_folder(self._target(key).parent)

    def put_file(self, key: str, source: Path) -> None:
        """Make the bytes of the local file `source` the content of a file."""
        target = self._target(key)
        draft = temporary_path(target.parent)
        self._make_folder(target.parent)
        clone_or_copy(source, draft)
        draft.chmod(0o644)
        self._sync(draft)
        draft.replace(target)
        sync_folder(target.parent)

    def create(self, key: str, data: bytes) -> None:
        """Make a file; raise `FileExistsError` when it is there."""
        draft = self._write(key, data)
        if not place_new(draft, self._target(key)):
            raise FileExistsError(key)
        sync_folder(self._target(key).parent)

    def mark(self, key: str) -> str:
        """Return what tells this content of a file from every other."""
        status = os.stat(self._target(key))
        return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"

    def tidy(self, before: float) -> None:
        """Remove files on their way that never came to their end."""
        for path in Path(self.root).rglob(TEMPORARY_PREFIX + "*"):
            with suppress(FileNotFoundError):
                if is_temporary(path) and path.lstat().st_mtime <= before:
                    path.unlink()

    def _find(self, prefix: str) -> dict[str, Any]:
        found = super()._find(prefix)
        return {path: info for path, info in found.items() if not is_temporary(Path(path))}

    def _target(self, key: str) -> Path:
        return Path(self.path(key))

    def _write(self, key: str, data: bytes) -> Path:
        folder = self._target(key).parent
        self._make_folder(folder)
        draft = temporary_path(folder)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            write_all(descriptor, data)
            sync_file(descriptor)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return draft

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)

    @staticmethod
    def _sync(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)
