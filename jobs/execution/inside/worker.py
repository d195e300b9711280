"""The process of a job: its store and context are opened, its stages run, and what it leaves is told."""

import os
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cas.errors import AccError
from cas.formats.canonical import Json
from cas.formats.seal import Seal
from cas.local.refs import LocalRefs
from cas.local.staging import Staging
from cas.local.store import Durability, LocalStore, Source
from cas.oid import ObjectId
from cas.remote.place import LatePromises
from cas.store import Sizes
from jobs import context
from jobs.errors import UsageError
from jobs.execution.events import JobRequest, SubjobRefused, SubjobWanted
from jobs.execution.inside.background import BackgroundSaves
from jobs.execution.inside.current import CurrentJob
from jobs.execution.inside.reads import ReadWatch, unwatched, watch
from jobs.execution.inside.stages import Launcher, StageFailed, Stages, failing
from jobs.execution.jobdir import INTERNAL
from jobs.job import Job
from jobs.nodes.facts import Fact
from jobs.nodes.listing import JobRow
from jobs.reuse.index import TABLES, JobIndex
from jobs.reuse.pathnames import PathNames
from jobs.reuse.trust import FILE, Origins, Trust
from jobs.status import status
from jobs.wish import ABOUT_RUNNING

# what a small job saves fits, and then it needs no segment
HOLD_BYTES = 1 << 18


def run_job(request: JobRequest, launcher: Launcher, *, fork: bool, debug: bool = False) -> None:
    """Run a job to its end and tell the launcher how it went; the last event is `Finished` or `Failed`.

    Parameters
    ----------
    fork
        Whether each slice of analysis runs in a forked process; else one after the other in this one.
    debug
        Whether somebody may change what happens by a debugger at the terminal, which the job is left with.
    """
    job = CurrentJob(request)
    if debug:
        job.ledger.note(Fact("debug", None, ""))
    reads = ReadWatch(request.territory, request.declared, request.scratch.reads())
    if fork:
        job.saves = BackgroundSaves(lambda: job.ledger, reads)
    here = Path.cwd()
    before = context.enter(_context(request, job, launcher))
    os.chdir(request.directory)
    try:
        _finish(job, Stages(request, job, launcher, reads, fork=fork, debug=debug).run())
        reads.collect()
        launcher.tell(job.ledger.finished(reads.reads(), _held()))
    except StageFailed as failed:
        launcher.tell(failed.failure)
    finally:
        watch(None)
        context.enter(before)
        os.chdir(here)


@cache
def open_store(root: Path, durability: Durability) -> LocalStore:
    """Return the store under `root`, one a process: the zygote has read its packs before it forks."""
    return LocalStore(root, durability=durability)


def _context(request: JobRequest, job: CurrentJob, launcher: Launcher) -> context.Context:
    store = open_store(request.store_root, request.durability)
    store.pins.join(request.pins)
    trust = Trust(Origins(request.store_root / FILE), request.remotes)
    store.source = _source(request, trust) if request.remotes else None
    names = PathNames(request.root, request.input_directory)
    index = JobIndex(LocalRefs(request.refs_path, TABLES, durability=request.durability, read_only=True))

    def resolve(name: str) -> JobRow | None:
        row = request.lookups[name] if name in request.lookups else index.resolve(name)
        if row is not None:
            trust.check(row, f"be an input of '{request.method}'", index)
        return row

    def build(method: str, **arguments: Any) -> Any:
        if job.sliceno is not None:
            raise UsageError("subjobs are built in prepare and synthesis, not in analysis")
        learned = {name: value for name, value in arguments.items() if name not in ABOUT_RUNNING}
        about: dict[str, Json] = {"method": method, "arguments": names.to_structure(learned)}
        with status(f"building '{method}'"):
            answer = launcher.ask(SubjobWanted(method, arguments))
            if isinstance(answer, SubjobRefused):
                job.ledger.note(Fact("subjob", about, ""))
                raise answer.error
        job.ledger.note(Fact("subjob", about, answer.job.row.outcome))
        job.ledger.subjobs.append((answer.job.row.run, answer.built))
        job.subjobs.append(answer.job)
        return answer.job

    return context.Context(
        store=Staging(store, request.staging, hold_bytes=HOLD_BYTES),
        labels=index,
        workdirs=request.workdirs,
        slices=request.slices,
        input_directory=request.input_directory,
        resolve=resolve,
        get_job=Job,
        recorder=job.ledger,
        job=job,
        build=build,
        trust=trust,
    )


class _Unwatched:
    """The promises of remotes, whose files are none that the job reads; a `Source`."""

    def __init__(self, promises: LatePromises) -> None:
        self._promises = promises

    def bring(self, store: LocalStore, oids: Collection[ObjectId]) -> None:
        with unwatched():
            self._promises.bring(store, oids)

    def promises(self, oid: ObjectId) -> bool:
        with unwatched():
            return self._promises.promises(oid)

    def find_sizes(self, oid: ObjectId) -> Sizes | None:
        with unwatched():
            return self._promises.find_sizes(oid)

    def ids(self, prefix: str) -> Iterator[ObjectId]:
        with unwatched():
            return iter([*self._promises.ids(prefix)])

    def look_if_lost(self) -> Sequence[AccError]:
        with unwatched():
            return self._promises.look_if_lost()


def _source(request: JobRequest, trust: Trust) -> Source:
    return _Unwatched(
        LatePromises(lambda: [place.open(trust.arriving(place.url)) for place in request.remotes])
    )


def _held() -> list[tuple[Seal, bytes]]:
    staging = context.current().store
    assert isinstance(staging, Staging)
    return staging.held()


def _finish(job: CurrentJob, stage: str) -> None:
    """Finish the datasets that the method left open, and register the files that it left lying about."""
    with failing(stage, None):
        for writer in list(job.writers.values()):
            if writer.state == "open":
                writer.finish()
        if not job.ledger.keeps():
            left = (entry.name for entry in os.scandir(job.path) if entry.is_file(follow_symlinks=False))
            for name in sorted(set(left) - job.ledger.names() - INTERNAL):
                job.ledger.register(name)
