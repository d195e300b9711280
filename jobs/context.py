"""The open project, as the engine sees it: where jobs, datasets and options find what they name.

There is one context a process: the project that porcelain opened, or in a job's process the view of that job.
In a plain Python program it is opened at the first use, by the opener that `import acc` left here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cas.oid import ObjectId
from cas.store import Store
from jobs.errors import NoProject
from jobs.nodes.facts import Fact
from jobs.nodes.listing import JobRow
from jobs.nodes.result import Result


class Labels(Protocol):
    """Finds runs by label or content; `jobs.reuse.index.JobIndex` is one."""

    def find_label(self, label: str) -> JobRow | None:
        """Return the run with that label."""

    def find_latest(self, workdir: str | None = None) -> JobRow | None:
        """Return the newest finished job."""

    def of_run(self, run: ObjectId) -> JobRow | None:
        """Return the row of that run node."""

    def find_build(self, number: int) -> ObjectId | None:
        """Return the build with that number."""

    def before(self, row: JobRow) -> Iterator[JobRow]:
        """Yield the jobs before one in its chain, nearest first, as far as the listing knows them."""

    def of_method(self, method: str, limit: int | None = None) -> list[JobRow]:
        """Return the finished jobs of a method, newest first."""

    def of_outcome(self, outcome: ObjectId) -> list[JobRow]:
        """Return the jobs with that outcome, newest first."""

    def find_dataset_owners(
        self, datasets: Sequence[tuple[ObjectId, str]]
    ) -> list[tuple[JobRow, str] | None]:
        """Return for each dataset head a job that has it, if possible under that name, and its name there."""


class Trust(Protocol):
    """Says what may be done with runs that came from elsewhere; `jobs.reuse.trust.Trust` is one."""

    def check(self, row: JobRow, what: str, labels: Labels) -> None:
        """Raise `NotTrusted` when what came of a run may not be loaded, nor given to jobs."""


class Recorder(Protocol):
    """Notes what a running job learns beyond its action key."""

    def note(self, fact: Fact) -> None:
        """Add `fact` to the run; the same fact twice counts once."""


class ResultLinks(Protocol):
    """Links files of jobs into the result directory."""

    def link(self, result: Result, linkname: str, path: Path) -> Path:
        """Point the link `linkname` at the file `path`, which is the file of `result`; return the link."""


class RunningJob(Protocol):
    """The running job, as far as rooms below it need to know.

    Attributes
    ----------
    subjobs : list of Job
        Those that it has got so far.
    """

    subjobs: list[Any]

    def link_dataset(self, name: str, head: Any) -> Any:
        """Add a dataset of columns that are stored, by its `DatasetHead`; return the `Dataset`."""

    def link_file(self, filename: str, entry: Any) -> None:
        """Add a file whose bytes are stored, by its `FileEntry`."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a job object needs to know of the project around it.

    Attributes
    ----------
    resolve : callable
        Gives the row that a text names (a label, "dev-LATEST", a method name), or None.
    get_job : callable
        Gives the `Job` that a text names, for rooms that stand below it.
    recorder : Recorder or None
        In a running job, who takes down facts.
    results : ResultLinks or None
        In a build script, who makes result links.
    build : callable or None
        In a running job and in a build script, builds a job: `build(method, **arguments)`.
    job : RunningJob or None
        In a running job, that job.
    trust : Trust or None
        Says which runs may be loaded and given to jobs; None: all.
    """

    store: Store
    labels: Labels
    workdirs: Mapping[str, Path]
    slices: int
    input_directory: Path
    resolve: Callable[[str], JobRow | None]
    get_job: Callable[[str], Any]
    recorder: Recorder | None = None
    results: ResultLinks | None = None
    build: Callable[..., Any] | None = None
    job: RunningJob | None = None
    trust: Trust | None = None

    def check_trust(self, row: JobRow, what: str) -> None:
        """Raise `NotTrusted` unless the project trusts what came of a run; `what` was to be done, as "be loaded"."""
        if self.trust is not None:
            self.trust.check(row, what, self.labels)

    def job_path(self, row: JobRow) -> Path:
        """Return the job directory of a run."""
        return self.workdirs[row.workdir] / row.label


_state: dict[str, Any] = {"context": None, "opener": None}


def set_opener(opener: Callable[[], Context]) -> None:
    """Say how the project is opened when nobody has done so yet."""
    _state["opener"] = opener


def current() -> Context:
    """Return the context of this process, opened now when it is not yet; raise `NoProject` when there is none."""
    if _state["context"] is None:
        if _state["opener"] is None:
            raise NoProject("no project is open", hint="run inside a project, and import acc first")
        _state["context"] = _state["opener"]()
    context: Context = _state["context"]
    return context


def enter(context: Context | None) -> Context | None:
    """Make `context` the one of this process and return what was there before."""
    before: Context | None = _state["context"]
    _state["context"] = context
    return before


@contextmanager
def using(context: Context) -> Iterator[Context]:
    """Make `context` the one of this process inside a block."""
    before = enter(context)
    try:
        yield context
    finally:
        enter(before)


def is_recording() -> bool:
    """Return whether this is the process of a running job, which takes down facts; opens nothing."""
    context: Context | None = _state["context"]
    return context is not None and context.recorder is not None


def note(fact: Fact) -> None:
    """Hand `fact` to the recorder of the running job; does nothing elsewhere."""
    if is_recording():
        _state["context"].recorder.note(fact)
