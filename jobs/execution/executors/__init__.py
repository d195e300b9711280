"""Ways to run a job's stages and slices; each is an `Executor`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from cas.formats.canonical import Json
from jobs.execution.events import Event, JobRequest, SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.execution.slots import Slots
from jobs.execution.territory import Territory
from jobs.method.closure import Closure

Answer: TypeAlias = Callable[[SubjobWanted], SubjobBuilt | SubjobRefused]


class Execution(Protocol):
    """One job under way."""

    def events(self) -> Iterator[Event | None]:
        """Yield what the job tells; the last event is `Finished` or `Failed`.

        None comes now and then while nothing happens, so that the caller can look after other things.
        """

    def leader(self) -> int | None:
        """Return the id of the process that all others of the job come from; None when it runs in this one."""

    def end(self) -> None:
        """Kill what is left of the job, and return when no process of it is there; the second time does nothing."""


class Executor(Protocol):
    """Runs jobs for a launcher.

    Attributes
    ----------
    apart : bool
        Whether jobs run in other processes, so that this one can do something else meanwhile.
    """

    apart: bool

    @property
    def slots(self) -> Slots:
        """What a job has one of while it runs; it gives it back while it waits for a subjob."""

    def start(self, request: JobRequest, answer: Answer) -> Execution:
        """Start a job and return at once; the caller has to `end` it.

        Parameters
        ----------
        answer
            Builds the subjob that the job wants.
        """

    def describe(self, closure: Closure, packages: Mapping[str, Path], territory: Territory) -> Json:
        """Return the declarations of a method as JSON, by importing it where its jobs run."""

    def close(self) -> None:
        """Give back what the executor holds."""
