"""Everything in this process, slices in turn: for tests, and for a debugger at a terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cas.formats.canonical import Json
from jobs.execution.events import Event, JobRequest, SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.execution.executors import Answer
from jobs.execution.inside.reads import describe_watched, watch
from jobs.execution.inside.worker import run_job
from jobs.execution.slots import Slots, Unlimited
from jobs.execution.territory import Territory
from jobs.method.closure import Closure


class _InTurn:
    """A job that runs when its events are asked for; seen from the job, its launcher."""

    def __init__(self, request: JobRequest, answer: Answer, *, at_terminal: bool) -> None:
        self._request = request
        self._at_terminal = at_terminal
        self._answer = answer
        self._told: list[Event] = []

    def events(self) -> Iterator[Event | None]:
        run_job(self._request, self, fork=False, debug=self._at_terminal)
        yield from self._told

    def leader(self) -> None:
        """Return None: it runs in this process, which no limit can end."""

    def end(self) -> None:
        """Nothing is left: it ran in this process."""

    def tell(self, event: Event) -> None:
        self._told.append(event)

    def ask(self, wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        watched = watch(None)  # what building a subjob reads is not read by the job
        try:
            return self._answer(wanted)
        finally:
            watch(watched)


class SerialExecutor:
    """Runs a job in the calling process; a method that kills its process kills the build.

    Parameters
    ----------
    at_terminal
        Somebody sits there and may change things by a debugger: what jobs print is shown while it is kept, and the
        jobs are not reused.
    """

    apart = False

    def __init__(self, *, at_terminal: bool = False) -> None:
        self.slots: Slots = Unlimited()
        self._at_terminal = at_terminal

    def start(self, request: JobRequest, answer: Answer) -> _InTurn:
        """Return a job that runs when its events are asked for."""
        return _InTurn(request, answer, at_terminal=self._at_terminal)

    def describe(self, closure: Closure, packages: Mapping[str, Path], territory: Territory) -> Json:
        """Return the declarations of a method."""
        return describe_watched(closure, packages, territory)

    def close(self) -> None:
        """Nothing is held."""
