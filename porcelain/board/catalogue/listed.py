"""The list of jobs: filtered, sorted, counted, a page of it at a time."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from porcelain.board.catalogue.database import Cell, Database
from porcelain.board.catalogue.query import to_query
from porcelain.board.catalogue.schema import COUNTED


class Sort(NamedTuple):
    """What a list is sorted by: columns, the index that is in their order, and whether one looks for the largest."""

    columns: tuple[str, ...]
    in_order: str
    largest_first: bool


SORTS: Final[Mapping[str, Sort]] = {
    "ended": Sort(("ended",), "jobs_by_ended", largest_first=True),
    "seconds": Sort(("micros",), "jobs_by_micros", largest_first=True),
    "method": Sort(("method", "ended"), "jobs_by_method", largest_first=False),
    "job": Sort(("workdir", "number"), "jobs_by_label", largest_first=False),
    "size": Sort(("stored",), "jobs_by_stored", largest_first=True),
}
_SEARCHED: Final = ("label", "method", "caption")


class Choice(NamedTuple):
    """Which jobs: those that fit all that is said; "" says nothing.

    Attributes
    ----------
    text : str
        Words, or beginnings of words, of label, method and caption.
    """

    workdir: str = ""
    method: str = ""
    state: str = ""
    text: str = ""


class Listed(NamedTuple):
    """A job in a list.

    Attributes
    ----------
    raw_bytes, stored_bytes : int or None
        Of all that it holds, alone or shared; None when that is not known yet.
    """

    workdir: str
    number: int
    raw_bytes: int | None
    stored_bytes: int | None


class JobList:
    """The jobs that the catalogue knows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, choice: Choice) -> int:
        """Return how many jobs are chosen."""
        if choice == Choice(text=choice.text) and choice.text.strip():
            sql = "SELECT count(*) FROM texts WHERE texts MATCH ?"
            ((count,),) = self._database.run(sql, (to_query(choice.text, _SEARCHED),))
            return int(count)
        tests, cells = _tests(choice)
        # this index is as good as any: each holds all that is tested
        ((count,),) = self._database.run(f"SELECT count(*) FROM jobs INDEXED BY jobs_by_ended{tests}", cells)
        return int(count)

    def page(self, choice: Choice, sort: str, *, descending: bool, start: int, limit: int) -> list[Listed]:
        """Return the jobs of one page."""
        direction = " DESC" if descending else ""
        order = ", ".join(column + direction for column in SORTS[sort].columns)
        tests, cells = _tests(choice)
        ids = (
            f"SELECT id FROM jobs INDEXED BY {SORTS[sort].in_order}{tests}"
            f" ORDER BY {order} LIMIT {int(limit)} OFFSET {int(start)}"
        )
        sql = f"SELECT workdir, number, raw, stored FROM jobs WHERE id IN ({ids}) ORDER BY {order}"
        return [Listed(*row) for row in self._database.run(sql, cells)]

    def unread(self, since: int, limit: int) -> list[tuple[str, int]]:
        """Return jobs that ended since then whose nodes have not been read yet, the oldest first."""
        sql = (
            "SELECT workdir, number FROM jobs INDEXED BY jobs_unread WHERE stored IS NULL AND id >= ?"
            " ORDER BY id LIMIT ?"
        )
        return [(workdir, number) for workdir, number in self._database.run(sql, (since, limit))]

    def most_used(self, column: str, limit: int) -> dict[str, int]:
        """Return the workdirs, methods or states of most jobs, with their numbers of jobs."""
        assert column in COUNTED
        sql = "SELECT value, jobs FROM counts WHERE kind = ? AND jobs ORDER BY jobs DESC, value LIMIT ?"
        return dict(self._database.run(sql, (column, limit)))


def _tests(choice: Choice) -> tuple[str, list[Cell]]:
    chosen = {"workdir": choice.workdir, "method": choice.method, "state": choice.state}
    tests = [f"{column} = ?" for column, value in chosen.items() if value]
    cells: list[Cell] = [value for value in chosen.values() if value]
    if choice.text.strip():
        # +id: the index that is in order is walked, and what fits looked up among the ids that the search has found
        tests.append("+id IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
        cells.append(to_query(choice.text, _SEARCHED))
    return (f" WHERE {' AND '.join(tests)}" if tests else ""), cells
