"""The files of a job: their names, paths, streams and values."""

import io
from abc import abstractmethod
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from cas.formats.canonical import Json
from cas.oid import ObjectId
from cas.store import Store
from jobs import context
from jobs.errors import NoSuchFile, UsageError
from jobs.facets.checkout import blob_of, checkout
from jobs.facets.joblabel import JobLabel
from jobs.nodes.outcome import FileEntry
from jobs.nodes.references import Dereference
from jobs.nodes.result import Result
from jobs.nodes.values import from_json_bytes, from_pickle
from jobs.status import Status
from jobs.withfile import JobWithFile

RESULT = "result.pickle"
# to load or save fewer is over before anybody could look
LONG_BYTES = 1 << 20
_RAISE: Any = object()


class JobFiles(JobLabel):
    """A job, as far as its files go; `Job` is the whole of it."""

    @property
    @abstractmethod
    def store(self) -> Store:
        """Where the files are read from."""

    @property
    @abstractmethod
    def _folder(self) -> Path:
        """The job directory."""

    @abstractmethod
    def _files(self) -> dict[str, FileEntry]:
        """Return its files by name."""

    @abstractmethod
    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form that stands for the job in a node."""

    @abstractmethod
    def check_trust(self) -> None:
        """Raise `NotTrusted` when values that it saved may not be loaded: pickles can run code."""

    @abstractmethod
    def _dereference(self) -> Dereference:
        """Return what gives the jobs, datasets and files inside a saved value."""

    def files(self, pattern: str = "*") -> set[str]:
        """Return the names of its files that match `pattern`."""
        return {name for name in self._files() if fnmatchcase(name, pattern)}

    def _file(self, name: str, sliceno: int | None = None) -> FileEntry:
        stored = sliced_name(name, sliceno)
        files = self._files()
        if stored not in files:
            known = ", ".join(sorted(files)[:8])
            raise NoSuchFile(
                f"job '{self.label}' has no file '{stored}'", hint=f"it has {known}" if known else ""
            )
        return files[stored]

    def _blob(self, name: str, sliceno: int | None = None) -> ObjectId:
        return blob_of(self.store, sliced_name(name, sliceno), self._file(name, sliceno))

    def file_blobs(self, name: str, *, sliced: bool) -> Sequence[ObjectId]:
        """Return the blob of file `name`, or those of all its slices in order; raise `NoSuchFile`."""
        if not sliced:
            return (self._file(name).blob,)
        return tuple(self._file(name, sliceno).blob for sliceno in range(context.current().slices))

    def filename(self, name: str, sliceno: int | None = None) -> str:
        """Return a real, absolute path of the file; the read-only copy there is made when it is not yet."""
        blob = self._blob(name, sliceno)
        return str(checkout(self.store, blob, self._folder, sliced_name(name, sliceno)))

    def open(
        self,
        filename: str,
        mode: str = "r",
        sliceno: int | None = None,
        encoding: str | None = None,
        errors: str | None = None,
    ) -> IO[Any]:
        """Return a readable stream of a file, UTF-8 unless `mode` has a "b" or `encoding` says otherwise."""
        if mode not in ("r", "rb", "rt"):
            raise UsageError(f"job '{self.label}' is finished: its files open with 'r' or 'rb', not '{mode}'")
        stream = self.store.open(self._blob(filename, sliceno))
        return stream if mode == "rb" else io.TextIOWrapper(stream, encoding or "utf-8", errors)

    def load(
        self,
        filename: str = RESULT,
        sliceno: int | None = None,
        encoding: str = "bytes",
        default: Any = _RAISE,
    ) -> Any:
        """Return the value in a pickle, by default what synthesis returned; `default` when there is no such file."""
        self.check_trust()
        blob = self._find_blob(filename, sliceno, raises=default is _RAISE)
        if blob is None:
            return default
        with self._loading(filename, sliceno):
            return from_pickle(self.store.get(blob), self._dereference(), encoding=encoding)

    def json_load(
        self, filename: str = "result.json", sliceno: int | None = None, default: Any = _RAISE
    ) -> Any:
        """Return the value in a JSON file; `default` when there is no such file."""
        blob = self._find_blob(filename, sliceno, raises=default is _RAISE)
        if blob is None:
            return default
        with self._loading(filename, sliceno):
            return from_json_bytes(self.store.get(blob))

    load_json = json_load

    def _find_blob(self, name: str, sliceno: int | None, *, raises: bool) -> ObjectId | None:
        """Return the blob of a file; when there is no such file raise that, or return None."""
        try:
            return self._blob(name, sliceno)
        except NoSuchFile:
            if raises:
                raise
            return None

    def _loading(self, name: str, sliceno: int | None) -> Status:
        entry = self._file(name, sliceno)
        return Status(
            f"loading '{sliced_name(name, sliceno)}' of {self.label}", brief=entry.size < LONG_BYTES
        )

    def withfile(self, name: str, sliced: bool = False, extra: object = None) -> JobWithFile:  # noqa: FBT001, FBT002 - the peer's order
        """Return a reference to one of its files, to be given as an option."""
        self.file_blobs(name, sliced=sliced)
        return JobWithFile(self, name, sliced, extra)

    def link_result(
        self,
        filename: str = RESULT,
        linkname: str | None = None,
        header: str | None = None,
        description: str | None = None,
    ) -> Path:
        """Link one of its files into the result directory, and return the link.

        Parameters
        ----------
        filename
            Which file.
        linkname
            Name of the link, which may have folders; one that ends in "/" keeps the file's own name. Default: the
            file's name.
        header, description
            What it is, for people.
        """
        results = context.current().results
        if results is None:
            raise UsageError("results are linked in a build script, not in a job")
        name = linkname or Path(filename).name
        if name.endswith("/"):
            name += Path(filename).name
        told = Result(self._row.run, filename, self._file(filename).blob, header or "", description or "")
        return results.link(told, name, Path(self.filename(filename)))

    link_results = link_result

    def link_to_here(self, filename: str = RESULT) -> None:
        """Make one of its files a file of the running job too, under the same name; nothing is copied."""
        job = context.current().job
        if job is None:
            raise UsageError("files are linked into a running job, and none runs here")
        job.link_file(filename, self._file(filename))


def sliced_name(name: str, sliceno: int | None) -> str:
    """Return the name of the file that holds slice `sliceno` of `name`."""
    return name if sliceno is None else f"{name}.{sliceno}"
