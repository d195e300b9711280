"""A project whose jobs are made by hand, so that what looks at jobs is tested without running any."""

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cas.formats.canonical import Json
from cas.formats.node import put_node
from cas.oid import ObjectId, oid_of
from jobs.column.slice import SliceWriter
from jobs.dataset.head import (
    ColumnNode,
    ColumnSlice,
    DatasetColumn,
    DatasetHead,
    DatasetRef,
    largest,
    place_after,
    smallest,
)
from jobs.facets.runs import make_row
from jobs.nodes.facts import Fact
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import FileEntry, Inputs, Outcome
from jobs.nodes.references import to_structure
from jobs.nodes.run import ActionKey, Failure, InputRun, Run, Subjob, Times
from jobs.nodes.source import Source
from porcelain import config
from porcelain.cli import main
from porcelain.spec import Resolver, open_resolver

START = 1_770_000_000_000_000


@dataclass
class Plan:
    """What a job of the tests is made of, beside its method."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    # what the job says of the size of a file, if it lies
    sizes: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    option_references: Mapping[str, Json] = field(default_factory=dict)
    jobs: Mapping[str, JobRow] = field(default_factory=dict)
    datasets: Mapping[str, tuple[JobRow, str]] = field(default_factory=dict)
    made: Mapping[str, DatasetHead] = field(default_factory=dict)
    output: Mapping[str, bytes] = field(default_factory=dict)
    subjobs: Sequence[JobRow] = ()
    caption: str = ""
    why: str = "first run"
    failure: Failure | None = None
    facts: Sequence[Fact] = ()


class Project:
    """A project in a folder, and what a user does in it."""

    def __init__(self, root: Path) -> None:
        (root / "acc.toml").write_text(
            '[project]\nslices = 2\n[workdirs]\ndev = ".acc/jobs"\nold = ".acc/old"\n'
        )
        self.root = root
        self.resolver: Resolver = open_resolver(config.load(root))
        self.store, self.index = self.resolver.store, self.resolver.index
        self._clock = START

    def job(self, method: str, workdir: str = "dev", **plan: object) -> JobRow:
        """Publish a job of `method`, made as the fields of `Plan` say, and return its row."""
        row, datasets = self._make(method, workdir, Plan(**plan))
        self.index.publish(row, datasets)
        return row

    def _make(self, method: str, workdir: str, plan: Plan) -> tuple[JobRow, dict[str, ObjectId]]:
        main_file = f"mine/a_{method}.py"
        code = self.store.put(f"# {method}\n".encode())
        source = put_node(self.store, Source(main_file, {main_file: code}))
        datasets = {name: put_node(self.store, head) for name, head in plan.made.items()}
        outcome = job = None
        if plan.failure is None:
            outcome = put_node(self.store, self._outcome(method, plan, datasets))
            job = put_node(self.store, JobNode(source, outcome))
        number = self.index.last_number(workdir) + 1
        self._clock += 10_000_000
        times = Times(
            self._clock - 1_500_000,
            self._clock,
            {"analysis": 1_000_000, "synthesis": 400_000},
            (900_000, 1_000_000),
        )
        inputs = [InputRun(f"jobs.{name}", row.run) for name, row in plan.jobs.items()]
        inputs += [InputRun(f"datasets.{name}", row.run) for name, (row, _) in plan.datasets.items()]
        inputs += [InputRun(f"options.{name}", self.index.rows()[0].run) for name in plan.option_references]
        key = ActionKey(f"{number:064x}")
        run = Run(
            job=job,
            source=source,
            key=key,
            label=f"{workdir}-{number}",
            method=method,
            times=times,
            caption=plan.caption,
            why=plan.why,
            inputs=inputs,
            host="tester",
            user="anna",
            versions={"python": "3.11.7"},
            output={part: self.store.put(text) for part, text in plan.output.items()},
            subjobs=[Subjob(row.run, True) for row in plan.subjobs],
            failure=plan.failure,
            facts=plan.facts,
        )
        row = make_row(put_node(self.store, run), run, outcome)
        return row, datasets

    def _outcome(self, method: str, plan: Plan, datasets: dict[str, ObjectId]) -> Outcome:
        options = {name: to_structure(value) for name, value in plan.options.items()} | dict(
            plan.option_references
        )
        given = {
            name: {"$dataset": {"name": dataset, "node": self.resolver.outcome(row).datasets[dataset]}}
            for name, (row, dataset) in plan.datasets.items()
        }
        jobs: dict[str, Json] = {name: {"$job": row.outcome} for name, row in plan.jobs.items()}
        files = {
            name: FileEntry(self.store.put(data), plan.sizes.get(name, len(data)))
            for name, data in plan.files.items()
        }
        return Outcome(method, 2, Inputs(options, given, jobs), files, datasets)

    def dataset(self, previous: DatasetRef | None = None, **extra: object) -> DatasetHead:
        """Return a head of two columns and five lines; nothing reads its slices."""
        blob = self.store.put(b"no slice")
        slices = (ColumnSlice(blob, 3, 8), ColumnSlice(blob, 2, 8))
        columns = {}
        for name, node in {
            "year": ColumnNode("int32", False, 2013, 2014, slices),
            "name": ColumnNode("unicode", True, None, None, slices),
        }.items():
            columns[name] = DatasetColumn.of(name, node, put_node(self.store, node))
        return DatasetHead(columns, (3, 2), **place_after(self.store, previous)._asdict(), **extra)

    def table(
        self,
        columns: Mapping[str, tuple[str, Sequence[Sequence[object]]]],
        previous: JobRow | None = None,
        hashlabel: str | None = None,
    ) -> JobRow:
        """Return a job whose default dataset has these columns: `{name: (type, values of each slice)}`."""
        made = {}
        for name, (kind, parts) in columns.items():
            column_type, plus, _ = kind.partition("+")
            node = self._column(column_type, parts, none_support=bool(plus))
            made[name] = DatasetColumn.of(name, node, put_node(self.store, node))
        lines = tuple(part.lines for part in node.slices)
        ref = previous and DatasetRef(self.resolver.outcome(previous).datasets["default"], "default")
        place = place_after(self.store, ref)._asdict()
        return self.job("make", made={"default": DatasetHead(made, lines, hashlabel, **place)})

    def _column(
        self, column_type: str, parts: Sequence[Sequence[object]], *, none_support: bool
    ) -> ColumnNode:
        found = []
        for values in parts:
            writer = SliceWriter(column_type, self.store.writer(), none_support=none_support)
            writer.extend(values)
            found.append(writer.finish())
        slices = tuple(ColumnSlice(part.blob, part.lines, part.bytes) for part in found)
        low, high = smallest(part.min for part in found), largest(part.max for part in found)
        return ColumnNode(column_type, none_support, low, high, slices)


def twins(count: int = 2) -> list[bytes]:
    """Return the content of so many objects whose ids begin with the same four digits."""
    by_prefix: dict[str, list[bytes]] = {}
    for number in range(2_000_000):
        data = b"%d" % number
        found = by_prefix.setdefault(oid_of(data)[:4], [])
        found.append(data)
        if len(found) == count:
            return found
    raise AssertionError(f"no {count} objects begin with the same digits")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """A project that the tests stand in."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def acc(capsys):
    """A function that runs one command and returns its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def feed(monkeypatch):
    """A function that gives the next command its stdin."""

    def run(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return run
