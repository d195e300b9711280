"""The job that is running: all of a job that makes sense by then, and what only a running one can do."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from cas.files import check_name, temporary_path
from cas.formats.node import put_node
from cas.oid import Buffer, ObjectId
from cas.store import Store
from jobs import context
from jobs.errors import DatasetError, NoSuchFile, UsageError
from jobs.execution.events import JobRequest
from jobs.execution.jobdir import INTERNAL, put_file, put_pieces
from jobs.execution.ledger import Ledger
from jobs.execution.savedfile import SavedFile
from jobs.job import DEFAULT_DATASET, Job
from jobs.jobfiles import RESULT, sliced_name
from jobs.nodes.outcome import FileEntry
from jobs.nodes.values import DotDict, as_held, dotted, to_json_bytes, to_pickle
from jobs.withfile import JobWithFile

if TYPE_CHECKING:
    from jobs.dataset.head import DatasetHead
    from jobs.dataset.writer import DatasetWriter


class CurrentJob(Job):
    """The running job, the argument `job` of prepare, analysis and synthesis.

    Attributes
    ----------
    sliceno : int or None
        The slice that this process works on, in analysis.
    slices : int
        Number of slices.
    ledger : Ledger
        What this process has done.
    writers : dict of str to DatasetWriter
        Datasets being written, by name.
    """

    sliceno: int | None
    ledger: Ledger
    writers: "dict[str, DatasetWriter]"
    _request: JobRequest
    _params: DotDict

    def __new__(cls, request: JobRequest) -> Self:
        """Return the job that `request` asks for."""
        self = str.__new__(cls, request.label)
        self._request = request
        self._params = DotDict(
            **request.params,
            options=dotted(as_held(request.options)),
            datasets=DotDict(request.datasets),
            jobs=DotDict(request.jobs),
            seed=request.seed,
        )
        self.sliceno = None
        self.ledger = Ledger()
        self.writers = {}
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise UsageError("the running job cannot be saved", hint="str(job) can")

    # -- who it is ---------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """The label."""
        return self._request.label

    @property
    def workdir(self) -> str:
        """Name of the workdir."""
        return self.label.rpartition("-")[0]

    @property
    def number(self) -> int:
        """Number in its workdir."""
        return int(self.label.rpartition("-")[2])

    @property
    def method(self) -> str:
        """Name of the method."""
        return self._request.method

    @property
    def path(self) -> str:
        """The job directory, absolute; also the current directory."""
        return str(self._folder)

    @property
    def slices(self) -> int:
        """Number of slices."""
        return self._request.slices

    @property
    def seed(self) -> int:
        """A number for random generators, the same whenever this very job is run."""
        return self._request.seed

    @property
    def params(self) -> DotDict:
        """All that the job was given: options, datasets and jobs among it."""
        return self._params

    @property
    def input_directory(self) -> str:
        """The project's input directory."""
        return str(self._request.input_directory)

    @property
    def result_directory(self) -> str:
        """The project's result directory."""
        return str(self._request.result_directory)

    @property
    def _folder(self) -> Path:
        return self._request.directory

    def note_label(self) -> None:
        """Its own label is nothing that it learned."""

    def to_reference(self) -> Any:
        """Raise: a job that is not finished cannot be an input or part of a result."""
        raise UsageError("the running job cannot be saved or be an input", hint="str(job) can be saved")

    # -- saving ------------------------------------------------------------------------------------------------

    def save(
        self,
        obj: object,
        filename: str = RESULT,
        sliceno: int | None = None,
        temp: bool = False,  # noqa: FBT001, FBT002 - the peer's order
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
        """
        return self._save(to_pickle(obj), filename, sliceno, temporary=temp)

    def json_save(
        self,
        obj: object,
        filename: str = "result.json",
        sliceno: int | None = None,
        sort_keys: bool = True,  # noqa: FBT001, FBT002 - the peer's order
        temp: bool = False,  # noqa: FBT001, FBT002
    ) -> SavedFile:
        """Save a value as JSON, indented."""
        return self._save(to_json_bytes(obj, sort_keys=sort_keys), filename, sliceno, temporary=temp)

    save_json = json_save

    def save_pieces(
        self, pieces: Iterable[Buffer], filename: str, sliceno: int | None = None, *, temp: bool = False
    ) -> SavedFile:
        """Save a file of bytes that come piece by piece, as those of a file that is opened to be written.

        They are compressed while they come, and never lie in the job directory.
        """
        name = self._checked(filename, sliceno)
        self.ledger.save(name, put_pieces(pieces, self.store), temporary=temp)
        return SavedFile(self, filename, sliceno, self.ledger.remove)

    def _save(self, data: bytes, filename: str, sliceno: int | None, *, temporary: bool) -> SavedFile:
        name = self._checked(filename, sliceno)
        self.ledger.save(name, FileEntry(self.store.put(data), len(data)), temporary=temporary)
        return SavedFile(self, filename, sliceno, self.ledger.remove)

    def open(
        self,
        filename: str,
        mode: str = "r",
        sliceno: int | None = None,
        encoding: str | None = None,
        errors: str | None = None,
        *,
        temp: bool = False,
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
        return self._open_to_write(name, mode.replace("w", "x"), encoding, errors, temporary=temp)

    def _open_to_read(
        self, filename: str, mode: str, sliceno: int | None, encoding: str | None, errors: str | None
    ) -> IO[Any]:
        name = sliced_name(filename, sliceno)
        if name not in self.ledger.pending:
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
        new = names - self.ledger.names()
        for name in sorted(new):
            self.register_file(name)
        return new

    def _checked(self, filename: str, sliceno: int | None = None) -> str:
        name = check_name(sliced_name(filename, sliceno))
        if name.split("/")[0] in INTERNAL:
            raise UsageError(f"the name '{name}' is acc's own")
        return name

    # -- its files so far --------------------------------------------------------------------------------------

    def _files(self) -> dict[str, FileEntry]:
        return self.ledger.files

    def files(self, pattern: str = "*") -> set[str]:
        """Return the names of the files that it has so far."""
        return Job.files(self, pattern) | _matching(self.ledger.pending, pattern)

    def filename(self, name: str, sliceno: int | None = None) -> str:
        """Return the path of a file in the job directory: one that it has, or one to be written and registered."""
        stored = sliced_name(name, sliceno)
        return super().filename(name, sliceno) if stored in self.ledger.files else str(self._folder / stored)

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
        if name in self.ledger.pending:
            with open(self._folder / name, "rb") as stream:
                entry = put_file(stream, self.store)
            self.ledger.save(name, entry, temporary=name in self.ledger.temporary)

    # -- input -------------------------------------------------------------------------------------------------

    def input_filename(self, *parts: str) -> str:
        """Return the path of a file in the project's input directory."""
        return str(Path(self.input_directory, *parts))

    def open_input(
        self, filename: str, mode: str = "r", encoding: str | None = None, errors: str | None = None
    ) -> IO[Any]:
        """Open a file in the input directory; what is read there without being an option is noted."""
        if set(mode) & set("wxa+"):
            raise UsageError("input files are only read")
        binary = "b" in mode
        return open(
            self.input_filename(filename),
            mode,
            encoding=None if binary else encoding or "utf-8",
            errors=errors,
        )

    # -- datasets ----------------------------------------------------------------------------------------------

    def datasetwriter(self, columns: Mapping[str, Any] | None = None, **options: Any) -> "DatasetWriter":
        """Return a writer for a dataset of this job.

        In analysis, with nothing but a name it is the one that prepare made.

        Parameters
        ----------
        columns
            Type, or type and none_support, by column name.
        options
            `name`, `filename`, `hashlabel`, `caption`, `previous`, `parent`, `for_single_slice`,
            `allow_missing_slices` (see `DatasetWriter`).
        """
        from jobs.dataset.writer import DatasetWriter

        name = options.setdefault("name", DEFAULT_DATASET) or DEFAULT_DATASET
        if name in self.writers and not columns and set(options) == {"name"}:
            return self.writers[name]
        self._check_free(name)
        writer = DatasetWriter(self, columns=columns or {}, **options)
        self.writers[name] = writer
        return writer

    DatasetWriter = datasetwriter

    def link_dataset(self, name: str, head: "DatasetHead") -> Any:
        """Add a dataset of columns that are stored already, and return it (see `Dataset.link_to_here`)."""
        if self.sliceno is not None:
            raise DatasetError("datasets are linked and merged in prepare and synthesis, not in analysis")
        self._check_free(name)
        self.add_dataset(name, put_node(self.store, head), head)
        return self.dataset(name)

    def _check_free(self, name: str) -> None:
        if name in self.writers or name in self.ledger.datasets:
            raise DatasetError(f"dataset '{name}' is written twice")

    def add_dataset(self, name: str, node: ObjectId, head: object) -> None:
        """Take down a finished dataset; called by its writer."""
        del head
        self.writers.pop(name, None)
        self.ledger.datasets[name] = node

    def _datasets(self) -> dict[str, ObjectId]:
        return self.ledger.datasets

    @property
    def store(self) -> Store:
        """The job's staging: what it writes, and below it all that is stored."""
        return context.current().store

    # -- what a running job cannot tell ------------------------------------------------------------------------

    def withfile(self, name: str, sliced: bool = False, extra: object = None) -> JobWithFile:  # noqa: FBT001, FBT002 - the peer's order
        """Return a reference to one of its files."""
        return JobWithFile(self, name, sliced, extra)

    def output(self, what: str | int | None = None) -> Any:
        """Raise: its output is complete when it is finished."""
        del what
        raise UsageError("the output of the running job is not complete")

    @property
    def post(self) -> DotDict:
        """Nothing before the end."""
        raise UsageError("a running job has no post")


def _matching(names: Mapping[str, None], pattern: str) -> set[str]:
    from fnmatch import fnmatchcase

    return {name for name in names if fnmatchcase(name, pattern)}
