"""Rows that conditions hold of."""

import pytest

from cas.errors import ObjectNotFound
from porcelain.board.page import WrongQuestion
from porcelain.board.tables.finding import Search, Wanted, late_after
from tests.porcelain.board.datasets import table_of

NEVER = late_after(1000)
AT_ONCE = late_after(0)


@pytest.fixture
def table(shown, project):
    """Two slices of 100,000 rows whose number is `n`, every third of which is called "x"."""
    count = 100_000
    parts = [range(count), range(count, 2 * count)]
    names = [["x" if number % 3 == 0 else None for number in part] for part in parts]
    return table_of(shown, project.table({"n": ("int64", parts), "t": ("ascii+None", names)}))


def find(table, texts, start=0, limit=1000, is_late=NEVER):
    return Search(table, Wanted(table, texts), start, limit).go_on(is_late)


def test_all_conditions_hold_of_what_is_found(table):
    rows, stop = find(table, {"n": ">= 99997 and < 100003", "t": "= x"})
    assert (rows, stop) == ([99_999, 100_002], 200_000)


def test_looking_stops_when_there_are_enough_and_goes_on_behind_the_last(table):
    first, stop = find(table, {"t": "x"}, limit=3)
    assert (first, stop) == ([0, 3, 6], 7)
    assert find(table, {"t": "x"}, start=stop, limit=2) == ([9, 12], 13)


def test_what_is_late_goes_on_where_it_was(table):
    search = Search(table, Wanted(table, {"t": "= x", "n": ">= 199990"}), 0, 10)
    _, stop = search.go_on(AT_ONCE)
    seen = {stop}
    while stop < table.lines:
        rows, stop = search.go_on(AT_ONCE)
        seen.add(stop)
    assert rows == [199_992, 199_995, 199_998]
    assert len(seen) > 1


def test_what_the_bounds_of_a_column_rule_out_is_not_even_opened(shown, project):
    row = project.table({"n": ("int64", [[1, 2], [3]])})
    table = table_of(shown, row)
    for part in table.links[0].get_column_node("n").slices:
        project.store.delete(part.blob)
    assert find(table, {"n": "> 3"}) == ([], 3)
    with pytest.raises(ObjectNotFound):
        find(table, {"n": "> 2"})


def test_rows_of_datasets_that_lack_the_column_are_not_found(shown, project):
    first = project.table({"n": ("int64", [[1, 2]])})
    last = project.table({"n": ("int64", [[3]]), "t": ("ascii", [["x"]])}, previous=first)
    table = table_of(shown, last, chain=True)
    assert find(table, {"t": "x"}) == ([2], 3)


def test_types_that_differ_along_a_chain_are_compared_each_in_its_way(shown, project):
    first = project.table({"n": ("float64", [[1.5, 7.0]])})
    last = project.table({"n": ("int64", [[7, 1]])}, previous=first)
    table = table_of(shown, last, chain=True)
    assert find(table, {"n": "7"})[0] == [1, 2]
    assert find(table, {"n": "< 2"})[0] == [0, 3]


def test_a_condition_on_no_column_is_refused(table):
    with pytest.raises(WrongQuestion, match="no column 'nope'"):
        Wanted(table, {"nope": "1"})
