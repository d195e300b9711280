"""The three stages of a method, in the process of its job: prepare, analysis in every slice, synthesis."""

import gc
import inspect
import pickle
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from cas.errors import AccError
from cas.oid import oid_of
from jobs import context
from jobs.execution.events import (
    Event,
    Failed,
    JobRequest,
    StageBegan,
    StageEnded,
    StatusBegan,
    SubjobBuilt,
    SubjobRefused,
    SubjobWanted,
)
from jobs.execution.inside.background import BackgroundSaves
from jobs.execution.inside.capture import captured, shown
from jobs.execution.inside.children import Told, died, fork_each
from jobs.execution.inside.current import CurrentJob, EarlyFinish
from jobs.execution.inside.loading import importing, method_of
from jobs.execution.inside.merge import AnalysisResults, storable
from jobs.execution.inside.reads import ReadWatch, watch
from jobs.execution.tracebacks import one_line, user_traceback
from jobs.nodes.facts import Fact
from jobs.nodes.parts import ANALYSIS, LOAD, PREPARE, SYNTHESIS, part_name
from jobs.nodes.run import now
from jobs.reuse.pathnames import PathNames
from jobs.status import keeping, note_stack


class Launcher(Protocol):
    """The launcher as the job process sees it."""

    def tell(self, event: Event) -> None:
        """Send an event."""

    def ask(self, wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        """Have a subjob built."""


class StageFailed(Exception):
    """Carries the failure of a stage up to the worker."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


@contextmanager
def failing(stage: str, sliceno: int | None) -> Iterator[None]:
    """Turn whatever is raised inside the block into a failure of that stage or slice."""
    try:
        yield
    except (StageFailed, KeyboardInterrupt):
        raise
    except BaseException as err:
        raise StageFailed(_failure(err, stage, sliceno)) from err


def _failure(error: BaseException, stage: str, sliceno: int | None) -> Failed:
    note_stack(error)
    if isinstance(error, AccError):
        return Failed(stage, sliceno, str(error), user_traceback(error), is_ours=True, hint=error.hint)
    return Failed(stage, sliceno, one_line(error), user_traceback(error))


class Stages:
    """The three stages of one method, in order."""

    def __init__(
        self,
        request: JobRequest,
        job: CurrentJob,
        launcher: Launcher,
        reads: ReadWatch,
        *,
        fork: bool,
        debug: bool,
    ) -> None:
        self._request = request
        self._job = job
        self._launcher = launcher
        self._reads = reads
        self._fork = fork
        self._debug = debug
        self._kept = shown if debug else captured
        self._scratch = request.scratch
        self._stage = LOAD
        self._early: list[int] = []
        self._order = request.order or range(request.slices)
        self._names = PathNames(request.root, request.input_directory)
        self._values: dict[str, Any] = {
            "job": job,
            "slices": request.slices,
            "prepare_res": None,
            "params": job.params,
            "options": job.params.options,
            "datasets": job.params.datasets,
            "jobs": job.params.jobs,
        }

    def run(self) -> str:
        """Run what the method has of prepare, analysis and synthesis; return the one that was the last."""
        with importing(self._request, self._learned, self._missed), self._loaded() as module:
            random.seed(self._request.seed)
            try:
                result = self._run(module)
            except EarlyFinish as early:
                result = early.result
            if result is not None:
                with failing(self._stage, None):
                    self._job.save(result)
        return self._stage

    def _run(self, module: ModuleType) -> Any:
        if function := getattr(module, PREPARE, None):
            self._values["prepare_res"] = self._single(PREPARE, function)
        synthesis = getattr(module, SYNTHESIS, None)
        if function := getattr(module, ANALYSIS, None):
            wanted = synthesis is not None and "analysis_res" in inspect.signature(synthesis).parameters
            self._analysis(function, keep=wanted)
        return self._single(SYNTHESIS, synthesis) if synthesis else None

    @contextmanager
    def _loaded(self) -> Iterator[ModuleType]:
        """Give the method's module; what it prints while it is imported belongs to the first stage."""
        with ExitStack() as stack:
            with self._kept(self._scratch.output(self._request.load_part)), failing(LOAD, None):
                # a debugger reads source files, and what it may change is reused by nobody
                watch(None if self._debug else self._reads)
                module = stack.enter_context(method_of(self._request, self._values))
            yield module

    def _learned(self, _name: str, path: Path, code: bytes) -> None:
        """Note a project module that the closure lacked."""
        self._reads.forget(path)  # what ran is known better than by the file
        self._job.ledger.note(Fact("module", self._names.name_of(str(path)), oid_of(code)))

    def _missed(self, path: Path) -> None:
        """Note a project module that was not there; `path` is where, without a suffix."""
        self._job.ledger.note(Fact("module", self._names.name_of(str(path)), ""))

    def _call(self, function: Callable[..., Any], **more: Any) -> Any:
        known: Mapping[str, Any] = {**self._values, **more}
        parameters = inspect.signature(function).parameters
        return function(**{name: known[name] for name in parameters if name in known})

    def _single(self, stage: str, function: Callable[..., Any]) -> Any:
        stopwatch = _StopWatch()
        self._stage = stage
        self._launcher.tell(StageBegan(stage))
        with self._listened_to(stage, None, self._launcher.tell), failing(stage, None):
            value, early = self._called(function)
        self._launcher.tell(stopwatch.ended(stage, None))
        if early is not None:
            raise early
        return value

    def _called(self, function: Callable[..., Any], **more: Any) -> tuple[Any, EarlyFinish | None]:
        """Return what a stage returned or that it ended the job, once all that it saves in the background is saved."""
        value, early = None, None
        try:
            value = self._call(function, **more)
        except EarlyFinish as err:
            early = err
        if self._job.saves is not None:
            self._job.saves.wait_for_all()
        return value, early

    @contextmanager
    def _listened_to(self, stage: str, sliceno: int | None, tell: Callable[[Event], None]) -> Iterator[None]:
        """Keep what a stage or slice prints inside the block, and what it says that it does."""
        part = part_name(stage, sliceno)
        path = self._scratch.status(part)
        said = StatusBegan(stage, sliceno, path)
        with self._kept(self._scratch.output(part)), keeping(path, lambda: tell(said)):
            yield

    def _analysis(self, function: Callable[..., Any], *, keep: bool) -> None:
        paths = [self._scratch.result(number) for number in range(self._request.slices)]

        def slice_of(sliceno: int, tell: Callable[[Any], None]) -> Any:
            return self._slice(function, sliceno, paths[sliceno] if keep else None, tell)

        stopwatch = _StopWatch()
        self._stage = ANALYSIS
        self._launcher.tell(StageBegan(ANALYSIS))
        if self._fork:
            with failing(ANALYSIS, None):  # there may be no process for a slice
                self._forked(slice_of)
        else:
            self._in_turn(slice_of)
        self._launcher.tell(stopwatch.ended(ANALYSIS, None))
        self._end_if_early()
        if keep:
            self._values["analysis_res"] = AnalysisResults(paths)

    def _end_if_early(self) -> None:
        if len(self._early) == self._request.slices:
            raise EarlyFinish(None)
        if self._early:
            slices = ", ".join(map(str, sorted(self._early)))
            message = f"of {self._request.slices} slices, only these finished early: {slices}"
            hint = "all slices have to agree that the job is done"
            raise StageFailed(Failed(ANALYSIS, None, message, is_ours=True, hint=hint))

    def _forked(self, slice_of: Callable[[int, Callable[[Any], None]], Any]) -> None:
        request = self._request
        gc.collect()
        gc.freeze()  # what prepare left is not to be touched, or each child would copy it
        children = fork_each(self._order, at_once=request.concurrency, body=slice_of, tokens=request.tokens)
        for news in children:
            if not isinstance(news, Told):
                doing = self._scratch.status(str(news.number))
                raise StageFailed(died(news.number, ANALYSIS, f"slice {news.number}", news.status, doing))
            if news.done:
                self._take(news.number, news.record)
            else:
                self._launcher.tell(news.record)
        gc.unfreeze()

    def _in_turn(self, slice_of: Callable[[int, Callable[[Any], None]], Any]) -> None:
        for sliceno in self._order:
            done = slice_of(sliceno, self._launcher.tell)
            self._job.end_slice()
            self._take(sliceno, done)

    def _slice(
        self, function: Callable[..., Any], sliceno: int, path: Path | None, tell: Callable[[Any], None]
    ) -> Any:
        """Run analysis of one slice, in its own process or in turn, and return what the job is to know of it."""
        job = self._job
        job.begin_slice(sliceno)
        if self._fork:
            self._reads.settle_in()
            job.saves = BackgroundSaves(lambda: job.ledger, self._reads)
            context.enter(replace(context.current(), recorder=job.ledger))
        random.seed(self._request.seed + sliceno + 1)
        stopwatch = _StopWatch()
        tell(StageBegan(ANALYSIS, sliceno))
        try:
            with self._listened_to(ANALYSIS, sliceno, tell), failing(ANALYSIS, sliceno):
                value, early = self._called(function, sliceno=sliceno)
                if path is not None and early is None:
                    path.write_bytes(pickle.dumps(storable(value), pickle.HIGHEST_PROTOCOL))
                closed = {name: writer.close_slice() for name, writer in job.writers.items()}
        except StageFailed as failed:
            return failed.failure
        tell(stopwatch.ended(ANALYSIS, sliceno))
        return job.ledger, closed, self._reads.reads(), early is not None

    def _take(self, sliceno: int, done: Any) -> None:
        if isinstance(done, Failed):
            raise StageFailed(done)
        ledger, closed, reads, early = done
        if early:
            self._early.append(sliceno)
        self._job.ledger.add(ledger)
        self._reads.add(reads)
        for name, part in closed.items():
            if name in self._job.ledger.datasets:
                self._job.writers.pop(name, None)
                continue
            if name not in self._job.writers:
                from jobs.dataset.writer import DatasetWriter

                self._job.writers[name] = DatasetWriter.from_declared(self._job, part)
            with failing(ANALYSIS, sliceno):
                self._job.writers[name].take_slice(sliceno, part)


class _StopWatch:
    """Measures how long a stage or slice takes, from when it is made."""

    def __init__(self) -> None:
        self._begun = now()
        self._counter = time.perf_counter_ns()

    def ended(self, stage: str, sliceno: int | None) -> StageEnded:
        return StageEnded(stage, sliceno, (time.perf_counter_ns() - self._counter + 500) // 1000, self._begun)
