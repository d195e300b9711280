"""The files of the running job: saved, opened, registered, and read again."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatchcase
from typing import IO, Any

from cas.files import check_name, temporary_path
from cas.oid import Buffer, ObjectId
from jobs.errors import NoSuchFile, UsageError
from jobs.execution.inside.background import BackgroundSaves, can_fork
from jobs.execution.inside.ledger import Ledger
from jobs.execution.inside.savedfile import SavedFile
from jobs.execution.jobdir import INTERNAL, put_file, put_pieces
from jobs.facets.jobfiles import LONG_BYTES, RESULT, sliced_name
from jobs.job import Job
from jobs.nodes.outcome import FileEntry
from jobs.nodes.values import to_json_bytes, to_pickle
from jobs.status import Status
from jobs.withfile import JobWithFile


class _InBlock:
    """A file that is written in a `with` block, and says so to whoever takes it for open."""

    def __init__(self, block: AbstractContextManager[IO[Any]]) -> None:
        self._block = block

    def __enter__(self) -> IO[Any]:
        return self._block.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._block.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        raise UsageError(
            f"a job's file has no '{name}' before its block begins",
            hint="with job.open(name, 'w') as file: ...",
        )


class OwnFiles(Job):
    """The running job, as far as its files go; `CurrentJob` is the whole of it.

    Attributes
    ----------
    ledger : Ledger
        What this process has done.
    earlier : Ledger
        In analysis, what prepare has done.
    saves : BackgroundSaves or None
        What is being saved; None where nothing is saved in the background.
    """

    ledger: Ledger
    earlier: Ledger
    saves: BackgroundSaves | None

    def check_trust(self) -> None:
        """Do nothing: what it saved, it saved itself."""

    # -- saving ------------------------------------------------------------------------------------------------

    def save(
        self,
        obj: object,
        filename: str = RESULT,
        sliceno: int | None = None,
        temp: bool | None = None,  # noqa: FBT001 - the peer's order
        background: bool = False,  # noqa: FBT001, FBT002
    ) -> SavedFile:
        """Save a value as a pickle.

        Parameters
        ----------
        filename
            A name relative to the job; by default that of the job's result.
        sliceno
            The file is one of a sliced file.
        temp
            The file is there for the later stages, and not kept.
        background
            Return at once, and have a forked process save the value as it is now. The stage ends when that has
            ended; that it failed is seen then, or when the file is used.
        """
        saved = SavedFile(self, filename, sliceno)
        return self._save(lambda: to_pickle(obj), saved, temporary=bool(temp), background=background)

    def json_save(
        self,
        obj: object,
        filename: str = "result.json",
        sliceno: int | None = None,
        sort_keys: bool = True,  # noqa: FBT001, FBT002 - the peer's order
        temp: bool | None = None,  # noqa: FBT001
        background: bool = False,  # noqa: FBT001, FBT002
    ) -> SavedFile:
        """Save a value as JSON, indented; `background` as in `save`."""

        def encoded() -> bytes:
            return to_json_bytes(obj, sort_keys=sort_keys)

        saved = SavedFile(self, filename, sliceno, is_json=True)
        return self._save(encoded, saved, temporary=bool(temp), background=background)

    save_json = json_save

    def save_pieces(
        self, pieces: Iterable[Buffer], filename: str, sliceno: int | None = None, *, temp: bool = False
    ) -> SavedFile:
        """Save a file of bytes that come piece by piece, as those of a file that is opened to be written.

        They are compressed while they come, and never lie in the job directory.
        """
        name = self._checked(filename, sliceno)
        with Status(f"saving '{filename}'"):
            entry = put_pieces(pieces, self.store)
        self.ledger.save(name, entry, temporary=temp)
        return SavedFile(self, filename, sliceno)

    def _save(
        self, encoded: Callable[[], bytes], saved: SavedFile, *, temporary: bool, background: bool
    ) -> SavedFile:
        name = self._checked(saved.filename)

        def put() -> FileEntry:
            with Status(f"saving '{name}'", brief=True):
                data = encoded()
                with Status(f"storing {len(data):,} bytes", brief=len(data) < LONG_BYTES):
                    return FileEntry(self.store.put(data), len(data))

        if background and self.saves is not None and can_fork():
            self.saves.start(name, put, temporary=temporary)
        else:
            self.ledger.save(name, put(), temporary=temporary)
        return saved

    def open(
        self,
        filename: str,
        mode: str = "r",
        sliceno: int | None = None,
        encoding: str | None = None,
        errors: str | None = None,
        *,
        temp: bool | None = None,
    ) -> Any:
        """Open a file of the job.

        To write, use it in a `with` block: the file appears under its name when the block ends, and not at all
        when it raises.
        """
        if not set(mode) & set("wxa+"):
            return self._open_to_read(filename, mode, sliceno, encoding, errors)
        if set(mode) & set("a+"):
            raise UsageError(f"a job's file opens with 'r', 'w' or 'x', not '{mode}'")
        name = self._checked(filename, sliceno)
        if "b" not in mode and encoding is None:
            encoding = "utf-8"
        return _InBlock(
            self._open_to_write(name, mode.replace("w", "x"), encoding, errors, temporary=bool(temp))
        )

    def _open_to_read(
        self, filename: str, mode: str, sliceno: int | None, encoding: str | None, errors: str | None
    ) -> IO[Any]:
        name = sliced_name(filename, sliceno)
        if name not in self._pending():
            return super().open(filename, mode, sliceno, encoding, errors)
        binary = "b" in mode
        return open(
            self._folder / name, mode, encoding=None if binary else encoding or "utf-8", errors=errors
        )

    @contextmanager
    def _open_to_write(
        self, name: str, mode: str, encoding: str | None, errors: str | None, *, temporary: bool
    ) -> Iterator[IO[Any]]:
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = temporary_path(target.parent)
        try:
            with open(hidden, mode, encoding=encoding, errors=errors) as stream:
                yield stream
            hidden.replace(target)
        except BaseException:
            hidden.unlink(missing_ok=True)
            raise
        self.ledger.register(name, temporary=temporary)

    def register_file(self, filename: str) -> None:
        """Keep a file that lies in the job directory."""
        name = self._checked(os.path.relpath(filename, self._folder) if os.path.isabs(filename) else filename)
        if not (self._folder / name).is_file():
            raise NoSuchFile(
                f"there is no file '{name}' to register", hint="write it into the current directory first"
            )
        self.ledger.register(name)

    def register_files(self, pattern: str = "**/*") -> set[str]:
        """Keep all files in the job directory that match `pattern`, and return their names."""
        found = (path.relative_to(self._folder) for path in self._folder.glob(pattern) if path.is_file())
        names = {str(path) for path in found if path.parts[0] not in INTERNAL}
        new = names - self.ledger.names() - self.earlier.names()
        for name in sorted(new):
            self.register_file(name)
        return new

    def link_file(self, filename: str, entry: FileEntry) -> None:
        """Add a file whose bytes are stored, as they are (see `Job.link_to_here`)."""
        name = self._checked(filename)
        self.store.hold([entry.blob])  # that it is another job's now may change before this one is published
        self.ledger.save(name, entry, temporary=False)

    def _checked(self, filename: str, sliceno: int | None = None) -> str:
        """Return the name of a file that is about to be written; one that is being saved under it is waited for."""
        name = check_name(sliced_name(filename, sliceno))
        if name.split("/")[0] in INTERNAL:
            raise UsageError(f"the name '{name}' is acc's own")
        self.wait(name)
        return name

    def wait(self, name: str) -> None:
        """Return when a file that is saved in the background is saved; raise `SaveFailed` when it could not be."""
        if self.saves is not None:
            self.saves.wait(name)

    def forget(self, name: str) -> None:
        """Let a file be none of the job's."""
        self.ledger.remove(name)

    # -- its files so far --------------------------------------------------------------------------------------

    def _files(self) -> dict[str, FileEntry]:
        files, removed = self.ledger.files, self.ledger.removed
        if not self.earlier.files:
            return files
        return {
            name: entry
            for name, entry in {**self.earlier.files, **files}.items()
            if name in files or not (name in removed or name in self.ledger.pending)
        }

    def _pending(self) -> set[str]:
        """Return the names of registered files, which lie in the job directory."""
        earlier = set(self.earlier.pending) - self.ledger.removed - set(self.ledger.files)
        return earlier | set(self.ledger.pending)

    def _file(self, name: str, sliceno: int | None = None) -> FileEntry:
        self.wait(sliced_name(name, sliceno))
        return super()._file(name, sliceno)

    def files(self, pattern: str = "*") -> set[str]:
        """Return the names of the files that it has so far."""
        saving = self.saves.names() if self.saves is not None else set()
        others = self._pending() | saving
        return super().files(pattern) | {name for name in others if fnmatchcase(name, pattern)}

    def filename(self, name: str, sliceno: int | None = None) -> str:
        """Return the path of a file in the job directory: one that it has, or one to be written and registered."""
        stored = sliced_name(name, sliceno)
        self.wait(stored)
        return super().filename(name, sliceno) if stored in self._files() else str(self._folder / stored)

    def load(self, filename: str = RESULT, *arguments: Any, **options: Any) -> Any:
        """Return a value that it saved, or that lies in its directory as a registered pickle."""
        self._store_pending(filename, *arguments, **options)
        return super().load(filename, *arguments, **options)

    def json_load(self, filename: str = "result.json", *arguments: Any, **options: Any) -> Any:
        """Return the value in a JSON file of its own."""
        self._store_pending(filename, *arguments, **options)
        return super().json_load(filename, *arguments, **options)

    load_json = json_load

    def _store_pending(self, filename: str, sliceno: int | None = None, *_: Any, **_options: Any) -> None:
        name = sliced_name(filename, sliceno)
        if name in self._pending():
            with open(self._folder / name, "rb") as stream:
                entry = put_file(stream, self.store)
            temporary = name in self.ledger.temporary or name in self.earlier.temporary
            self.ledger.save(name, entry, temporary=temporary)

    def file_blobs(self, name: str, *, sliced: bool) -> Sequence[ObjectId]:
        """Raise: nothing else can be given a file of a job that is not finished."""
        del sliced
        raise UsageError(f"the running job cannot be an input, nor its file '{name}'")

    def withfile(self, name: str, sliced: bool = False, extra: object = None) -> JobWithFile:  # noqa: FBT001, FBT002 - the peer's order
        """Return a reference to one of its files."""
        return JobWithFile(self, name, sliced, extra)
