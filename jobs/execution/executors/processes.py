"""The default: a job is a process forked from the zygote, which forks its slices."""

import selectors
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cas.errors import AccError
from cas.formats.canonical import Json
from jobs.errors import MethodError
from jobs.execution.events import (
    Described,
    DescribeRequest,
    Event,
    Failed,
    Finished,
    JobRequest,
    StageBegan,
    StageEnded,
    SubjobWanted,
)
from jobs.execution.executors import Answer
from jobs.execution.inside.children import death, died
from jobs.execution.scratch import Scratch
from jobs.execution.slots import Cores, Slots
from jobs.execution.territory import Territory
from jobs.execution.zygote import JobProcess, Zygote, ZygoteGone
from jobs.method.closure import Closure
from jobs.nodes.parts import ANALYSIS, LOAD

_TICK_SECONDS = 0.1


class _InProcess:
    """A job in a process of its own."""

    def __init__(self, process: JobProcess, answer: Answer, scratch: Scratch) -> None:
        self._scratch = scratch
        self._process = process
        self._answer = answer
        self._over = False

    def events(self) -> Iterator[Event | None]:
        stage = LOAD
        try:
            for event in self._records():
                if isinstance(event, SubjobWanted):
                    self._process.channel.send(self._answer(event))
                    continue
                yield event
                if isinstance(event, Finished | Failed):
                    return
                if isinstance(event, StageBegan) or (isinstance(event, StageEnded) and event.sliceno is None):
                    stage = event.stage
            status = self._process.wait()
        except ZygoteGone as err:
            yield Failed(stage, None, str(err), hint=err.hint)
            return
        # the job process itself died; a slice's death would have been told by it
        where = f"{ANALYSIS}, which starts the slices" if stage == ANALYSIS else stage
        yield died(None, stage, where, status, self._scratch.status(stage))

    def _records(self) -> Iterator[Event | None]:
        """Yield the records of the job until its end, and None at every tick without one."""
        process = self._process
        selector = selectors.PollSelector()
        for source in (process.channel, process.news):
            selector.register(source, selectors.EVENT_READ)
        while True:
            while (record := process.channel.take()) is not None:
                yield record
            ready = {key.fileobj for key, _ in selector.select(_TICK_SECONDS)}
            if process.channel in ready:
                if not process.channel.fill():
                    return
            elif process.news in ready:
                # what the job said before its end has arrived by then, and is read first
                process.listen()
            else:
                yield None

    def leader(self) -> int:
        """Return the id of the job's process."""
        return self._process.pid

    def end(self) -> None:
        if not self._over:
            self._over = True
            with suppress(ZygoteGone):  # then its jobs are gone too
                self._process.kill()
                self._process.wait()
            self._process.close()


class ProcessExecutor:
    """Runs jobs in processes of their own.

    Parameters
    ----------
    environment
        Environment variables of the jobs.
    cores
        So many processes of jobs and slices run at a time.
    describe_seconds
        So long a method may take to be imported when only its declarations are wanted; None: as long as it likes.
    """

    apart = True

    def __init__(
        self, environment: Mapping[str, str], cores: int, *, describe_seconds: float | None = None
    ) -> None:
        self._environment = environment
        self._describe_seconds = describe_seconds
        self._number = cores
        self._cores: Cores | None = None
        self._opening = threading.Lock()
        self._zygote: Zygote | None = None

    def start(self, request: JobRequest, answer: Answer) -> _InProcess:
        """Fork a process for a job."""
        if request.shares_cores:
            request = replace(request, tokens=self._opened().tokens)
        return _InProcess(self._started().launch(request), answer, request.scratch)

    def describe(self, closure: Closure, packages: Mapping[str, Path], territory: Territory) -> Json:
        """Return the declarations of a method, imported in a process of its own."""
        request = DescribeRequest(closure, packages, territory, sorted(closure.imports))
        process = self._started().launch(request)
        try:
            self._await_description(process, closure)
            answer = process.channel.receive()
        except EOFError:
            raise MethodError(f"cannot load '{closure.main}': the process {death(process.wait())}") from None
        finally:
            process.kill()
            process.wait()
            process.close()
        if isinstance(answer, AccError):
            raise answer
        assert isinstance(answer, Described)
        return answer.declarations

    def _await_description(self, process: JobProcess, closure: Closure) -> None:
        if self._describe_seconds is None:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(process.channel, selectors.EVENT_READ)
            if not selector.select(self._describe_seconds):
                raise MethodError(f"'{closure.main}' takes more than {self._describe_seconds:g} s to load")

    def close(self) -> None:
        """End the zygote, and close what its processes share."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None
        if self._cores is not None:
            self._cores.close()
            self._cores = None

    @property
    def slots(self) -> Slots:
        """The cores that its jobs may use."""
        return self._opened()

    def _opened(self) -> Cores:
        # who waits for a slot has left the turn, so that two threads may come here together
        with self._opening:
            if self._cores is None:
                self._cores = Cores(self._number)
            return self._cores

    def _started(self) -> Zygote:
        if self._zygote is not None and not self._zygote.is_alive():
            self._zygote.close()  # somebody killed it, and with it the jobs of then
            self._zygote = None
        if self._zygote is None:
            self._zygote = Zygote(self._environment, self._opened().tokens)
        return self._zygote
