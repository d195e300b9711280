"""Lists of datasets: sums, columns, ranges."""

import datetime
import math

import pytest

from jobs.dataset.dataset import Dataset
from jobs.dataset.lists import DatasetChain, DatasetList
from tests.jobs.dataset.owners import FewJobs


@pytest.fixture
def datasets(jobs: FewJobs) -> DatasetList[Dataset]:
    return DatasetList(
        [
            jobs.write({"a": "int64", "b": "unicode"}, [[(1, "x")], [(5, "y")], []]),
            jobs.write({"a": ("float64", True)}, [[(2.5,)], [(None,)], [(9.5,)]]),
            jobs.write({"b": ("ascii", True)}, [[("z",)], [], []]),
        ]
    )


def test_a_part_and_a_sum_are_such_lists_too(datasets: DatasetList[Dataset]) -> None:
    assert type(datasets[1:]) is DatasetList
    assert type(datasets[:1] + datasets[2:]) is DatasetList
    assert type(DatasetChain(datasets)[:1]) is DatasetChain
    assert datasets[0] == "dev-1/default"
    assert len(datasets[1:] + datasets[:1]) == 3


def test_smallest_and_largest_are_over_all_that_have_the_column(datasets: DatasetList[Dataset]) -> None:
    assert (datasets.min("a"), datasets.max("a")) == (1, 9.5)
    assert (datasets.min("b"), datasets.max("b")) == (None, None)
    assert datasets.min("nowhere") is None


def test_nan_is_the_smallest_only_when_nothing_else_is_there(jobs: FewJobs) -> None:
    only_nan, more = (
        jobs.write({"a": "float64"}, [[(value,) for value in values], [], []])
        for values in ([math.nan], [math.nan, 2.0])
    )
    assert math.isnan(DatasetList([only_nan]).min("a"))
    assert DatasetList([only_nan, more]).min("a") == 2.0


def test_naive_and_utc_datetimes_compare_by_the_clock(jobs: FewJobs) -> None:
    first, second = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2021, 1, 1)
    datasets = DatasetList(jobs.write({"a": "datetime"}, [[(each,)], [], []]) for each in (second, first))
    assert (datasets.min("a"), datasets.max("a")) == (first, second)


def test_lines_are_summed_by_slice_or_over_all(datasets: DatasetList[Dataset]) -> None:
    assert datasets.lines() == 6
    assert [datasets.lines(sliceno) for sliceno in range(3)] == [3, 2, 1]


def test_columns_are_counted_and_chosen(datasets: DatasetList[Dataset]) -> None:
    assert datasets.column_counts() == {"a": 2, "b": 2}
    assert datasets.column_count("a") == 2
    assert datasets.column_count("a", "int64") == 1
    assert datasets.with_column("b", {"ascii", "bytes"}) == datasets[2:]
    assert datasets.with_column("b", none_support=False) == datasets[:1]
    assert datasets.none_support("a")
    assert not datasets[:1].none_support("a")


def test_datasets_are_chosen_by_a_test_or_by_a_range(datasets: DatasetList[Dataset]) -> None:
    assert datasets.filter(lambda dataset: dataset.shape[0] == 1) == datasets[1:]
    assert datasets.range("a", 6, None) == datasets[1:2]
    assert datasets.range("a", 5, 6) == datasets[:2]
    assert datasets.range("a", None, 1) == []


def test_rows_of_all_are_iterated(datasets: DatasetList[Dataset]) -> None:
    assert list(datasets[:2].iterate(0, "a")) == [1, 2.5]
    assert list(datasets[:2].iterate(None, "a", filters=lambda value: value)) == [1, 5, 2.5, 9.5]
