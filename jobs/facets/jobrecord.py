"""What the listing says of a job, and what is stored of it."""

from functools import cached_property
from pathlib import Path
from typing import Any

from cas.errors import ObjectNotFound
from cas.formats.canonical import Json
from cas.formats.node import get_node
from cas.store import Store
from jobs import context
from jobs.errors import NoSuchJob
from jobs.facets.jobfiles import JobFiles
from jobs.facets.runs import SETUP_VERSION, get_run, gone, output_parts, post, row_of_run
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import FileEntry, Outcome
from jobs.nodes.references import JOB
from jobs.nodes.run import Run
from jobs.nodes.values import DotDict


class JobRecord(JobFiles):
    """A job, as far as its row and nodes tell of it; `Job` is the whole of it."""

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
    def version(self) -> int:
        """The version of what `params` and setup.json say."""
        return SETUP_VERSION

    @property
    def is_build(self) -> bool:
        """False: a build is recorded as a build, and is no job."""
        return False

    @property
    def input_directory(self) -> str:
        """The project's input directory."""
        return str(context.current().input_directory)

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

    def check_trust(self) -> None:
        """Raise `NotTrusted` when values that it saved may not be loaded: it came from a remote that is not trusted."""
        context.current().check_trust(self._row, "be loaded")

    def _files(self) -> dict[str, FileEntry]:
        return dict(self.outcome.files)

    # -- what it left ------------------------------------------------------------------------------------------

    def output(self, what: str | int | None = None) -> Any:
        """Return what the job printed.

        Parameters
        ----------
        what
            "prepare", "analysis", "synthesis" or a slice number: that part. None: all of it. "parts": a dict by
            part that printed something, slices by number.
        """
        self._note_aside("output")
        ordered = output_parts(self.store, self.run)
        if what == "parts":
            return ordered
        if what is None:
            return "".join(ordered.values())
        if what == "analysis":
            return "".join(text for part, text in ordered.items() if isinstance(part, int))
        return ordered.get(what, "")

    @cached_property
    def post(self) -> DotDict:
        """What post.json says: files, subjobs and times."""
        self._note_aside("run")
        return post(self.outcome, self.run, self._subjobs())

    def _subjobs(self) -> dict[str, bool]:
        now = context.current()
        return {row_of_run(now, subjob.run).label: subjob.built for subjob in self.run.subjobs}
