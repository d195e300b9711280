"""Run one job: a number, a job directory, an executor to run it, and a publisher for what comes of it."""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from cas.formats.node import put_node
from cas.local.staging import Staging
from cas.local.store import LocalStore
from jobs.errors import JobFailed, SpoiledOutcome
from jobs.execution.capture import Echo
from jobs.execution.events import (
    ANALYSIS,
    LOAD,
    PREPARE,
    SYNTHESIS,
    Failed,
    Finished,
    JobRequest,
    StageBegan,
    StageEnded,
)
from jobs.execution.executors import Answer, Execution, Executor
from jobs.execution.jobdir import JobDirectory
from jobs.execution.plan import Listener, Plan, Site
from jobs.execution.publisher import Publisher
from jobs.execution.running import Running
from jobs.execution.scratch import Scratch
from jobs.execution.setup import setup_of
from jobs.execution.worker import HOLD_BYTES
from jobs.method.definition import Method
from jobs.nodes.listing import JobRow
from jobs.nodes.run import MICROSECONDS
from jobs.reuse.index import JobIndex

_DATASET_ROOMS = ("jobs.dataset.dataset", "jobs.dataset.reader", "jobs.dataset.writer")


class Launcher:
    """Runs jobs, one at a time.

    Parameters
    ----------
    folder
        Where staging and scratch files go, in a folder of this process; made when it is missing.
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
    ) -> None:
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
        running = self._claim(plan)
        execution = self._executor.start(self._request(running), answer(running.label))
        try:
            # the process is on its way while this one writes
            self._announce(running)
            row, failed = self._publish(running, self._follow(running, execution), execution)
        except KeyboardInterrupt:
            execution.end()
            interrupted = Failed(running.stage, None, "interrupted")
            self._listener.ended(self._publisher.publish_failed(running, interrupted))
            raise
        except BaseException:
            execution.end()
            running.discard()
            raise
        self._listener.ended(row)
        if failed is not None:
            raise _job_failed(running, failed)
        return row

    # -- before ------------------------------------------------------------------------------------------------

    def _claim(self, plan: Plan) -> Running:
        """Return a run with a label and a directory of its own."""
        workdir = self._site.workdirs[plan.workdir]
        directory, number = JobDirectory.claim(plan.workdir, workdir, self._index.last_number(plan.workdir))
        label = f"{plan.workdir}-{number}"
        # not the label alone: what a killed build left there must not be taken for this run's
        name = f"{label}-{secrets.token_hex(4)}"
        # by the name of this process's pins, gc tells what dead builds have left
        folder = self._folder / self._store.pins.name
        folder.mkdir(parents=True, exist_ok=True)
        staging = Staging(self._store, folder / name, hold_bytes=HOLD_BYTES)
        return Running(plan, label, number, directory, staging, Scratch(folder, name))

    def _announce(self, running: Running) -> None:
        """Write down and say what is about to run, and store its source."""
        plan = running.plan
        self._listener.began(plan, running.label)
        running.why = plan.explain()
        start = running.clock.start / MICROSECONDS
        setup = setup_of(plan, running.label, self._site, start=start, why=running.why)
        running.directory.write_setup(setup)
        running.staging.put_many(plan.method.closure.files.values())
        put_node(running.staging, plan.method.source_node)

    def _request(self, running: Running) -> JobRequest:
        plan, site = running.plan, self._site
        start = running.clock.start / MICROSECONDS
        return JobRequest(
            label=running.label,
            method=plan.method.name,
            module=plan.method.module,
            code={} if plan.method.installed else plan.method.closure.to_modules(),
            packages=site.packages,
            options=plan.options,
            datasets=plan.datasets,
            jobs=plan.jobs,
            slices=plan.parts.slices,
            concurrency=plan.concurrency,
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
        )

    # -- while it runs -----------------------------------------------------------------------------------------

    def _follow(self, running: Running, execution: Execution) -> Finished | Failed:
        """Return the last event of the job."""
        scratch = running.scratch
        scratch.note(_first_part(running.plan.method))
        echo = Echo(scratch, lambda part, text: self._listener.said(running.label, part, text))
        last: Finished | Failed | None = None
        for event in execution.events():
            echo.poll()
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


def _job_failed(running: Running, last: Failed) -> JobFailed:
    method = running.plan.method
    where = f"{ANALYSIS}, slice {last.sliceno}" if last.sliceno is not None else last.stage
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
    return event.stage if event.sliceno is None else str(event.sliceno)


def _preload(method: Method) -> Sequence[str]:
    """Return what the zygote imports before it forks: installed code only, and numpy where datasets are likely."""
    if method.installed:
        return (method.module,)
    uses_datasets = any(b"dataset" in code for code in method.closure.files.values())
    return (*method.preload, *(_DATASET_ROOMS if uses_datasets else ()))
