"""Conversions of text: what each takes, what it makes of it, and that a batch is its texts one by one."""

import datetime
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.packed import Spans
from jobs.column.parse import CONVERSIONS, get_conversion
from jobs.column.types import get_type
from jobs.errors import ColumnError

BAD = "bad"
# what may stand before a text in memory
BETWEEN = (b"", b"7", b"-1.5,", b"\xff\n", b" 2013-01-01 00:00:00 ", b"\0")
UTC = datetime.UTC
date, time, moment = datetime.date, datetime.time, datetime.datetime


def convert(name, texts, none_texts=None, **how):
    """Return the value of each text, None or BAD: the same for a list of texts and for texts anywhere in memory."""
    conversion = get_conversion(name, **how)
    found = values_of(conversion.convert(texts, none_texts), texts)
    none = np.array([text is None for text in texts], np.bool_)
    scattered = conversion.convert_spans(scatter(texts), none_texts, none if none.any() else None)
    assert repr(values_of(scattered, texts)) == repr(found)
    return found


def scatter(texts):
    """Return texts with others between them, the last first."""
    data, starts = bytearray(), []
    for number, text in enumerate(reversed(texts)):
        data += BETWEEN[number % len(BETWEEN)]
        starts.append(len(data))
        data += text or b""
    starts = np.array(starts[::-1], np.int64)
    lengths = np.array([len(text or b"") for text in texts], np.int64)
    return Spans(np.frombuffer(bytes(data) + b"5", np.uint8), starts, starts + lengths)


def values_of(converted, texts):
    values, none, bad = converted
    found = values.tolist()
    assert len(found) == len(texts)
    if values.dtype == "m8[us]" if isinstance(values, np.ndarray) else False:
        found = [(moment.min + each).time() for each in found]
    for row in range(len(texts)):
        if bad is not None and bad[row]:
            found[row] = BAD
        elif none is not None and none[row]:
            found[row] = None
    return found


def check(name, table, **how):
    """Check what becomes of each text, alone and in a batch with the others."""
    texts, wanted = [text.encode("latin-1") for text in table], [repr(value) for value in table.values()]
    assert [repr(convert(name, [text], **how)[0]) for text in texts] == wanted
    assert [repr(value) for value in convert(name, texts, **how)] == wanted


INTEGERS = [
    "",
    "0",
    "12",
    " 12 ",
    "\t12\n",
    "\v12\f",
    "+5",
    "-5",
    "- 5",
    "--5",
    "1_0",
    "1.0",
    "12abc",
    "abc",
    "12\xa0",
]


def expect(texts, values):
    return dict(zip(texts, values, strict=True))


# ---- integers


def test_integers_are_digits_with_blanks_around():
    check("int64_10", expect(INTEGERS, [BAD, 0, 12, 12, 12, 12, 5, -5, *[BAD] * 7]))


def test_with_i_a_number_ends_where_it_does_not_go_on():
    check("int64_10i", expect(INTEGERS, [0, 0, 12, 12, 12, 12, 5, -5, 0, 0, 1, 1, 12, 0, 12]))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("int64_10", [10, 8, BAD, BAD, BAD]),
        ("int64_8", [8, BAD, BAD, BAD, BAD]),
        ("int64_16", [16, 8, 255, 31, BAD]),
        ("int64_0", [8, BAD, BAD, 31, BAD]),
        ("int64_0i", [8, 0, 0, 31, 0]),
    ],
)
def test_a_base_has_its_digits_and_prefix(name, values):
    check(name, expect(["010", "08", "fF", "0X1f", "0x"], values))


@pytest.mark.parametrize(("name", "bits"), [("int64_10", 64), ("int32_10", 32), ("int32_10i", 32)])
def test_integers_beyond_the_type_are_bad(name, bits):
    bound = 2 ** (bits - 1)
    texts = map(str, [bound - 1, bound, -bound, -bound - 1, 10**30])
    check(name, expect(texts, [bound - 1, BAD, -bound, BAD, BAD]))


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_come_back_from_their_text(numbers):
    assert convert("int64_10", [b"%d" % number for number in numbers]) == numbers
    assert convert("int64_16", [b"%x" % number for number in numbers]) == numbers


# ---- floats


def test_floats_are_what_c_reads():
    inf, nan = math.inf, math.nan
    check(
        "float64",
        {
            "": BAD,
            "-0": -0.0,
            " 1.5 ": 1.5,
            ".5": 0.5,
            "5.": 5.0,
            ".": BAD,
            "1e5": 1e5,
            "1e400": inf,
            "-1e400": -inf,
        }
        | {
            "1e-400": 0.0,
            "inf": inf,
            "-INF": -inf,
            "Infinity": inf,
            "infin": BAD,
            "nan": nan,
            "nan(1_a)": nan,
        }
        | {
            "0x1p3": 8.0,
            "0X.8": 0.5,
            "0x1p9999": inf,
            "0x": BAD,
            "1_0": BAD,
            "1,5": BAD,
            "1.5x": BAD,
            "1e": BAD,
        }
        | {"1.5\0": BAD, "1\xa0": BAD, "++1": BAD},
    )


def test_with_i_a_float_ends_where_it_does_not_go_on():
    check(
        "float64i",
        {
            "": 0.0,
            "x": 0.0,
            ".": 0.0,
            "1e+": 1.0,
            "1 2": 1.0,
            "0x": 0.0,
            "0x1g": 1.0,
            "infin": math.inf,
            "1_0": 1.0,
        },
    )


def test_a_number_too_large_for_32_bits_is_bad_but_infinity_is_not():
    check(
        "float32",
        {"3.4e38": 3.3999999521443642e38, "3.5e38": BAD, "1e400": BAD, "-inf": -math.inf, "1e-50": 0.0},
    )
    check("complex32", {"1+2j": 1 + 2j, "3.5e38": BAD, "3.5e38j": BAD, "inf": complex(math.inf, 0)})


@given(st.lists(st.floats(allow_nan=False)))
def test_floats_come_back_from_their_text(numbers):
    assert convert("float64", [repr(number).encode() for number in numbers]) == numbers


def test_numeric_comma_takes_commas_for_points():
    wanted = {"1,5": 1.5, "1": 1.0, "1.5": BAD, "1.000,5": BAD, ",5": 0.5}
    check("float64", wanted, numeric_comma=True)
    check("number", wanted | {"1": 1, "2,0": 2}, numeric_comma=True)
    check("floatbool", {"0,0": False, "0,1": True, "0.1": BAD}, numeric_comma=True)


def test_floatbool_is_true_when_not_zero():
    check("floatbool", {"0": False, "-0.0": False, "0.1": True, "nan": True, "x": BAD, "": BAD})
    check("floatbooli", {"": False, "0x": False, "7x": True})


# ---- other numbers


def test_a_number_is_an_int_when_it_is_written_as_one():
    check(
        "number",
        {
            "12": 12,
            "12.0": 12,
            " 12. ": 12,
            ".0": 0,
            "-0.0": 0,
            "1.5": 1.5,
            "1.0e0": 1.0,
            "1e22": 1e22,
            "010": 10,
        }
        | {
            "inf": math.inf,
            "1e400": BAD,
            "1_0": BAD,
            "1_0.5": BAD,
            "0x10": BAD,
            "": BAD,
            "9" * 50: int("9" * 50),
        },
    )


def test_number_int_takes_no_fraction():
    check("number:int", {"12": 12, "12.00": 12, "1.5": BAD, "1e3": BAD, "inf": BAD})


def test_complex_is_what_python_reads():
    check(
        "complex64",
        {"1+2j": 1 + 2j, " (1+2j) ": 1 + 2j, "j": 1j, "1 + 2j": BAD, "1_0": BAD, "": BAD, "\xb2": BAD},
    )


def test_strbool_is_false_for_some_words():
    words = ["", "0", "f", "False", "NO", "off", "nil", "Null"]
    check("strbool", dict.fromkeys(words, False) | {"00": True, "n": True, " false": True, "none": True})


# ---- text


def test_bytes_are_kept_or_stripped_of_white_space():
    check("bytes", {" a\xff ": b" a\xff ", "": b""})
    check("bytesstrip", {"\t\n\v\f\r a\xa0": b"a\xa0", " \x1f": b"\x1f"})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ascii", ["a\\b\n", "caf\\303\\251"]),
        ("ascii:replace", ["a\\b\n", "caf\\303\\251"]),
        ("ascii:encode", ["a\\134b\n", "caf\\303\\251"]),
        ("ascii:strict", ["a\\b\n", BAD]),
        ("asciistrip:strict", ["a\\b", BAD]),
    ],
)
def test_what_is_not_ascii_is_escaped_or_bad(name, values):
    check(name, expect(["a\\b\n", "caf\xc3\xa9"], values))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("unicode:utf-8", ["caf\xe9\n", BAD]),
        ("unicodestrip:utf-8", ["caf\xe9", BAD]),
        ("unicode:utf-8/replace", ["caf\xe9\n", "\ufffdA"]),
        ("unicode:utf-8/ignore", ["caf\xe9\n", "A"]),
        ("unicode:latin-1", ["caf\xc3\xa9\n", "\xffA"]),
        ("unicode:utf-16-le/ignore", ["\u6163\uc366\u0aa9", "\u41ff"]),
    ],
)
def test_unicode_is_decoded(name, values):
    check(name, expect(["caf\xc3\xa9\n", "\xffA"], values))


@given(st.lists(st.text(max_size=5)), st.sampled_from(["utf-8", "utf-16", "utf-7"]))
def test_text_comes_back_from_its_encoding(texts, codec):
    assert convert(f"unicode:{codec}", [text.encode(codec) for text in texts]) == texts


def test_json_is_what_python_reads():
    check(
        "json",
        {
            "null": None,
            "[1, [2]]": [1, [2]],
            " 1 ": 1,
            '"\xc3\xa9"': "\xe9",
            "{a:1}": BAD,
            "": BAD,
            '"\xe9"': BAD,
        },
    )
    assert convert("json", [b"[" * 100_000]) == [BAD]


# ---- dates and times


def test_dates_are_read_by_their_format():
    check(
        "date:%Y-%m-%d",
        {"2013-01-01": date(2013, 1, 1), "2013-1- 1": date(2013, 1, 1), "13-01-01": date(13, 1, 1)}
        | {"0001-01-01": date(1, 1, 1), "9999-12-31": date(9999, 12, 31), "2012-02-29": date(2012, 2, 29)}
        | dict.fromkeys(["", "2013-02-29", "0000-01-01", "10000-01-01", "2013-13-01", "2013-00-01"], BAD)
        | dict.fromkeys(["2013-01-00", "2013-01-32", " 2013-01-01", "2013-01-01 ", "2013-+1-01"], BAD)
        | dict.fromkeys(["2013-01-01\0", "2013-  1-01", "2013-001-01", "2013/01/01", "-2013-01-01"], BAD),
    )


def test_with_i_a_text_may_go_on_after_the_date():
    check(
        "datei:%Y-%m", {"2013-01-31x": date(2013, 1, 1), "2013-1\0": date(2013, 1, 1), "2013-": BAD, "": BAD}
    )


@pytest.mark.parametrize(
    ("form", "table"),
    [
        ("%Y%m%d", {"20130102": date(2013, 1, 2), "2013011": date(2013, 1, 1), "201311": BAD}),
        ("%y%m%d", {"690101": date(1969, 1, 1), "680101": date(2068, 1, 1), "000101": date(2000, 1, 1)}),
        ("%C%y", {"1913": date(1913, 1, 1), " 120": date(120, 1, 1), "0000": BAD}),
        ("%C-%m", {"20-05": date(2070, 5, 1)}),
        (
            "%d %b %Y",
            {"31 dEc 2013": date(2013, 12, 31), "1  May 2013": date(2013, 5, 1), "1 January 2013": BAD},
        ),
        ("%d%b%Y", {"29Feb2012": date(2012, 2, 29), "29Feb2013": BAD, "01Maj2013": BAD}),
        ("%Y %m", {"20131": date(2013, 1, 1), "2013 \t1": date(2013, 1, 1), "2013 12": date(2013, 12, 1)}),
        (
            "%e",
            {
                "0": date(1899, 12, 31),
                "59": date(1900, 2, 28),
                "60": date(1900, 3, 1),
                "61": date(1900, 3, 1),
            },
        ),
        (
            "%e",
            {
                "41275.9": date(2013, 1, 1),
                "2958465": date(9999, 12, 31),
                "2958466": BAD,
                "-693594": date(1, 1, 1),
            },
        ),
        ("%e", {"-693595": BAD, "5.": BAD, ".5": BAD, " 5": BAD, "1e3": BAD, "9" * 400: BAD}),
        ("%.%.%Y", {"xy2013": date(2013, 1, 1), "x 2013": BAD}),
        ("%2.%Y", {"xy2013": date(2013, 1, 1)}),
        ("% %Y", {"\t2013": date(2013, 1, 1), "2013": BAD, "  2013": BAD}),
        ("%%%Y", {"%2013": date(2013, 1, 1)}),
        ("%Y%1m%1d", {"201311": date(2013, 1, 1), "20131111": BAD}),
        ("%Y %Y", {"2013 2014": date(2014, 1, 1)}),
        ("x", {"x": date(1970, 1, 1), "y": BAD}),
        ("", {"": date(1970, 1, 1), "x": BAD}),
        ("%Y\xe5", {"2013\xc3\xa5": date(2013, 1, 1), "2013\xe5": BAD}),
    ],
)
def test_codes_of_dates(form, table):
    check(f"date:{form}", table)


def at(*numbers):
    return moment(*numbers)


@pytest.mark.parametrize(
    ("form", "table"),
    [
        (
            "%Y-%m-%d %H:%M:%S",
            {"2013-01-02 03:04:05": at(2013, 1, 2, 3, 4, 5), "2013-01-01 1:1:1": at(2013, 1, 1, 1, 1, 1)},
        ),
        (
            "%Y-%m-%d %H:%M:%S",
            dict.fromkeys(["2013-01-01 24:00:00", "2013-01-01 10:60:00", "2013-01-01 10:10:60"], BAD),
        ),
        ("%Y-%m-%dT%H:%M:%SZ", {"2013-01-02T03:04:05Z": at(2013, 1, 2, 3, 4, 5), "2013-01-02T03:04:05": BAD}),
        ("%S.%f", {"05.5": at(1970, 1, 1, 0, 0, 5, 500_000), "05.000001": at(1970, 1, 1, 0, 0, 5, 1)}),
        (
            "%S.%f",
            {
                "05.": BAD,
                "05.1234567": BAD,
                "05.12x": BAD,
                "05. 5": BAD,
                "5.25": at(1970, 1, 1, 0, 0, 5, 250_000),
            },
        ),
        ("%S.%3fZ", {"05.123Z": at(1970, 1, 1, 0, 0, 5, 123_000), "05.1234Z": BAD}),
        ("%S.%9f", {"05.123456789": at(1970, 1, 1, 0, 0, 5, 123_456)}),
        (
            "%I:%M %p",
            {
                "12:00 AM": at(1970, 1, 1, 0),
                "12:00 pm": at(1970, 1, 1, 12),
                "1:11 pm": at(1970, 1, 1, 13, 11),
            },
        ),
        ("%I:%M %p", {"0:11 am": BAD, "13:11 am": BAD, "10:11 p": BAD}),
        ("%p %H", {"pm 10": at(1970, 1, 1, 22), "am 22": at(1970, 1, 1, 10), "am 24": BAD}),
        ("%I", {"12": at(1970, 1, 1, 12)}),
        (
            "%s",
            {
                "-1": at(1969, 12, 31, 23, 59, 59),
                "+5": at(1970, 1, 1, 0, 0, 5),
                "253402300799": at(9999, 12, 31, 23, 59, 59),
            },
        ),
        ("%s", {"253402300800": BAD, "-62135596801": BAD, " 1": BAD, "1.5": BAD, "": BAD, "9" * 5000: BAD}),
        ("%s.%f", {"-1.25": at(1969, 12, 31, 23, 59, 59, 250_000)}),
        (
            "%J",
            {"1356998400123": at(2013, 1, 1, 0, 0, 0, 123_000), "-1": at(1969, 12, 31, 23, 59, 59, 999_000)},
        ),
        ("%H %s", {"10 1356998400": at(2013, 1, 1)}),
        ("%s %H", {"1356998400 10": at(2013, 1, 1, 10)}),
        (
            "%e",
            {
                "41275.5": at(2013, 1, 1, 12),
                "-0.25": at(1899, 12, 30, 18),
                "41275.999999999": at(2013, 1, 1, 23, 59, 59),
            },
        ),
    ],
)
def test_codes_of_datetimes(form, table):
    check(f"datetime:{form}", table)


def test_times_are_the_time_of_the_day():
    check("time:%H%M", {"0517": time(5, 17), "517": BAD, "2359": time(23, 59), "2400": BAD})
    check("time:%Y-%m-%d %H:%M", {"2013-01-01 10:11": time(10, 11)})
    check("time:%s", {"-1": time(23, 59, 59)})


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%y%m%d%H%M%S", "%b%d%Y %H%M%S"])
def test_moments_are_those_of_strptime(form):
    chance = random.Random(form)
    moments = [
        at(1970, 1, 1) + datetime.timedelta(seconds=chance.randrange(3_000_000_000)) for _ in range(300)
    ]
    texts = [each.strftime(form).encode() for each in moments]
    assert convert(f"datetime:{form}", texts) == moments


@pytest.mark.parametrize("name", ["date:%j", "date:%Y%", "time:%T", "date:%99Y", "date", "datetime+None"])
def test_a_format_that_cannot_be_is_refused(name):
    with pytest.raises(ColumnError, match=r"time format|no format"):
        get_conversion(name)


# ---- time zones


def test_a_time_zone_makes_instants_in_utc():
    form = "datetime:%Y-%m-%d %H:%M"
    table = {
        "2013-01-01 12:00": at(2013, 1, 1, 11),
        "2013-07-01 12:00": at(2013, 7, 1, 10),
        "2013-02-30 12:00": BAD,
    }
    table |= {"2013-03-31 12:00": at(2013, 3, 31, 10), "2013-10-27 12:00": at(2013, 10, 27, 11)}
    # skipped in spring; there twice in autumn
    table |= {"2013-03-31 02:30": at(2013, 3, 31, 1, 30), "2013-10-27 02:30": at(2013, 10, 27, 0, 30)}
    wanted = {text: value if value == BAD else value.replace(tzinfo=UTC) for text, value in table.items()}
    check(form, wanted, timezone="Europe/Stockholm")


def test_utc_is_a_time_zone_everywhere():
    check("datetime:%Y", {"2013": at(2013, 1, 1).replace(tzinfo=UTC), "x": BAD}, timezone="UTC")


def test_instants_are_in_no_time_zone():
    check("datetime:%s", {"0": at(1970, 1, 1).replace(tzinfo=UTC)}, timezone="Europe/Stockholm")
    check("date:%Y", {"2013": date(2013, 1, 1)}, timezone="Europe/Stockholm")


def test_what_leaves_the_calendar_in_utc_is_bad():
    check("datetime:%Y-%m-%d", {"0001-01-01": BAD}, timezone="Asia/Tokyo")
    check("datetime:%Y-%m-%d %H", {"9999-12-31 23": BAD}, timezone="America/New_York")


@pytest.mark.parametrize("name", ["Nosuch/Zone", "../etc", "Europe", ""])
def test_a_time_zone_that_is_none_is_refused(name):
    with pytest.raises(ColumnError, match="no time zone"):
        get_conversion("datetime:%Y", timezone=name)


# ---- None, and the table


def test_with_none_support_an_empty_text_is_none():
    assert convert("int64_10+None", [b"1", b"", b" ", b"x"]) == [1, None, BAD, BAD]
    assert convert("int64_10i+None", [b"", b" "]) == [None, 0]
    assert convert("bytes+None", [b"", b"a"]) == [None, b"a"]
    assert convert("asciistrip+None", [b" ", b""]) == ["", None]
    assert convert("date+None:%Y", [b"2013", b""]) == [date(2013, 1, 1), None]
    assert convert("json+None", [b"null", b"", b"1"]) == [None, None, 1]


def test_without_it_no_text_is_none():
    assert convert("int64_10", [b"1", b""]) == [1, BAD]
    assert convert("bytes", [b""]) == [b""]


def test_other_texts_can_be_none():
    assert convert("float64", [b"NA", b"", b"1"], {b"NA"}) == [None, BAD, 1.0]
    assert convert("float64+None", [b"NA", b"", None, b"1"], {b"NA", None}) == [None, BAD, None, 1.0]


@pytest.mark.parametrize("name", sorted(CONVERSIONS))
def test_every_conversion_makes_values_of_its_type(name):
    argument = {"unicode": ":utf-8", "unicodestrip": ":utf-8"}.get(name, "")
    argument = ":%Y" if CONVERSIONS[name].type in ("date", "datetime", "time") else argument
    conversion = get_conversion(name + "+None" + argument)
    texts = [b"1", b"", b"12"]
    converted = conversion.convert(texts)
    first, none, last = values_of(converted, texts)
    assert (none, converted.bad) == (None, None)
    for value in (first, last):
        assert get_type(conversion.type).check(value) == value
    assert conversion.none_support
    empty = conversion.convert([])
    assert (len(empty.values), empty.none, empty.bad) == (0, None, None)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "nosuch",
            "int64_7",
            "int64_10:x",
            "number:float64",
            "strbool:x",
            "int64_10 +None",
            "INT64_10",
            "",
            "asciii",
        ],
        *["ascii:latin-1", "unicode", "unicode:nosuch", "unicode:hex", "unicode:utf-8/backslashreplace"],
    ],
)
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ColumnError, match=r"conversion|encoding"):
        get_conversion(name)


def test_a_wrong_name_is_told_what_is_like_it():
    with pytest.raises(ColumnError) as caught:
        get_conversion("int64")
    assert "int64_10" in caught.value.hint


def test_a_giant_text_among_dates_costs_no_giant_table():
    texts = [b"2013-01-01"] * 1000 + [b"x" * 10_000_000]
    assert convert("date:%Y-%m-%d", texts)[-2:] == [date(2013, 1, 1), BAD]


def test_values_are_arrays_where_they_can_be():
    dtypes = {
        name: get_conversion(name).convert([b"1"]).values.dtype for name in ("int32_10", "float32", "number")
    }
    assert dtypes == {"int32_10": np.int64, "float32": np.float32, "number": np.int64}
