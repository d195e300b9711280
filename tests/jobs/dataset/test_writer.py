"""Writing datasets: rows in every style, slices, hashing, parents, and what is refused."""

import datetime
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cas.local.store import LocalStore
from cas.memory import MemoryStore
from jobs.column.spread import slice_of
from jobs.dataset.head import DatasetColumn
from jobs.dataset.writer import DatasetWriter
from jobs.errors import ColumnError, DatasetError
from tests.jobs.dataset.owners import FewJobs, OneJob


def two_columns(job: OneJob, **options: Any) -> DatasetWriter:
    writer = job.writer(**options)
    writer.add("number", "int64")
    writer.add("text", "unicode", none_support=True)
    return writer


# numpy has threads, and Python 3.12 warns of forking with any
forks = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

ROWS = [(1, "one"), (2, None), (-3, "three")]


# ---- rows


def test_rows_come_back_in_the_order_of_add(job: OneJob) -> None:
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(1)
    for row in ROWS:
        writer.write(*row)
    dataset = writer.finish()
    assert list(dataset.columns) == ["number", "text"]
    assert list(dataset.iterate(1, ["number", "text"])) == ROWS
    assert dataset.lines == (0, 3, 0)


def write_by_argument(writer: DatasetWriter) -> None:
    for row in ROWS:
        writer.write(*row)


def write_by_list(writer: DatasetWriter) -> None:
    for row in ROWS:
        writer.write_list(list(row))


def write_by_dict(writer: DatasetWriter) -> None:
    for number, text in ROWS:
        writer.write_dict({"text": text, "number": number})


def write_by_array(writer: DatasetWriter) -> None:
    writer.write_arrays({"number": np.array([1, 2]), "text": ["one", None]})
    writer.write_arrays({"number": [-3], "text": np.array(["three"])})


def write_in_turns(writer: DatasetWriter) -> None:
    writer.write(*ROWS[0])
    writer.write_arrays({"number": np.array([2]), "text": (np.array(["?"]), np.array([True]))})
    writer.write_list(ROWS[2])


def test_every_style_of_writing_gives_the_same_dataset(jobs: FewJobs) -> None:
    nodes = set()
    for style in (write_by_argument, write_by_list, write_by_dict, write_by_array, write_in_turns):
        writer = two_columns(jobs.new())
        for sliceno in range(3):
            writer.set_slice(sliceno)
            style(writer)
        nodes.add(writer.finish().node)
    assert len(nodes) == 1


def test_columns_given_as_a_dict_are_written_by_name(job: OneJob) -> None:
    writer = job.writer(columns={"b": "int64", "a": ("int64", True)}, allow_missing_slices=True)
    writer.set_slice(0)
    writer.write(None, 2)
    assert list(writer.finish().iterate(0)) == [(None, 2)]


def test_a_column_can_be_declared_like_one_of_another_dataset(jobs: FewJobs) -> None:
    source = jobs.write({"a": ("int32", True)}, [[], [], []])
    writer = jobs.new().writer(columns=source.columns)
    assert writer.columns["a"].type == "int32"
    assert writer.columns["a"].none_support


def test_a_row_with_a_refused_value_leaves_no_trace(job: OneJob) -> None:
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(0)
    writer.write(1, "one")
    for refused in ((2, 7), (2, b"x"), (2**63, "x"), (None, "x"), ("2", "x")):
        with pytest.raises(ColumnError):
            writer.write(*refused)
        with pytest.raises(ColumnError):
            writer.write_list(refused)
    writer.write(3, "three")
    assert list(writer.finish().iterate(0)) == [(1, "one"), (3, "three")]


def test_a_refused_value_is_named_with_its_column(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    with pytest.raises(ColumnError, match=r"column 'number': no int64: 'seventeen'"):
        writer.write("seventeen", "x")
    with pytest.raises(ColumnError, match=r"column 'number': refusing to write None without none_support"):
        writer.write(None, "x")
    with pytest.raises(ColumnError, match=r"column 'text': no unicode"):
        writer.write_arrays({"number": np.array([1]), "text": [b"x"]})


def test_a_refused_value_has_the_error_that_python_has_for_it(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    with pytest.raises(TypeError):
        writer.write("1", "x")
    with pytest.raises(OverflowError):
        writer.write(2**70, "x")
    with pytest.raises(ValueError, match="half a character"):
        writer.write(1, "\ud800")


def test_the_default_stands_for_what_cannot_be_converted(job: OneJob) -> None:
    writer = job.writer(allow_missing_slices=True)
    writer.add("a", "parsed:int64", default=-1)
    writer.add("b", "parsed:float64", default=None, none_support=True)
    writer.add("c", "json", default={"bad": 1})
    writer.set_slice(0)
    writer.write("12", "1.5", [1])
    writer.write("x", "y", {2})
    writer.write_arrays({"a": ["z", "4"], "b": [None, "2"], "c": [(), object()]})
    dataset = writer.finish()
    assert list(dataset.iterate(0)) == [
        (12, 1.5, [1]),
        (-1, None, {"bad": 1}),
        (-1, None, []),
        (4, 2.0, {"bad": 1}),
    ]
    assert dataset.columns["a"].type == "int64"


def test_none_is_written_where_it_is_allowed_even_with_a_default(job: OneJob) -> None:
    writer = job.writer(allow_missing_slices=True)
    writer.add("a", "int64", default=7, none_support=True)
    writer.add("b", "int64", default=8)
    writer.set_slice(0)
    writer.write(None, None)
    assert list(writer.finish().iterate(0)) == [(None, 8)]


def test_a_default_must_be_a_value_of_its_column(job: OneJob) -> None:
    with pytest.raises(ColumnError, match="column 'a'"):
        job.writer().add("a", "int64", default="none")
    with pytest.raises(DatasetError, match="pickle column has no default"):
        job.writer().add("a", "pickle", default=1)


def test_a_changed_object_does_not_change_what_was_written(job: OneJob) -> None:
    writer = job.writer(columns={"j": "json", "p": "pickle"}, allow_missing_slices=True)
    writer.set_slice(0)
    value = {"a": [1]}
    writer.write(value, value)
    value["a"].append(2)
    assert list(writer.finish().iterate(0)) == [({"a": [1]}, {"a": [1]})]


@pytest.mark.parametrize("row", [(), (1,), (1, "x", 2)])
def test_a_row_of_another_width_is_refused(job: OneJob, row: tuple[Any, ...]) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    with pytest.raises(DatasetError, match=f"a row of {len(row)} values, where there are 2 columns"):
        writer.write_list(row)
    with pytest.raises(TypeError):
        writer.write(*row)


def test_a_dict_row_with_other_columns_names_them(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    with pytest.raises(DatasetError, match="lacks 'text' and has unknown 'txt'"):
        writer.write_dict({"number": 1, "txt": "x"})


def test_column_names_are_any_text(job: OneJob) -> None:
    names = ["", "class", "a b", "v0", "å", "'", "{0}", "\n"]
    writer = job.writer(columns=dict.fromkeys(names, "int64"), allow_missing_slices=True)
    writer.set_slice(0)
    writer.write_dict({name: number for number, name in enumerate(names)})
    dataset = writer.finish()
    assert list(dataset.iterate(0, names)) == [tuple(range(len(names)))]


def test_a_name_that_is_no_text_is_refused(job: OneJob) -> None:
    with pytest.raises(DatasetError, match="column name"):
        job.writer().add("\ud800", "int64")
    with pytest.raises(DatasetError, match="column name"):
        job.writer().add(7, "int64")  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="dataset name"):
        job.writer(name="\ud800")


def test_an_unknown_type_is_refused(job: OneJob) -> None:
    with pytest.raises(ColumnError, match="no column type 'integer'"):
        job.writer(columns={"a": "integer"})


def test_many_rows_and_large_values_come_back(job: OneJob) -> None:
    rows = [(number, "x" * (20_000 if number % 900 == 0 else number % 50)) for number in range(10_000)]
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(0)
    for row in rows:
        writer.write(*row)
    assert list(writer.finish().iterate(0)) == rows


def test_times_and_floats_come_back_as_they_were_given(job: OneJob) -> None:
    utc = datetime.UTC
    rows = [
        (datetime.datetime(2024, 1, 2, 3, tzinfo=utc), datetime.time(4, 5), 0.1, 1e300),
        (datetime.datetime(2024, 1, 2, 3, fold=1), datetime.time(4, 5, tzinfo=utc), 3.4e38, float("inf")),
    ]
    writer = job.writer(allow_missing_slices=True)
    for name, kind in zip("abcd", ("datetime", "time", "float32", "float64"), strict=True):
        writer.add(name, kind)
    writer.set_slice(0)
    for row in rows:
        writer.write(*row)
    read = list(writer.finish().iterate(0))
    assert [row[:2] for row in read] == [row[:2] for row in rows]
    assert [row[0].fold for row in read] == [0, 1]
    assert read[0][2] == np.float32(0.1)
    assert read[1][3] == float("inf")


# ---- arrays


def test_masked_arrays_write_none(job: OneJob) -> None:
    writer = job.writer(columns={"a": ("float64", True)}, allow_missing_slices=True)
    writer.set_slice(0)
    writer.write_arrays({"a": np.ma.MaskedArray([1.0, 2.0], mask=[False, True])})
    assert list(writer.finish().iterate(0, "a")) == [1.0, None]


@pytest.mark.parametrize(
    "given",
    [
        ([1, 2], [False, True]),
        (np.array([1, 2]), [0, 1]),
        (np.array([1, object()], object), np.array([False, True])),
        (np.ma.MaskedArray([1, 2], mask=[False, True]), np.array([False, False])),
    ],
    ids=["list", "array", "objects", "masked"],
)
@pytest.mark.parametrize("hashlabel", [None, "a"])
def test_none_is_what_a_mask_says_whatever_it_is_given_with(job: OneJob, given: Any, hashlabel: Any) -> None:
    writer = job.writer(columns={"a": ("int64", True)}, hashlabel=hashlabel)
    writer.get_split_write_arrays()({"a": given})
    assert set(writer.finish().iterate(None, "a")) == {1, None}


@pytest.mark.parametrize("hashlabel", [None, "a"])
def test_arrays_are_converted_as_lists_are(job: OneJob, hashlabel: Any) -> None:
    writer = job.writer(hashlabel=hashlabel)
    writer.add("a", "parsed:int64")
    writer.add("b", "int64", default=7)
    writer.get_split_write_arrays()({"a": np.array(["1", "2"]), "b": np.array(["x", 5], object)})
    assert sorted(writer.finish().iterate(None, ("a", "b"))) == [(1, 7), (2, 5)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (range(3), "column 'a' is given as a 'range'"),
        (np.zeros((2, 2)), "column 'a': values and mask are no arrays of one dimension and equal length"),
        (([1, 2], [True]), "column 'a': values and mask are no arrays of one dimension and equal length"),
        (np.array(["\ud800"]), "column 'a': half a character"),
        (np.array([1]), "column 'a': no unicode"),
    ],
    ids=["range", "two dimensions", "a short mask", "a surrogate", "ints"],
)
@pytest.mark.parametrize("hashlabel", [None, "a"])
def test_what_is_no_column_is_refused_by_name(
    job: OneJob, given: Any, message: str, hashlabel: str | None
) -> None:
    writer = job.writer(columns={"a": ("unicode", True)}, hashlabel=hashlabel)
    with pytest.raises((DatasetError, ColumnError), match=message):
        writer.get_split_write_arrays()({"a": given})


def test_arrays_must_be_those_of_the_columns_and_of_equal_length(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    with pytest.raises(DatasetError, match="other columns than are written: 'text'"):
        writer.write_arrays({"number": [1]})
    with pytest.raises(DatasetError, match="unequal length: 'number' 1, 'text' 2"):
        writer.write_arrays({"number": [1], "text": ["a", "b"]})


def test_columns_that_a_caught_error_left_unequal_are_an_error(job: OneJob) -> None:
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(0)
    with pytest.raises(ColumnError):
        writer.write_arrays({"number": [1], "text": [2]})
    with pytest.raises(DatasetError, match="columns of unequal length: 'number' 1, 'text' 0"):
        writer.finish()


# ---- slices outside analysis


def test_slices_that_nobody_chose_are_named(job: OneJob) -> None:
    writer = two_columns(FewJobs(slices=7).new())
    for sliceno in (0, 4):
        writer.set_slice(sliceno)
    with pytest.raises(DatasetError, match=r"dataset 'default' lacks slices that nobody wrote: 1-3, 5-6"):
        writer.finish()


def test_slices_that_finish_missed_can_still_be_written(job: OneJob) -> None:
    writer = two_columns(job)
    for sliceno in range(2):
        writer.set_slice(sliceno)
        writer.write(sliceno, "x")
    with pytest.raises(DatasetError, match="lacks slices that nobody wrote: 2"):
        writer.finish()
    writer.set_slice(2)
    writer.write(2, "x")
    assert writer.finish().lines == (1, 1, 1)


def test_one_may_come_back_to_a_slice(job: OneJob) -> None:
    writer = two_columns(job)
    for sliceno in (0, 1, 2, 0):
        writer.set_slice(sliceno)
        writer.write(sliceno, "x")
    assert writer.finish().lines == (2, 1, 1)


def test_a_function_taken_before_writes_to_the_slice_of_now(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    write, write_dict = writer.write, writer.write_dict
    for sliceno in range(3):
        writer.set_slice(sliceno)
        write(sliceno, "x")
        write_dict({"number": sliceno, "text": "y"})
    assert list(writer.finish().iterate(None, "number")) == [0, 0, 1, 1, 2, 2]


def test_writing_without_a_slice_is_refused_at_once(job: OneJob) -> None:
    writer = two_columns(job)
    for write in (lambda: writer.write(1, "x"), lambda: writer.write_arrays({"number": [1], "text": ["x"]})):
        with pytest.raises(DatasetError, match="has no slice to write to yet"):
            write()


@pytest.mark.parametrize("sliceno", [-1, 3])
def test_a_slice_that_is_not_there_cannot_be_chosen(job: OneJob, sliceno: int) -> None:
    with pytest.raises(DatasetError, match=f"has no slice {sliceno}"):
        two_columns(job).set_slice(sliceno)


def test_split_write_deals_rows_in_turn(job: OneJob) -> None:
    writer = two_columns(job)
    write, write_list, write_dict = (
        writer.get_split_write(),
        writer.get_split_write_list(),
        writer.get_split_write_dict(),
    )
    for number in range(9):
        write(number, "x")
    write_list((9, "x"))
    write_dict({"number": 10, "text": "x"})
    dataset = writer.finish()
    assert [list(dataset.iterate(sliceno, "number")) for sliceno in range(3)] == [
        [0, 3, 6, 9],
        [1, 4, 7, 10],
        [2, 5, 8],
    ]
    assert list(dataset.iterate("roundrobin", "number")) == list(range(11))


def test_arrays_are_dealt_in_turn_with_rows(job: OneJob) -> None:
    writer = two_columns(job)
    write, write_arrays = writer.get_split_write(), writer.get_split_write_arrays()
    write(0, "x")
    write_arrays({"number": np.arange(1, 5), "text": ["x"] * 4})
    write_arrays({"number": np.arange(0), "text": []})
    write(5, "x")
    write_arrays({"number": np.arange(6, 8), "text": np.array(["x", "x"])})
    dataset = writer.finish()
    assert list(dataset.iterate("roundrobin", "number")) == list(range(8))


def test_split_write_and_many_large_values(job: OneJob) -> None:
    writer = job.writer(columns={"a": "bytes"})
    write = writer.get_split_write()
    values = [bytes([number]) * 9000 for number in range(10)]
    for value in values:
        write(value)
    assert list(writer.finish().iterate("roundrobin", "a")) == values


# ---- hashed


def test_split_write_finds_the_slice_by_the_hashlabel(job: OneJob) -> None:
    writer = two_columns(job, hashlabel="text")
    write = writer.get_split_write()
    texts = [None, "", *(f"text {number}" for number in range(30))]
    for number, text in enumerate(texts):
        write(number, text)
    dataset = writer.finish()
    assert dataset.hashlabel == "text"
    for sliceno in range(3):
        assert set(dataset.iterate(sliceno, "text")) == {
            text for text in texts if slice_of(text, 3) == sliceno
        }


def test_arrays_go_where_their_rows_would(job: OneJob) -> None:
    texts = [None, "", *(f"text {number}" for number in range(30))]
    by_row, by_array = two_columns(job, hashlabel="text"), two_columns(job, name="arrays", hashlabel="text")
    write = by_row.get_split_write()
    for number, text in enumerate(texts):
        write(number, text)
    by_array.get_split_write_arrays()({"number": np.arange(len(texts)), "text": texts})
    assert by_array.finish().node == by_row.finish().node


def test_a_row_of_another_slice_is_refused(job: OneJob) -> None:
    writer = two_columns(job, hashlabel="number")
    here = slice_of(5, 3)
    writer.set_slice((here + 1) % 3)
    assert not writer.hashcheck(5)
    with pytest.raises(
        DatasetError, match=f"is hashed on 'number': a row of slice {here} is written to slice"
    ):
        writer.write(5, "x")
    with pytest.raises(DatasetError, match="is hashed on 'number'"):
        writer.write_arrays({"number": np.array([5]), "text": ["x"]})
    writer.set_slice(here)
    assert writer.hashcheck(5)
    writer.write(5, "x")


def test_rows_that_are_known_to_be_placed_are_not_looked_at(job: OneJob) -> None:
    writer = two_columns(job, hashlabel="number")
    for sliceno in range(3):
        writer.set_slice(sliceno)
        writer.write_arrays({"number": np.array([5]), "text": ["x"]}, are_placed=True)
    assert writer.finish().lines == (1, 1, 1)


def test_hash_discard_drops_the_rows_of_other_slices(jobs: FewJobs) -> None:
    by_row = two_columns(jobs.new(), hashlabel="number")
    by_array = two_columns(jobs.new(), hashlabel="number")
    numbers = list(range(50))
    for writer in (by_row, by_array):
        writer.enable_hash_discard()
    for sliceno in range(3):
        by_row.set_slice(sliceno)
        for number in numbers:
            by_row.write(number, "x")
        by_array.set_slice(sliceno)
        by_array.write_arrays({"number": np.array(numbers), "text": ["x"] * 50})
    dataset = by_row.finish()
    assert sorted(dataset.iterate(None, "number")) == numbers
    assert dataset.node == by_array.finish().node


def test_a_float32_lies_where_its_rounded_value_belongs(job: OneJob) -> None:
    writer = job.writer(columns={"a": "float32"}, hashlabel="a")
    write = writer.get_split_write()
    for number in range(40):
        write(number / 7)
    dataset = writer.finish()
    for sliceno in range(3):
        assert all(slice_of(value, 3) == sliceno for value in dataset.iterate(sliceno, "a"))


@pytest.mark.parametrize("kind", ["json", "pickle"])
def test_json_and_pickle_cannot_decide_the_slice(job: OneJob, kind: str) -> None:
    writer = job.writer(columns={"a": kind}, hashlabel="a")
    with pytest.raises(DatasetError, match=f"cannot be hashed on 'a', a {kind} column"):
        writer.get_split_write()


def test_a_hashlabel_that_is_no_column_is_refused(job: OneJob) -> None:
    writer = two_columns(job, hashlabel="nummer")
    writer.set_slice(0)
    with pytest.raises(DatasetError, match="has no column 'nummer' to be hashed on"):
        writer.write(1, "x")
    with pytest.raises(DatasetError, match="has no column 'nummer' to be hashed on"):
        writer.finish()


# ---- parent and previous


def test_a_parent_is_extended_and_nothing_copied(jobs: FewJobs) -> None:
    parent = jobs.write({"a": "int64", "b": "int64"}, [[(1, 2)], [], [(3, 4), (5, 6)]], hashlabel=None)
    before = set(jobs.store.ids())
    child = jobs.new().write({"c": "bool"}, [[(True,)], [], [(False,), (True,)]], parent=parent)
    assert list(child.iterate(None)) == [(1, 2, True), (3, 4, False), (5, 6, True)]
    assert child.columns["a"] == parent.columns["a"]
    assert child.parent == parent
    new = {jobs.store.get(oid)[:40] for oid in set(jobs.store.ids()) - before}
    assert len(new) == 5  # three slices, the column, the head


def test_a_column_of_the_parent_can_be_replaced_or_left_out(jobs: FewJobs) -> None:
    parent = jobs.write({"a": "int64", "b": "int64", "c": "int64"}, [[(1, 2, 3)], [], []])
    writer = jobs.new().writer(parent=parent, columns={"b": None, "c": "unicode"})
    for sliceno, texts in enumerate([["x"], [], []]):
        writer.set_slice(sliceno)
        for text in texts:
            writer.write(text)
    child = writer.finish()
    assert list(child.columns) == ["a", "c"]
    assert list(child.iterate(0)) == [(1, "x")]


def test_columns_can_be_left_out_without_writing_any(jobs: FewJobs) -> None:
    parent = jobs.write({"a": "int64", "b": "int64"}, [[(1, 2)], [], []])
    child = jobs.new().writer(parent=parent, columns={"b": None}).finish()
    assert child.lines == parent.lines
    assert list(child.iterate(None)) == [(1,)]


def test_a_child_must_have_as_many_lines_as_its_parent(jobs: FewJobs) -> None:
    parent = jobs.write({"a": "int64"}, [[(1,)], [(2,)], []])
    with pytest.raises(DatasetError, match="has 0 lines in slice 1, where its parent has 1"):
        jobs.new().write({"b": "int64"}, [[(1,)], [], []], parent=parent)


def test_the_parents_hashlabel_is_inherited_and_checked(jobs: FewJobs) -> None:
    writer = jobs.new().writer(columns={"a": "int64", "b": "int64"}, hashlabel="a")
    write = writer.get_split_write()
    for number in range(6):
        write(number, number)
    parent = writer.finish()
    rows = [[(number,) for number in parent.iterate(sliceno, "a")] for sliceno in range(3)]
    child = jobs.new().write({"c": "int64"}, rows, parent=parent)
    assert child.hashlabel == "a"
    with pytest.raises(DatasetError, match="hashlabel 'b' is not that of the parent, which is hashed on 'a'"):
        jobs.new().writer(parent=parent, hashlabel="b")
    other = jobs.new().write({"c": "int64"}, rows, parent=parent, hashlabel="b", hashlabel_override=True)
    assert other.hashlabel == "b"
    dropped = jobs.new().writer(parent=parent, columns={"a": None}).finish()
    assert dropped.hashlabel is None
    with pytest.raises(DatasetError, match="writes no column that decides the slice"):
        two_columns(jobs.new(), parent=parent).get_split_write()


def test_a_parent_of_other_slices_or_without_the_column_is_refused(jobs: FewJobs) -> None:
    parent = jobs.write({"a": "int64"}, [[], [], []])
    with pytest.raises(DatasetError, match="the parent has no column 'b' to be left out"):
        jobs.new().writer(parent=parent, columns={"b": None})
    with pytest.raises(DatasetError, match="the parent has 3 slices, and there are 2 here"):
        FewJobs(jobs.store, slices=2).new().writer(parent=parent)


def test_previous_may_be_a_writer_which_is_finished_first(job: OneJob) -> None:
    first = two_columns(job, name="first", allow_missing_slices=True)
    second = two_columns(job, name="second", previous=first, allow_missing_slices=True)
    for writer in (second, first):
        writer.set_slice(0)
        writer.write(1, "x")
    dataset = second.finish()
    assert dataset.previous == "dev-1/first"
    assert list(job.nodes) == ["first", "second"]


# ---- analysis


def test_each_slice_of_analysis_writes_its_own(job: OneJob) -> None:
    writer = two_columns(job)

    def analysis(sliceno: int) -> None:
        for number in range(sliceno):
            writer.write(10 * sliceno + number, None)

    job.analyse([writer], analysis)
    dataset = writer.finish()
    assert dataset.lines == (0, 1, 2)
    assert list(dataset.iterate(None, "number")) == [10, 20, 21]
    assert (dataset.min("number"), dataset.max("number")) == (10, 21)


def test_a_slice_of_analysis_cannot_choose_another(job: OneJob) -> None:
    writer = two_columns(job)
    job.sliceno = 1
    for wrong in (lambda: writer.set_slice(0), writer.get_split_write, writer.finish):
        with pytest.raises(DatasetError, match="analysis"):
            wrong()


def test_a_dataset_of_prepare_may_be_written_in_synthesis(job: OneJob) -> None:
    writer = two_columns(job)
    job.analyse([writer], lambda _: None)
    writer.set_slice(0)
    writer.write(1, "x")
    with pytest.raises(DatasetError, match="lacks slices that nobody wrote: 1-2"):
        writer.finish()


def test_a_slice_written_in_analysis_is_not_written_again(job: OneJob) -> None:
    writer = two_columns(job)
    job.analyse([writer], lambda sliceno: writer.write(sliceno, "x"))
    with pytest.raises(DatasetError, match="has slice 0 already, and it is closed"):
        writer.set_slice(0)


def test_one_slice_of_analysis_may_write_all(job: OneJob) -> None:
    writer = two_columns(job, for_single_slice=1)

    def analysis(sliceno: int) -> None:
        if sliceno == 1:
            write = writer.get_split_write()
            for number in range(7):
                write(number, "x")
        else:
            with pytest.raises(DatasetError, match="is written in slice 1 of analysis alone"):
                writer.write(1, "x")

    job.analyse([writer], analysis)
    assert list(writer.finish().iterate("roundrobin", "number")) == list(range(7))


def test_a_writer_made_in_analysis_is_made_again_in_the_job(job: OneJob) -> None:
    job.sliceno = 2
    made = two_columns(job, name="own", for_single_slice=2, caption="mine", hashlabel="number")
    write = made.get_split_write()
    for number in range(10):
        write(number, "x")
    closed = made.close_slice()
    job.sliceno = None
    writer = DatasetWriter.from_declared(job, closed)
    writer.take_slice(2, closed)
    dataset = writer.finish()
    assert (dataset.name, dataset.caption, dataset.hashlabel) == ("own", "mine", "number")
    assert list(dataset.columns) == ["number", "text"]
    assert sorted(dataset.iterate(None, "number")) == list(range(10))


def test_a_writer_made_in_analysis_may_be_finished_there(job: OneJob) -> None:
    job.sliceno = 0
    writer = two_columns(job, name="own", for_single_slice=0, allow_missing_slices=True)
    writer.set_slice(0)
    writer.write(1, "x")
    assert writer.finish().shape == (2, 1)


def test_analysis_makes_writers_for_one_slice_alone(job: OneJob) -> None:
    job.sliceno = 0
    for options in ({}, {"for_single_slice": 1}):
        with pytest.raises(DatasetError, match="is made in analysis"):
            job.writer(**options)


# ---- the end


def test_finish_twice_gives_the_same_dataset(job: OneJob) -> None:
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(0)
    assert writer.finish() == writer.finish()


def test_after_finish_nothing_can_be_written(job: OneJob) -> None:
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(0)
    writer.write(1, "x")
    kept = writer.write
    writer.finish()
    for wrong in (
        lambda: writer.write(1, "x"),
        lambda: kept(1, "x"),
        lambda: writer.set_slice(0),
        lambda: writer.add("c", "int64"),
        writer.get_split_write,
        writer.discard,
    ):
        with pytest.raises(DatasetError, match="is finished"):
            wrong()


def test_columns_are_added_before_the_first_row(job: OneJob) -> None:
    writer = two_columns(job)
    with pytest.raises(DatasetError, match="has a column 'text' already"):
        writer.add("text", "int64")
    writer.set_slice(0)
    with pytest.raises(DatasetError, match="has rows, so no columns can be added"):
        writer.add("more", "int64")


def test_a_discarded_dataset_is_forgotten(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(0)
    writer.write(1, "x")
    writer.discard()
    assert writer.state == "discarded"
    assert isinstance(job.store, MemoryStore)
    assert not job.store.objects
    with pytest.raises(DatasetError, match="is discarded"):
        writer.finish()


def test_a_dataset_without_columns_is_refused(job: OneJob) -> None:
    with pytest.raises(DatasetError, match="dataset 'default' has no columns"):
        job.writer().finish()
    writer = job.writer(name="none")
    writer.set_slice(0)
    with pytest.raises(DatasetError, match="dataset 'none' has no columns to write"):
        writer.write()


def test_the_head_holds_what_the_writer_was_told(job: OneJob) -> None:
    dataset = job.write(
        {"a": ("date", True)},
        [[(datetime.date(2020, 2, 1),)], [(None,)], [(datetime.date(2019, 1, 1),)]],
        name="",
        filename="a.csv",
        caption="first",
    )
    assert dataset == "dev-1/default"
    assert (dataset.filename, dataset.caption, dataset.hashlabel) == ("a.csv", "first", None)
    assert dataset.columns["a"] == DatasetColumn(
        "a",
        "date",
        none_support=True,
        min=datetime.date(2019, 1, 1),
        max=datetime.date(2020, 2, 1),
        node=dataset.columns["a"].node,
    )


def test_equal_datasets_of_two_jobs_have_one_head(jobs: FewJobs) -> None:
    rows = [[(1,)], [], [(2,)]]
    first, second = (jobs.write({"a": "int64"}, rows) for _ in range(2))
    assert first != second
    assert first.node == second.node


# ---- begun before analysis


def test_a_dataset_may_be_written_whole_in_prepare(job: OneJob) -> None:
    writer = two_columns(job, allow_missing_slices=True)
    writer.set_slice(1)
    writer.write(1, "x")
    job.analyse([writer], lambda _: None)
    assert writer.finish().lines == (0, 1, 0)


def test_what_prepare_began_does_not_go_on_in_analysis(job: OneJob) -> None:
    writer = two_columns(job)
    writer.set_slice(1)
    with pytest.raises(DatasetError, match="was begun in prepare and goes on in analysis"):
        job.analyse([writer], lambda _: writer.write(1, "x"))


@forks
def test_rows_that_a_function_of_prepare_wrote_in_a_forked_slice_are_missed(job: OneJob) -> None:
    writer = two_columns(job)
    write = writer.get_split_write()
    write(1, "x")
    inside, outside = os.pipe()
    child = os.fork()
    if not child:
        job.sliceno = 0
        write(2, "x")
        os.write(outside, pickle.dumps(writer.close_slice()))
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(DatasetError, match="was begun in prepare and goes on in analysis"):
        writer.take_slice(0, pickle.loads(os.read(inside, 1 << 16)))
    os.close(inside)
    os.close(outside)


@forks
def test_a_forked_slice_writes_into_a_store_that_both_see(tmp_path: Path) -> None:
    job = FewJobs(LocalStore.create(tmp_path / ".acc"), slices=2).new()
    writer = two_columns(job)
    for sliceno in range(2):
        inside, outside = os.pipe()
        child = os.fork()
        if not child:
            job.sliceno = sliceno
            writer.write(sliceno, "x")
            os.write(outside, pickle.dumps(writer.close_slice()))
            os._exit(0)
        os.waitpid(child, 0)
        writer.take_slice(sliceno, pickle.loads(os.read(inside, 1 << 16)))
        os.close(inside)
        os.close(outside)
    assert list(writer.finish().iterate(None)) == [(0, "x"), (1, "x")]
