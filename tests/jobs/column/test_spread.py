"""Which slice a value belongs to: the same for equal values, however they come, and evenly for others."""

import datetime
import math
import zlib

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.column.crc import crc32_of
from jobs.column.packed import PackedTexts
from jobs.column.spread import hash_of, slice_of, slices_of
from jobs.column.types import get_type
from jobs.errors import ColumnError
from tests.jobs.column import test_types  # noqa: F401 - the suites of all types
from tests.suites.codec import CodecSuite

UTC = datetime.UTC
SLICES = 1009
hashed_types = [
    suite
    for suite in CodecSuite.__subclasses__()
    if get_type(suite.column_type).base not in ("json", "pickle")
]


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        0.0,
        -0.0,
        0j,
        complex(-0.0, -0.0),
        "",
        b"",
        False,
        np.float32(0),
        np.int64(0),
        np.bool_(False),
    ],
)
def test_nothing_belongs_to_slice_0(value):
    assert (hash_of(value), slice_of(value, SLICES)) == (0, 0)


def test_true_belongs_to_slice_1():
    assert [slice_of(True, slices) for slices in (1, 2, 7)] == [0, 1, 1]
    assert slices_of([True, False, None], "bool", 7).tolist() == [1, 0, 0]
    assert slices_of(np.array([True, False]), "bool", 7).tolist() == [1, 0]
    # but in a column of numbers it is a number
    assert (
        slices_of([True], "int64", 7).tolist()
        == [slice_of(1, 7)]
        == slices_of(np.array([True]), "int64", 7).tolist()
    )


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**100), 2**100) | st.floats(allow_nan=False))
def test_equal_numbers_of_all_types_belong_together(value):
    expected = hash_of(value)
    same = [complex(value)] if float(value) == value else []
    same += [int(value)] if not math.isinf(value) and int(value) == value else []
    same += [float(value)] if float(value) == value else []
    assert [hash_of(each) for each in same] == [expected] * len(same)
    for each in same:
        columns = {int: ["number", "int64", "int32"], float: ["number", "float64"], complex: ["complex64"]}[
            type(each)
        ]
        for column in columns:
            if (
                column == "number"
                or type(each) is not int
                or -(2**31) <= each < 2 ** (31 if column == "int32" else 63)
            ):
                assert slices_of([each], column, SLICES).tolist() == [expected % SLICES]


@given(st.data())
def test_arrays_and_values_belong_to_the_same_slices(data):
    suite = data.draw(st.sampled_from(hashed_types))
    values = data.draw(st.lists(suite.values, max_size=30))
    values += data.draw(st.lists(st.sampled_from(suite.extremes), max_size=5))
    expected = [slice_of(value, SLICES) for value in values]
    assert slices_of(values, suite.column_type, SLICES).tolist() == expected
    assert slices_of(np.fromiter(values, object, len(values)), suite.column_type, SLICES).tolist() == expected
    if suite.array_dtype:
        assert slices_of(np.array(values, suite.array_dtype), suite.column_type, SLICES).tolist() == expected
    with_none = [each for value in values for each in (value, None)]
    doubled = [each for number in expected for each in (number, 0)]
    assert slices_of(with_none, suite.column_type, SLICES).tolist() == doubled


@given(st.data())
def test_values_belong_where_what_is_stored_of_them_belongs(data):
    suite = data.draw(st.sampled_from([suite for suite in hashed_types if suite.conversions]))
    value, stored = data.draw(st.sampled_from(suite.conversions))
    assert slices_of([value], suite.column_type, SLICES).tolist() == [slice_of(stored, SLICES)]


def test_a_float32_belongs_where_its_rounded_value_belongs():
    rounded = slice_of(float(np.float32(0.1)), SLICES)
    assert rounded != slice_of(0.1, SLICES)
    for values in ([0.1], np.array([0.1]), np.array([0.1], np.float32)):
        assert slices_of(values, "float32", SLICES).tolist() == [rounded]
    assert slices_of(np.array([2**53 + 1]), "float64", SLICES).tolist() == [slice_of(2.0**53, SLICES)]


@pytest.mark.parametrize("order", "<>")
def test_large_integers_belong_together_in_any_byte_order(order):
    values = [2**64 - 1, 2**63, 5]
    expected = [slice_of(value, SLICES) for value in values]
    assert slices_of(np.array(values, f"{order}u8"), "number", SLICES).tolist() == expected


def test_every_nan_belongs_together():
    other = np.array([0xFFF8000000000001], np.uint64).view(np.float64)
    expected = slice_of(math.nan, SLICES)
    assert slices_of(other, "float64", SLICES).tolist() == [expected]
    assert slice_of(float(other[0]), SLICES) == expected
    assert slices_of([math.nan], "number", SLICES).tolist() == [expected]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts_and_their_bytes_belong_together(text):
    data = text.encode()
    assert slice_of(text, SLICES) == slice_of(data, SLICES)
    assert slices_of([text], "unicode", SLICES).tolist() == slices_of([data], "bytes", SLICES).tolist()
    if text.isascii():
        assert slices_of([text, data], "ascii", SLICES).tolist() == [slice_of(text, SLICES)] * 2


@given(st.datetimes(), st.integers(0, 1))
def test_datetimes_of_one_clock_belong_together(value, fold):
    expected = hash_of(value)
    assert hash_of(value.replace(tzinfo=UTC, fold=fold)) == expected
    assert slices_of(np.array([value], "M8[us]"), "datetime", SLICES).tolist() == [expected % SLICES]
    assert slices_of(np.array([value], "M8[us]"), "date", SLICES).tolist() == [slice_of(value.date(), SLICES)]
    micros = np.datetime64(value, "us") - np.datetime64(value.date(), "us")
    assert slices_of(np.array([micros]), "time", SLICES).tolist() == [slice_of(value.time(), SLICES)]
    assert hash_of(value.timetz()) == hash_of(value.time().replace(tzinfo=UTC, fold=fold))


def test_no_time_belongs_to_slice_0():
    assert slices_of(np.array(["NaT", "2020-01-01"], "M8[D]"), "date", SLICES)[0] == 0


@given(
    st.lists(st.none() | st.binary(max_size=20) | st.integers(60, 200).map(lambda size: b"%d" % size * size))
)
def test_packed_texts_have_the_checks_that_zlib_finds(texts):
    found = crc32_of(PackedTexts.of(texts, are_bytes=True))
    assert found.tolist() == [zlib.crc32(text or b"") for text in texts]


def test_the_hash_is_the_one_that_is_written_down():
    def mix(x):
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
        return x ^ (x >> 31)

    # the first number that SplitMix64 gives from seed 0 is the mix of its increment
    assert hash_of(0x9E3779B97F4A7C15 - 2**64) == mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    assert hash_of(-1) == mix(2**64 - 1)
    assert hash_of(0.5) == mix(0x3FE0000000000000)
    assert hash_of("acc") == mix(zlib.crc32(b"acc"))
    assert hash_of(2**64) == hash_of(2.0**64) == mix(0x43F0000000000000)
    assert hash_of(2**64 + 1) == mix(zlib.crc32((2**64 + 1).to_bytes(9, "little")))
    assert hash_of(datetime.date(1970, 1, 2)) == mix(1)
    assert hash_of(datetime.datetime(1970, 1, 2)) == mix(86_400_000_000)
    assert hash_of(datetime.time(0, 0, 1)) == mix(1_000_000)
    assert hash_of(1 + 2j) == mix(mix(1) ^ mix(mix(2) + 1))


@pytest.mark.parametrize("slices", [2, 3, 8, 10, 64])
@pytest.mark.parametrize(
    ("column_type", "values"),
    [
        ("int64", np.arange(20_000)),
        ("int64", np.arange(20_000) * 2**40),
        ("int64", np.arange(20_000) * 1_000_000 + 1_500_000_000_000_000),
        ("float64", np.arange(20_000) / 8),
        ("float64", np.arange(20_000) * 1e-9),
        ("date", np.arange(20_000).astype("M8[D]")),
        ("unicode", [f"id{number:06}" for number in range(20_000)]),
        ("unicode", [str(number) for number in range(20_000)]),
        ("bytes", [bytes([number // 256, 0, number % 256]) for number in range(20_000)]),
    ],
)
def test_values_in_a_row_are_spread_evenly(column_type, values, slices):
    counts = np.bincount(slices_of(values, column_type, slices), minlength=slices)
    expected = len(values) / slices
    # chi-squared; six standard deviations from its mean
    assert ((counts - expected) ** 2 / expected).sum() < slices - 1 + 6 * math.sqrt(2 * slices)


@given(st.lists(st.integers()), st.integers(1, 1000))
def test_a_slice_is_one_of_those_there_are(values, slices):
    assume(all(get_type("number").check(value) == value for value in values))
    numbers = slices_of(values, "number", slices)
    assert numbers.dtype == np.int64
    assert ((numbers >= 0) & (numbers < slices)).all()


def test_what_has_no_slice_is_named():
    with pytest.raises(ColumnError, match="a 'list' belongs to no slice"):
        slice_of([1], 3)
    with pytest.raises(ColumnError, match="belongs to no slice"):
        slices_of([[1]], "json", 3)
    with pytest.raises(ColumnError, match="no int64: 'x'"):
        slices_of(["x"], "int64", 3)
