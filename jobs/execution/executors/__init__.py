"""Ways to run a job's stages and slices; each is an `Executor`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from cas.formats.canonical import Json
from jobs.execution.events import Event, JobRequest, SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.method.closure import Closure

Answer: TypeAlias = Callable[[SubjobWanted], SubjobBuilt | SubjobRefused]


class Executor(Protocol):
    """Runs one job at a time for its launcher."""

    def run(self, request: JobRequest, answer: Answer) -> Iterator[Event | None]:
        """Run a job and yield what it tells; the last event is `Finished` or `Failed`.

        Parameters
        ----------
        answer
            Builds the subjob that the job wants.

        Notes
        -----
        None is yielded now and then while nothing happens, so that the caller can look after other things. When
        the iterator ends or is closed, no process of the job is left.
        """

    def describe(self, closure: Closure, packages: Mapping[str, Path]) -> Json:
        """Return the declarations of a method as JSON, by importing it where its jobs run."""

    def close(self) -> None:
        """Give back what the executor holds."""
