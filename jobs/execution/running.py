"""One run under way: what the launcher knows of it from its label to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cas.errors import UnsafeName
from cas.formats.node import put_node
from cas.local.staging import Staging
from jobs.errors import NoSuchFile, SpoiledOutcome
from jobs.execution.events import Finished, StageEnded
from jobs.execution.jobdir import JobDirectory
from jobs.execution.plan import Plan
from jobs.execution.scratch import Scratch
from jobs.nodes.outcome import Outcome
from jobs.nodes.parts import LOAD
from jobs.nodes.run import Times, now


@dataclass(slots=True)
class Clock:
    """When a run began, and when after that its stages and slices began and how long they took, in microseconds."""

    start: int = field(default_factory=now)
    stages: dict[str, int] = field(default_factory=dict)
    slices: dict[int, int] = field(default_factory=dict)
    stages_begun: dict[str, int] = field(default_factory=dict)
    slices_begun: dict[int, int] = field(default_factory=dict)

    def take(self, event: StageEnded) -> None:
        """Take down how long a stage or slice took."""
        # by another host's clock, or one that was set meanwhile, it may have begun before the run
        begun = max(0, event.begun - self.start)
        if event.sliceno is None:
            self.stages[event.stage], self.stages_begun[event.stage] = event.micros, begun
        else:
            self.slices[event.sliceno], self.slices_begun[event.sliceno] = event.micros, begun

    def times(self) -> Times:
        """Return the times of the run, which ends now."""
        return Times(
            self.start,
            now(),
            dict(self.stages),
            _by_number(self.slices),
            dict(self.stages_begun),
            _by_number(self.slices_begun),
        )


def _by_number(slices: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(slices[number] for number in sorted(slices))


def size_and_time(path: Path) -> tuple[int, int] | None:
    """Return size and time of change (ns) of an input file, or None when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@dataclass(slots=True)
class Running:
    """A run: its plan, its label, where its files are until they are published, and the stage that it is in."""

    plan: Plan
    label: str
    number: int
    directory: JobDirectory
    staging: Staging
    scratch: Scratch
    clock: Clock = field(default_factory=Clock)
    input_stats: dict[Path, tuple[int, int] | None] = field(init=False)
    why: str = ""
    stage: str = LOAD

    def __post_init__(self) -> None:
        # beside the content: a file that was another one for a while must not pass for the one that was read
        self.input_stats = {file.path: size_and_time(file.path) for file in self.plan.input_files}

    def put_source(self) -> None:
        """Store the source that runs, to which the run will link."""
        self.staging.put_many(self.plan.method.closure.files.values())
        put_node(self.staging, self.plan.method.source_node)

    def take_in(self, last: Finished) -> Outcome:
        """Return the outcome of the job, which has finished; files that it registered are stored now.

        Raises
        ------
        SpoiledOutcome
            When one of those is gone, or has a name that no file should have.
        """
        plan = self.plan
        self.staging.adopt(last.held)
        try:
            files = {**last.files, **self.directory.take_in(last.pending, self.staging)}
        except (NoSuchFile, UnsafeName) as err:
            raise SpoiledOutcome(str(err), hint=err.hint) from err
        return Outcome(plan.method.name, plan.parts.slices, plan.parts.inputs, files, last.datasets)

    def discard(self) -> None:
        """Forget all that the run left, but for its directory."""
        self.scratch.clear()
        self.staging.discard()
