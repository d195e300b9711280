"""The project that the board shows, open as long as the board runs."""

from functools import cached_property

from porcelain.board.catalogue.catalogue import Catalogue
from porcelain.board.lately import Lately
from porcelain.board.methodshelf import MethodShelf
from porcelain.project import Project


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
        return self

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
    def lately(self) -> Lately:
        """What was found out lately."""
        return Lately()

    @cached_property
    def shelf(self) -> MethodShelf:
        """The methods, as their files are now."""
        return MethodShelf(self)
