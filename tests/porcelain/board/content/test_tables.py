"""Tables in text files."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porcelain.board.content.tables import of_values, read_csv, read_json_lines

LINES = b"name,count\r\n" + b"".join(b'"row, %d",%d\r\n' % (number, number) for number in range(10))


def test_the_first_row_names_the_columns():
    found = read_csv(io.BytesIO(LINES), 0, 2, tabs=False)
    assert (found.columns, found.rows) == (["name", "count"], [["row, 0", "0"], ["row, 1", "1"]])
    assert [column["numeric"] for column in found.to_view()["columns"]] == [False, True]


def test_rows_go_on_where_the_last_page_ended():
    seen, at = [], 0
    while at is not None:
        page = read_csv(io.BytesIO(LINES), at, 3, tabs=False)
        assert page.columns == ["name", "count"]
        seen += page.rows
        at = page.next
    assert [row[1] for row in seen] == [str(number) for number in range(10)]


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0\r", codec="utf-8")), min_size=2, max_size=4)
    ),
    st.integers(1, 5),
)
def test_whatever_is_written_as_csv_is_read_page_by_page(rows, count):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["a", "b"], *rows])
    seen, at = [], 0
    while at is not None:
        page = read_csv(io.BytesIO(text.getvalue().encode()), at, count, tabs=False)
        seen += page.rows
        at = page.next
    assert seen == rows


@pytest.mark.parametrize(
    ("data", "columns"), [(b"a;b\n", ["a", "b"]), (b"a\tb\n", ["a", "b"]), (b"a b\n", ["a b"])]
)
def test_the_delimiter_is_the_one_that_the_first_line_has_most(data, columns):
    assert read_csv(io.BytesIO(data), 0, 1, tabs=False).columns == columns


def test_a_quote_that_does_not_end_makes_it_no_table():
    assert read_csv(io.BytesIO(b'a,b\n"' + b"x,y\n" * 50_000), 0, 1, tabs=False) is None


def test_what_a_hostile_table_takes_is_bounded():
    wide = read_csv(io.BytesIO(b",".join([b"c"] * 5000) + b"\n"), 0, 10, tabs=False)
    assert (len(wide.columns), wide.cut) == (200, True)
    long_cell = read_csv(io.BytesIO(b"a\n" + b"x" * 100_000 + b"\n"), 0, 10, tabs=False)
    assert len(long_cell.rows[0][0]) == 500
    long_line = io.BytesIO(b"x" * 30_000_000)
    read_csv(long_line, 0, 10, tabs=False)
    assert long_line.tell() < 10_000_000


def test_a_place_in_the_middle_of_a_row_does_no_harm():
    assert read_csv(io.BytesIO(LINES), 15, 1, tabs=False).rows
    assert read_csv(io.BytesIO(LINES), 1 << 50, 1, tabs=False).rows == []


def test_the_keys_of_json_lines_are_the_columns():
    found = read_json_lines(io.BytesIO(b'{"a": 1}\n\n{"b": "\\ud800", "a": null}\n[1]\n'), 0, 10)
    assert found.columns == ["a", "b", "value"]
    assert found.rows == [["1", "", ""], ["null", "?", ""], ["", "", "[1]"]]


@pytest.mark.parametrize("data", [b"{", b"[" * 100_000, b"no"])
def test_what_is_no_json_is_no_table(data):
    assert read_json_lines(io.BytesIO(data), 0, 10) is None


def test_values_that_are_no_mappings_are_in_a_column_by_themselves():
    assert of_values([1, "x"]).to_view()["rows"] == [["1"], ["x"]]
