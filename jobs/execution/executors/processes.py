"""The default: a job is a process forked from the zygote, which forks its slices."""

import selectors
from collections.abc import Iterator, Mapping
from pathlib import Path

from cas.errors import AccError
from cas.formats.canonical import Json
from jobs.errors import MethodError
from jobs.execution.children import death, died
from jobs.execution.events import (
    ANALYSIS,
    LOAD,
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
from jobs.execution.territory import Territory
from jobs.execution.zygote import JobProcess, Zygote
from jobs.method.closure import Closure

_TICK_SECONDS = 0.1


class _InProcess:
    """A job in a process of its own."""

    def __init__(self, zygote: Zygote, process: JobProcess, answer: Answer) -> None:
        self._zygote = zygote
        self._process = process
        self._answer = answer
        self._over = False

    def events(self) -> Iterator[Event | None]:
        stage = LOAD
        for event in self._records():
            if isinstance(event, SubjobWanted):
                self._process.channel.send(self._answer(event))
                continue
            yield event
            if isinstance(event, Finished | Failed):
                return
            if isinstance(event, StageBegan) or (isinstance(event, StageEnded) and event.sliceno is None):
                stage = event.stage
        status = self._zygote.wait(self._process)
        # the job process itself died; a slice's death would have been told by it
        where = f"{ANALYSIS}, which starts the slices" if stage == ANALYSIS else stage
        yield died(None, stage, where, status)

    def _records(self) -> Iterator[Event | None]:
        """Yield the records of the job until its end, and None at every tick without one."""
        channel = self._process.channel
        selector = selectors.PollSelector()
        for source in (channel, self._zygote):
            selector.register(source, selectors.EVENT_READ)
        while True:
            while (record := channel.take()) is not None:
                yield record
            ready = {key.fileobj for key, _ in selector.select(_TICK_SECONDS)}
            if channel in ready:
                if not channel.fill():
                    return
            elif self._zygote in ready:
                # what the job said before its end has arrived by then, and is read first
                self._zygote.listen()
            else:
                yield None

    def end(self) -> None:
        if not self._over:
            self._over = True
            self._zygote.kill(self._process)
            self._zygote.wait(self._process)
            self._process.channel.close()


class ProcessExecutor:
    """Runs jobs in processes of their own.

    Parameters
    ----------
    environment
        Environment variables of the jobs.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._zygote: Zygote | None = None

    def start(self, request: JobRequest, answer: Answer) -> _InProcess:
        """Fork a process for a job."""
        zygote = self._started()
        return _InProcess(zygote, zygote.launch(request), answer)

    def describe(self, closure: Closure, packages: Mapping[str, Path], territory: Territory) -> Json:
        """Return the declarations of a method, imported in a process of its own."""
        zygote = self._started()
        process = zygote.launch(DescribeRequest(closure, packages, territory, sorted(closure.imports)))
        try:
            answer = process.channel.receive()
        except EOFError:
            status = zygote.wait(process)
            raise MethodError(f"cannot load '{closure.main}': the process {death(status)}") from None
        finally:
            zygote.kill(process)
            zygote.wait(process)
            process.channel.close()
        if isinstance(answer, AccError):
            raise answer
        assert isinstance(answer, Described)
        return answer.declarations

    def close(self) -> None:
        """End the zygote."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def _started(self) -> Zygote:
        if self._zygote is None:
            self._zygote = Zygote(self._environment)
        return self._zygote
