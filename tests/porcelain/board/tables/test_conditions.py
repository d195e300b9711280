"""Conditions, as texts and as what they hold of."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from porcelain.board.page import WrongQuestion
from porcelain.board.tables.batches import Plain
from porcelain.board.tables.conditions import parse

NAMES = ["anna", "Bo", "", None, "Zoë", "bo and co", 'a "b"', "two\nlines"]


def kept(text, column_type, values):
    """Return the values that a text holds of, and check that bounds hide none of them."""
    rows = batch(column_type, values)
    conditions = parse(text, column_type)
    masks = [condition.test(rows) for condition in conditions]
    found = [value for value, *hold in zip(values, *masks, strict=True) if all(hold)]
    known = [value for value in found if value is not None and value == value]
    for condition in conditions if known and column_type != "complex64" else ():
        assert condition.may_hold(min(known), max(known))
    return found


def batch(column_type, values):
    none = np.array([value is None for value in values])
    mask = none if none.any() else None
    if column_type in ("unicode", "ascii", "bytes", "json"):
        return PackedTexts.of(values, are_bytes=column_type == "bytes")
    if column_type == "datetime":
        epoch = datetime.datetime(1970, 1, 1)
        micros = [(value - epoch) // datetime.timedelta(microseconds=1) if value else 0 for value in values]
        return Moments(np.array(micros) << 2, mask, with_day=True)
    dtypes = {"int32": "i4", "int64": "i8", "float64": "f8", "date": "M8[D]", "bool": "?", "complex64": "c16"}
    filler = datetime.date(1970, 1, 1) if column_type == "date" else 0
    filled = [filler if value is None else value for value in values]
    if column_type == "number":
        kinds = {type(value) for value in filled}
        dtype = object if len(kinds) > 1 or max(filled) > 2**63 else None
        return Plain(np.array(filled, dtype), mask)
    return Plain(np.array(filled, dtypes[column_type]), mask)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", [5]),
        ("= 5", [5]),
        ("!= 5", [-3, 7, 12]),
        (">= 5 and < 12", [5, 7]),
        ("> 4.5 AND <= 7.9", [5, 7]),
        ("= 4.5", []),
        ("none", [None]),
        ("not none", [-3, 5, 7, 12]),
        (">= 99999999999999999999999", []),
        ("< 99999999999999999999999", [-3, 5, 7, 12]),
        (">= -99999999999999999999999", [-3, 5, 7, 12]),
        ("= 1_2", [12]),
    ],
)
@pytest.mark.parametrize("column_type", ["int32", "int64"])
def test_integers_are_compared_as_integers(text, found, column_type):
    assert kept(text, column_type, [-3, 5, None, 7, 12]) == found


def test_floats_know_nan_and_infinity():
    values = [1.5, math.nan, math.inf, None, -2.0]
    assert kept("> 0", "float64", values) == [1.5, math.inf]
    assert kept("inf", "float64", values) == [math.inf]
    assert len(kept("nan", "float64", values)) == 1
    assert kept("!= nan", "float64", values) == [1.5, math.inf, -2.0]


@pytest.mark.parametrize("values", [[1, 2, 3], [1.0, 2.0, 3.0], [1, 2.0, 10**400], [1, 2.0, 3]])
def test_numbers_of_any_kind_are_compared(values):
    assert kept("> 1.5", "number", values) == values[1:]
    assert kept("= 1e0", "number", values) == values[:1]
    assert kept(f"< {10**399}", "number", values) == [value for value in values if value < 5]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2020", 4),
        ("= 2020-02", 2),
        ("> 2020-02", 1),
        ("<= 2020-02", 3),
        ("< 2020-02-29", 2),
        ("!= 2020-02", 2),
        ("2020-02-28", 1),
    ],
)
@pytest.mark.parametrize("column_type", ["date", "datetime"])
def test_a_time_that_is_said_less_exactly_is_all_that_it_may_be(text, days, column_type):
    make = datetime.date if column_type == "date" else datetime.datetime
    values = [make(2020, 1, 31), make(2020, 2, 28), make(2020, 2, 29), make(2020, 3, 1)]
    assert len(kept(text, column_type, values)) == days


def test_the_last_day_that_there_is_can_be_asked_for():
    last = datetime.date(9999, 12, 31)
    for text in ("9999-12-31", "= 9999-12", ">= 9999"):
        assert kept(text, "date", [datetime.date(2020, 1, 1), last]) == [last]


def test_times_are_compared_to_the_microsecond():
    values = [datetime.datetime(2020, 5, 1, 12, 30, second, 250_000) for second in (0, 1, 59)] + [None]
    assert len(kept("2020-05-01 12:30", "datetime", values)) == 3
    assert len(kept("2020-05-01T12:30:01", "datetime", values)) == 1
    assert kept("> 2020-05-01 12:30:01.25", "datetime", values) == values[2:3]
    assert kept("= 2020-05-01 12:30:01.250000Z", "datetime", values) == values[1:2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bo", ["Bo", "bo and co"]),
        ("~ BO", ["Bo", "bo and co"]),
        ("^ bo", ["Bo", "bo and co"]),
        ("^ o", []),
        ("= Bo", ["Bo"]),
        ("!= Bo", ["anna", "", "Zoë", "bo and co", 'a "b"', "two\nlines"]),
        ('= ""', [""]),
        ("zoË", ["Zoë"]),
        ("^ zoë", ["Zoë"]),
        ('"bo and co"', ["bo and co"]),
        ("bo and co", ["bo and co"]),
        ("o and ~ n", ["bo and co", "two\nlines"]),
        ('= "a "b""', ['a "b"']),
        ("!~ o and not none", ["anna", "", 'a "b"']),
        ("^ lines", []),
        ('"two\nl"', ["two\nlines"]),
        ('"anna\n"', []),
        ('"anna\nb"', []),
        ("lines", ["two\nlines"]),
        ("< Bp", ["Bo", ""]),
        ("none", [None]),
        ('"none"', []),
        ("(a+)+$", []),
    ],
)
def test_texts_are_compared_as_texts(text, found):
    assert kept(text, "unicode", NAMES) == found


@given(st.lists(st.text(alphabet="aAb\n", max_size=4), min_size=1), st.text(alphabet="abA\n", min_size=1))
def test_parts_of_texts_are_found_in_each_and_never_across_two(texts, part):
    wanted = part.lower()
    quoted = f'~ "{part}"'
    assert kept(quoted, "ascii", texts) == [text for text in texts if wanted in text.lower()]
    assert kept("^" + quoted[1:], "ascii", texts) == [
        text for text in texts if text.lower().startswith(wanted)
    ]


def test_bools_and_complex_numbers_are_equal_or_not():
    assert kept("yes", "bool", [True, False, None]) == [True]
    assert kept("!= true", "bool", [True, False, None]) == [False]
    assert kept("= 1+2j", "complex64", [1 + 2j, 1j]) == [1 + 2j]


@pytest.mark.parametrize(
    ("text", "column_type"),
    [
        ("x", "int32"),
        ("~ 5", "int32"),
        (">=", "float64"),
        ("> nan", "float64"),
        ("2020-13", "date"),
        ("10:61", "time"),
        ("2021-02-29", "date"),
        ("> true", "bool"),
        ("> 1j", "complex64"),
        ("none", "pickle"),
        ("x" * 2000, "unicode"),
        ("inf", "int64"),
        ("5 and", "int64"),
    ],
)
def test_what_is_no_condition_is_refused(text, column_type):
    with pytest.raises(WrongQuestion):
        parse(text, column_type)
