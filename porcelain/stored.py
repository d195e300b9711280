"""A project that is open to be looked at: store, refs, labels, results, put together from its configuration."""

from contextlib import suppress
from functools import cached_property
from typing import Any, Self

from cas.local.store import LocalStore
from jobs import context
from jobs.job import Job
from jobs.reuse.index import JobIndex
from jobs.reuse.trust import Trust
from porcelain import config as configuration
from porcelain.config import Config
from porcelain.results import ResultLinks
from porcelain.spec import Resolver
from porcelain.storage import open_refs, open_store, open_trust


class StoredProject:
    """A project without what builds; what it needs is opened when it is first used.

    Parameters
    ----------
    config
        What acc.toml says.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def here(cls) -> Self:
        """Return the project that the current folder lies in; raise `NoProject` when it lies in none."""
        return cls(configuration.here())

    def __enter__(self) -> Self:
        self._before = context.enter(self.context)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        context.enter(self._before)

    def close(self) -> None:
        """Give back what is open."""
        if "refs" in self.__dict__:
            self.refs.close()
        if "store" in self.__dict__:
            if self.store.pins.has_begun:
                with suppress(OSError):  # there is none, or something lies in it, which gc looks after
                    (self.config.data / "tmp" / self.store.pins.name).rmdir()
            self.store.pins.release()

    @cached_property
    def store(self) -> LocalStore:
        """The objects."""
        return open_store(self.config)

    @cached_property
    def refs(self) -> Any:
        """The refs, with the listing tables."""
        return open_refs(self.config)

    @cached_property
    def index(self) -> JobIndex:
        """The labels and actions."""
        return JobIndex(self.refs)

    @cached_property
    def results(self) -> ResultLinks:
        """The result directory."""
        return ResultLinks(self.config.result_directory, self.store, self.refs)

    @cached_property
    def resolver(self) -> Resolver:
        """Finds what specs name."""
        return Resolver(self.index, self.store, self.config)

    @cached_property
    def trust(self) -> Trust:
        """What may be done with runs that came from elsewhere."""
        return open_trust(self.config)

    @cached_property
    def context(self) -> context.Context:
        """The project as the engine sees it."""
        return context.Context(
            store=self.store,
            labels=self.index,
            workdirs=self.config.workdirs,
            slices=self.config.slices,
            input_directory=self.config.input_directory,
            resolve=self.resolver.find_job,
            get_job=Job,
            results=self.results,
            trust=self.trust,
        )


def open_context() -> context.Context:
    """Return the context of the project that the current folder lies in: the opener of `import acc`."""
    return StoredProject.here().context
