"""Numbers of jobs and builds at a remote: those that they have here where these are free there, else the next ones."""

from collections import defaultdict
from collections.abc import Iterable

from jobs.nodes.listing import JobRow
from jobs.reuse.refnames import BUILD, BUILDS, LABELS, find_build, find_label


class Numbers:
    """The numbers that are taken at a remote, by workdir.

    Parameters
    ----------
    names
        Refs that the remote has, or had: their numbers are taken.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._taken: dict[str, set[int]] = defaultdict(set)
        for name in names:
            self._take(name)

    def draw(self, workdir: str, number: int) -> int | None:
        """Take a number and return it; None when it is taken."""
        if number in self._taken[workdir]:
            return None
        self._taken[workdir].add(number)
        return number

    def draw_next(self, workdir: str) -> int:
        """Take the number behind all others, and return it."""
        number = max(self._taken[workdir], default=0) + 1
        self._taken[workdir].add(number)
        return number

    def draw_for(self, rows: Iterable[JobRow]) -> list[tuple[JobRow, int]]:
        """Return jobs with the numbers that they get; all whose own are free take these before the others get any."""
        drawn = [(row, self.draw(row.workdir, row.number)) for row in rows]
        return [(row, number or self.draw_next(row.workdir)) for row, number in drawn]

    def _take(self, name: str) -> None:
        build = find_build(name) if name.startswith(BUILDS) else None
        label = find_label(name) if name.startswith(LABELS) else None
        label = (BUILD, build) if build is not None else label
        if label is not None:
            self._taken[label[0]].add(label[1])
