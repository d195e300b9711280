"""All that `acc gc` does, in order: labels by policy, objects that nothing reaches, what runs left on the disk."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cas.local.gc import Collected, collect
from cas.local.pins import AllPins
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.execution.leftovers import Sweeper, Swept, remove_directories
from jobs.nodes.listing import JobRow
from jobs.reuse.index import JobIndex
from jobs.reuse.retention import find_droppable
from porcelain.buildlog import BuildLog
from porcelain.config import Config
from porcelain.results import ResultLinks
from porcelain.sessions.urdlog import UrdLog
from porcelain.storage import places

Progress = Callable[[int], None]

# what refs were before is remembered for so long
_LOG_SECONDS: Final = 365 * 86400.0


@dataclass(slots=True)
class Cleaned:
    """What was done, or with a dry run would be.

    Attributes
    ----------
    dropped : list of JobRow
        Jobs whose labels went by policy.
    builds : list of int
        Builds that one of those was part of, and that went with it.
    collected : Collected
        What became of objects.
    copies, scratch : Swept
        Files of job directories that are in the store or never were; files of builds that were killed, and of remotes
        that acc.toml no longer names.
    """

    dropped: list[JobRow] = field(default_factory=list)
    builds: list[int] = field(default_factory=list)
    collected: Collected = field(default_factory=Collected)
    copies: Swept = field(default_factory=Swept)
    scratch: Swept = field(default_factory=Swept)


class Cleaner:
    """Cleans one project; builds may run meanwhile."""

    def __init__(self, config: Config, store: LocalStore, refs: LocalRefs) -> None:
        self._config = config
        self._store = store
        self._refs = refs
        self._index = JobIndex(refs)
        self._builds = BuildLog(store, refs)
        self._urd = UrdLog(store, refs)
        self._results = ResultLinks(config.result_directory, store, refs)

    def find_droppable(self, keep: Collection[ObjectId] | None, older_than: float | None) -> list[JobRow]:
        """Return the jobs that a policy lets go: not those of result links and sessions, nor what those are made of.

        Parameters
        ----------
        keep
            Runs that stay; None: all that are younger.
        older_than
            Seconds since a job ended; None: any age.
        """
        before = None if older_than is None else time.time() - older_than

        def may_go(row: JobRow) -> bool:
            return (keep is None or row.run not in keep) and (before is None or row.time < before)

        linked = {result.run for result in self._results.entries().values()}
        kept = linked | self._urd.runs()
        return find_droppable(self._store, self._index, may_go=may_go, kept_runs=kept)

    def clean(
        self, dropped: Sequence[JobRow], *, grace_seconds: float, dry_run: bool, progress: Progress
    ) -> Cleaned:
        """Drop the labels of `dropped`, collect, and sweep; with `dry_run` only count what there is to do.

        What the dropped jobs alone reach is not counted by a dry run, since their refs still stand.
        """
        cleaned = Cleaned(dropped=[*dropped])
        if dropped:
            cleaned.builds = self._builds.with_runs([row.run for row in dropped])
        if not dry_run:
            self._drop(cleaned)
            self._refs.trim_log(time.time() - _LOG_SECONDS)
        cleaned.collected = collect(
            self._store, self._refs, grace_seconds=grace_seconds, dry_run=dry_run, progress=progress
        )
        self._sweep(cleaned, Sweeper(grace_seconds, dry_run=dry_run))
        return cleaned

    def _drop(self, cleaned: Cleaned) -> None:
        if not cleaned.dropped:
            return
        # builds first: one whose jobs have lost their labels would show what is nowhere
        self._builds.drop(cleaned.builds, "gc")
        self._urd.drop_ghosts([row.run for row in cleaned.dropped], "gc")
        self._index.drop(cleaned.dropped, "gc")
        remove_directories(self._config.workdirs, {row.label for row in cleaned.dropped})

    def _sweep(self, cleaned: Cleaned, sweeper: Sweeper) -> None:
        living = AllPins(self._store.root / "pins", self._store.root / "cache" / "pins.json").writers()
        cleaned.scratch = sweeper.sweep_folders(self._config.data / "tmp", living)
        # what was known of remotes that acc.toml no longer names
        named = {place.folder.name for place in places(self._config)}
        cleaned.scratch.add(sweeper.sweep_folders(self._config.data / "cache" / "remotes", named))
        cleaned.copies = sweeper.sweep_directories(
            self._config.workdirs.values(),
            {row.label for row in self._index.rows()},
            self._linked(),
            idle=not living,
        )

    def _linked(self) -> set[Path]:
        """Return the files of job directories that links in the result directory point to."""
        places = (self._config.result_directory / name for name in self._results.entries())
        return {place.resolve() for place in places if place.is_symlink()}
