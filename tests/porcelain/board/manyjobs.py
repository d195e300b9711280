"""A project of thousands of jobs, made by hand in one go: nodes in one pack, the listing in one transaction."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cas.formats.canonical import Json
from cas.formats.node import Node, encode
from cas.memory import MemoryStore
from cas.oid import ObjectId, oid_of
from jobs.column.slice import SliceWriter
from jobs.dataset.head import (
    ColumnNode,
    ColumnSlice,
    DatasetColumn,
    DatasetHead,
    DatasetRef,
    largest,
    smallest,
)
from jobs.facets.runs import make_row
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import FileEntry, Inputs, Outcome
from jobs.nodes.result import Result
from jobs.nodes.run import ActionKey, Failure, InputRun, Run, Times
from jobs.nodes.source import Source
from jobs.reuse.index import JobIndex, Listing
from jobs.reuse.refnames import ACTIONS, BUILDS, RESULTS, label_ref
from porcelain import config
from porcelain.storage import open_refs, open_store

START = 1_760_000_000_000_000
DAY_MICROS = 86_400_000_000
# a chain of imports, what is counted in them, a plot of that; one in ten of these fails
METHODS = ("import_sales", "count_by_region", "plot_sales", "train_model", "export_report")
REGIONS = ("north", "south", "east", "west", "Ørsted", "東京")
_BATCH = 10_000
# of the slices of each dataset
_LINES = (500, 501)


class ManyJobs:
    """Makes the jobs of a project.

    Parameters
    ----------
    root
        A new folder for it.
    days
        Over how many days its jobs are spread.
    regions
        What captions and options name.
    """

    def __init__(self, root: Path, *, days: int = 90, regions: Sequence[str] = REGIONS) -> None:
        (root / "acc.toml").write_text(
            '[project]\nslices = 2\n[workdirs]\ndev = ".acc/jobs"\nprod = ".acc/prod"\n'
        )
        self.config = config.load(root)
        self.store, self.refs = open_store(self.config), open_refs(self.config)
        self.index = JobIndex(self.refs)
        self._days, self._regions = days, regions
        self._objects: list[bytes] = []
        self._memory = MemoryStore()
        self._columns: dict[tuple[str, int], tuple[ColumnNode, ObjectId]] = {}
        self._last: dict[str, tuple[JobRow, Outcome]] = {}
        self._numbers = {"dev": 0, "prod": 0}

    def make(self, count: int) -> None:
        """Make so many jobs, and builds and results of some of them."""
        step = self._days * DAY_MICROS // count
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            made = [self._job(number, START + number * step) for number in numbers]
            self._publish(made)
        self._publish_names(made)

    def _publish(self, made: Sequence[tuple[JobRow, Outcome | None]]) -> None:
        self.store.put_many(self._objects)
        self._objects.clear()
        with self.refs.transaction("many jobs") as transaction:
            for row, outcome in made:
                transaction.set(label_ref(row.workdir, row.number), row.run, old=None)
                if outcome is not None:
                    transaction.set(ACTIONS + row.key, row.run)
                Listing(transaction).write(row, outcome.datasets if outcome else {})

    def _publish_names(self, made: Sequence[tuple[JobRow, Outcome | None]]) -> None:
        """Make a build of the last jobs, and results of the last plots."""
        names = dict(self._names([pair for pair in made[-40:] if pair[1] is not None]))
        self.store.put_many(self._objects)
        self._objects.clear()
        with self.refs.transaction("many names") as transaction:
            for name, oid in names.items():
                transaction.set(name, oid)

    def _names(self, made: Sequence[tuple[JobRow, Outcome | None]]) -> Iterator[tuple[str, ObjectId]]:
        results = {}
        for row, outcome in made:
            if outcome and "plot.svg" in outcome.files:
                blob = outcome.files["plot.svg"].blob
                result = Result(row.run, "plot.svg", blob, f"Sales {row.number}", "per region")
                results[f"sales-{row.number}.svg"] = self._node(result)
        yield from ((RESULTS + name, oid) for name, oid in results.items())
        jobs = [BuiltJob(row.method, row.run, "built", row.run, row.method, row.caption) for row, _ in made]
        build = Build("sales", "done", made[0][0].ended, made[-1][0].ended, jobs, results, "anna")
        yield f"{BUILDS}1", self._node(build)

    def _job(self, number: int, ended: int) -> tuple[JobRow, Outcome | None]:
        method = METHODS[number % len(METHODS)]
        workdir = "prod" if number % 7 == 0 else "dev"
        self._numbers[workdir] += 1
        failure = None
        if number % 50 == 49:
            failure = Failure("no such region: 'nowhere'", "analysis", 1, "ValueError: no such region\n")
        # the second version of each method has run since the middle
        source = self._source(method, 1 + (number // 2500) % 2)
        inputs, runs = self._inputs(method, number)
        outcome = self._outcome(method, number, inputs) if failure is None else None
        outcome_id = self._node(outcome) if outcome else None
        micros = 20_000 + number * 7_919 % 9_000_000
        run = Run(
            job=self._node(JobNode(source, outcome_id)) if outcome_id else None,
            source=source,
            key=ActionKey(f"{number:064x}"),
            label=f"{workdir}-{self._numbers[workdir]}",
            method=method,
            times=Times(ended - micros, ended, {"analysis": micros // 2}, (micros // 2, micros // 3)),
            caption=f"{self._regions[number % len(self._regions)]} of week {number // 7}"
            if number % 3
            else "",
            why="no such job yet" if number % 4 else "option 'week' differs",
            inputs=runs,
            host="bench",
            user="anna",
            versions={"python": "3.11.7"},
            output={"synthesis": self._blob(f"\x1b[32mweek {number % 50}\x1b[0m\n".encode())},
            failure=failure,
        )
        row = make_row(self._node(run), run, outcome_id)
        if outcome is not None:
            self._last[method] = (row, outcome)
        return row, outcome

    def _inputs(self, method: str, number: int) -> tuple[Inputs, list[InputRun]]:
        options: dict[str, Json] = {"week": number // 7, "region": self._regions[number % len(self._regions)]}
        before = METHODS[METHODS.index(method) - 1]
        last = self._last.get("import_sales")
        if method == "import_sales" and last:
            node = last[1].datasets["default"]
            given: dict[str, Json] = {"previous": {"$dataset": {"name": "default", "node": node}}}
            return Inputs(options, given, {}), [InputRun("datasets.previous", last[0].run)]
        if method != "import_sales" and before in self._last:
            row, _ = self._last[before]
            return Inputs(options, {}, {"source": {"$job": row.outcome}}), [InputRun("jobs.source", row.run)]
        return Inputs(options, {}, {}), []

    def _outcome(self, method: str, number: int, inputs: Inputs) -> Outcome:
        files = {}
        if method == "plot_sales":
            picture = (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text y="9">{number}</text></svg>'
            )
            files["plot.svg"] = FileEntry(self._blob(picture.encode()), len(picture))
        if method in ("train_model", "export_report"):
            data = (f"week {number}\n" * (1 + number % 300)).encode()
            files["report.txt"] = FileEntry(self._blob(data), len(data))
        datasets = {"default": self._dataset(number)} if method == "import_sales" else {}
        return Outcome(method, 2, inputs, files, datasets)

    def _dataset(self, number: int) -> ObjectId:
        """Return a dataset of two columns, which many have in common."""
        last = self._last.get("import_sales")
        columns = {}
        for name, column_type, variant in (
            ("region", "unicode", number % 100),
            ("amount", "int64", number % 1000),
        ):
            key = (name, variant)
            if key not in self._columns:
                self._columns[key] = self._column(column_type, variant)
            columns[name] = DatasetColumn.of(name, *self._columns[key])
        previous, depth = None, 0
        if last and number % 300:  # chains of 60: none is so long that its heads name 64 before them
            previous = DatasetRef(last[1].datasets["default"], "default")
            depth = number % 300 // 5
        head = DatasetHead(columns, _LINES, previous=previous, depth=depth if previous else 0)
        return self._node(head)

    def _column(self, column_type: str, variant: int) -> tuple[ColumnNode, ObjectId]:
        found = []
        for lines in _LINES:
            writer = SliceWriter(column_type, self._memory.writer(), none_support=False)
            numbers = range(variant, variant + lines)
            is_text = column_type == "unicode"
            writer.extend(
                [self._regions[each % len(self._regions)] for each in numbers] if is_text else numbers
            )
            found.append(writer.finish())
        for part in found:
            self._blob(self._memory.get(part.blob))
        low, high = smallest(part.min for part in found), largest(part.max for part in found)
        slices = tuple(ColumnSlice(part.blob, part.lines, part.bytes) for part in found)
        node = ColumnNode(column_type, False, low, high, slices)
        return node, self._node(node)

    def _source(self, method: str, version: int) -> ObjectId:
        main = f"mine/a_{method}.py"
        code = self._blob(
            f"# {method}, version {version}\n\ndef synthesis():\n    return {version}\n".encode()
        )
        return self._node(Source(main, {main: code}))

    def _node(self, node: Node) -> ObjectId:
        return self._blob(encode(node))

    def _blob(self, data: bytes) -> ObjectId:
        self._objects.append(data)
        return oid_of(data)
