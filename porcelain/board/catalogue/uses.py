"""Who was given a job or a file, who holds an object, and which jobs hold the same as one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from cas.oid import ObjectId
from cas.store import Sizes
from porcelain.board.catalogue.database import Database

# how something was given, as `given` has it; of several ways in which a job was given the same one, the first counts
PREVIOUS, INPUT, SUBJOB, FILE = range(4)
HOW_WORDS: Final = ("previous", "input", "subjob", "file")

# An object that more jobs hold, such as a source or a column of a whole chain, says nothing of those jobs.
MOST_SHARING: Final = 200
# so many pairs of a job and an object that it shares are added up: a twentieth of a second
_MOST_ADDED: Final = 50_000
# SQLite takes so many parameters in one statement, and more
_TOGETHER: Final = 500


class Use(NamedTuple):
    """A job that was given something, and how: one of `HOW_WORDS`."""

    workdir: str
    number: int
    run: ObjectId
    how: str


class Sharer(NamedTuple):
    """A job that holds some of the objects that another holds, and what these take."""

    workdir: str
    number: int
    objects: int
    sizes: Sizes


class Shared(NamedTuple):
    """What a job shares.

    Attributes
    ----------
    sharers : sequence of Sharer
        Those with which it shares most, of objects that few hold.
    jobs : int
        How many there are of these.
    many : int
        Objects that more than `MOST_SHARING` jobs hold, which are not looked at.
    is_whole : bool
        All others have been looked at.
    """

    sharers: Sequence[Sharer]
    jobs: int
    many: int
    is_whole: bool


class Uses:
    """What leads from a thing to the jobs that have it; no node does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, run: ObjectId) -> int:
        """Return how many jobs were given a run."""
        ((count,),) = self._database.run(
            "SELECT count(*) FROM given WHERE thing = ? AND how < ?", (key_of(run), FILE)
        )
        return int(count)

    def of(self, run: ObjectId, start: int, limit: int) -> list[Use]:
        """Return jobs that were given a run, or wanted it as a subjob, the oldest first."""
        sql = (
            "SELECT workdir, number, run, how FROM given JOIN jobs ON id = job WHERE thing = ? AND how < ?"
            " ORDER BY job LIMIT ? OFFSET ?"
        )
        rows = self._database.run(sql, (key_of(run), FILE, limit, start))
        return [Use(workdir, number, user, HOW_WORDS[how]) for workdir, number, user, how in rows]

    def find_next(self, run: ObjectId) -> ObjectId | None:
        """Return the first run that has a run as the one before in its chain, or None."""
        sql = "SELECT run FROM given JOIN jobs ON id = job WHERE thing = ? AND how = ? ORDER BY job LIMIT 1"
        rows = self._database.run(sql, (key_of(run), PREVIOUS))
        return ObjectId(rows[0][0]) if rows else None

    def of_all(self, runs: Sequence[ObjectId], limit: int) -> list[ObjectId]:
        """Return the runs that were given one of `runs`, at most `limit` of them, the oldest of each first."""
        found: dict[ObjectId, None] = {}
        for start in range(0, len(runs), _TOGETHER):
            keys = [key_of(run) for run in runs[start : start + _TOGETHER]]
            sql = (
                "SELECT DISTINCT run FROM given JOIN jobs ON id = job"
                f" WHERE thing IN ({', '.join('?' * len(keys))}) AND how < ? LIMIT ?"
            )
            rows = self._database.run(sql, (*keys, FILE, limit))
            found.update(dict.fromkeys(ObjectId(run) for (run,) in rows))
            if len(found) >= limit:
                break
        return [*found][:limit]

    def count_holders(self, blob: ObjectId) -> int:
        """Return how many jobs hold an object, or were given it as an input file."""
        ((count,),) = self._database.run(
            "SELECT (SELECT count(*) FROM held WHERE object = o)"
            " + (SELECT count(*) FROM given WHERE thing = ? AND how = ?"
            "    AND NOT EXISTS (SELECT 1 FROM held WHERE held.job = given.job AND object = o))"
            " FROM (SELECT (SELECT id FROM objects WHERE oid = ?) AS o)",
            (key_of(blob), FILE, bytes.fromhex(blob)),
        )
        return int(count)

    def holders(self, blob: ObjectId, start: int, limit: int) -> list[tuple[str, int]]:
        """Return workdir and number of jobs that hold an object, or were given it, the oldest first."""
        sql = (
            "SELECT workdir, number FROM ("
            "SELECT job FROM held WHERE object = (SELECT id FROM objects WHERE oid = ?)"
            " UNION SELECT job FROM given WHERE thing = ? AND how = ? ORDER BY job LIMIT ? OFFSET ?"
            ") JOIN jobs ON id = job ORDER BY job"
        )
        rows = self._database.run(sql, (bytes.fromhex(blob), key_of(blob), FILE, limit, start))
        return [(workdir, number) for workdir, number in rows]

    def sharing(self, run: ObjectId, limit: int) -> Shared | None:
        """Return with which jobs a run shares objects; None when it has not been read yet."""
        jobs = self._database.run(
            "SELECT id FROM jobs WHERE run = ? AND stored IS NOT NULL ORDER BY id LIMIT 1", (run,)
        )
        if not jobs:
            return None
        (job,) = jobs[0]
        own = "FROM held JOIN objects ON objects.id = held.object WHERE held.job = ?"
        ((many,),) = self._database.run(f"SELECT count(*) {own} AND holders > ?", (job, MOST_SHARING))
        pairs = (
            "SELECT others.job AS other, raw, stored FROM"
            f" (SELECT object, raw, stored {own} AND holders BETWEEN 2 AND ?) AS mine"
            " JOIN held AS others ON others.object = mine.object AND others.job <> ? LIMIT ?"
        )
        asked = (job, MOST_SHARING, job, _MOST_ADDED)
        sums = self._database.run(
            f"SELECT workdir, number, count(*), sum(pairs.raw), sum(pairs.stored) FROM ({pairs}) AS pairs"
            " JOIN jobs ON id = other GROUP BY other ORDER BY 5 DESC, other DESC",
            asked,
        )
        sharers = [
            Sharer(workdir, number, count, Sizes(raw, stored))
            for workdir, number, count, raw, stored in sums[:limit]
        ]
        return Shared(sharers, len(sums), many, sum(row[2] for row in sums) < _MOST_ADDED)


def key_of(oid: ObjectId) -> int:
    """Return the number by which `given` knows a run or a file: the first 8 bytes of its id.

    That is a quarter of the room, and of a billion things no two are likely to begin alike.
    """
    return int.from_bytes(bytes.fromhex(oid[:16]), "big", signed=True)


def given_of(inputs: Iterable[tuple[str, ObjectId]], subjobs: Iterable[ObjectId]) -> dict[ObjectId, int]:
    """Return the runs that a run was given, or wanted, and how.

    Parameters
    ----------
    inputs
        Paths, as a run node has them, and runs.
    """
    paths = dict(inputs)
    found = dict.fromkeys(subjobs, SUBJOB) | dict.fromkeys(paths.values(), INPUT)
    before = paths.get("jobs.previous") or paths.get("datasets.previous")
    return found | ({before: PREVIOUS} if before else {})


def rows_for(job: int, given: Mapping[ObjectId, int]) -> Collection[tuple[int, int, int]]:
    """Return the rows of `given` of one job."""
    return [(key_of(oid), job, how) for oid, how in given.items()]
