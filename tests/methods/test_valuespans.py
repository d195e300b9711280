"""Texts of many values at once are those that Python makes of each: numbers, dates, times."""

import datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.column.types import UTC
from porcelain.methods.csvtext.clocks import dates, datetimes, times
from porcelain.methods.csvtext.digits import integers
from porcelain.methods.csvtext.floats import floats

INT64 = np.iinfo(np.int64)
POWERS = [float(f"1e{power}") for power in range(-6, 19)]
BITS = [2.0**power for power in range(-16, 56)]


def texts(values):
    return [value.encode() for value in values]


def lists(values):
    return st.lists(values, max_size=20)


@given(lists(st.integers(INT64.min, INT64.max) | st.integers(-20, 20)))
@example([INT64.min, INT64.max, 0])
@example([sign * (10**power - less) for power in range(19) for less in (0, 1) for sign in (1, -1)])
def test_integers_are_written_as_str_writes_them(values):
    assert integers(np.array(values, np.int64)).tolist() == texts(map(str, values))


@given(
    lists(
        st.floats()
        | st.floats(1e-5, 1e17)
        | st.floats(width=32)
        | st.builds(lambda digits, places: digits / 10**places, st.integers(0, 10**17), st.integers(0, 17))
    )
)
@example([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 5e-324, 1e-5, 1e22])
@example(
    [
        near
        for each in POWERS + BITS
        for near in (each, -each, np.nextafter(each, 0), np.nextafter(each, 1e99))
    ]
)
@example([5e-324])
def test_floats_are_written_as_repr_writes_them(values):
    values = list(map(float, values))
    assert floats(np.array(values, np.float64)).tolist() == texts(map(repr, values))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1125899906842624.25, id="half way between two of 17 digits, the even one below"),
        pytest.param(1125899906842624.75, id="half way between two of 17 digits, the even one above"),
        pytest.param(9007199254740993.0, id="no more places than ones"),
        pytest.param(9.5367431640625e-07, id="a power of two with an exponent"),
        pytest.param(9.00000000000001, id="15 digits, and 16 that are nearer"),
        pytest.param(0.30000000000000004, id="17 digits"),
        pytest.param(5e-05, id="one digit, too small"),
    ],
)
def test_the_fewest_digits_of_a_float_are_found(value):
    assert floats(np.array([value, -value])).tolist() == texts([repr(value), repr(-value)])


@pytest.mark.parametrize("exponent", range(1008, 1078, 10))
def test_floats_of_any_bits_are_written_as_repr_writes_them(exponent):
    random = np.random.default_rng(exponent)
    bits = random.integers(0, 1 << 52, 20_000) | random.integers(exponent, exponent + 10, 20_000) << 52
    values = bits.view(np.float64)
    assert floats(values).tolist() == texts(map(repr, values.tolist()))


@given(lists(st.dates()))
@example([datetime.date.min, datetime.date.max, datetime.date(2000, 2, 29), datetime.date(1900, 3, 1)])
def test_dates_are_written_as_str_writes_them(values):
    days = np.array(values, "M8[D]").view(np.int64)
    assert dates(days).tolist() == texts(map(str, values))


def test_every_day_of_four_centuries_is_written_as_str_writes_it():
    days = np.arange(-200_000, -53_000)
    assert dates(days).tolist() == texts(map(str, days.view("M8[D]").tolist()))


zones = st.sampled_from([None, UTC])
whole = st.just(0) | st.integers(0, 999_999)


@given(lists(st.builds(datetime.datetime.replace, st.datetimes(), tzinfo=zones, microsecond=whole)))
@example([datetime.datetime.min, datetime.datetime.max])
def test_datetimes_are_written_as_str_writes_them(values):
    moments = np.array([value.replace(tzinfo=None) for value in values], "M8[us]").view(np.int64)
    are_utc = np.array([value.tzinfo is not None for value in values], bool)
    assert datetimes(moments, are_utc).tolist() == texts(map(str, values))


@given(lists(st.builds(datetime.time.replace, st.times(), tzinfo=zones, microsecond=whole)))
@example([datetime.time.min, datetime.time.max])
def test_times_are_written_as_str_writes_them(values):
    days = [
        datetime.datetime.combine(datetime.date(1970, 1, 1), value.replace(tzinfo=None)) for value in values
    ]
    moments = np.array(days, "M8[us]").view(np.int64)
    are_utc = np.array([value.tzinfo is not None for value in values], bool)
    assert times(moments, are_utc).tolist() == texts(map(str, values))
