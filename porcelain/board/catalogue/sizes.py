"""What jobs take, each and together, and how that grew."""

from typing import Final, NamedTuple

from cas.oid import ObjectId
from cas.store import Sizes
from jobs.footprint import Cost
from porcelain.board.catalogue.database import Database
from porcelain.board.catalogue.listed import Listed
from porcelain.board.catalogue.schema import MICROS_OF_DAY

SECONDS_OF_DAY: Final = 86_400


class Total(NamedTuple):
    """What all jobs take.

    Attributes
    ----------
    objects : int
        Different objects that they hold.
    held, once : Sizes
        Of all that each holds, added up; of each object once.
    """

    objects: int
    held: Sizes
    once: Sizes


class Day(NamedTuple):
    """What came on a day: objects that no job held before; `start` in seconds since 1970 (UTC)."""

    start: int
    objects: int
    new: Sizes


class JobSizes:
    """The sizes that the catalogue knows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cost(self, run: ObjectId) -> Cost | None:
        """Return what a run takes, as `acc du` has it; None when its nodes have not been read yet."""
        jobs = self._database.run(
            "SELECT id FROM jobs WHERE run = ? AND stored IS NOT NULL ORDER BY id LIMIT 1", (run,)
        )
        if not jobs:
            return None
        sql = (
            "SELECT holders = 1, sum(raw), sum(stored) FROM held JOIN objects ON objects.id = held.object"
            " WHERE job = ? GROUP BY 1"
        )
        found = {alone: Sizes(raw, stored) for alone, raw, stored in self._database.run(sql, jobs[0])}
        return Cost(found.get(1, Sizes(0, 0)), found.get(0, Sizes(0, 0)))

    def total(self) -> Total:
        """Return what all jobs take that have been read."""
        sql = "SELECT sum(objects), sum(held_raw), sum(held_stored), sum(raw), sum(stored) FROM days"
        (sums,) = self._database.run(sql)
        objects, held_raw, held_stored, raw, stored = (number or 0 for number in sums)
        return Total(objects, Sizes(held_raw, held_stored), Sizes(raw, stored))

    def days(self) -> list[Day]:
        """Return the days on which something came, oldest first."""
        sql = "SELECT day, objects, raw, stored FROM days WHERE objects ORDER BY day"
        return [
            Day(day * SECONDS_OF_DAY, objects, Sizes(raw, stored))
            for day, objects, raw, stored in self._database.run(sql)
        ]

    def biggest(self, limit: int) -> list[Listed]:
        """Return the jobs that take most, the largest first."""
        sql = "SELECT workdir, number, raw, stored FROM jobs WHERE stored ORDER BY stored DESC LIMIT ?"
        return [Listed(*row) for row in self._database.run(sql, (limit,))]


assert MICROS_OF_DAY == SECONDS_OF_DAY * 1_000_000
