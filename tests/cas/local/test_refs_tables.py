"""Tables declared beside the refs, which change with them."""

import pytest

from cas.errors import UnknownFormat
from cas.local.refs import LocalRefs
from cas.refs import Table
from tests.cas.local.refdata import JOBS, A, put, row

# declared tables


def test_rows_come_by_their_key(refs, jobs):
    assert refs.select("jobs") == sorted(jobs, key=lambda row: (row["workdir"], row["number"]))


def test_rows_are_chosen_by_their_cells(refs, jobs):
    assert [row["number"] for row in refs.select("jobs", {"method": "plot"})] == [1, 10]
    assert refs.select("jobs", {"workdir": "dev", "number": 10}) == [row(10, "plot", 0.5)]
    assert refs.select("jobs", {"seconds": None}) == [row(3, seconds=None)]
    assert refs.select("jobs", {"method": "none"}) == []


def test_rows_are_chosen_by_several_cells(refs, jobs):
    def numbers(rows):
        return sorted(row["number"] for row in rows)

    assert numbers(refs.select_any("jobs", "number", [10, 1, 4711])) == numbers(
        row for row in jobs if row["number"] in (1, 10)
    )
    assert numbers(refs.select_any("jobs", "number", [1, 10], {"method": "plot", "workdir": "dev"})) == [
        1,
        10,
    ]
    assert numbers(refs.select_any("jobs", "number", range(2000), {"method": "plot"})) == [1, 10]
    assert refs.select_any("jobs", "seconds", [None]) == refs.select_any("jobs", "number", []) == []
    with pytest.raises(AssertionError):
        refs.select_any("jobs", "colour", ["red"])


def test_rows_follow_each_other(tmp_path):
    steps = Table("steps", {"here": "integer", "onward": "integer", "name": "text"}, ("here",))
    refs = LocalRefs(tmp_path / "refs.sqlite", [steps])
    with refs.transaction("steps") as transaction:
        for here, onward in ((5, 2), (2, 9), (9, 4), (7, 2)):  # nothing is at 4
            transaction.insert("steps", {"here": here, "onward": onward, "name": f"n{here}"})
    assert [row["name"] for row in refs.follow("steps", "here", "onward", 5, 10)] == ["n5", "n2", "n9"]
    assert refs.follow("steps", "here", "onward", 5, 1) == [{"here": 5, "onward": 2, "name": "n5"}]
    assert refs.follow("steps", "here", "onward", 4, 10) == []
    with pytest.raises(AssertionError):
        refs.follow("steps", "here", "colour", 5, 10)


def test_rows_follow_each_other_in_a_circle_no_further_than_the_limit(refs, jobs):
    with refs.transaction("circle") as transaction:
        transaction.insert("jobs", row(4711, "itself"))
    assert len(refs.follow("jobs", "number", "number", 4711, 5)) == 5


def test_rows_are_ordered_and_limited(refs, jobs):
    chosen = refs.select("jobs", {"workdir": "dev"}, order=["number"], descending=True, limit=2)
    assert [row["number"] for row in chosen] == [10, 3]
    chosen = refs.select("jobs", {"method": "plot"}, order=["seconds", "number"])
    assert [row["number"] for row in chosen] == [10, 1]
    assert refs.select("jobs", limit=0) == []


def test_rows_beyond_an_edge_come_the_nearest_first(refs, jobs):
    def numbers(where, edge, **how):
        return [row["number"] for row in refs.select_beyond("jobs", where, edge, **how)]

    assert numbers({"workdir": "dev"}, ("number", 1), limit=9) == [2, 3, 10]
    assert numbers({"workdir": "dev"}, ("number", 1), limit=2) == [2, 3]
    assert numbers({"workdir": "dev"}, ("number", 10), descending=True, limit=2) == [3, 2]
    assert numbers({"method": "plot"}, ("number", 10), limit=9) == []
    assert len(numbers({}, ("number", 0), limit=9)) == len(jobs)
    with pytest.raises(AssertionError):
        refs.select_beyond("jobs", {}, ("colour", "red"), limit=1)


def test_rows_are_counted(refs, jobs):
    assert refs.count("jobs") == 5
    assert refs.count("jobs", {"workdir": "dev", "method": "import"}) == 2
    assert refs.count("jobs", {"seconds": None}) == 1
    assert refs.count("jobs", {"method": "none"}) == 0
    with pytest.raises(AssertionError):
        refs.count("jobs", {"colour": "red"})


def test_a_row_replaces_the_one_with_its_key(refs, jobs):
    with refs.transaction("test") as transaction:
        transaction.insert("jobs", row(2, "other", 9.0))
        assert transaction.select("jobs", {"number": 2}) == [row(2, "other", 9.0)]
    assert len(refs.select("jobs")) == len(jobs)


def test_a_cell_that_is_not_given_is_none(refs):
    with refs.transaction("test") as transaction:
        transaction.insert("jobs", {"number": 1, "workdir": "dev"})
    assert refs.select("jobs") == [{"workdir": "dev", "number": 1, "method": None, "seconds": None}]


def test_rows_are_removed_by_their_cells(refs, jobs):
    with refs.transaction("test") as transaction:
        transaction.remove("jobs", {"workdir": "dev", "method": "plot"})
        transaction.remove("jobs", {"number": 77})
    assert [row["number"] for row in refs.select("jobs")] == [2, 3, 1]


def test_an_unknown_column_is_a_mistake(refs):
    with pytest.raises(AssertionError), refs.transaction("test") as transaction:
        transaction.insert("jobs", {"number": 1, "workdir": "dev", "colour": "red"})
    with pytest.raises(AssertionError):
        refs.select("jobs", {"colour": "red"})


def test_a_table_declared_later_is_made(path):
    first = LocalRefs(path)
    put(first, a=A)
    second = LocalRefs(path, [JOBS])
    assert second.select("jobs") == []
    assert second.find("a") == first.find("a") == A
    first.close()
    second.close()


def test_a_table_that_was_declared_without_its_last_columns_gets_them(refs, path, jobs):
    with_more = Table("jobs", {**JOBS.columns, "more": "text", "most": "integer"}, JOBS.key)
    newer = LocalRefs(path, [with_more], read_only=True)
    with pytest.raises(UnknownFormat, match="table 'jobs'"):
        newer.select("jobs")
    newer.close()
    newer = LocalRefs(path, [with_more])
    assert newer.select("jobs", {"number": 10}) == [{**row(10, "plot", 0.5), "more": None, "most": None}]
    newer.close()
    with pytest.raises(UnknownFormat, match="table 'jobs'"):
        LocalRefs(path, [JOBS]).select("jobs")


@pytest.mark.parametrize(
    "table",
    [
        Table("jobs", {"workdir": "text", "number": "integer"}, ["workdir", "number"]),
        Table("jobs", {"more": "text", **JOBS.columns}, JOBS.key),
        Table("jobs", {**JOBS.columns, "method": "integer"}, JOBS.key),
        Table("jobs", JOBS.columns, ["number", "workdir"]),
    ],
)
def test_a_table_with_other_columns_is_an_unknown_format(refs, path, table):
    refs.select("jobs")
    other = LocalRefs(path, [table])
    with pytest.raises(UnknownFormat, match="table 'jobs'"):
        other.find("a")
    other.close()
