"""What dataset_aggregate, dataset_join and dataset_describe have in common."""

import pytest

from jobs.errors import JobFailed
from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.executors.serial import SerialExecutor
from porcelain import config
from tests.methods.tables import open_tables, reopen_tables


@pytest.fixture
def processes():
    executor = ProcessExecutor(config.job_environment(), 2)
    yield executor
    executor.close()


def build_all(root, executor):
    """Return the outcomes of some jobs."""
    root.mkdir()
    with open_tables(root, executor=executor) as tables:
        rows = [
            [(n % 7, f"{n % 5}", None if n % 3 else n / 4) for n in range(part, 500, 3)] for part in range(3)
        ]
        columns = {"k": "int64", "t": "ascii", "v": "float64?"}
        plain, hashed = tables.table(columns, rows), tables.table(columns, rows, "k")
        aggregates = {f"{each} {column}": (each, column) for each in ("min", "max") for column in "tv"}
        jobs = [
            tables.build("dataset_aggregate", source=plain, group_by=["t", "k"], aggregates=aggregates),
            tables.build("dataset_join", left=plain, right=hashed, on=["k", "t"], how="left"),
            tables.build("dataset_join", left=hashed, right=hashed, on="k"),
            tables.build("dataset_describe", source=plain),
        ]
        return [job.row.outcome for job in jobs]


def test_outcomes_are_the_same_in_processes_as_in_one(tmp_path, processes):
    assert build_all(tmp_path / "apart", processes) == build_all(tmp_path / "together", SerialExecutor())


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("dataset_aggregate", lambda source: {"source": source, "aggregates": {"n": "count"}}),
        ("dataset_join", lambda source: {"left": source, "right": source, "on": "k"}),
        ("dataset_describe", lambda source: {"source": source}),
    ],
)
@pytest.mark.parametrize("slices", [2, 4])
def test_a_dataset_of_another_number_of_slices_is_refused(tmp_path, method, arguments, slices):
    with open_tables(tmp_path, 3) as tables:
        job = tables.table({"k": "int64"}, [[(1,)], [(2,)], [(3,)]]).job
    refusal = pytest.raises(JobFailed, match=f"has 3 slices, and there are {slices} here")
    with reopen_tables(tmp_path, slices) as tables, refusal:
        tables.build(method, **arguments(f"{job}/default"))
