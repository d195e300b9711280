"""The default: a job is a process forked from the zygote, which forks its slices."""

import select
from collections.abc import Iterator, Mapping
from pathlib import Path

from cas.errors import AccError
from cas.formats.canonical import Json
from jobs.errors import MethodError
from jobs.execution.children import death, died
from jobs.execution.events import (
    ANALYSIS,
    LOAD,
    Channel,
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
from jobs.execution.zygote import JobProcess, Zygote
from jobs.method.closure import Closure

_TICK_SECONDS = 0.1


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

    def run(self, request: JobRequest, answer: Answer) -> Iterator[Event | None]:
        """Run a job and yield what it tells."""
        zygote = self._started()
        process = zygote.launch(request)
        try:
            yield from self._events(zygote, process, answer)
        finally:
            zygote.kill(process)
            zygote.ended(process, wait=True)
            process.channel.close()

    def describe(self, closure: Closure, packages: Mapping[str, Path]) -> Json:
        """Return the declarations of a method, imported in a process of its own."""
        zygote = self._started()
        process = zygote.launch(DescribeRequest(closure, packages, sorted(closure.imports)))
        try:
            answer = process.channel.receive()
        except EOFError:
            status = zygote.ended(process, wait=True) or 0
            raise MethodError(f"cannot load '{closure.main}': the process {death(status)}") from None
        finally:
            zygote.kill(process)
            zygote.ended(process, wait=True)
            process.channel.close()
        if isinstance(answer, AccError):
            raise answer
        assert isinstance(answer, Described)
        return answer.declarations

    def _started(self) -> Zygote:
        if self._zygote is None:
            self._zygote = Zygote(self._environment)
        return self._zygote

    def close(self) -> None:
        """End the zygote."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def _events(self, zygote: Zygote, process: JobProcess, answer: Answer) -> Iterator[Event | None]:
        stage = LOAD
        for event in _received(zygote, process):
            if isinstance(event, StageBegan) or (isinstance(event, StageEnded) and event.sliceno is None):
                stage = event.stage
            if isinstance(event, SubjobWanted):
                process.channel.send(answer(event))
                continue
            yield event
            if isinstance(event, Finished | Failed):
                return
        status = zygote.ended(process, wait=True)
        # the job process itself died; a slice's death would have been told by it
        yield died(
            None, stage if stage != ANALYSIS else "analysis, where the slices are started from", status or 0
        )


def _received(zygote: Zygote, process: JobProcess) -> Iterator[Event | None]:
    """Yield the records of a job until its end, and None at every tick without one."""
    channel = process.channel
    sources: list[Channel | Zygote] = [channel, zygote]
    while True:
        while (record := channel.take()) is not None:
            yield record
        ready, _, _ = select.select(sources, [], [], _TICK_SECONDS)
        if channel in ready:
            if not channel.fill():
                return
        elif zygote.ended(process) is not None:
            return
        else:
            yield None
