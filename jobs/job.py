"""A job as users hold it: its files, result, datasets, output, parameters and the jobs before it."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cas.errors import ObjectNotFound
from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs import context
from jobs.errors import NoSuchDataset, NoSuchJob
from jobs.jobfiles import JobFiles
from jobs.nodes.chain import walk_back
from jobs.nodes.facts import Fact
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import FileEntry, Outcome
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE, Dereference, from_structure, walk_references
from jobs.nodes.run import MICROSECONDS, Run
from jobs.nodes.values import DotDict, dotted
from jobs.records import aside, exectime, get_run, gone, post, row_of_run
from jobs.withfile import JobWithFile

if TYPE_CHECKING:
    from jobs.dataset.dataset import Dataset
    from jobs.dataset.lists import DatasetList

RESULT = "result.pickle"
DEFAULT_DATASET = "default"
_RAISE: Any = object()


class Job(JobFiles):
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

    # -- who it is ---------------------------------------------------------------------------------------------

    @property
    def row(self) -> JobRow:
        """What the listing says of it."""
        return self._row

    @property
    def label(self) -> str:
        """The label, without noting that it was looked at."""
        return self._row.label

    @property
    def workdir(self) -> str:
        """Name of the workdir, as "dev" of "dev-12"."""
        self.note_label()
        return self._row.workdir

    @property
    def number(self) -> int:
        """Number in its workdir, as 12 of "dev-12"."""
        self.note_label()
        return self._row.number

    @property
    def method(self) -> str:
        """Name of the method."""
        return self._row.method

    @property
    def path(self) -> str:
        """The job directory, absolute."""
        self.note_label()
        return str(self._folder)

    @property
    def store(self) -> Store:
        """Where the job's objects are read from."""
        return context.current().store

    @property
    def _folder(self) -> Path:
        return context.current().job_path(self._row)

    # -- what is stored of it ----------------------------------------------------------------------------------

    @cached_property
    def outcome(self) -> Outcome:
        """The outcome node."""
        if self._row.outcome is None:
            raise NoSuchJob(f"job '{self.label}' failed", hint=f"'acc job {self.label}' shows why")
        try:
            return get_node(self.store, self._row.outcome, Outcome)
        except ObjectNotFound as err:
            raise gone(self._row) from err

    @property
    def run(self) -> Run:
        """The run node."""
        return get_run(self.store, self._row.run)

    @property
    def inputs_node(self) -> dict[str, Json]:
        """Options, datasets and jobs as the outcome holds them, in tagged structure."""
        return self.outcome.inputs.to_json()

    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form that stands for the job in a node: its outcome."""
        _ = self.outcome
        return {JOB: self._row.outcome}

    def _files(self) -> dict[str, FileEntry]:
        return dict(self.outcome.files)

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

    def output(self, what: str | int | None = None) -> Any:
        """Return what the job printed.

        Parameters
        ----------
        what
            "prepare", "analysis", "synthesis" or a slice number: that part. None: all of it. "parts": a dict by
            part that printed something, slices by number.
        """
        self._note_aside("output")
        parts = {
            _part(name): self.store.get(blob).decode("utf-8", "replace")
            for name, blob in self.run.output.items()
        }
        ordered = dict(sorted(parts.items(), key=lambda part: _part_order(part[0])))
        if what == "parts":
            return ordered
        if what is None:
            return "".join(ordered.values())
        if what == "analysis":
            return "".join(text for part, text in ordered.items() if isinstance(part, int))
        return ordered.get(what, "")

    @cached_property
    def params(self) -> DotDict:
        """All that the job was given and how it came to be: what setup.json says, with jobs and datasets."""
        self._note_aside("run")
        inputs = self._dereferenced()
        run = self.run
        return DotDict(
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

    @cached_property
    def post(self) -> DotDict:
        """What post.json says: files, subjobs and times."""
        self._note_aside("run")
        return post(self.outcome, self.run, self._subjobs())

    def _subjobs(self) -> dict[str, bool]:
        now = context.current()
        return {row_of_run(now, subjob.run).label: subjob.built for subjob in self.run.subjobs}

    def chain(self, length: int = -1, reverse: bool = False, stop_job: str | None = None) -> "list[Job]":  # noqa: FBT001, FBT002 - the peer's order
        """Return this job and those before it, along its input job `previous`, oldest first.

        Parameters
        ----------
        length
            At most so many; negative for all.
        reverse
            Newest first.
        stop_job
            Ends before this job.
        """
        jobs = walk_back(Job.of(self.row), Job._previous, length=length, stop=stop_job)
        return jobs[::-1] if reverse else jobs

    def _previous(self) -> "Job | None":
        run = self.run.find_input("jobs.previous")
        return None if run is None else Job.of(row_of_run(context.current(), run))

    # -- facts -------------------------------------------------------------------------------------------------

    def note_label(self) -> None:
        """Note that somebody looked at the label, which is no part of the outcome."""
        self._note_aside("label")

    def _note_aside(self, what: str) -> None:
        if context.is_recording() and self._row.outcome is not None:
            about: dict[str, Json] = {"outcome": self._row.outcome, "of": what}
            context.note(Fact("aside", about, aside(context.current(), self._row, what)))


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

    def files(self, pattern: str = "*") -> set[str]:
        """Return an empty set."""
        del pattern
        return set()

    def load(self, *_args: Any, **_options: Any) -> Any:
        """Return None."""
        return None

    json_load = load_json = load

    @property
    def datasets(self) -> Any:
        """No datasets."""
        return []

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


def _part(name: str) -> str | int:
    return int(name) if name.isdigit() else name


def _part_order(part: str | int) -> tuple[int, int]:
    if isinstance(part, int):
        return (1, part)
    return (0, 0) if part == "prepare" else (2, 0)
