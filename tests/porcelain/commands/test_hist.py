"""`acc hist`: bins beside a count by hand, the most frequent values, and how both are printed."""

import datetime
import json
import math
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porcelain.commands import hist

TYPES = {
    "int64": st.integers(-(2**63), 2**63 - 1) | st.integers(-30, 30),
    "int32": st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 90),
    "float64": st.floats(allow_infinity=False, width=64) | st.integers(0, 9).map(float),
    "float32": st.floats(allow_infinity=False, width=32),
    "number": st.integers(-(2**63), 2**63 - 1) | st.floats(allow_infinity=False) | st.integers(-5, 5),
    "date": st.dates(),
    "time": st.times(),
    "datetime": st.datetimes(),
}


def lies_in(value, low, high, *, whole, last):
    return low <= value <= high if whole or last else low <= value < high


@given(data=st.data(), kind=st.sampled_from(sorted(TYPES)), limit=st.none() | st.integers(1, 9))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_is_in_the_bin_whose_ends_it_lies_between(project, data, kind, limit):
    from jobs.dataset.dataset import Dataset
    from jobs.job import Job
    from porcelain.looking.histogram import count_bins
    from porcelain.project import Project

    values = st.lists(st.none() | TYPES[kind], max_size=8)
    slices = data.draw(st.lists(values, min_size=1, max_size=3))
    row = project.table({"x": (kind + "+None", slices)})
    with Project.here():
        head = project.resolver.outcome(row).datasets["default"]
        dataset = Dataset.of(Job.of(row), "default", head)
        binned = count_bins([(dataset, number) for number in range(len(slices))], "x", limit, 1)
        sound = [value for value in dataset.iterate(None, "x") if value is not None and value == value]
    if len(set(sound)) < 2:
        assert binned is None
        return
    assert binned.nones == sum(part.count(None) for part in slices)
    assert binned.nans == sum(len(part) for part in slices) - binned.nones - len(sound)
    assert sum(binned.counts) == len(sound)
    assert len(binned.counts) <= (limit or 25)
    assert binned.bins.bounds(0)[0] == min(sound)
    bounds = [binned.bins.bounds(number) for number in range(len(binned.counts))]
    if kind != "number":  # whose integers may be closer to each other than floats
        for number, (low, high) in enumerate(bounds):
            last = number == len(bounds) - 1
            here = [
                value for value in sound if lies_in(value, low, high, whole=binned.bins.integral, last=last)
            ]
            assert binned.counts[number] == len(here)
    assert bounds[-1][1] == pytest.approx(max(sound)) if kind == "number" else bounds[-1][1] == max(sound)


@pytest.fixture
def table(project):
    """Return a function that makes a dataset of one column `x` in slices, and maybe others."""

    def make(kind, *slices, **others):
        return project.table({"x": (kind, slices), **others})

    return make


def lines(acc, *arguments):
    code, out, err = acc("hist", *arguments)
    assert code == 0
    return [line.split("\t") for line in out.splitlines()], err


def test_whole_numbers_are_in_bins_of_equal_width_where_that_can_be(acc, table):
    table("int64", range(50), range(50, 100))
    found, err = lines(acc, "make", "x")
    assert found == [[str(low), str(low + 4), "5"] for low in range(0, 100, 5)]
    assert err == ""
    found, err = lines(acc, "make", "-m", "3")
    assert found == [["0", "32", "33"], ["33", "65", "33"], ["66", "99", "34"]]
    assert err == "the bins are not equally wide\n"


def test_few_whole_numbers_are_a_bin_each(acc, table):
    table("int32", [1, 4, 4], [2])
    assert lines(acc, "make")[0] == [["1", "1", "1"], ["2", "2", "1"], ["3", "3", "0"], ["4", "4", "2"]]


def test_numbers_that_are_all_whole_are_treated_as_such(acc, table):
    table("number", [1, 3], [2])
    assert lines(acc, "make")[0] == [["1", "1", "1"], ["2", "2", "1"], ["3", "3", "1"]]
    table("number", [1, 3], [2.5])
    assert lines(acc, "make", "-m", "2")[0] == [["1.0", "2.0", "1"], ["2.0", "3.0", "2"]]


def test_days_and_moments_are_bins_too(acc, table):
    first = datetime.date(2024, 2, 28)
    table("date", [first, first + datetime.timedelta(2)], [first])
    assert lines(acc, "make")[0] == [
        ["2024-02-28", "2024-02-28", "2"],
        ["2024-02-29", "2024-02-29", "0"],
        ["2024-03-01", "2024-03-01", "1"],
    ]
    noon = datetime.datetime(2024, 2, 29, 12)
    table("datetime", [noon], [noon + datetime.timedelta(hours=2)])
    assert lines(acc, "make", "-m", "2")[0] == [
        ["2024-02-29 12:00:00", "2024-02-29 13:00:00", "1"],
        ["2024-02-29 13:00:00", "2024-02-29 14:00:00", "1"],
    ]


def test_none_and_nan_are_in_no_bin_and_said(acc, table):
    table("float64+None", [0.0, None, math.nan], [1.0, None])
    found, err = lines(acc, "make", "-m", "1")
    assert found == [["0.0", "1.0", "2"]]
    assert err == "2 None, in no bin\n1 nan, in no bin\n"
    assert json.loads(acc("hist", "make", "-m", "1", "--json")[1]) == {
        "columns": ["x"],
        "bins": [{"low": 0.0, "high": 1.0, "count": 2}],
        "none": 2,
        "nan": 1,
    }


@pytest.mark.parametrize(
    ("column_type", "value", "what"),
    [
        ("float64", math.inf, "infinite values"),
        ("number", -(10**400), "integers that are too large for a float"),
    ],
    ids=["infinity", "a large integer"],
)
def test_what_is_too_large_for_a_float_is_in_no_bin(acc, table, column_type, value, what):
    table(column_type, [0.5, value])
    code, _, err = acc("hist", "make")
    assert (code, err.splitlines()[0]) == (1, f"acc: column 'x' holds {what}, which are in no bin")
    assert lines(acc, "make", "-t")[0] == [["0.5", "1"], [str(value), "1"]]


def test_batches_are_added_up(acc, table):
    table("int64", [7] * 65_536 + [8] * 3, [8])
    assert lines(acc, "make")[0] == [["7", "7", "65536"], ["8", "8", "4"]]


# ---- the most frequent values


def test_texts_come_by_how_many_there_are_of_each(acc, table):
    table("unicode+None", ["b", "a", "c"], ["a", None, "a,b"])
    assert lines(acc, "make")[0] == [["a", "2"], *([text, "1"] for text in ("b", "c", "None", "a,b"))]
    assert lines(acc, "make", "-m", "2") == (
        [["a", "2"], ["b", "1"]],
        "5 different values in all; -m 0 lists them\n",
    )
    assert lines(acc, "make", "-f", "csv", "-s", "1")[0] == [["a,1"], ["None,1"], ['"a,b",1']]


def test_combinations_of_columns_are_counted(acc, table):
    table("ascii", ["a", "b"], ["a", "a"], n=("int64", [[1, 2], [1, 3]]))
    assert lines(acc, "make", "x", "n")[0] == [["a", "1", "2"], ["b", "2", "1"], ["a", "3", "1"]]
    assert json.loads(acc("hist", "make", "n", "x", "-m", "1", "--json")[1]) == {
        "columns": ["n", "x"],
        "values": [{"values": [1, "a"], "count": 2}],
        "distinct": 3,
    }


def test_all_nan_are_one_value_and_json_is_counted_as_text(acc, table):
    table("float64+None", [math.nan, 1.0, None], [math.nan])
    assert lines(acc, "make", "-t")[0] == [["nan", "2"], ["1.0", "1"], ["None", "1"]]
    assert lines(acc, "make", "-m", "0")[0] == [["1.0", "1"], ["nan", "2"], ["None", "1"]]
    table("json", [{"a": [1]}], [{"a": [1]}])
    assert lines(acc, "make")[0] == [['"{""a"": [1]}"', "2"]]


@given(st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_processes_count_what_one_counts(acc, project, monkeypatch, slices):
    row = project.table({"x": ("int64", slices)})
    counted = Counter(value for part in slices for value in part)
    for most in (1_000_000, 0):
        monkeypatch.setattr(hist, "_MANY_ROWS", most)
        monkeypatch.setattr(hist, "usable_cores", lambda: 2)
        found = lines(acc, row.label, "-t", "-m", "0")[0]
        assert found == [[str(value), str(number)] for value, number in counted.most_common()]


# ---- which rows, and for whom


def test_chains_and_slices(acc, project):
    first = project.table({"x": ("ascii", [["a"], ["b"]])})
    project.table({"x": ("ascii", [["c"], ["a"]])}, previous=first)
    assert lines(acc, "make")[0] == [["c", "1"], ["a", "1"]]
    assert lines(acc, "make", "-c")[0] == [["a", "2"], ["b", "1"], ["c", "1"]]
    assert lines(acc, "make", "-c", "--stop-ds", "dev-1")[0] == [["c", "1"], ["a", "1"]]
    assert lines(acc, "make", "-c", "-s", "0")[0] == [["a", "1"], ["c", "1"]]


def test_a_dataset_without_rows_has_no_values(acc, table):
    table("int64", [], [])
    assert lines(acc, "make") == ([], "")
    assert acc("hist", "make", "-f", "bars")[:2] == (0, "")


def test_lines_for_people_are_aligned(acc, table):
    table("int64", [0] * 1000 + [1000] * 2000)
    assert acc("hist", "make", "-f", "aligned", "-m", "2")[1] == "  0 -   499  1,000\n500 - 1,000  2,000\n"
    drawn = acc("hist", "make", "-f", "bars", "-m", "2")[1].splitlines()
    assert all(len(line) <= 80 for line in drawn)
    assert [line.count("\u2588") for line in drawn] == [30, 60]


def test_a_column_must_be_named_when_there_are_several(acc, table):
    table("int64", [1], n=("int64", [[1]]))
    assert acc("hist", "make") == (
        1,
        "",
        "acc: dataset 'dev-1/default' has not one column, but 2\nhint: name one of n, x\n",
    )
    assert "has no column 'z'" in acc("hist", "make", "z")[2]
