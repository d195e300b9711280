"""Arrays of numbers through their transforms and back, and which transform is taken for which numbers."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.floats import decode_floats, encode_floats
from jobs.column.transform import Cursor, decode_bits, decode_ints, encode_bits, encode_ints

DELTA, SHUFFLED = 1, 2
RAW, PLANES, DECIMAL = 0, 1, 2
rng = np.random.default_rng(7)
ints = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-300, 300),
    st.sampled_from([-(2**63), 2**63 - 1, 0, 2**62, -(2**62)]),
)


def through(values):
    """Return `values` encoded and decoded; nothing may be left over."""
    cursor = Cursor(encode_ints(np.array(values, np.int64)))
    decoded = decode_ints(cursor)
    assert len(cursor.data) == 0
    assert decoded.dtype == np.int64
    return decoded.tolist()


def ints_head(values):
    """Return flags, width and scale that were chosen for `values`."""
    flags, width, _, _, _, scale, _ = struct.unpack("<BBHIqqq", encode_ints(np.array(values, np.int64))[:32])
    return flags, width, scale


def how_floats(values):
    """Return how `values` are stored, and with how many decimals."""
    return tuple(encode_floats(np.array(values))[:2])


@given(st.lists(ints, max_size=20))
def test_a_few_integers_come_back(values):
    assert through(values) == values


@given(
    st.lists(ints, min_size=1, max_size=20),
    st.integers(64, 3000),
    st.sampled_from([1, 2, 1000, 3_600_000_000]),
)
def test_many_integers_come_back(values, count, scale):
    many = (np.resize(np.array(values, np.int64), count) // 2**32 * scale).tolist()
    assert through(many) == many


@given(st.lists(ints, min_size=64, max_size=200), st.booleans())
def test_sorted_integers_come_back(values, backwards):
    values.sort(reverse=backwards)
    assert through(values) == values


@given(st.integers(0, 8), st.integers(-(2**62), 2**62), st.integers(2100, 5000))
def test_integers_of_every_width_come_back(width, offset, count):
    values = (
        rng.integers(0, 256**width, count, np.uint64, endpoint=False)
        if width < 8
        else rng.integers(0, 2**64 - 1, count, np.uint64, endpoint=True)
    )
    values = (values + np.uint64(offset % 2**64)).view(np.int64).tolist()
    assert through(values) == values


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(np.full(1000, 7), (0, 0, 1), id="one value takes no bytes"),
        pytest.param(np.arange(1000) * 3 + 5, (DELTA, 0, 3), id="an even sequence takes no bytes"),
        pytest.param(
            np.cumsum(rng.integers(1, 9, 5000)), (DELTA, 1, 1), id="small steps are stored, not values"
        ),
        pytest.param(
            rng.integers(0, 200, 5000), (0, 1, 1), id="small values in any order are stored as they are"
        ),
        pytest.param(rng.integers(0, 50_000, 5000), (SHUFFLED, 2, 1), id="two bytes are always taken apart"),
        pytest.param(
            rng.integers(0, 2**20, 5000) + 2**40, (SHUFFLED, 3, 1), id="three bytes are three planes"
        ),
        pytest.param(
            rng.integers(0, 2**62, 300)[rng.integers(0, 300, 9000)],
            (0, 8, 1),
            id="values that come back stay whole",
        ),
        pytest.param(
            rng.integers(0, 2**16, 5000) * 1_000_000,
            (SHUFFLED, 2, 1_000_000),
            id="what all have in common is divided out",
        ),
        pytest.param(
            np.append(np.arange(999) * 10, 5), (DELTA | SHUFFLED, 2, 1), id="one odd value ends that"
        ),
        pytest.param(np.arange(63), (0, 1, 1), id="fewer than 64 are not looked at"),
        pytest.param([-(2**63), 2**63 - 1] * 500, (0, 8, 1), id="the widest span"),
    ],
)
def test_the_transform_of_integers_follows_from_the_values(values, expected):
    assert ints_head(values) == expected
    assert through(values) == list(values)


def test_a_chosen_transform_is_smaller_than_the_values():
    stamps = 1_500_000_000_000_000 + np.cumsum(rng.integers(0, 2000, 5000)) * 1000
    assert len(encode_ints(stamps)) < stamps.nbytes / 3.9


@given(st.lists(st.floats(), max_size=300), st.sampled_from([np.float64, np.float32]))
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_floats_come_back_bit_for_bit(values, dtype):
    array = np.array(values).astype(dtype)
    cursor = Cursor(encode_floats(array))
    assert decode_floats(cursor, dtype).tobytes() == array.tobytes()
    assert len(cursor.data) == 0


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=64, max_size=300),
    st.integers(0, 10),
    st.lists(st.tuples(st.integers(0, 299), st.floats()), max_size=8),
    st.sampled_from([np.float64, np.float32]),
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_decimals_and_exceptions_come_back_bit_for_bit(values, decimals, exceptions, dtype):
    array = (np.array(values) / 10.0**decimals).astype(dtype)
    for place, value in exceptions:
        array[place % len(array)] = value
    assert decode_floats(Cursor(encode_floats(array)), dtype).tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(np.round(rng.random(5000) * 1000, 2), (DECIMAL, 2), id="prices"),
        pytest.param(rng.integers(0, 99, 5000).astype(float), (DECIMAL, 0), id="integers"),
        pytest.param(np.round(rng.random(5000), 2).astype(np.float32), (DECIMAL, 2), id="float32 too"),
        pytest.param(
            np.r_[np.round(rng.random(4900), 1), [np.nan, -0.0] * 50], (DECIMAL, 1), id="but for a few"
        ),
        pytest.param(rng.normal(size=5000), (PLANES, 0), id="that differ"),
        pytest.param(rng.normal(size=5000).astype(np.float32), (PLANES, 0), id="float32 that differ"),
        pytest.param(rng.normal(size=100)[rng.integers(0, 100, 5000)], (RAW, 0), id="that come back"),
        pytest.param(np.full(5000, np.nan), (RAW, 0), id="no numbers"),
        pytest.param(np.round(rng.random(63), 2), (RAW, 0), id="few"),
        pytest.param(rng.integers(2**53, 2**60, 5000).astype(float), (PLANES, 0), id="too large to count"),
    ],
)
def test_the_transform_of_floats_follows_from_the_values(values, expected):
    assert how_floats(values) == expected


@given(st.lists(st.booleans(), max_size=70))
def test_bits_come_back(values):
    data = encode_bits(np.array(values, bool))
    assert decode_bits(Cursor(data)).tolist() == values
    assert len(data) == 8 + (len(values) + 63) // 64 * 8


@pytest.mark.parametrize(
    ("encoded", "decode"),
    [
        pytest.param(encode_ints(np.arange(9) ** 5), decode_ints, id="ints"),
        pytest.param(encode_floats(np.ones(9)), lambda cursor: decode_floats(cursor, "<f8"), id="floats"),
        pytest.param(encode_bits(np.ones(99, bool)), decode_bits, id="bits"),
    ],
)
def test_a_part_that_ends_too_soon_is_an_error(encoded, decode):
    for size in (0, 7, len(encoded) // 2, len(encoded) - 1):
        with pytest.raises((ValueError, struct.error)):
            decode(Cursor(encoded[:size]))


def test_a_part_that_claims_more_than_a_batch_holds_is_an_error():
    ten_gigabytes_of_nothing = struct.pack("<BBHIqqq", 0, 0, 0, 2**32 - 1, 0, 1, 0)
    with pytest.raises(ValueError, match="4294967295 values in one batch"):
        decode_ints(Cursor(ten_gigabytes_of_nothing))
    with pytest.raises(ValueError, match="values in one batch"):
        decode_bits(Cursor(struct.pack("<Q", 2**60)))
    with pytest.raises(ValueError, match="not known: 9"):
        decode_floats(Cursor(struct.pack("<BBHI", 9, 0, 0, 0)), "<f8")
