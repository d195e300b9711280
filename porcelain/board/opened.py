"""The project that the board shows, open as long as the board runs."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cas.errors import AccError
from cas.threads import usable_cores
from jobs.execution.executors.processes import ProcessExecutor
from porcelain.board.catalogue.catalogue import Catalogue
from porcelain.board.lately import Lately
from porcelain.board.methodshelf import MethodShelf
from porcelain.config import job_environment
from porcelain.project import Project
from porcelain.spec import Resolver
from porcelain.storage import open_remote

if TYPE_CHECKING:
    from jobs.execution.executors import Executor

# so long a method may take to be imported: who looks at pages shall not wait for one that never ends
_LOADS_SECONDS: Final = 15.0


class ProjectMoved(AccError):
    """A project whose data are gone, or others, since the board began to show it."""


class NotLookedAt(AccError, LookupError):
    """A remote of which nothing is known here yet."""


class ShownResolver(Resolver):
    """Finds what specs name, at remotes only as far as somebody has looked at them.

    One that does not answer would keep a page waiting for minutes, and with it one of the few threads that answer.
    """

    def at(self, remote: str) -> Resolver:
        """Return what finds names at a remote; raise `NotLookedAt` when nothing is known of it."""
        there = open_remote(self.config, remote)
        try:
            if there.mirror.is_new:
                raise NotLookedAt(
                    f"nobody has looked at remote '{remote}' yet", hint=f"'acc fetch {remote}' looks at it"
                )
        finally:
            there.mirror.close()
        return super().at(remote)


class ShownProject(Project):
    """A project that many threads look at, and none writes to.

    What is opened on first use is opened in the beginning: two threads would else open it twice.
    """

    def __enter__(self) -> "ShownProject":
        super().__enter__()
        for _ in (self.store, self.refs, self.index, self.results, self.resolver, self.buildlog):
            pass
        for _ in (self.cache, self.lately, self.shelf):
            pass
        self.catalogue.start()
        self._place = _identity(self.config.data)
        return self

    def check_place(self) -> None:
        """Raise `ProjectMoved` when the data of the project are not where they were any more, or others are."""
        if _identity(self.config.data) != self._place:
            raise ProjectMoved(
                f"'{self.config.data.name}' of this project has been moved, removed or replaced",
                hint="'acc board --stop' ends this board; 'acc board' shows what is there now",
            )

    def close(self) -> None:
        """Give back what is open."""
        if "catalogue" in self.__dict__:
            self.catalogue.close()
        super().close()

    @cached_property
    def catalogue(self) -> Catalogue:
        """What is found, counted and sorted quickly: jobs, their sizes, all that is searched."""
        return Catalogue(self.config.data, self.index, self.store)

    @cached_property
    def resolver(self) -> Resolver:
        """Finds what specs name, without asking a remote that nobody has asked yet."""
        return ShownResolver(self.index, self.store, self.config)

    @cached_property
    def executor(self) -> "Executor":
        """What finds out what methods declare; no job runs here."""
        return describing_executor()

    @cached_property
    def lately(self) -> Lately:
        """What was found out lately."""
        return Lately()

    @cached_property
    def shelf(self) -> MethodShelf:
        """The methods, as their files are now."""
        return MethodShelf(self)


def describing_executor() -> "Executor":
    """Return what imports methods to find out what they declare, and gives up those that take too long."""
    return ProcessExecutor(job_environment(), usable_cores(), describe_seconds=_LOADS_SECONDS)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        stat = folder.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
