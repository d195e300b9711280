"""dataset_sort: slices sorted alone or together, where slices end, and what becomes of the dataset."""

import datetime
import random

import pytest

from jobs.errors import JobFailed, OptionError
from tests.methods.bench import SLICES

UTC = datetime.UTC
RANDOM = random.Random(7)
ROWS = [(RANDOM.randrange(20), RANDOM.choice(["", "a", "åb", "b"]), number) for number in range(100)]
TYPES = {"a": "int64_10", "b": "unicode:utf-8", "n": "int32_10"}


@pytest.fixture
def table(bench):
    """Return a function that makes a dataset of rows of a, b and n."""

    def build(rows, name="x.csv", previous=None, column2type=TYPES, **arguments):
        text = "a,b,n\n" + "".join(f"{a},{b},{n}\n" for a, b, n in rows)
        imported = bench.csvimport(text.encode(), name, previous=previous).dataset()
        return bench.build(
            "dataset_type", source=imported, column2type=column2type, length=1, **arguments
        ).dataset()

    return build


@pytest.fixture
def sort(bench):
    """Return a function that sorts a dataset."""

    def build(source, *columns, **arguments):
        job = bench.build("dataset_sort", source=source, sort_columns=columns, **arguments)
        return job.dataset()

    return build


def by_a_and_b(row):
    return row[:2]


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_each_slice_is_sorted_for_itself(table, sort, order):
    source = table(ROWS)
    dataset = sort(source, "a", "b", sort_order=order)
    for sliceno in range(SLICES):
        wanted = sorted(source.iterate(sliceno), key=by_a_and_b, reverse=order == "descending")
        assert list(dataset.iterate(sliceno)) == wanted


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_across_slices_all_rows_are_sorted_and_cut_evenly(table, sort, order):
    source = table(ROWS)
    dataset = sort(source, "a", "b", sort_order=order, sort_across_slices=True)
    wanted = sorted(source.iterate(None), key=by_a_and_b, reverse=order == "descending")
    assert list(dataset.iterate(None)) == wanted
    assert dataset.lines == (34, 33, 33)


@pytest.mark.parametrize("across", [False, True])
def test_more_rows_than_memory_holds_are_sorted_the_same(table, sort, across):
    rows = [(n * 7919 % 1000, "", n) for n in range(4 * 65_536)]
    source = table(rows)
    whole = sort(source, "a", sort_across_slices=across)
    parts = sort(source, "a", sort_across_slices=across, memory=0)
    assert list(parts.iterate(None)) == list(whole.iterate(None))
    if across:
        assert list(parts.iterate(None)) == sorted(source.iterate(None), key=lambda row: row[0])


def test_a_slice_goes_on_until_the_trigger_changes(table, sort):
    source = table([(n // 10, "x", n) for n in range(25)])
    dataset = sort(source, "a", "n", sort_across_slices=True, trigger_column="a")
    assert dataset.lines == (10, 10, 5)
    assert [set(dataset.iterate(sliceno, "a")) for sliceno in range(SLICES)] == [{0}, {1}, {2}]


def test_a_slice_without_a_change_of_the_trigger_takes_all(table, sort):
    dataset = sort(table([(1, "x", n) for n in range(25)]), "a", sort_across_slices=True, trigger_column="a")
    assert dataset.lines == (25, 0, 0)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("rows", [[], [(1, "x", 2)], [(2, "x", 2), (1, "y", 2)]])
def test_few_rows_and_none_are_sorted(table, sort, rows, across):
    dataset = sort(table(rows), "a", sort_across_slices=across)
    assert sorted(dataset.iterate(None)) == sorted(rows)
    if across:
        assert [row[0] for row in dataset.iterate(None)] == sorted(row[0] for row in rows)
    assert sum(dataset.lines) == len(rows)


def test_none_is_as_the_smallest_number_and_nan_as_the_largest(table, sort):
    rows = [("nan", "", 1), ("", "", 2), ("inf", "", 3), ("-inf", "", 4), ("1", "", 5)]
    source = table(rows, column2type={"a": "float64", "n": "int32_10"}, none_values=[""])
    dataset = sort(source, "a", sort_across_slices=True)
    before = list(source.iterate(None, "n"))
    equals = [sorted(pair, key=before.index) for pair in ((2, 4), (1, 3))]
    assert list(dataset.iterate(None, "n")) == [*equals[0], 5, *equals[1]]
    assert dataset.columns["a"].none_support


@pytest.mark.parametrize("across", [False, True])
def test_values_are_what_they_were(table, sort, across):
    rows = [(n * 7 % 50, "x", n) for n in range(50)]
    source = table(
        rows,
        column2type={"a": "datetime:%s", "b": "json", "n": "number"},
        timezone="UTC",
        defaults={"b": [1]},
    )
    dataset = sort(source, "a", sort_across_slices=across)
    assert sorted(dataset.iterate(None), key=lambda row: row[0]) == sorted(
        source.iterate(None), key=lambda row: row[0]
    )
    assert next(dataset.iterate(None, "a")).tzinfo is UTC


@pytest.mark.parametrize("across", [False, True])
def test_a_chain_becomes_one_dataset_with_what_came_since(bench, table, sort, across):
    first = table(ROWS[:50], "1.csv")
    imported = bench.csvimport(b"a,b,n\n3,x,100\n0,y,101\n", "2.csv").dataset()
    second = bench.build("dataset_type", source=imported, column2type=TYPES, previous=first).dataset()
    both = sort(second, "a", sort_across_slices=across)
    assert sorted(both.iterate(None)) == sorted([*first.iterate(None), *second.iterate(None)])
    if across:
        rows = [*first.iterate(None), *second.iterate(None)]
        assert list(both.iterate(None)) == sorted(rows, key=lambda row: row[0])
    assert (both.filename, both.previous) == (None, None)
    once = sort(first, "a", sort_across_slices=across)
    since = sort(second, "a", previous=once, sort_across_slices=across)
    assert sorted(since.iterate(None)) == sorted(second.iterate(None))
    assert (since.previous, since.filename) == (once, "2.csv")


def test_the_hashlabel_stays_when_the_rows_stay_in_their_slices(table, sort):
    source = table(ROWS, hashlabel="a")
    assert sort(source, "n").hashlabel == "a"
    assert sort(source, "n", sort_across_slices=True).hashlabel is None


@pytest.mark.parametrize(
    ("columns", "arguments", "reason"),
    [
        ([], {}, "no column to sort by"),
        (["aa"], {}, "has no column 'aa'"),
        (["a"], {"trigger_column": "a"}, "trigger_column says nothing without sort_across_slices"),
        (
            ["a"],
            {"trigger_column": "b", "sort_across_slices": True},
            "trigger_column 'b' is none of sort_columns",
        ),
    ],
)
def test_what_cannot_be_sorted_is_refused(table, sort, columns, arguments, reason):
    with pytest.raises(JobFailed, match=reason):
        sort(table(ROWS[:3]), *columns, **arguments)


def test_complex_numbers_have_no_order(table, sort):
    source = table(ROWS[:3], column2type={"a": "complex64"})
    with pytest.raises(JobFailed, match=r"column 'a' of .* is complex64, and complex numbers have no order"):
        sort(source, "a")


def test_without_a_source_nothing_is_sorted(bench):
    with pytest.raises(JobFailed, match="no dataset is given as 'source'"):
        bench.build("dataset_sort", sort_columns=["a"])
    with pytest.raises(OptionError, match="sort_order"):
        bench.build("dataset_sort", sort_columns=["a"], sort_order="up")
