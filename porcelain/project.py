"""The composition root: a project that builds, with catalog, executor and builder put together."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import cas
from cas.formats.canonical import Json
from cas.oid import ObjectId, oid_of
from cas.threads import usable_cores
from jobs.builder import Builder
from jobs.execution.plan import Listener, Silent, Site
from jobs.execution.territory import Territory, prefixes
from jobs.execution.turn import Turn
from jobs.method.cache import Cache
from jobs.method.catalog import Catalog, find_packages
from jobs.method.closure import Closure
from jobs.method.options import InputPath
from jobs.reuse.inputfiles import InputFiles
from jobs.reuse.lease import Leases
from jobs.reuse.pathnames import PathNames
from porcelain import config as configuration
from porcelain.buildlog import BuildLog
from porcelain.config import Config
from porcelain.storage import open_refs, open_remote, open_store, places
from porcelain.stored import StoredProject
from porcelain.watching.hearing import Hearing

if TYPE_CHECKING:
    from cas.remote.leases import Leases as RemoteLeases
    from jobs.execution.executors import Executor
    from jobs.execution.launcher import Launcher
    from jobs.explain import Explainer
    from jobs.remote.sharedlease import Pace, SharedLeases
    from jobs.remote.sharing import Sharing
    from jobs.verify import Verifier
    from porcelain.sessions.urdlog import UrdLog

STANDARD_METHODS = "porcelain.methods"
_CODE = Path(cas.__path__[0]).resolve().parent


class Project(StoredProject):
    """A project that builds; what it needs is opened when it is first used.

    Parameters
    ----------
    config
        What acc.toml says.
    listener
        Who is told how builds go.
    executor
        What runs jobs; by default processes.

    Attributes
    ----------
    pace : Pace or None
        How quickly builders tell each other what they run, if not as usual.
    """

    pace: "Pace | None" = None

    def __init__(
        self, config: Config, listener: Listener | None = None, executor: "Executor | None" = None
    ) -> None:
        super().__init__(config)
        self.listener = Hearing(listener or Silent())
        self._executor = executor

    def close(self) -> None:
        """End what runs jobs, and give back what is open."""
        if "launcher" in self.__dict__:
            self.builder.stop()  # for threads that the script has left behind
        for part in ("executor", "leases", "sharing"):
            if self.__dict__.get(part) is not None:
                getattr(self, part).close()
        super().close()

    def keep_packs_few(self) -> None:
        """Merge packs, if so many have come that looking an object up has become slow and nobody else does it."""
        if self.store.packs.are_many():
            # here, not above: few builds come to that
            from cas.local.repack import repack
            from cas.local.upkeep import UpkeepRuns

            with suppress(UpkeepRuns):
                repack(self.store, blocking=False)

    @cached_property
    def cache(self) -> Cache:
        """What can be found again."""
        return Cache(self.config.data / "cache" / "known.sqlite")

    @cached_property
    def buildlog(self) -> BuildLog:
        """The builds so far."""
        return BuildLog(self.store, self.refs)

    def urdlog(self, *, only_look: bool = False) -> "UrdLog":
        """Return the urd lists; with `only_look` they take no changes."""
        from porcelain.sessions.urdlog import UrdLog  # here, not above: most builds have none

        return UrdLog(self.store, self.refs, only_look=only_look)

    @cached_property
    def catalog(self) -> Catalog:
        """The methods."""
        return self.read_catalog()

    def read_catalog(self) -> Catalog:
        """Return the methods as they are now: a catalog sees each file in one state only."""
        return Catalog(
            self.config.root,
            find_packages(self.config.methods, self.config.root),
            (STANDARD_METHODS, _CODE / "porcelain" / "methods"),
            cache=self.cache,
            setting=self.config.environment,
            describe=self._describe,
        )

    @cached_property
    def executor(self) -> "Executor":
        """What runs jobs."""
        # here, not above: a build that only reuses jobs runs none, and starts in two thirds of the time without
        from jobs.execution.executors.processes import ProcessExecutor

        return self._executor or ProcessExecutor(configuration.job_environment(), usable_cores())

    @cached_property
    def turn(self) -> Turn:
        """Whose turn it is to work in the engine."""
        return Turn()

    @cached_property
    def leases(self) -> Leases:
        """Who computes what."""
        return Leases(self.config.data / "locks" / "leases")

    @cached_property
    def builder(self) -> Builder:
        """What gets jobs."""
        return Builder(
            context=self.context,
            index=self.index,
            methods=self.catalog,
            launcher=lambda: self.launcher,
            listener=self.listener,
            leases=self.leases,
            turn=self.turn,
            names=self._names(),
            inputs=self.inputs,
            default_workdir=self.config.workdir,
            cores=min(self.config.slices, usable_cores()),
            sharing=self.sharing,
        )

    @cached_property
    def sharing(self) -> "Sharing | None":
        """What builds share with others through remotes; None when acc.toml has none that they read or write."""
        config = self.config
        read = [remote.name for remote in config.remotes.values() if remote.read]
        write = [remote.name for remote in config.remotes.values() if remote.write]
        if not read and not write:
            return None
        # here, not above: many projects have no remotes
        from jobs.remote.adoption import Adoption
        from jobs.remote.outbox import Outbox
        from jobs.remote.publication import Publication
        from jobs.remote.shared import SharedIndex
        from jobs.remote.sharing import Sharing
        from jobs.reuse.index import JobIndex
        from porcelain.sharing.wings import track

        def open_publication(name: str, warn: Callable[[str], None]) -> Publication:
            remote = open_remote(config, name)

            def noted(labels: Mapping[str, ObjectId]) -> None:
                with closing(open_refs(config, hasty=True)) as refs:
                    track(refs, remote, labels)

            return Publication(remote, open_store(config), warn, noted)

        # who only writes waits for nobody, and whom only writers would tell nobody hears
        leases = {name: self._shared_leases(name) for name in write if name in read}

        def outbox(name: str) -> Outbox:
            return Outbox(name, partial(open_publication, name), leases.get(name))

        return Sharing(
            shared=SharedIndex(
                lambda: [open_remote(config, name) for name in read],
                lambda: open_store(config),
                write,
                leases,
            )
            if read
            else None,
            outboxes=[outbox(name) for name in write],
            # what is adopted can be had again: it waits for no disk
            adoption=Adoption(
                self.store, JobIndex(open_refs(config, hasty=True)), config.workdirs, config.input_directory
            ),
            index=self.index,
            listener=self.listener,
            turn=self.turn,
        )

    def _shared_leases(self, name: str) -> "SharedLeases":
        from jobs.remote.sharedlease import Pace, SharedLeases

        pace = self.pace or Pace()

        def open_leases() -> "RemoteLeases":
            import platform

            from cas.remote.leases import Leases as RemoteLeases

            holder = f"{configuration.user()}@{platform.node()}"
            remote = open_remote(self.config, name)
            remote.make()  # else nobody would know of what the very first build runs
            return RemoteLeases(remote, holder, stale_seconds=pace.stale_seconds)

        return SharedLeases(open_leases, pace)

    @cached_property
    def inputs(self) -> InputFiles:
        """The input files."""
        return InputFiles(self.config.input_directory, self.file_id, self.fetch)

    @cached_property
    def explainer(self) -> "Explainer":
        """What tells why jobs run or are reused."""
        # here, not above: few commands ask
        from jobs.explain import Explainer

        return Explainer(self.context, self.index, self.catalog, self.builder, self.inputs)

    @cached_property
    def verifier(self) -> "Verifier":
        """What runs jobs again as they were."""
        # here, not above: builds need neither
        from jobs.replay import Replays
        from jobs.verify import Verifier

        replays = Replays(
            context=self.context,
            store=self.store,
            methods=self.catalog,
            names=self._names(),
            inputs=self.inputs,
            check_source=self.trust.check_source,
        )
        return Verifier(
            store=self.store,
            methods=self.catalog,
            replays=replays,
            launcher=self.launcher,
            folder=self.config.data / "tmp",
            cores=usable_cores(),
        )

    def _names(self) -> PathNames:
        return PathNames(self.config.root, self.config.input_directory)

    def file_id(self, path: Path) -> ObjectId:
        """Return the content id of a file, as it is now."""
        return self.cache.file_id(path)

    def is_news(self, text: str) -> bool:
        """Return whether the user has not been told `text` yet; from now on he has, in later builds too."""
        key = oid_of(text.encode())
        known = self.cache.get("told", key) is not None
        if not known:
            self.cache.put("told", key, True)  # noqa: FBT003 - a value that is there
        return not known

    def fetch(self, url: str) -> InputPath:
        """Return the file at a URL, as it is now."""
        from jobs.reuse.urlfiles import UrlFiles

        return UrlFiles(self.config.data / "cache" / "remote", self.cache).get(url)

    @cached_property
    def launcher(self) -> "Launcher":
        """What runs one job."""
        from jobs.execution.launcher import Launcher
        from jobs.execution.publisher import Publisher

        site = self._site()
        publisher = Publisher(
            index=self.index,
            site=site,
            listener=self.listener,
            file_id=self.file_id,
            is_news=self.is_news,
            trusts=self.trust.trusts,
        )
        return Launcher(
            store=self.store,
            index=self.index,
            executor=self.executor,
            publisher=publisher,
            site=site,
            listener=self.listener,
            folder=self.config.data / "tmp",
            turn=self.turn,
        )

    def _describe(self, closure: Closure, packages: Mapping[str, Path]) -> Json:
        return self.executor.describe(closure, packages, self.territory)

    def _site(self) -> Site:
        import platform

        config = self.config
        return Site(
            root=config.root,
            acc_folder=config.data,
            refs_path=config.data / "refs.sqlite",
            workdirs=dict(config.workdirs),
            input_directory=config.input_directory,
            result_directory=config.result_directory,
            packages=self.catalog.packages,
            durability=config.durability,
            keep_inputs=config.keep_inputs,
            preload=("acc",),
            territory=self.territory,
            host=platform.node(),
            user=configuration.user(),
            versions=self._versions(),
            remotes=places(config),
        )

    @cached_property
    def territory(self) -> Territory:
        """Whose files a job may read without a word."""
        config = self.config
        own = (config.data, *config.workdirs.values(), *installed_folders(), *configuration.system_folders())
        return Territory(
            own=prefixes(own),
            noted=prefixes((config.root, config.input_directory)),
            passing=prefixes((configuration.temporary_folder(),)),
        )

    def _versions(self) -> Mapping[str, str]:
        import platform
        from importlib.metadata import version

        return {"python": platform.python_version(), "acc": version("acc")}


def installed_folders() -> tuple[Path, ...]:
    """Return the folders of Python, of what is installed for it, and of acc's own code."""
    packages = (
        Path(folder) for folder in sys.path if Path(folder).name in ("site-packages", "dist-packages")
    )
    return (Path(sys.prefix), Path(sys.base_prefix), Path(os.__file__).parent, *packages, *code_folders())


def code_folders() -> tuple[Path, ...]:
    """Return the folders of acc's own code."""
    return tuple(_CODE / floor for floor in ("acc", "porcelain", "jobs", "cas"))
