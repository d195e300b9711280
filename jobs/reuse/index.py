"""The action index and the labels of jobs: refs, and the listing tables written in the same transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias, cast

from cas.errors import CorruptRefs
from cas.oid import ObjectId, oid_of
from cas.refs import Cell, Refs, Table, Transaction
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.run import FORCED, ActionKey
from jobs.reuse.refnames import ACTIONS, BUILDS, label_ref

TakesAction: TypeAlias = Literal["always", "if free", "never"]

JOBS: Final = Table(
    name="jobs",
    columns={
        "workdir": "text",
        "number": "integer",
        "run": "text",
        "job": "text",
        "outcome": "text",
        "method": "text",
        "key": "text",
        "state": "text",
        "ended": "integer",
        "micros": "integer",
        "caption": "text",
        "why": "text",
        "facts": "integer",
        "earlier": "text",
        "checksum": "text",
        # behind the others: databases that are older than these get them when they are opened
        "previous": "text",
        "origin": "text",
    },
    key=("workdir", "number"),
    indexes=(
        ("workdir", "ended"),
        ("method", "ended"),
        ("outcome", "ended"),
        ("key", "ended"),
        ("run",),
        ("ended",),
    ),
)
DATASETS: Final = Table(
    name="datasets",
    columns={"node": "text", "workdir": "text", "number": "integer", "name": "text", "checksum": "text"},
    key=("node", "workdir", "number", "name"),
    indexes=(("workdir", "number"),),
)
COUNTERS: Final = Table(name="counters", columns={"workdir": "text", "number": "integer"}, key=("workdir",))
TABLES: Final = (JOBS, DATASETS, COUNTERS)
# links of a chain are read so many at a time, and four times as many each time
_FIRST_LINKS: Final = 64
_MOST_LINKS: Final = 4096


class JobIndex:
    """Finds jobs by action key, label, method or content, and publishes new ones.

    A job exists from the moment that `publish` commits: label, action and number become visible together.
    """

    def __init__(self, refs: Refs) -> None:
        self._refs = refs

    @property
    def refs(self) -> Refs:
        """The refs that the index stands on."""
        return self._refs

    def find_action(self, key: ActionKey) -> JobRow | None:
        """Return the newest job with that action key."""
        run = self._refs.find(ACTIONS + key)
        return None if run is None else self.of_run(run)

    def find(self, workdir: str, number: int) -> JobRow | None:
        """Return the run with that label."""
        return self._first({"workdir": workdir, "number": number})

    def find_label(self, label: str) -> JobRow | None:
        """Return the run with that label, as text."""
        parts = split_label(label)
        return None if parts is None else self.find(*parts)

    def find_latest(self, workdir: str | None = None) -> JobRow | None:
        """Return the newest finished job, in one workdir or in all."""
        where: dict[str, Cell] = {"state": "done"}
        if workdir is not None:
            where["workdir"] = workdir
        return self._first(where)

    def of_run(self, run: ObjectId) -> JobRow | None:
        """Return the row of that run node."""
        return self._first({"run": run})

    def of_runs(self, runs: Collection[ObjectId]) -> dict[ObjectId, JobRow]:
        """Return the rows of those run nodes that have one, many in one query."""
        return {row.run: row for row in map(_to_row, self._refs.select_any("jobs", "run", runs))}

    def neighbours(self, row: JobRow, *, later: bool, limit: int) -> list[JobRow]:
        """Return the runs of the same method that ended before one, or after it; the nearest first."""
        rows = self._refs.select_beyond(
            "jobs", {"method": row.method}, ("ended", row.ended), descending=not later, limit=limit
        )
        return list(map(_to_row, rows))

    def followers(self, row: JobRow, limit: int) -> list[JobRow]:
        """Return the runs that ended after one, the nearest first."""
        rows = self._refs.select_beyond("jobs", {}, ("ended", row.ended), limit=limit)
        return list(map(_to_row, rows))

    def after(self, row: JobRow, count: int) -> list[JobRow]:
        """Return the runs that have the `count` numbers after one in its workdir, as far as there are any."""
        numbers = range(row.number + 1, row.number + 1 + count)
        found = self._rows_of((row.workdir, number) for number in numbers)
        return sorted(found.values(), key=lambda row: row.number)

    def find_build(self, number: int) -> ObjectId | None:
        """Return the build with that number."""
        return self._refs.find(f"{BUILDS}{number}")

    def before(self, row: JobRow) -> Iterator[JobRow]:
        """Yield the jobs before one in its chain, nearest first, as far as the listing knows them."""
        page = _FIRST_LINKS
        while row.previous:
            links = [*map(_to_row, self._refs.follow("jobs", "run", "previous", row.previous, page))]
            page = min(4 * page, _MOST_LINKS)
            # a run that has several labels has what is before it several times: one by one then
            several = len({link.run for link in links}) < len(links)
            for link in [] if several else links:
                if link.run != row.previous:
                    raise _damaged(row.label)
                yield link
                row = link
            if several or not links:
                return

    def of_method(self, method: str, limit: int | None = None) -> list[JobRow]:
        """Return the finished jobs of a method, newest first."""
        return self._rows({"method": method, "state": "done"}, limit)

    def of_key(self, key: ActionKey, limit: int | None = None) -> list[JobRow]:
        """Return the finished jobs with that action key, newest first."""
        return self._rows({"key": key, "state": "done"}, limit)

    def of_outcome(self, outcome: ObjectId) -> list[JobRow]:
        """Return the jobs with that outcome, newest first."""
        return self._rows({"outcome": outcome})

    def find_first_of_outcome(self, outcome: ObjectId) -> JobRow | None:
        """Return the oldest job with that outcome."""
        rows = self._refs.select("jobs", {"outcome": outcome}, order=("ended",), limit=1)
        return _to_row(rows[0]) if rows else None

    def rows(
        self, limit: int | None = None, *, workdir: str | None = None, method: str | None = None
    ) -> list[JobRow]:
        """Return all runs, failed ones too, newest first; those of one workdir, or of one method."""
        return self._rows(_chosen(workdir, method), limit)

    def count(self, *, workdir: str | None = None, method: str | None = None) -> int:
        """Return the number of runs that `rows` would return without a limit."""
        return self._refs.count("jobs", _chosen(workdir, method))

    def find_dataset_owner(self, node: ObjectId, name: str = "") -> tuple[JobRow, str] | None:
        """Return the first job that has the dataset head `node`, if possible as `name`, and its name there."""
        return self.find_dataset_owners([(node, name)])[0]

    def find_dataset_owners(
        self, datasets: Sequence[tuple[ObjectId, str]]
    ) -> list[tuple[JobRow, str] | None]:
        """Return for each dataset, given as head and name, what `find_dataset_owner` does; many in two queries."""
        held = defaultdict[str, list[tuple[str, int, str]]](list)
        for cell in map(_checked, self._refs.select_any("datasets", "node", {node for node, _ in datasets})):
            held[str(cell["node"])].append(
                (str(cell["workdir"]), cast("int", cell["number"]), str(cell["name"]))
            )
        rows = self._rows_of({(workdir, number) for each in held.values() for workdir, number, _ in each})
        found: list[tuple[JobRow, str] | None] = []
        for node, name in datasets:
            owners = [
                (rows[workdir, number], known_as)
                for workdir, number, known_as in held[node]
                if (workdir, number) in rows
            ]
            found.append(min(owners, key=lambda owner: (owner[1] != name, owner[0].ended), default=None))
        return found

    def _rows_of(self, labels: Iterable[tuple[str, int]]) -> dict[tuple[str, int], JobRow]:
        """Return the rows of those labels that there are."""
        numbers = defaultdict[str, list[int]](list)
        for workdir, number in labels:
            numbers[workdir].append(number)
        return {
            (workdir, row.number): row
            for workdir, chosen in numbers.items()
            for row in map(_to_row, self._refs.select_any("jobs", "number", chosen, {"workdir": workdir}))
        }

    def resolve(self, name: str) -> JobRow | None:
        """Return what a plain name means: a label, "dev-LATEST", or a method, for its newest job."""
        if row := self.find_label(name):
            return row
        workdir, _, latest = name.rpartition("-")
        if latest == "LATEST":
            return self.find_latest(workdir or None)
        return next(iter(self.of_method(name, limit=1)), None)

    def last_number(self, workdir: str) -> int:
        """Return the highest number that was given out in `workdir`, or 0."""
        rows = self._refs.select("counters", {"workdir": workdir})
        return cast("int", rows[0]["number"]) if rows else 0

    def publish(
        self, row: JobRow, datasets: Mapping[str, ObjectId], action: TakesAction = "always"
    ) -> JobRow:
        """Make `row` exist: its label, its action when it is done, its number, its listing; all or nothing.

        Returns the row; another one of a run from elsewhere that somebody has given a label meanwhile.

        Parameters
        ----------
        row
            The run, whose objects are durable already.
        datasets
            Heads of its datasets by name.
        action
            Whether its key leads to it: "if free", when it leads nowhere.
        """
        with self._refs.transaction(f"{row.method} {row.state}") as transaction:
            label = label_ref(row.workdir, row.number)
            others = transaction.select("jobs", {"run": row.run}) if row.origin else []
            if others:
                row = _to_row(others[0])
                _take_action(transaction, row, action)
                return row
            # whoever made refs again from the store may have come first
            if transaction.find(label) != row.run:
                transaction.set(label, row.run, old=None)
            _take_action(transaction, row, action)
            Listing(transaction).write(row, datasets)
            return row

    def take_action(self, row: JobRow, action: TakesAction) -> None:
        """Have the key of a job that is listed lead to it, as `publish` does."""
        with self._refs.transaction(f"{row.method} from '{row.origin}'") as transaction:
            _take_action(transaction, row, action)

    def check(self) -> None:
        """Read all of the listing; raise `CorruptRefs` when something of it is damaged."""
        for table in (JOBS, DATASETS):
            for cells in self._refs.select(table.name):
                _checked(cells)

    def drop(self, rows: Sequence[JobRow], why: str) -> None:
        """Make `rows` exist no more: labels, actions and listing, all or nothing; numbers are not given out again.

        An action that another job has too is that one's from now on. The objects are left to gc.
        """
        with self._refs.transaction(why) as transaction:
            for row in rows:
                transaction.delete(label_ref(row.workdir, row.number), old=row.run)
                Listing(transaction).remove(row.workdir, row.number)
            for row in rows:
                action = ACTIONS + row.key
                if transaction.find(action) == row.run:
                    left = map(_to_row, transaction.select("jobs", {"key": row.key, "state": "done"}))
                    newest = max(left, key=lambda row: row.ended, default=None)
                    if newest is None:
                        transaction.delete(action)
                    else:
                        transaction.set(action, newest.run)

    def __iter__(self) -> Iterator[JobRow]:
        return iter(self.rows())

    def _first(self, where: dict[str, Cell]) -> JobRow | None:
        rows = self._rows(where, limit=1)
        return rows[0] if rows else None

    def _rows(self, where: dict[str, Cell], limit: int | None = None) -> list[JobRow]:
        rows = self._refs.select("jobs", where, order=("ended",), descending=True, limit=limit)
        return list(map(_to_row, rows))


class Listing:
    """The tables that listings are read from, written in the transaction that sets the refs."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def write(self, row: JobRow, datasets: Mapping[str, ObjectId]) -> None:
        """List a run under its label, whose number is then taken; `datasets` are the heads by name."""
        self._insert(row)
        for name, node in datasets.items():
            cells: dict[str, Cell] = {
                "node": node,
                "workdir": row.workdir,
                "number": row.number,
                "name": name,
            }
            self._transaction.insert("datasets", _with_checksum(cells))
        self.take_number(row.workdir, row.number)

    def find(self, workdir: str, number: int) -> JobRow | None:
        """Return the run that is listed under a label; None also when its row is damaged."""
        rows = self._transaction.select("jobs", {"workdir": workdir, "number": number})
        try:
            return _to_row(rows[0]) if rows else None
        except CorruptRefs:
            return None

    def remove(self, workdir: str, number: int) -> None:
        """List nothing under a label any more; its number stays taken."""
        for table in (JOBS, DATASETS):
            self._transaction.remove(table.name, {"workdir": workdir, "number": number})

    def take_number(self, workdir: str, number: int) -> int:
        """Take all numbers up to this one, and return the highest that is taken, which may be a higher one."""
        counter = self._transaction.select("counters", {"workdir": workdir})
        highest = cast("int", counter[0]["number"]) if counter else 0
        if number > highest:
            self._transaction.insert("counters", {"workdir": workdir, "number": number})
        return max(number, highest)

    def note_earlier(self, again: Iterable[JobRow]) -> None:
        """Fill in `earlier` of rows that were written again: no node has it, but it is the first with the outcome."""
        cut_off = {row.run: row.outcome for row in again if row.outcome and row.why != FORCED}
        for outcome in sorted(set(cut_off.values())):
            rows = map(_to_row, self._transaction.select("jobs", {"outcome": outcome}))
            first, *others = sorted(rows, key=lambda row: row.ended)
            for row in others:
                if row.run in cut_off:
                    self._insert(row._replace(earlier=first.label))

    def _insert(self, row: JobRow) -> None:
        self._transaction.insert("jobs", _with_checksum(row._asdict()))


def _take_action(transaction: Transaction, row: JobRow, action: TakesAction) -> None:
    name = ACTIONS + row.key
    free = action == "if free" and transaction.find(name) is None
    if row.state == "done" and (free or action == "always"):
        transaction.set(name, row.run)


def _chosen(workdir: str | None, method: str | None) -> dict[str, Cell]:
    given = {"workdir": workdir, "method": method}
    return {column: cell for column, cell in given.items() if cell is not None}


def _to_row(cells: dict[str, Cell]) -> JobRow:
    return JobRow._make(_checked(cells).values())  # the columns are the fields, in their order


# A flipped bit in a row would make a hit of a job whose facts do not hold, or of another job; one in an index would
# put the cells that it repeats in place of the row's.


def _with_checksum(cells: dict[str, Cell]) -> dict[str, Cell]:
    return {**cells, "checksum": _checksum(cells)}


def _checked(cells: dict[str, Cell]) -> dict[str, Cell]:
    """Return the cells of a row without its checksum; raise `CorruptRefs` when that does not fit."""
    checksum = cells.pop("checksum")
    if checksum != _checksum(cells):
        raise _damaged(f"{cells['workdir']}-{cells['number']}")
    return cells


def _damaged(label: str) -> CorruptRefs:
    return CorruptRefs(f"the listing of job '{label}' is damaged")


def _checksum(cells: dict[str, Cell]) -> str:
    known = [*cells.values()]
    while known[-1] is None:  # a row from before it had that
        known.pop()
    return oid_of("\0".join(map(str, known)).encode())[:16]
