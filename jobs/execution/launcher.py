"""Run one job: a number, a job directory, an executor to run it, and a publisher for what comes of it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from cas.local.pins import AllPins
from cas.local.staging import Staging
from cas.local.store import LocalStore
from jobs.errors import JobFailed, SpoiledOutcome
from jobs.execution.events import (
    Event,
    Failed,
    Finished,
    JobRequest,
    StageBegan,
    StageEnded,
    SubjobBuilt,
    SubjobRefused,
    SubjobWanted,
)
from jobs.execution.executors import Answer, Execution, Executor
from jobs.execution.inside.capture import Echo
from jobs.execution.inside.worker import HOLD_BYTES
from jobs.execution.jobdir import JobDirectory
from jobs.execution.leftovers import KilledBuilds
from jobs.execution.plan import Listener, Plan, Site
from jobs.execution.publisher import Publisher
from jobs.execution.running import Running
from jobs.execution.scratch import Scratch, scratch_name
from jobs.execution.setup import setup_of
from jobs.execution.slots import Slot
from jobs.execution.turn import Turn
from jobs.execution.usage import Usage
from jobs.method.definition import Method
from jobs.nodes.listing import JobRow
from jobs.nodes.parts import LOAD, PREPARE, SYNTHESIS, part_in_words, part_name
from jobs.nodes.run import MICROSECONDS
from jobs.reuse.index import JobIndex

_DATASET_ROOMS = ("jobs.dataset.dataset", "jobs.dataset.reader", "jobs.dataset.writer")


class Launcher:
    """Runs jobs; each in the thread that asks for it, and several threads may ask.

    Parameters
    ----------
    folder
        Where staging and scratch files go, in a folder of this process; made when it is missing.
    turn
        Taken for each job, and left while it runs.
    """

    def __init__(  # noqa: PLR0913 - what running a job takes
        self,
        *,
        store: LocalStore,
        index: JobIndex,
        executor: Executor,
        publisher: Publisher,
        site: Site,
        listener: Listener,
        folder: Path,
        turn: Turn,
    ) -> None:
        self._turn = turn
        self._stopped = False
        self._interruptions = 0
        self._has_swept = False
        self._store = store
        self._index = index
        self._executor = executor
        self._publisher = publisher
        self._site = site
        self._listener = listener
        self._folder = folder

    def launch(self, plan: Plan, answer: Callable[[str], Answer]) -> JobRow:
        """Run a job and return its row, once it is published; raise `JobFailed` when it failed.

        Parameters
        ----------
        answer
            For the label of the job, what builds the subjobs that it wants.
        """
        with self._turn, self._slot() as slot:
            return self._launch(plan, answer, slot)

    @contextmanager
    def _slot(self) -> Iterator[Slot]:
        """Have a slot for a job inside the block."""
        began = self._interruptions
        slot = Slot(self._executor.slots)
        try:
            with self._turn.left():
                slot.take()
            self._check_going(began)
            yield slot
        except KeyboardInterrupt:
            # one is meant for all: those that run in other threads hear of it at their next tick
            self._interruptions += began == self._interruptions
            raise
        finally:
            slot.give()

    @property
    def runs_apart(self) -> bool:
        """Whether jobs run in other processes."""
        return self._executor.apart

    def stop(self) -> None:
        """Have every job that runs end as one that is interrupted, and none begin any more."""
        self._stopped = True

    def _launch(self, plan: Plan, answer: Callable[[str], Answer], slot: Slot) -> JobRow:
        running = self._claim(plan)
        usage = Usage(plan.limits)
        answering = usage.pausing(_lending(slot, answer(running.label)))
        execution = self._executor.start(self._request(running), answering)
        try:
            # the process is on its way while this one writes
            self._announce(running)
            row, failed = self._publish(running, self._follow(running, execution, usage), execution)
        except KeyboardInterrupt:
            execution.end()
            interrupted = Failed(running.stage, None, "interrupted")
            # it may have come when the run was published already
            row = self._index.find_label(running.label) or self._publisher.publish_failed(
                running, interrupted
            )
            self._listener.ended(row)
            raise
        except BaseException:
            execution.end()
            running.discard()
            raise
        self._listener.ended(row)
        if failed is not None:
            raise _job_failed(running, failed)
        return row

    def run_aside(self, running: Running, answer: Answer) -> Finished | Failed:
        """Run a job of which nothing is published, and return its last event; the caller discards what it left."""
        with self._turn, self._slot() as slot:
            usage = Usage(running.plan.limits)
            answering = usage.pausing(_lending(slot, answer))
            execution = self._executor.start(self._request(running), answering)
            try:
                return self._follow(running, execution, usage)
            finally:
                execution.end()

    def _check_going(self, began: int) -> None:
        if self._stopped or self._interruptions != began:
            raise KeyboardInterrupt

    # -- before ------------------------------------------------------------------------------------------------

    def _claim(self, plan: Plan) -> Running:
        """Return a run with a label and a directory of its own."""
        workdir = self._site.workdirs[plan.workdir]
        folder = self._own_folder()  # before there is a directory, which must not be taken for a killed job's
        directory, number = JobDirectory.claim(plan.workdir, workdir, self._index.last_number(plan.workdir))
        label = f"{plan.workdir}-{number}"
        name = scratch_name(label)
        staging = Staging(self._store, folder / name, hold_bytes=HOLD_BYTES)
        return Running(plan, label, number, directory, staging, Scratch(folder, name))

    def _own_folder(self) -> Path:
        """Return the folder of this process's staging and scratch files, by whose name it is known whether it lives."""
        folder = self._folder / self._store.pins.name
        folder.mkdir(parents=True, exist_ok=True)
        if not self._has_swept:
            self._has_swept = True
            self._sweep()
        return folder

    def _sweep(self) -> None:
        """Remove what killed builds have left."""
        root = self._store.root
        pins = AllPins(root / "pins", root / "cache" / "pins.json")
        KilledBuilds(
            self._folder,
            pins.is_dead,
            self._site.workdirs,
            lambda label: self._index.find_label(label) is not None,
        ).sweep()

    def _announce(self, running: Running) -> None:
        """Write down and say what is about to run, and store its source."""
        plan = running.plan
        self._listener.began(plan, running.label)
        running.why = plan.explain()
        start = running.clock.start / MICROSECONDS
        setup = setup_of(plan, running.label, self._site, start=start, why=running.why)
        running.directory.write_setup(setup)
        running.put_source()

    def _request(self, running: Running) -> JobRequest:
        plan, site = running.plan, self._site
        start = running.clock.start / MICROSECONDS
        return JobRequest(
            label=running.label,
            method=plan.method.name,
            module=plan.method.module,
            code={} if plan.method.installed else plan.method.closure.to_modules(),
            packages=site.packages if plan.packages is None else plan.packages,
            options=plan.options,
            datasets=plan.datasets,
            jobs=plan.jobs,
            slices=plan.parts.slices,
            concurrency=plan.concurrency,
            shares_cores=plan.shares_cores,
            seed=int(plan.key[:15], 16),
            caption=plan.caption,
            params=setup_of(plan, running.label, site, start=start),
            root=site.root,
            directory=running.directory.path,
            staging=running.staging.folder,
            pins=self._store.pins.ids,
            scratch=running.scratch,
            load_part=_first_part(plan.method),
            store_root=site.acc_folder,
            refs_path=site.refs_path,
            durability=site.durability,
            workdirs=site.workdirs,
            input_directory=site.input_directory,
            result_directory=site.result_directory,
            preload=(*site.preload, *_preload(plan.method)),
            territory=site.territory,
            declared=frozenset(name for file in plan.input_files for name in _names_of(file.path)),
            lookups=plan.lookups,
            order=plan.order,
            remotes=site.remotes,
        )

    # -- while it runs -----------------------------------------------------------------------------------------

    def _follow(self, running: Running, execution: Execution, usage: Usage) -> Finished | Failed:
        """Return the last event of the job."""
        scratch = running.scratch
        scratch.note(_first_part(running.plan.method))
        echo = Echo(scratch, lambda part, text: self._listener.said(running.label, part, text))
        last: Finished | Failed | None = None
        began = self._interruptions
        for event in self._events(execution):
            self._check_going(began)
            echo.poll()
            last = usage.find_excess(event, execution)
            if last is not None:
                break
            if event is None:
                self._listener.idle()
                continue
            if isinstance(event, StageBegan):
                running.stage = event.stage
                scratch.note(_part(event))
                echo.follow(_part(event))
            elif isinstance(event, StageEnded):
                running.clock.take(event)
                echo.finish(_part(event))
            elif isinstance(event, Finished | Failed):
                last = event
            self._listener.event(running.label, event)
        echo.finish_all()
        assert last is not None, "an executor ended without a last event"
        return last

    def _events(self, execution: Execution) -> Iterator[Event | None]:
        """Yield the events of a job; while it waits for one, other threads have the turn."""
        events = execution.events()
        while True:
            with self._turn.left() if self._executor.apart else nullcontext():
                try:
                    event = next(events)
                except StopIteration:
                    return
            yield event

    # -- after -------------------------------------------------------------------------------------------------

    def _publish(
        self, running: Running, last: Finished | Failed, execution: Execution
    ) -> tuple[JobRow, Failed | None]:
        """Return the row that now exists, and why the run failed if it did."""
        if isinstance(last, Finished):
            try:
                return self._publisher.publish(running, last, execution.end), None
            except SpoiledOutcome as err:
                last = Failed(SYNTHESIS, None, str(err), hint=err.hint)
        execution.end()
        return self._publisher.publish_failed(running, last), last


def _lending(slot: Slot, answer: Answer) -> Answer:
    """Return an answer that gives the slot of the job away while it waits."""

    def lent(wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        slot.give()
        said = answer(wanted)
        # who is interrupted while he waits needs none any more
        slot.take()
        return said

    return lent


def _job_failed(running: Running, last: Failed) -> JobFailed:
    method = running.plan.method
    where = part_in_words(last.stage, last.sliceno)
    return JobFailed(
        f"job '{running.label}' ({method.name}) failed in {where}: {last.message}",
        job=running.label,
        method=method.name,
        stage=last.stage,
        sliceno=last.sliceno,
        traceback="" if method.installed and last.is_ours else last.traceback,
        hint=last.hint,
    )


def _names_of(path: Path) -> tuple[str, str]:
    return os.path.abspath(path), os.path.realpath(path)


def _first_part(method: Method) -> str:
    """Return the part to whose output that belongs which the method prints while it is imported."""
    stages = method.declarations.stages
    return next((stage for stage in (PREPARE, SYNTHESIS) if stage in stages), LOAD)


def _part(event: StageBegan | StageEnded) -> str:
    return part_name(event.stage, event.sliceno)


def _preload(method: Method) -> Sequence[str]:
    """Return what the zygote imports before it forks: installed code only, and numpy where datasets are likely."""
    if method.installed:
        return (method.module,)
    uses_datasets = any(b"dataset" in code for code in method.closure.files.values())
    return (*method.preload, *(_DATASET_ROOMS if uses_datasets else ()))
