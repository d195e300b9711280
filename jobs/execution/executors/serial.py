"""Everything in this process, slices in turn: for tests, and for a debugger."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cas.formats.canonical import Json
from jobs.execution.events import Event, JobRequest, SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.execution.executors import Answer
from jobs.execution.reads import describe_watched, watch
from jobs.execution.territory import Territory
from jobs.execution.worker import run_job
from jobs.method.closure import Closure


class _InTurn:
    """A job that runs when its events are asked for; seen from the job, its launcher."""

    def __init__(self, request: JobRequest, answer: Answer) -> None:
        self._request = request
        self._answer = answer
        self._told: list[Event] = []

    def events(self) -> Iterator[Event | None]:
        run_job(self._request, self, fork=False)
        yield from self._told

    def end(self) -> None:
        """Nothing is left: it ran in this process."""

    def tell(self, event: Event) -> None:
        self._told.append(event)

    def ask(self, wish: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        watched = watch(None)  # what building a subjob reads is not read by the job
        try:
            return self._answer(wish)
        finally:
            watch(watched)


class SerialExecutor:
    """Runs a job in the calling process; a method that kills its process kills the build."""

    def start(self, request: JobRequest, answer: Answer) -> _InTurn:
        """Return a job that runs when its events are asked for."""
        return _InTurn(request, answer)

    def describe(self, closure: Closure, packages: Mapping[str, Path], territory: Territory) -> Json:
        """Return the declarations of a method."""
        return describe_watched(closure, packages, territory)

    def close(self) -> None:
        """Nothing is held."""
