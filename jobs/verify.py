"""Run a job again from its stored source and inputs: to compare what comes of it, or to have it once more."""

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Literal, TypeAlias

from cas.formats.node import get_node
from cas.local.staging import Staging
from cas.local.store import LocalStore
from jobs.comparison.outcomes import OutcomeDifference, compare_outcomes
from jobs.errors import CannotRunAgain, SpoiledOutcome
from jobs.execution.events import Failed
from jobs.execution.inside.worker import HOLD_BYTES
from jobs.execution.jobdir import JobDirectory
from jobs.execution.launcher import Launcher
from jobs.execution.plan import Plan
from jobs.execution.running import Running
from jobs.execution.scratch import Scratch
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.parts import part_in_words
from jobs.nodes.run import ActionKey
from jobs.replay import Methods, Replay, Replays
from jobs.reuse.key import KeyParts, action_key

Result: TypeAlias = Literal["equal", "same values", "different", "failed", "not run"]

# neither the label nor the number that it had: so a method that puts one into its outcome is found out
_LABEL: Final = "verify"


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of running a job again.

    Attributes
    ----------
    row : JobRow
        The job.
    differences : sequence of OutcomeDifference
        What differs from what it was then.
    failed : str
        How it failed this time, or "".
    problem, hint : str
        Why it could not be run again, or "", and what to do.
    environment : sequence of (str, str, str)
        What differs in the versions that count in its key: name, then, now.
    """

    row: JobRow
    differences: Sequence[OutcomeDifference] = ()
    failed: str = ""
    problem: str = ""
    hint: str = ""
    environment: Sequence[tuple[str, str, str]] = ()

    @property
    def result(self) -> Result:
        """How it went, in one word or two."""
        if self.problem:
            return "not run"
        if self.failed:
            return "failed"
        if not self.differences:
            return "equal"
        return "same values" if all(each.same_value for each in self.differences) else "different"


@dataclass(frozen=True, slots=True)
class Rerun:
    """A job that was run once more: its new run, and what differs from the one before."""

    row: JobRow
    differences: Sequence[OutcomeDifference]


class Verifier:
    """Runs jobs again as they were.

    Parameters
    ----------
    folder
        Where sources, input files and all that the jobs write go until they have been compared.
    cores
        How many slices run at a time when a method does not say.
    """

    def __init__(
        self,
        *,
        store: LocalStore,
        methods: Methods,
        replays: Replays,
        launcher: Launcher,
        folder: Path,
        cores: int,
    ) -> None:
        self._store = store
        self._methods = methods
        self._replays = replays
        self._launcher = launcher
        self._folder = folder
        self._cores = cores

    def verify(self, row: JobRow) -> Verification:
        """Run the job of `row` aside and compare its outcome; nothing of it is published.

        It has another job directory and another label, and its slices start in another order.
        """
        with self._scratch() as folder:
            try:
                replay = self._replays.get(row, folder)
            except CannotRunAgain as err:
                return Verification(row, problem=str(err), hint=err.hint)
            verification = Verification(row, environment=tuple(self._changed(replay)))
            with self._aside(replay, row.number + 1, folder) as running:
                last = self._launcher.run_aside(running, replay.answer)
                if isinstance(last, Failed):
                    return replace(verification, failed=_in_words(last))
                try:
                    outcome = running.take_in(last)
                except SpoiledOutcome as err:
                    return replace(verification, failed=str(err))
                differences = compare_outcomes(running.staging, replay.outcome, outcome)
                return replace(verification, differences=differences)

    def rerun(self, row: JobRow, *, workdir: str, caption: str = "") -> Rerun:
        """Run the job of `row` as it was and publish it under a new label of `workdir`.

        Raises
        ------
        CannotRunAgain
            When something that it needs is not there any more as it was.
        JobFailed
            When it fails this time.
        """
        with self._scratch() as folder:
            replay = self._replays.get(row, folder)
            parts = self._parts(replay)
            plan = self._plan(replay, parts, action_key(parts))
            why = f"'{row.label}' was run again as it was"
            plan = replace(plan, workdir=workdir, caption=caption or row.caption, explain=lambda: why)
            again = self._launcher.launch(plan, lambda _label: replay.answer)
        assert again.outcome is not None, "a job that was published without an outcome"
        outcome = get_node(self._store, again.outcome, Outcome)
        return Rerun(again, compare_outcomes(self._store, replay.outcome, outcome))

    # -- as it was ---------------------------------------------------------------------------------------------

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Give a folder that is gone afterwards; by the name of this process's pins, gc tells that of a dead one."""
        above = self._folder / self._store.pins.name
        above.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix=f"{_LABEL}-", dir=above))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _aside(self, replay: Replay, number: int, folder: Path) -> Iterator[Running]:
        """Give a run with a label that no job has, which writes into `folder` only."""
        label = f"{_LABEL}-{number}"
        directory = folder / label
        directory.mkdir()
        staging = Staging(self._store, folder / "staging", hold_bytes=HOLD_BYTES)
        plan = replace(self._plan(replay, self._parts(replay), replay.run.key), order=_shuffled(replay))
        running = Running(plan, label, number, JobDirectory(directory), staging, Scratch(folder, "scratch"))
        try:
            yield running
        finally:
            running.discard()

    def _parts(self, replay: Replay) -> KeyParts:
        method = replay.method
        return KeyParts(
            method=method.name,
            source=method.source,
            version=method.version,
            inputs=replay.outcome.inputs,
            slices=replay.outcome.slices,
            environment=self._methods.environment(method),
        )

    def _plan(self, replay: Replay, parts: KeyParts, key: ActionKey) -> Plan:
        method, given = replay.method, replay.given
        return Plan(
            method=method,
            options=given.options,
            datasets=given.datasets,
            jobs=given.jobs,
            key=key,
            parts=parts,
            inputs=replay.run.inputs,
            input_files=given.files,
            workdir="",
            concurrency=method.declarations.concurrency or self._cores,
            shares_cores=method.declarations.concurrency is None,
            explain=str,
            packages=replay.packages,
            lookups=replay.lookups,
            learned=replay.learned,
        )

    def _changed(self, replay: Replay) -> Iterator[tuple[str, str, str]]:
        """Yield what differs in the versions that count: name, then, now."""
        then, now = replay.run.environment, self._methods.environment(replay.method)
        for name in sorted({*then, *now}):
            if then.get(name) != now.get(name):
                yield name, then.get(name, "none"), now.get(name, "none")


def _shuffled(replay: Replay) -> list[int]:
    """Return the numbers of the slices in an order that is not theirs, but the same one each time."""
    order = list(range(replay.outcome.slices))
    random.Random(replay.run.key).shuffle(order)
    return order if order != sorted(order) else order[::-1]


def _in_words(failed: Failed) -> str:
    return f"in {part_in_words(failed.stage, failed.sliceno)}: {failed.message}"
