"""The first rows in an order, against what sorting all of them says."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.packed import PackedTexts
from porcelain.board.page import WrongQuestion
from porcelain.board.tables.batches import Plain
from porcelain.board.tables.finding import Wanted, late_after
from porcelain.board.tables.sorting import DEPTH, FirstNumbers, FirstTexts, Order
from tests.porcelain.board.datasets import table_of

NEVER = late_after(1000)
BATCHES = st.lists(st.lists(st.integers(-5, 5), min_size=1, max_size=8), min_size=1, max_size=6)
EXTREMES = st.sampled_from([-(2**63), 2**63 - 1, 0, -1])


def first_of(best, batches, make):
    start = 0
    for values in batches:
        best.add(make(values), np.arange(start, start + len(values)))
        start += len(values)
    return best.rows()


def expected(batches, depth, *, descending):
    values = [value for batch in batches for value in batch]
    rows = sorted(range(len(values)), key=values.__getitem__)
    if descending:
        rows = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    return rows[:depth]


@pytest.mark.parametrize("descending", [False, True])
@given(batches=BATCHES | st.lists(st.lists(EXTREMES, min_size=1), min_size=1, max_size=4))
def test_the_first_numbers_are_those_of_a_stable_sort(batches, descending):
    best = FirstNumbers(descending=descending, are_whole=True, depth=5)
    found = first_of(best, batches, lambda values: Plain(np.array(values, np.int64), None))
    assert found == expected(batches, 5, descending=descending)


@pytest.mark.parametrize("descending", [False, True])
@given(batches=st.lists(st.lists(st.text("a\0bé\n", max_size=10), min_size=1), min_size=1, max_size=5))
def test_the_first_texts_are_those_of_a_stable_sort(batches, descending):
    best = FirstTexts(descending=descending, depth=5)
    found = first_of(best, batches, lambda values: PackedTexts.of(values, are_bytes=False))
    assert found == expected(batches, 5, descending=descending)


@pytest.mark.parametrize("descending", [False, True])
def test_batches_that_cannot_change_the_first_are_not_needed(descending):
    best = FirstNumbers(descending=descending, are_whole=False, depth=2)
    assert best.needs(1.0, 2.0)
    best.add(Plain(np.array([5.0, 6.0, 7.0]), None), np.arange(3))
    assert best.needs(4.0, 8.0)
    assert not (best.needs(1.0, 4.0) if descending else best.needs(8.0, 9.0))
    assert not best.needs(6.0, 6.0)


def order(table, name, texts=None, *, descending=False):
    return Order(table, Wanted(table, texts or {}), name, descending=descending)


@pytest.mark.parametrize(
    ("kind", "values", "rows"),
    [
        ("float64+None", [2.0, None, math.nan, -1.0, math.inf], [3, 0, 4, 1, 2]),
        ("unicode+None", ["b", None, "", "é", "B"], [2, 4, 0, 3, 1]),
        ("number", [2, 1.5, 10**400, -(10**400), 0], [3, 4, 1, 0, 2]),
        ("bool", [True, False, True], [1, 0, 2]),
        ("json", [{"b": 1}, [1], 2], [2, 1, 0]),
        ("bytes", [b"\xff", b"", b"a"], [1, 2, 0]),
        ("date", [datetime.date(2020, 1, 2), datetime.date(1, 1, 1)], [1, 0]),
        ("time+None", [datetime.time(2), None, datetime.time(1, tzinfo=datetime.UTC)], [2, 0, 1]),
    ],
)
def test_values_of_each_type_have_an_order_and_none_and_nan_come_last(shown, project, kind, values, rows):
    table = table_of(shown, project.table({"v": (kind, [values[:2], values[2:]])}))
    assert order(table, "v").go_on(NEVER)[0] == rows
    missing = [row for row in rows if values[row] is None or values[row] != values[row]]
    present = [row for row in rows if row not in missing]
    backwards = sorted(
        present, key=lambda row: (-present.index(row) if kind != "bool" else not values[row], row)
    )
    assert order(table, "v", descending=True).go_on(NEVER)[0] == backwards + missing


def test_an_order_of_what_is_wanted_counts_it(shown, project):
    numbers = [(7 * number) % 1000 for number in range(1000)]
    table = table_of(shown, project.table({"n": ("int64", [numbers[:400], numbers[400:]])}))
    rows, looked_at, found = order(table, "n", {"n": ">= 500 and < 510"}, descending=True).go_on(NEVER)
    assert (looked_at, found) == (1000, 10)
    assert [numbers[row] for row in rows] == list(range(509, 499, -1))


def test_an_order_goes_on_where_it_was_when_it_was_late(shown, project):
    numbers = list(range(150_000, 0, -1))
    table = table_of(shown, project.table({"n": ("int64", [numbers[:90_000], numbers[90_000:]])}))
    sorting = order(table, "n")
    steps = []
    while not steps or steps[-1][1] < table.lines:
        steps.append(sorting.go_on(late_after(0)))
    assert len(steps) > 1
    assert steps[0][0][0] == steps[0][1] - 1  # the best of those that were looked at
    assert steps[-1][0] == list(range(149_999, 149_999 - DEPTH, -1))


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [("complex64", [1j], "no order"), ("pickle", [1], "not loaded")],
)
def test_what_has_no_order_is_refused(shown, project, kind, values, message):
    table = table_of(shown, project.table({"v": (kind, [values])}))
    with pytest.raises(WrongQuestion, match=message):
        order(table, "v")
    with pytest.raises(WrongQuestion, match="no column 'w'"):
        order(table, "w")


def test_texts_and_numbers_along_a_chain_have_no_order(shown, project):
    first = project.table({"v": ("ascii", [["x"]])})
    last = project.table({"v": ("int64", [[1]])}, previous=first)
    with pytest.raises(WrongQuestion, match="ascii and int64"):
        order(table_of(shown, last, chain=True), "v")
