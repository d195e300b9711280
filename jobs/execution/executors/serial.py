"""Everything in this process, slices in turn: for tests, and for a debugger."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cas.formats.canonical import Json
from jobs.execution.events import Event, JobRequest, SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.execution.executors import Answer
from jobs.execution.worker import run_job
from jobs.method.closure import Closure
from jobs.method.definition import describe


class _Collector:
    """The launcher as the job sees it: events are kept, subjobs answered at once."""

    def __init__(self, answer: Answer) -> None:
        self.events: list[Event] = []
        self._answer = answer

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def ask(self, wish: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        return self._answer(wish)


class SerialExecutor:
    """Runs a job in the calling process; a method that kills its process kills the build."""

    def run(self, request: JobRequest, answer: Answer) -> Iterator[Event | None]:
        """Run a job, then yield what it told."""
        collector = _Collector(answer)
        run_job(request, collector, fork=False)
        yield from collector.events

    def describe(self, closure: Closure, packages: Mapping[str, Path]) -> Json:
        """Return the declarations of a method."""
        return describe(closure, packages)

    def close(self) -> None:
        """Nothing is held."""
