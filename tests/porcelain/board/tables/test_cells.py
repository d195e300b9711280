"""Values as cells and as JSON."""

import datetime
import json
import math

import pytest

from porcelain.board.tables.cells import Cell, cell_of, json_of
from porcelain.board.tables.table import NO_COLUMN


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, Cell("None", kind="is-none")),
        ("None", Cell("None")),
        ("", Cell('""', kind="is-empty")),
        (10**6, Cell("1000000")),
        (math.nan, Cell("nan")),
        (0.1, Cell("0.1")),
        (True, Cell("True")),
        ('{"a":[1]}', Cell('{"a":[1]}')),
        (b"a\xff", Cell("a\\xff")),
        ("two\nlines\x1b", Cell("two\\nlines\\x1b")),
        (datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), Cell("2020-01-02 00:00:00+00:00")),
        (datetime.datetime(2020, 1, 2), Cell("2020-01-02 00:00:00")),
        (NO_COLUMN, Cell(NO_COLUMN.why, kind="is-missing")),
    ],
)
def test_a_value_is_shown_as_what_it_is(value, cell):
    assert cell_of(value) == cell


def test_of_a_long_text_the_beginning_is_shown_and_the_rest_can_be_seen():
    text = "".join(map(str, range(100)))
    cell = cell_of(text)
    assert (len(cell.text), cell.whole) == (60, text)
    huge = cell_of("x" * 50_000).whole
    assert len(huge) < 11_000
    assert "50,000 characters" in huge


@pytest.mark.parametrize(
    ("kind", "value", "structure"),
    [
        ("json", '{"a":[1,NaN]}', {"a": [1, "nan"]}),
        ("json", '"\\ud800"', '"\\ud800"'),
        ("json", '{"cut', '{"cut'),
        ("json", "[" * 100_000, "[" * 100_000),
        ("float64", math.inf, "inf"),
        ("date", datetime.date(2020, 1, 2), "2020-01-02"),
        ("bytes", b"\xff", "\\xff"),
        ("complex64", 1j, "1j"),
        ("int64", NO_COLUMN, None),
    ],
)
def test_a_value_is_json_that_can_be_sent(kind, value, structure):
    found = json_of(kind, value)
    assert found == structure
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
