"""Run one job: number, job directory, executor, files into one pack, nodes, one ref transaction."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cas.errors import AccError
from cas.formats.node import put_node
from cas.local.staging import Staging
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.errors import JobFailed, NoSuchFile
from jobs.execution.capture import Echo
from jobs.execution.events import (
    ANALYSIS,
    LOAD,
    PREPARE,
    SYNTHESIS,
    Failed,
    FileRead,
    Finished,
    JobRequest,
    StageBegan,
    StageEnded,
)
from jobs.execution.executors import Answer, Executor
from jobs.execution.jobdir import JobDirectory, put_file
from jobs.execution.plan import Listener, Plan, Site
from jobs.execution.reads import stat_of
from jobs.execution.scratch import Scratch
from jobs.execution.setup import setup_of
from jobs.execution.worker import HOLD_BYTES
from jobs.method.definition import Method
from jobs.nodes.facts import Fact
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.run import MICROSECONDS, Failure, Run, Subjob, Times
from jobs.records import post
from jobs.reuse.hit import MISSING
from jobs.reuse.index import JobIndex
from jobs.reuse.pathnames import PathNames

_NAMED_AT_MOST = 3
_CHANGED = "changed while it was read"
_DATASET_ROOMS = ("jobs.dataset.dataset", "jobs.dataset.reader", "jobs.dataset.writer")


@dataclass(slots=True)
class _Clock:
    """When a run began, and how long its stages and slices took, in microseconds."""

    start: int
    stages: dict[str, int]
    slices: dict[int, int]

    @classmethod
    def started(cls) -> "_Clock":
        return cls(_now(), {}, {})

    def take(self, event: StageEnded) -> None:
        if event.sliceno is None:
            self.stages[event.stage] = event.micros
        else:
            self.slices[event.sliceno] = event.micros

    def times(self) -> Times:
        slices = tuple(self.slices[number] for number in sorted(self.slices))
        return Times(self.start, _now(), dict(self.stages), slices)


def _now() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True)
class _Running:
    """One run under way."""

    plan: Plan
    label: str
    number: int
    directory: JobDirectory
    staging: Staging
    scratch: Scratch
    clock: _Clock
    source: ObjectId


class Launcher:
    """Runs jobs, and publishes what came of them.

    Parameters
    ----------
    file_id
        Gives the content id of a file, as it is now.
    """

    def __init__(
        self,
        *,
        store: LocalStore,
        index: JobIndex,
        executor: Executor,
        site: Site,
        listener: Listener,
        file_id: Callable[[Path], ObjectId],
    ) -> None:
        self._store = store
        self._index = index
        self._executor = executor
        self._site = site
        self._listener = listener
        self._file_id = file_id
        self._names = PathNames(site.root, site.input_directory)

    def launch(self, plan: Plan, answer: Callable[[str], Answer]) -> JobRow:
        """Run a job and return its row, once it is published; raise `JobFailed` when it failed.

        Parameters
        ----------
        answer
            For the label of the job, what builds the subjobs that it wants.
        """
        running = self._begin(plan)
        try:
            last = self._run(running, answer(running.label))
            row, failed = self._publish(running, last)
        except KeyboardInterrupt:
            self._publish(running, Failed(SYNTHESIS, None, "interrupted"))
            raise
        except BaseException:
            running.scratch.clear()
            running.staging.discard()
            raise
        self._listener.ended(row)
        if failed is not None:
            raise self._failure(running, failed)
        return row

    # -- before ------------------------------------------------------------------------------------------------

    def _begin(self, plan: Plan) -> _Running:
        workdir = self._site.workdirs[plan.workdir]
        directory, number = JobDirectory.claim(plan.workdir, workdir, self._index.last_number(plan.workdir))
        label = f"{plan.workdir}-{number}"
        folder = self._site.acc_folder / "tmp" / f"{label}-{secrets.token_hex(4)}"
        staging = Staging(self._store, folder, hold_bytes=HOLD_BYTES)
        staging.folder.mkdir(parents=True)
        clock = _Clock.started()
        setup = setup_of(plan, label, self._site, start=clock.start / MICROSECONDS)
        directory.write_setup(setup)
        staging.put_many(plan.method.closure.files.values())
        source = put_node(staging, plan.method.source_node)
        running = _Running(plan, label, number, directory, staging, Scratch(staging.folder), clock, source)
        self._listener.began(plan, label)
        return running

    def _request(self, running: _Running) -> JobRequest:
        plan, site = running.plan, self._site
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
            params=setup_of(
                plan, running.label, site, start=running.clock.start / MICROSECONDS, values=False
            ),
            root=site.root,
            directory=running.directory.path,
            staging=running.staging.folder,
            load_part=_first_part(plan.method),
            store_root=site.acc_folder,
            refs_path=site.refs_path,
            durability=site.durability,
            workdirs=site.workdirs,
            input_directory=site.input_directory,
            result_directory=site.result_directory,
            preload=(*site.preload, *_preload(plan.method)),
            own_paths=(*site.own_paths, *site.workdirs.values()),
            noted_paths=(site.root, site.input_directory),
            quiet_paths=site.quiet_paths,
            declared=frozenset(str(path.path.resolve()) for path in plan.input_files),
        )

    # -- while it runs -----------------------------------------------------------------------------------------

    def _run(self, running: _Running, answer: Answer) -> Finished | Failed:
        """Return the last event of the job; by then no process of it is left."""
        last: Finished | Failed | None = None
        echo = Echo(running.scratch, lambda part, text: self._listener.said(running.label, part, text))
        for event in self._executor.run(self._request(running), answer):
            echo.poll()
            if event is None:
                self._listener.idle()
                continue
            if isinstance(event, StageBegan):
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

    def _publish(self, running: _Running, last: Finished | Failed) -> tuple[JobRow, Failed | None]:
        """Return the row that now exists, and why the run failed if it did."""
        if isinstance(last, Finished):
            try:
                return self._publish_done(running, last), None
            except _Spoiled as spoiled:
                last = spoiled.failure
        return self._publish_failed(running, last), last

    def _publish_done(self, running: _Running, last: Finished) -> JobRow:
        plan, staging = running.plan, running.staging
        staging.adopt(last.held)
        try:
            files = {**last.files, **running.directory.take_in(last.pending, staging)}
        except NoSuchFile as err:
            raise _Spoiled(Failed(SYNTHESIS, None, str(err))) from err
        kept = self._take_inputs(plan, staging)
        facts = (*last.facts, *map(self._fact_of_read, last.reads))
        outcome = Outcome(plan.method.name, plan.parts.slices, plan.parts.inputs, files, last.datasets)
        outcome_id = put_node(staging, outcome)
        job_id = put_node(staging, JobNode(running.source, outcome_id))
        subjobs = tuple(Subjob(run, built) for run, built in last.subjobs)
        run = replace(self._run_node(running), job=job_id, facts=facts, subjobs=subjobs, kept_inputs=kept)
        run_id = put_node(staging, run)
        row = replace(
            self._row(running, run_id, run),
            job=job_id,
            outcome=outcome_id,
            facts=len(facts),
            earlier="" if plan.forced else self._earlier(outcome_id),
        )
        self._warn_if_differs(row)
        staging.publish()
        running.scratch.clear()
        running.directory.tidy()
        running.directory.write_post(post(outcome, run, {}))
        self._index.publish(row, last.datasets)
        self._warn_of_reads(row, facts)
        return row

    def _publish_failed(self, running: _Running, last: Failed) -> JobRow:
        failure = Failure(last.message, last.stage, last.sliceno, last.traceback)
        run = replace(self._run_node(running), failure=failure)
        run_id = put_node(running.staging, run)
        running.directory.keep_output(running.scratch.outputs())
        running.staging.publish()
        running.scratch.clear()
        row = replace(self._row(running, run_id, run), state="failed")
        self._index.publish(row, {})
        return row

    def _run_node(self, running: _Running) -> Run:
        plan, site = running.plan, self._site
        return Run(
            job=None,
            source=running.source,
            key=plan.key,
            label=running.label,
            method=plan.method.name,
            times=running.clock.times(),
            caption=plan.caption,
            why=plan.why,
            parent=plan.parent,
            inputs=plan.inputs,
            environment=plan.parts.environment,
            versions=site.versions,
            host=site.host,
            user=site.user,
            output={part: running.staging.put(text) for part, text in running.scratch.outputs().items()},
        )

    def _row(self, running: _Running, run_id: ObjectId, run: Run) -> JobRow:
        return JobRow(
            workdir=running.plan.workdir,
            number=running.number,
            run=run_id,
            job=None,
            outcome=None,
            method=run.method,
            key=run.key,
            state="done",
            ended=run.times.end,
            micros=run.times.end - run.times.start,
            caption=run.caption,
            why=run.why,
        )

    def _take_inputs(self, plan: Plan, staging: Staging) -> dict[str, ObjectId]:
        """Return the declared input files that are stored, once it is clear that all are still what they were."""
        kept = {}
        for file in plan.input_files:
            if self._site.keep_inputs:
                with file.open() as stream:
                    kept[str(file)] = now = put_file(stream, staging).blob
            else:
                now = self._now_id(file.path)
            if now != file.content:
                raise _Spoiled(Failed(SYNTHESIS, None, f"input file '{file}' changed while the job ran"))
        return kept

    def _now_id(self, path: Path) -> ObjectId:
        try:
            return self._file_id(path)
        except (OSError, AccError):
            return ObjectId(MISSING)

    def _fact_of_read(self, read: FileRead) -> Fact:
        name = self._names.name_of(read.path)
        if read.stat is None:
            return Fact("read", name, MISSING)
        content = self._now_id(Path(read.path))
        # what was hashed must be what was read, or the fact would vouch for bytes that nobody saw
        return Fact("read", name, content if stat_of(read.path) == read.stat else _CHANGED)

    def _earlier(self, outcome: ObjectId) -> str:
        """Return the label of the first job with that outcome, or "" when there is none."""
        rows = self._index.of_outcome(outcome)
        return rows[-1].label if rows else ""

    def _warn_if_differs(self, row: JobRow) -> None:
        before = self._index.find_action(row.key)
        if before is not None and not before.facts and not row.facts and before.outcome != row.outcome:
            self._listener.warn(
                f"'{row.method}' is not reproducible: '{row.label}' differs from '{before.label}'"
            )

    def _warn_of_reads(self, row: JobRow, facts: Sequence[Fact]) -> None:
        names = [str(fact.about) for fact in facts if fact.kind == "read"]
        if names:
            shown = ", ".join(map(repr, names[:_NAMED_AT_MOST])) + (
                " ..." if len(names) > _NAMED_AT_MOST else ""
            )
            self._listener.warn(f"'{row.method}' ({row.label}) reads {shown} without declaring it")

    def _failure(self, running: _Running, last: Failed) -> JobFailed:
        where = {ANALYSIS: f"analysis, slice {last.sliceno}"}.get(last.stage, last.stage)
        return JobFailed(
            f"job '{running.label}' ({running.plan.method.name}) failed in {where}: {last.message}",
            job=running.label,
            method=running.plan.method.name,
            stage=last.stage,
            sliceno=last.sliceno,
            traceback="" if running.plan.method.installed and last.is_ours else last.traceback,
        )


class _Spoiled(Exception):
    """A job that came to its end, and whose outcome cannot be believed."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _first_part(method: Method) -> str:
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
