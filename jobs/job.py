"""A job as users hold it: its files, result, datasets, output, parameters and the jobs before it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from cas.formats.canonical import Json, dumps
from cas.oid import ObjectId
from jobs import context
from jobs.errors import NoSuchDataset, NoSuchJob, UsageError
from jobs.facets.buildjob import BuildJob, is_build_label
from jobs.facets.jobfiles import RESULT
from jobs.facets.jobrecord import JobRecord
from jobs.facets.runs import exectime, row_of_run
from jobs.nodes.chain import walk_back
from jobs.nodes.facts import Fact
from jobs.nodes.fields import as_map
from jobs.nodes.listing import JobRow
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE, Dereference, from_structure, walk_references
from jobs.nodes.run import MICROSECONDS
from jobs.nodes.values import DotDict, dotted
from jobs.withfile import JobWithFile

if TYPE_CHECKING:
    from jobs.dataset.dataset import Dataset
    from jobs.dataset.lists import DatasetList

StopJob: TypeAlias = "str | Mapping[str, str] | None"
DEFAULT_DATASET = "default"
_RAISE: Any = object()


class Job(JobRecord):
    """A finished job: a text like "dev-12", with all that came of it.

    Made by `urd.build`, or from a name inside a project: `Job("dev-12")`, `Job("dev-LATEST")`, or the name of a
    method, for its newest job.

    Raises
    ------
    NoSuchJob
        When nothing has that name.
    """

    def __new__(cls, name: str) -> Self:
        """Return the job that `name` names."""
        if isinstance(name, Job):
            return cls.of(name.row)
        row = context.current().resolve(name)
        about: dict[str, Json] = {"name": name}
        context.note(Fact("lookup", about, row.outcome or "" if row else ""))
        if row is None:
            raise NoSuchJob(f"no job '{name}'", hint="'acc log' lists the jobs")
        return cls.of(row)

    @classmethod
    def of(cls, row: JobRow) -> Self:
        """Return the job of a row of the listing."""
        self = str.__new__(cls, row.label)
        self._row = row
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).of, (self._row,))

    def _dereference(self) -> Dereference:
        return dereference

    # -- datasets ----------------------------------------------------------------------------------------------

    def dataset(self, name: str = DEFAULT_DATASET) -> "Dataset":
        """Return one of its datasets; "" is the default one too."""
        from jobs.dataset.dataset import Dataset

        name = name or DEFAULT_DATASET
        nodes = self._datasets()
        if name not in nodes:
            raise NoSuchDataset(
                f"job '{self.label}' has no dataset '{name}'",
                hint="it has " + ", ".join(nodes) if nodes else "it has no datasets",
            )
        return Dataset.of(self, name, nodes[name])

    @property
    def datasets(self) -> "DatasetList[Dataset]":
        """All its datasets, in the order in which they were finished."""
        from jobs.dataset.lists import DatasetList

        return DatasetList(self.dataset(name) for name in self._datasets())

    def _datasets(self) -> dict[str, ObjectId]:
        return dict(self.outcome.datasets)

    def find_owners(self, datasets: Sequence[tuple[ObjectId, str]]) -> "list[tuple[Job, str] | None]":
        """Return for each dataset head a job that has it, if possible under that name, and its name there."""
        found = context.current().labels.find_dataset_owners(datasets)
        return [None if each is None else (Job.of(each[0]), each[1]) for each in found]

    # -- looking back ------------------------------------------------------------------------------------------

    @cached_property
    def params(self) -> DotDict:
        """All that the job was given and how it came to be: what setup.json says, with jobs and datasets."""
        self._note_aside("run")
        inputs = self._dereferenced()
        run = self.run
        return DotDict(
            version=self.version,
            method=run.method,
            caption=run.caption,
            slices=self.outcome.slices,
            hash=run.source,
            why=run.why,
            parent=run.parent,
            starttime=run.times.start / MICROSECONDS,
            endtime=run.times.end / MICROSECONDS,
            exectime=exectime(run),
            versions=DotDict(run.versions),
            input_directory=str(context.current().input_directory),
            jobid=self.label,
            **inputs,
        )

    def _dereferenced(self) -> dict[str, Any]:
        runs = {found.path: found for found in walk_references(self.inputs_node)}
        context_now = context.current()
        by_reference = {
            dumps({found.tag: found.content}): entry.run
            for entry in self.run.inputs
            if (found := runs.get(entry.path)) is not None
        }

        def known(tag: str, content: Json) -> object:
            run = by_reference.get(dumps({tag: content}))
            owner = None if run is None else Job.of(row_of_run(context_now, run))
            return dereference(tag, content, owner)

        plain = from_structure(self.inputs_node, known)
        assert isinstance(plain, dict)
        return {group: dotted(values) for group, values in plain.items()}

    def chain(self, length: int = -1, reverse: bool = False, stop_job: StopJob = None) -> "list[Job]":  # noqa: FBT001, FBT002 - the peer's order
        """Return this job and those before it, along its input job `previous`, oldest first.

        Parameters
        ----------
        length
            At most so many; negative for all.
        reverse
            Newest first.
        stop_job
            Ends before this job; `{job: parameter}` is the one that a job was given as that parameter.
        """
        listed = context.current().labels.before(self._row)

        def previous(job: Job) -> Job | None:
            row = next(listed, None)
            return job._previous() if row is None else Job.of(row)

        jobs = walk_back(Job.of(self._row), previous, length=length, stop=self._stop(stop_job))
        return jobs[::-1] if reverse else jobs

    def _previous(self) -> "Job | None":
        if self._row.previous == "":
            return None
        run = self.run.previous
        return None if run is None else Job.of(row_of_run(context.current(), run))

    @property
    def parent(self) -> "Job | BuildJob | None":
        """The job whose subjob it was made as, or the build that it was made in.

        None when nobody asked for it, and for a job that came from a remote: its parent has a label there.
        """
        self._note_aside("run")
        name = "" if self._row.origin else self.run.parent
        if is_build_label(name):
            return BuildJob(name)
        row = context.current().labels.find_label(name) if name else None
        return None if row is None else Job.of(row)

    @property
    def build_job(self) -> "BuildJob | None":
        """The build that it was made in, be it as a subjob; None when it was none."""
        above = self.parent
        while isinstance(above, Job):
            above = above.parent
        return above

    @staticmethod
    def _stop(given: StopJob) -> "str | None":
        """Return the job that a chain ends before."""
        if not isinstance(given, Mapping):
            return given
        if len(given) != 1:
            raise UsageError("stop_job is a job, or a dict of one job to the name of a parameter")
        ((name, parameter),) = given.items()
        return Job(name).find_given(parameter) if name else None

    def find_given(self, parameter: str) -> "Job | None":
        """Return the job that it was given as a parameter, or None when that was left unset."""
        if parameter not in as_map(self.inputs_node["jobs"]):
            raise UsageError(f"job '{self.label}' has no job parameter '{parameter}'")
        run = self.run.find_input(f"jobs.{parameter}")
        return None if run is None else Job.of(row_of_run(context.current(), run))


class _NoJob(Job):
    """The job that an unset parameter holds: falsy, without files and datasets."""

    def __new__(cls) -> Self:
        return str.__new__(cls, "")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_no_job, ())

    @property
    def label(self) -> str:
        return ""

    to_reference = None  # type: ignore[assignment]  # so it is a value, and no reference to anything

    def note_label(self) -> None:
        """Nothing to note."""

    def __getattr__(self, name: str) -> Any:
        # what all that is not here ends up asking for
        if name == "_row":
            raise NoSuchJob("no job was given here", hint="an unset job is false: ask 'if job:' first")
        raise AttributeError(f"a job has no '{name}'")

    method = workdir = ""
    number = version = -1
    parent = build_job = None  # nobody asked for it

    def files(self, pattern: str = "*") -> set[str]:
        """Return an empty set."""
        del pattern
        return set()

    def load(
        self,
        filename: str | None = None,
        sliceno: int | None = None,
        encoding: str = "bytes",
        default: Any = _RAISE,
    ) -> Any:
        """Return None, or `default`; raise when a certain file is asked for."""
        del encoding
        if default is not _RAISE:
            return default
        if filename is not None or sliceno is not None:
            raise NoSuchJob(f"no job was given here that could have a file '{filename or RESULT}'")
        return None

    def json_load(
        self, filename: str | None = None, sliceno: int | None = None, default: Any = _RAISE
    ) -> Any:
        """Return None, or `default`; raise when a certain file is asked for."""
        return self.load(filename, sliceno, default=default)

    load_json = json_load

    def dataset(self, name: str = DEFAULT_DATASET) -> Any:
        """Raise: there is none."""
        raise NoSuchDataset(f"no job was given here that could have a dataset '{name}'")

    @property
    def datasets(self) -> Any:
        """No datasets."""
        from jobs.dataset.lists import DatasetList

        return DatasetList()

    def chain(self, *_args: Any, **_options: Any) -> "list[Job]":
        """Return an empty list."""
        return []


NoJob = _NoJob()


def _no_job() -> Job:
    return NoJob


def dereference(tag: str, content: Json, owner: Job | None = None) -> object:
    """Return the job, dataset or withfile that a reference stands for; `owner` when it is known whose it is."""
    now = context.current()
    if tag == INPUT:
        assert isinstance(content, dict)
        return content["name"]
    if tag == JOB:
        return owner or _job_of_outcome(now, ObjectId(str(content)))
    assert isinstance(content, dict)
    if tag == DATASET:
        return _dataset(now, owner, str(content["name"]), ObjectId(str(content["node"])))
    assert tag == WITHFILE
    return _withfile(owner, content)


def _job_of_outcome(now: context.Context, outcome: ObjectId) -> Job:
    rows = now.labels.of_outcome(outcome)
    if not rows:
        raise NoSuchJob(f"no job here has the outcome '{outcome[:12]}'")
    return Job.of(rows[-1])


def _dataset(now: context.Context, owner: Job | None, name: str, node: ObjectId) -> "Dataset":
    from jobs.dataset.dataset import Dataset

    if owner is None:
        (found,) = now.labels.find_dataset_owners([(node, name)])
        if found is None:
            raise NoSuchDataset(f"no job here has the dataset '{node[:12]}'")
        owner, name = Job.of(found[0]), found[1]
    return Dataset.of(owner, name, node)


def _withfile(owner: Job | None, content: dict[str, Json]) -> JobWithFile:
    if owner is None and "job" in content:
        owner = _job_of_outcome(context.current(), ObjectId(str(content["job"])))
    if owner is None:
        raise NoSuchJob(f"no job is known to have the file '{content['name']}'")
    extra = from_structure(content["extra"], dereference)
    return JobWithFile(owner, str(content["name"]), content["sliced"] is True, extra)
