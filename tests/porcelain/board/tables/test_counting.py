"""What plots of columns show."""

import datetime
import math

import pytest

from porcelain.board.tables import counting
from porcelain.board.tables.counting import count_column
from porcelain.board.tables.finding import late_after
from tests.porcelain.board.datasets import table_of

NEVER = late_after(1000)


@pytest.fixture
def count(shown, project):
    """A function that counts the values of a column that is made of slices."""

    def run(kind, slices, is_late=NEVER):
        row = project.table({"v": (kind, slices)})
        return count_column(table_of(shown, row).links[0], "v", is_late)

    return run


def counts(found):
    return [each["count"] for each in found["bins"]]


def test_whole_numbers_are_in_bins_with_their_ends(count):
    found = count("int32+None", [[1, 2, 2, None], [4]])
    assert [(each["low"], each["high"], each["count"]) for each in found["bins"]] == [
        (1, 1, 1),
        (2, 2, 2),
        (3, 3, 0),
        (4, 4, 1),
    ]
    assert (found["rows"], found["read"], found["none"]) == (5, 5, 1)


def test_what_is_no_finite_number_is_counted_apart(count):
    found = count("float64+None", [[0.0, 10.0, math.nan, None], [math.inf, -math.inf, 5.0]])
    assert (sum(counts(found)), found["nan"], found["infinite"], found["none"]) == (3, 1, 2, 1)
    assert (found["bins"][0]["low"], found["bins"][-1]["high"]) == (0.0, 10.0)


def test_the_bins_of_finite_numbers_are_theirs_though_each_batch_holds_infinite_ones(count):
    found = count("float64", [[-math.inf, 1.0, 2.0, math.inf], [math.inf, 3.0, 4.0, -math.inf]])
    assert (found["bins"][0]["low"], found["bins"][-1]["high"]) == (1.0, 4.0)
    assert sum(counts(found)[1:-1]) == 2


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("float64", [math.inf, math.inf]),
        ("float64", [math.nan]),
        ("int64", [7, 7, 7]),
        ("float64", [-1e308, 1e308]),
        ("number", [10**400, -(10**400)]),
        ("complex64", [1j, 1j]),
        ("bool", [True, False]),
        ("date", [datetime.date(2020, 1, 1)]),
    ],
)
def test_values_that_fit_into_no_bins_are_counted_one_by_one(count, kind, values):
    found = count(kind, [values, []])
    assert found["bins"] is None
    assert sum(each["count"] for each in found["values"]) + found["nan"] == len(values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int64", [-(2**63), 2**63 - 1, 0]),
        ("number", [1, 2.5, 3]),
        ("number", [1, 2, 10**400]),
        ("datetime", [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)]),
        ("time", [datetime.time(0), datetime.time(23, 59)]),
        ("date", [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
        ("float32", [0.5, 1.5]),
    ],
)
def test_the_extremes_of_each_type_are_in_bins(count, kind, values):
    found = count(kind, [values])
    assert sum(counts(found)) + found["infinite"] == len(values)


def test_the_most_frequent_values_come_first(count):
    found = count("unicode+None", [["b", "a", None], ["b", "", "b"]])
    assert found["values"][0] == {"value": "b", "count": 3}
    assert (found["distinct"], found["none"]) == (3, 1)


def test_a_long_value_counts_as_what_it_begins_with(count):
    found = count("ascii", [["x" * 10_000 + "1", "x" * 10_000 + "2"]])
    assert found["values"] == [{"value": "x" * counting.LONGEST_VALUE, "count": 2}]


def test_what_is_no_text_can_be_sent(count):
    found = count("bytes", [[b"\xff\xfe", "é".encode() * 150]])
    assert sorted(each["value"] for each in found["values"])[0].startswith("\\xff\\xfe")
    for each in found["values"]:
        each["value"].encode()


def test_a_column_that_takes_too_long_is_counted_in_a_sample_that_is_spread_over_it(count):
    size = 4 * 65_536
    found = count("int64", [list(range(size)), list(range(size))], late_after(0))
    assert 0 < found["read"] < found["rows"]
    assert sum(counts(found)) == found["read"]


def test_values_that_come_after_too_many_are_only_numbered(count, monkeypatch):
    monkeypatch.setattr(counting, "_MOST_VALUES", 10)
    found = count("ascii", [[f"{number}" for number in range(100)] + ["0"], ["0", "new"]])
    assert found["values"][0] == {"value": "0", "count": 3}
    assert found["distinct"] is None


def test_pickles_and_no_lines_are_not_counted(count):
    assert count("pickle", [[print]])["read"] == 0
    assert count("int64", [[], []])["bins"] is None
