"""Columns as numpy arrays and as aligned batches; damage shows."""

import itertools
from typing import Any

import numpy as np
import pytest

from cas.formats.node import put_node
from cas.memory import MemoryStore
from jobs.dataset.arrays import Bounds, Cursor, aligned
from jobs.dataset.head import ColumnNode, ColumnSlice, DatasetColumn, DatasetHead
from jobs.errors import DatasetError
from tests.jobs.dataset.owners import FewJobs


class FewBatches:
    """Stands for a column slice: batches of given sizes over counted rows."""

    def __init__(self, *sizes: int) -> None:
        self.batches = [type("Batch", (), {"rows": size}) for size in sizes]
        self.decoded: list[int] = []
        ends = [*itertools.accumulate(sizes)]
        self._rows = [[*range(end - size, end)] for size, end in zip(sizes, ends, strict=True)]

    def values(self, number: int) -> list[int]:
        self.decoded.append(number)
        return self._rows[number]


def cursor(column: Any) -> Cursor[list[int]]:
    return Cursor(column, column.values)


def test_pieces_end_where_any_column_has_a_batch_end() -> None:
    columns = [FewBatches(4, 4), FewBatches(3, 5), FewBatches(8)]
    pieces = list(aligned([cursor(column) for column in columns], [range(8)]))
    assert pieces == [[[0, 1, 2]] * 3, [[3]] * 3, [[4, 5, 6, 7]] * 3]


def test_batches_outside_the_spans_are_not_decoded() -> None:
    columns = [FewBatches(4, 4, 4), FewBatches(6, 6)]
    pieces = list(aligned([cursor(column) for column in columns], [range(1, 3), range(9, 11)]))
    assert pieces == [[[1, 2]] * 2, [[9, 10]] * 2]
    assert [column.decoded for column in columns] == [[0, 2], [0, 1]]


def test_arrays_are_the_columns_by_name(jobs: FewJobs) -> None:
    dataset = jobs.write(
        {"i": "int64", "f": ("float64", True), "t": ("unicode", True)},
        [[(1, 1.5, "a"), (2, None, None)], [(3, 2.5, "b")], []],
    )
    (batch,) = dataset.arrays(0)
    assert list(batch) == ["f", "i", "t"]
    assert batch["i"].dtype == np.int64
    assert batch["i"].tolist() == [1, 2]
    assert isinstance(batch["f"], np.ma.MaskedArray)
    assert batch["f"].tolist() == [1.5, None]
    assert batch["t"].tolist() == ["a", None]
    assert [part["i"].tolist() for part in dataset.arrays(None, "i")] == [[1, 2], [3]]


def test_a_column_that_may_hold_none_is_masked_even_when_none_is_there(jobs: FewJobs) -> None:
    dataset = jobs.write({"f": ("float64", True)}, [[(1.0,)], [], []])
    (batch,) = dataset.arrays(0)
    assert isinstance(batch["f"], np.ma.MaskedArray)


def test_arrays_write_what_they_read(jobs: FewJobs) -> None:
    rows = [(number, None if number % 7 == 0 else number / 3, str(number)) for number in range(1000)]
    source = jobs.write(
        {"i": "int64", "f": ("float64", True), "t": "unicode"}, [rows, rows[:10], []], caption="x"
    )
    writer = jobs.new().writer(caption="x")
    for name, column in source.columns.items():
        writer.add(name, column.type, none_support=column.none_support)
    for sliceno in range(3):
        writer.set_slice(sliceno)
        for batch in source.arrays(sliceno):
            writer.write_arrays(batch)
    assert writer.finish().node == source.node


def test_bounds_say_what_may_lie_within() -> None:
    assert Bounds(3, 5).may_hold(5, 9) is False
    assert Bounds(3, 5).may_hold(0, 2) is False
    assert Bounds(3, 5).may_hold(4, 9) is True
    assert Bounds(3, 5).may_hold(None, None) is True
    assert Bounds(None, None).may_hold(1, 2) is True


def test_a_slice_that_is_shorter_than_its_head_says_is_an_error(jobs: FewJobs) -> None:
    dataset = jobs.write({"a": "int64"}, [[(1,)], [(2,), (3,)], []])
    column = dataset.get_column_node("a")
    wrong = ColumnNode("int64", False, 1, 3, (ColumnSlice(column.slices[0].blob, 2, 9), *column.slices[1:]))
    store = jobs.store
    assert isinstance(store, MemoryStore)
    node = put_node(store, wrong)
    head = DatasetHead({"a": DatasetColumn.of("a", wrong, node)}, (2, 2, 0))
    job = jobs.new()
    job.add_dataset("default", put_node(store, head), head)
    with pytest.raises(
        DatasetError, match="column 'a' of dataset 'dev-2/default' has 1 lines in slice 0, not 2"
    ):
        list(job.dataset().iterate(0, "a"))
