"""The job that is running: all of a job that makes sense by then, and what only a running one can do."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Never, Self

from cas.formats.node import put_node
from cas.oid import ObjectId
from cas.store import Store
from jobs import context
from jobs.errors import DatasetError, UsageError
from jobs.execution.events import JobRequest
from jobs.execution.inside.ledger import Ledger
from jobs.execution.inside.ownfiles import OwnFiles
from jobs.facets.buildjob import BuildJob, is_build_label
from jobs.job import DEFAULT_DATASET
from jobs.nodes.values import DotDict, as_held, dotted

if TYPE_CHECKING:
    from jobs.dataset.head import DatasetHead
    from jobs.dataset.writer import DatasetWriter
    from jobs.job import Job


class EarlyFinish(BaseException):
    """Ends the stages of a job that says that it is done; no `Exception`, which a method might catch."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


class CurrentJob(OwnFiles):
    """The running job, the argument `job` of prepare, analysis and synthesis.

    Attributes
    ----------
    sliceno : int or None
        The slice that this process works on, in analysis.
    slices : int
        Number of slices.
    subjobs : list of Job
        Those that it has got so far.
    writers : dict of str to DatasetWriter
        Datasets being written, by name.
    """

    sliceno: int | None
    subjobs: "list[Job]"
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
        self.earlier = Ledger()
        self.saves = None
        self.subjobs = []
        self.writers = {}
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # between its stages; what is kept goes by `to_reference`
        return _running_job, ()

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

    def begin_slice(self, sliceno: int) -> None:
        """Be the job as analysis of one slice sees it, with a ledger of its own."""
        self.sliceno = sliceno
        self.earlier, self.ledger = self.ledger, Ledger()

    def end_slice(self) -> Ledger:
        """Be the whole job again, and return the ledger of the slice."""
        done = self.ledger
        self.sliceno = None
        self.earlier, self.ledger = Ledger(), self.earlier
        return done

    def finish_early(self, result: object = None) -> Never:
        """End the job here, successfully: this stage goes no further, and later ones are skipped.

        Parameters
        ----------
        result
            What the job's result is, as if synthesis had returned it. In analysis there can be none, and all
            slices have to agree that the job is done.
        """
        if self.sliceno is not None and result is not None:
            raise UsageError(
                "finish_early in analysis takes no result", hint="a result comes from prepare or synthesis"
            )
        raise EarlyFinish(result)

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
        if name in self.writers or name in self._datasets():
            raise DatasetError(f"dataset '{name}' is written twice")

    def add_dataset(self, name: str, node: ObjectId, head: object) -> None:
        """Take down a finished dataset; called by its writer."""
        del head
        self.writers.pop(name, None)
        self.ledger.datasets[name] = node

    def _datasets(self) -> dict[str, ObjectId]:
        return {**self.earlier.datasets, **self.ledger.datasets}

    @property
    def store(self) -> Store:
        """The job's staging: what it writes, and below it all that is stored."""
        return context.current().store

    # -- what a running job cannot tell ------------------------------------------------------------------------

    def output(self, what: str | int | None = None) -> Any:
        """Raise: its output is complete when it is finished."""
        del what
        raise UsageError("the output of the running job is not complete")

    def chain(self, *_: Any, **_options: Any) -> "list[Job]":
        """Raise: a chain is one of finished jobs."""
        raise UsageError(
            "the running job is in no chain yet", hint="jobs.previous.chain() is the one before it"
        )

    @property
    def parent(self) -> BuildJob | None:
        """The build that it is made in, None when there is none; raises in a subjob, as what wants it is no job yet."""
        name = str(self.params.parent)
        if name and not is_build_label(name):
            raise UsageError(
                f"the running job '{self}' is a subjob of '{name}', which is running too",
                hint="job.params.parent is its label",
            )
        return BuildJob(name) if name else None

    @property
    def build_job(self) -> BuildJob | None:
        """The same: what a subjob is made in shows when all are done."""
        return self.parent

    @property
    def post(self) -> DotDict:
        """Nothing before the end."""
        raise UsageError("a running job has no post")


def _running_job() -> Any:
    job = context.current().job
    if job is None:
        raise UsageError("the running job is known in its own processes alone")
    return job
