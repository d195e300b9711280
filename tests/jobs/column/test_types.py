"""Every column type passes the suite."""

import datetime
import decimal
import math
import pickle
import zoneinfo
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from jobs.column.types import LARGEST_INT_BITS, TYPES, get_type
from jobs.errors import ColumnError
from tests.suites.codec import CodecSuite

UTC = datetime.UTC
NAN, INF = math.nan, math.inf
LONDON = zoneinfo.ZoneInfo("Europe/London")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def float32(value: float) -> float:
    return float(np.float32(value))


# one batch and 500 rows, though some are large
few_bytes = [*range(16384), *[0.5, -0.0, 7, NAN] * 12288, *[2**64, -(2**70), 1.0, 1, 0.5] * 100]


class TestNumber(CodecSuite):
    column_type = "number"
    extremes = (
        *(0, 1, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 2**1007, -(2**LARGEST_INT_BITS) + 1),
        *(0.0, -0.0, 1.0, 5e-324, 1.7976931348623157e308, INF, -INF, NAN),
    )
    values = st.one_of(
        st.integers(-1000, 1000), st.integers(), st.integers(-(2**900), 2**900), st.floats(), st.just(NAN)
    )
    conversions = (
        *((True, 1), (False, 0), (np.int8(3), 3), (np.uint64(2**64 - 1), 2**64 - 1), (np.float32(0.5), 0.5)),
        *((decimal.Decimal("1.5"), 1.5), (np.float64(2), 2.0)),
    )
    refused = (("1", ValueError), (1j, ValueError), ([1], ValueError), (2**LARGEST_INT_BITS, OverflowError))

    @pytest.fixture
    def many(self) -> list[Any]:
        return few_bytes


class TestInt64(CodecSuite):
    column_type = "int64"
    array_dtype = "<i8"
    extremes = (0, 1, -1, 2**63 - 1, -(2**63), 2**62, -(2**62))
    values = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)
    conversions = ((True, 1), (False, 0), (np.int8(-3), -3), (np.uint64(7), 7))
    refused = (
        *((2**63, OverflowError), (-(2**63) - 1, OverflowError), (np.uint64(2**63), OverflowError)),
        *((1.0, TypeError), ("1", TypeError), (b"1", TypeError), (1j, TypeError), (NAN, TypeError)),
    )


class TestInt32(CodecSuite):
    column_type = "int32"
    array_dtype = "<i4"
    extremes = (0, 1, -1, 2**31 - 1, -(2**31))
    values = st.integers(-(2**31), 2**31 - 1) | st.integers(-5, 5)
    conversions = ((True, 1), (np.int64(-(2**31)), -(2**31)))
    refused = (
        *((2**31, OverflowError), (-(2**31) - 1, OverflowError), (2**70, OverflowError)),
        *((1.0, TypeError), ("1", TypeError)),
    )


class TestFloat64(CodecSuite):
    column_type = "float64"
    array_dtype = "<f8"
    extremes = (0.0, -0.0, 1.0, 0.1, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, INF, -INF, NAN)
    values = st.floats() | st.just(NAN) | st.integers(0, 5).map(float)
    conversions = (
        *((1, 1.0), (True, 1.0), (np.float32(0.1), float32(0.1)), (decimal.Decimal("0.1"), 0.1)),
        *((2**53 + 1, float(2**53)), (np.int8(1), 1.0)),
    )
    refused = (("1", TypeError), (b"1", TypeError), (1j, TypeError), (10**400, OverflowError))


class TestFloat32(CodecSuite):
    column_type = "float32"
    array_dtype = "<f4"
    extremes = (
        0.0,
        -0.0,
        1.0,
        float32(0.1),
        2.0**-149,
        float32(3.4028235e38),
        -float32(3.4028235e38),
        INF,
        -INF,
        NAN,
    )
    values = st.floats(width=32) | st.just(NAN) | st.integers(0, 5).map(float)
    conversions = ((1, 1.0), (0.1, float32(0.1)), (True, 1.0), (2**24 + 1, float(2**24)), (1e-60, 0.0))
    refused = ((1e300, OverflowError), (-1e39, OverflowError), ("1", TypeError), (10**400, OverflowError))


class TestComplex64(CodecSuite):
    column_type = "complex64"
    array_dtype = "<c16"
    extremes = (
        0j,
        complex(-0.0, -0.0),
        1 + 2j,
        complex(INF, NAN),
        complex(NAN, -INF),
        complex(1.7e308, 5e-324),
    )
    values = st.builds(complex, st.floats() | st.just(NAN), st.floats() | st.just(NAN))
    conversions = ((1, 1 + 0j), (1.5, 1.5 + 0j), (True, 1 + 0j), (np.complex64(1j), 1j))
    refused = (("1j", TypeError), (b"1", TypeError), (10**400, OverflowError))


class TestComplex32(CodecSuite):
    column_type = "complex32"
    array_dtype = "<c8"
    extremes = (
        0j,
        complex(-0.0, -0.0),
        1 + 2j,
        complex(INF, NAN),
        complex(NAN, -INF),
        complex(2.0**-149, 0.5),
    )
    values = st.builds(complex, st.floats(width=32) | st.just(NAN), st.floats(width=32) | st.just(NAN))
    conversions = ((1, 1 + 0j), (0.1 + 0.1j, complex(float32(0.1), float32(0.1))))
    refused = (("1j", TypeError), (complex(1e300, 0), OverflowError), (complex(0, 1e300), OverflowError))


class TestBool(CodecSuite):
    column_type = "bool"
    array_dtype = "?"
    extremes = (True, False, True)
    values = st.booleans()
    conversions = ((1, True), (0, False), (np.bool_(True), True), (np.int64(0), False))
    refused = (
        (2, OverflowError),
        (-1, OverflowError),
        (1.0, TypeError),
        ("True", TypeError),
        ("", TypeError),
    )


class TestDate(CodecSuite):
    column_type = "date"
    array_dtype = "M8[D]"
    extremes = (datetime.date.min, datetime.date.max, datetime.date(1970, 1, 1), datetime.date(2024, 2, 29))
    values = st.dates()
    conversions = ((datetime.datetime(2020, 1, 2, 3, 4, tzinfo=UTC), datetime.date(2020, 1, 2)),)
    refused = (("2020-01-01", TypeError), (20200101, TypeError), (datetime.time(1), TypeError))


class TestTime(CodecSuite):
    column_type = "time"
    extremes = (
        *(datetime.time.min, datetime.time.max, datetime.time(1, 2, 3, 4)),
        *(datetime.time.max.replace(tzinfo=UTC), datetime.time.max.replace(fold=1)),
        datetime.time.min.replace(tzinfo=UTC, fold=1),
    )
    values = st.builds(
        lambda value, fold: value.replace(fold=fold),
        st.times(timezones=st.none() | st.just(UTC)),
        st.integers(0, 1),
    )
    conversions = ((datetime.time(1, tzinfo=zoneinfo.ZoneInfo("UTC")), datetime.time(1, tzinfo=UTC)),)
    refused = (
        (datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), ValueError),
        *(
            (datetime.time(1, tzinfo=LONDON), ValueError),
            ("01:00", TypeError),
            (datetime.datetime(2020, 1, 1), TypeError),
        ),
    )

    def order(self, value: Any) -> Any:
        return value.replace(tzinfo=None, fold=0), value.fold, value.tzinfo is not None

    def in_array(self, value: Any) -> Any:
        return (
            datetime.datetime.combine(datetime.date.min, value).replace(tzinfo=None) - datetime.datetime.min
        )


class TestDatetime(CodecSuite):
    column_type = "datetime"
    extremes = (
        *(datetime.datetime.min, datetime.datetime.max, datetime.datetime(1970, 1, 1)),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999),
        *(datetime.datetime.min.replace(tzinfo=UTC), datetime.datetime.max.replace(tzinfo=UTC, fold=1)),
        datetime.datetime(2013, 1, 1, 5, 15, fold=1),
    )
    values = st.builds(
        lambda value, fold: value.replace(fold=fold),
        st.datetimes(timezones=st.none() | st.just(UTC)),
        st.integers(0, 1),
    )
    conversions = (
        (
            datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
            datetime.datetime(2020, 1, 1, tzinfo=UTC),
        ),
    )
    refused = (
        *((datetime.date(2020, 1, 1), ValueError), ("2020-01-01", ValueError)),
        # at offset zero, but not UTC
        (datetime.datetime(2020, 1, 1, tzinfo=LONDON), ValueError),
        (datetime.datetime(2020, 7, 1, tzinfo=LONDON), ValueError),
    )

    def order(self, value: Any) -> Any:
        return value.replace(tzinfo=None, fold=0), value.fold, value.tzinfo is not None

    def in_array(self, value: Any) -> Any:
        return value.replace(tzinfo=None, fold=0)


class TestBytes(CodecSuite):
    column_type = "bytes"
    extremes = (b"", b"\n", b"\0", b"a\nb\0c\n", bytes(range(256)), bytes(range(255, -1, -1)), b"x" * 100_000)
    values = st.binary(max_size=40) | st.sampled_from([b"", b"a", b"\n"])
    refused = (("text", TypeError), (bytearray(b"x"), TypeError), (1, TypeError))

    @pytest.fixture
    def many(self) -> list[Any]:
        return [b"", b"\n", b"\0", b"abc"] * 16384 + [b"x\ny"] * 500


class TestAscii(CodecSuite):
    column_type = "ascii"
    extremes = ("", "\n", "\0", "a\nb\0c\n", "".join(map(chr, range(128))), "x" * 100_000)
    values = st.text(st.characters(max_codepoint=127), max_size=40) | st.sampled_from(["", "a", "\n"])
    conversions = ((b"abc", "abc"), (b"", ""), (np.str_("x"), "x"))
    refused = (("é", ValueError), (b"\xff", ValueError), (1, TypeError), ("\ud800", ValueError))

    @pytest.fixture
    def many(self) -> list[Any]:
        return ["", "\n", "\0", "abc"] * 16384 + ["x\ny"] * 500


class TestUnicode(CodecSuite):
    column_type = "unicode"
    extremes = (
        "",
        "\n",
        "\0",
        "é\nb\0c\n",
        "\U0010ffff",
        "\ufeff",
        "".join(map(chr, range(0x500))),
        "é" * 50_000,
    )
    values = texts | st.sampled_from(["", "a", "\n", "é"])
    conversions = ((np.str_("é"), "é"),)
    refused = ((b"abc", TypeError), (1, TypeError), ("\ud800", ValueError))

    @pytest.fixture
    def many(self) -> list[Any]:
        return ["", "\n", "\0", "åäö"] * 16384 + ["x\ny"] * 500


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


class TestJson(CodecSuite):
    column_type = "json"
    extremes = (
        *(None, True, False, 0, -0.0, 2**100, NAN, INF, -INF, "", "\n", "\ud800", "é", [], {}, [None]),
        *([1, 2], [[1], [2]], {"b": 1, "a": {"": [None]}}),
    )
    values = json_values
    conversions = (((1, 2), [1, 2]), ({1: 2}, {"1": 2}), ({None: True}, {"null": True}))
    refused = (
        ({1}, TypeError),
        (b"x", TypeError),
        ({(1,): 1}, TypeError),
        (1j, TypeError),
        (10**5000, ValueError),
    )


class TestPickle(CodecSuite):
    column_type = "pickle"
    extremes = (
        None,
        0,
        "\n",
        b"\n\0",
        (1, [2]),
        {3},
        {"a": 1j},
        datetime.date,
        [],
        [1],
        [[1], [2]],
        Ellipsis,
    )
    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | texts
        | st.binary(max_size=5),
        lambda inner: st.tuples(inner, inner) | st.lists(inner, max_size=3),
        max_leaves=5,
    )
    refused = ((lambda: 0, TypeError),)


class TestParsedNumber(CodecSuite):
    column_type = "parsed:number"
    extremes = TestNumber.extremes
    values = TestNumber.values
    conversions = (
        *(
            ("1", 1),
            (b" 2 ", 2),
            ("1.0", 1.0),
            ("1e3", 1000.0),
            ("-inf", -INF),
            (3, 3),
            (4.5, 4.5),
            (True, 1),
        ),
        *(("9" * 100, int("9" * 100)), ("nan", NAN)),
    )
    refused = (("", ValueError), ("x", ValueError), (1j, ValueError), ("1 2", ValueError))

    @pytest.fixture
    def many(self) -> list[Any]:
        return few_bytes


class TestParsedInt64(CodecSuite):
    column_type = "parsed:int64"
    extremes = TestInt64.extremes
    values = TestInt64.values
    conversions = (("17", 17), (b" -3\n", -3), (4.7, 4), (-4.7, -4), (True, 1), (str(-(2**63)), -(2**63)))
    refused = (
        *(("4.7", ValueError), ("", ValueError), ("x", ValueError), (NAN, ValueError), (INF, OverflowError)),
        *((str(2**63), OverflowError), (1j, ValueError)),
    )


class TestParsedInt32(CodecSuite):
    column_type = "parsed:int32"
    extremes = TestInt32.extremes
    values = TestInt32.values
    conversions = (("17", 17), (b" -3 ", -3), (4.7, 4))
    refused = ((str(2**31), OverflowError), ("x", ValueError), (1e10, OverflowError))


class TestParsedFloat64(CodecSuite):
    column_type = "parsed:float64"
    extremes = TestFloat64.extremes
    values = TestFloat64.values
    conversions = (("1", 1.0), (b" 0.1 ", 0.1), ("nan", NAN), ("-Infinity", -INF), (3, 3.0), ("1e400", INF))
    refused = (("", ValueError), ("1,5", ValueError), (1j, ValueError))


class TestParsedFloat32(CodecSuite):
    column_type = "parsed:float32"
    extremes = TestFloat32.extremes
    values = TestFloat32.values
    conversions = (("0.1", float32(0.1)), (b"1", 1.0), ("inf", INF))
    refused = (("1e300", OverflowError), ("x", ValueError))


class TestParsedComplex64(CodecSuite):
    column_type = "parsed:complex64"
    extremes = TestComplex64.extremes
    values = TestComplex64.values
    conversions = (("1+2j", 1 + 2j), (b" 3j ", 3j), ("1", 1 + 0j), (2, 2 + 0j))
    refused = (("x", ValueError), (b"\xff", ValueError))


class TestParsedComplex32(CodecSuite):
    column_type = "parsed:complex32"
    extremes = TestComplex32.extremes
    values = TestComplex32.values
    conversions = (("1+2j", 1 + 2j), (b"0.1", complex(float32(0.1), 0)))
    refused = (("1e300j", OverflowError), ("x", ValueError))


class TestParsedJson(CodecSuite):
    column_type = "parsed:json"
    extremes = (None, 0, 1.5, [1], {"a": None}, [[1], [2]])
    values = json_values.filter(lambda value: not isinstance(value, str))
    conversions = (
        ("[1, 2]", [1, 2]),
        (b'{"a": 1}', {"a": 1}),
        ('"x"', "x"),
        ("null", None),
        (3, 3),
        ("NaN", NAN),
    )
    refused = (("", ValueError), ("[1", ValueError), (b"\xff", ValueError), ({1}, ValueError))


def test_every_type_passes_the_suite() -> None:
    assert {each.column_type for each in CodecSuite.__subclasses__()} == set(TYPES)


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(ColumnError, match="no column type 'int16'") as caught:
        get_type("int16")
    assert "int32" in caught.value.hint


@pytest.mark.parametrize("name", ["parsed:bytes", "parsed:date", "parsed:", "parsed:parsed:int64"])
def test_only_numbers_and_json_are_parsed(name: str) -> None:
    with pytest.raises(ColumnError, match="no column type"):
        get_type(name)


@pytest.mark.parametrize("name", [name for name in TYPES if name.startswith("parsed:")])
def test_a_parsed_column_is_stored_as_its_base(name: str) -> None:
    of = get_type(name)
    base = get_type(of.base)
    assert (of.parsed, base.parsed) == (True, False)
    assert (of.dtype, of.kind, of.has_minmax) == (base.dtype, base.kind, base.has_minmax)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("int64", "abc", "no int64: 'abc'"),
        ("int32", 2**40, "too large for int32: '1099511627776'"),
        ("ascii", "abé", "no ascii at position 2: 'abé'"),
        ("ascii", b"ab\xff", "no ascii at position 2: 'b'ab\\xff''"),
        ("unicode", "a\ud800", "half a character at position 1: ''a\\ud800''"),
        ("float64", "x" * 100, "no float64: '" + "x" * 57 + "...'"),
        ("parsed:int64", "four", "no parsed:int64: 'four'"),
        ("complex32", "1j", "no complex32: '1j'"),
    ],
)
def test_a_message_names_the_value(name: str, value: Any, message: str) -> None:
    with pytest.raises(ColumnError) as caught:
        get_type(name).check(value)
    assert str(caught.value) == message


def test_an_integer_that_python_does_not_write_as_text_is_refused() -> None:
    with pytest.raises(ColumnError, match="an integer of more than 4300 digits"):
        get_type("number").check(10**5000)


def test_a_value_that_cannot_be_shown_is_still_refused() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(ColumnError, match="no int64: 'a Shy'"):
        get_type("int64").check(Shy())


def test_the_date_that_is_none_is_no_date() -> None:
    class NotATime(datetime.datetime):
        """As pandas has one."""

        def __ne__(self, other: object) -> bool:
            return True

    for name in ("date", "datetime"):
        with pytest.raises(ColumnError, match=f"no {name}"):
            get_type(name).check(NotATime(2020, 1, 1))


def test_subclasses_become_what_they_derive_from() -> None:
    class Text(str):
        def __str__(self) -> str:
            return "something else"

    class Data(bytes):
        def __bytes__(self) -> bytes:
            return b"something else"

    for name, value in (("unicode", Text("x")), ("ascii", Text("x")), ("bytes", Data(b"x"))):
        become = get_type(name).check(value)
        assert (become, type(become)) == (value, type(value).__base__)


def test_a_pickle_has_protocol_4() -> None:
    assert get_type("pickle").keep((1, "x")) == pickle.dumps((1, "x"), 4)
