"""The project that the board shows, open as long as the board runs."""

from functools import cached_property

from porcelain.board.methodshelf import MethodShelf
from porcelain.project import Project


class ShownProject(Project):
    """A project that many threads look at, and none writes to.

    What is opened on first use is opened in the beginning: two threads would else open it twice.
    """

    def __enter__(self) -> "ShownProject":
        super().__enter__()
        for _ in (self.store, self.refs, self.index, self.results, self.resolver, self.buildlog, self.shelf):
            pass
        return self

    @cached_property
    def shelf(self) -> MethodShelf:
        """The methods, as their files are now."""
        return MethodShelf(self)
