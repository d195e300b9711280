"""The project that the board shows, open as long as the board runs."""

from porcelain.project import Project


class ShownProject(Project):
    """A project that many threads look at, and none writes to.

    What is opened on first use is opened in the beginning: two threads would else open it twice.
    """

    def __enter__(self) -> "ShownProject":
        super().__enter__()
        for _ in (self.store, self.refs, self.index, self.results, self.resolver):
            pass
        return self
