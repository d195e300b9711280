"""Many texts at once, nasty ones among them, become what each of them becomes by itself, read with care."""

import datetime
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.jobs.column.test_parse import BAD, at, convert

numerals = st.one_of(
    st.integers(-(2**64), 2**64).map(str),
    st.floats().map(repr),
    st.from_regex(r"[+-]?[0-9]{0,20}[.,]?[0-9]{0,24}", fullmatch=True),
    st.text("0123456789+-.,eExX_infa \n\0\xff", max_size=9),
)


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "int64_10",
        "int32_10",
        "int64_10i",
        "float64",
        "float32",
        "float64i",
        "floatbool",
        "number",
        "number:int",
    ],
)
@given(st.lists(numerals.map(str.encode), max_size=8))
@example(
    [b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"99999999999999999999", b"-0.0"]
)
@example(
    [
        b"-9223372036854775808",
        b"9999999999999999999",
        b"2147483648",
        b"-2147483648",
        b"000000000000000000000012",
    ]
)
@example(
    [b"1.2.3", b"1..2", b"1.2345678.9", b".", b"-.", b"-.5", b"5.", b"1,5", b"+-1", b"1./2", b"12345678."]
)
@example(
    [b"1.7976931348623157", b"0.00000000000000000000000001", b"1234567.12345678901234567", b"1" + b"0" * 30]
)
# midway between two floats of 53 bits, in 64 bits
@example([b"3.46902394291272409", b"9.33879605923017575", b"4.00453835417394588"])
def test_numbers_are_those_of_texts_that_are_read_one_by_one(name, comma, texts):
    # a blank before a number means nothing, and is nothing that is read eight digits at a time
    blanks = [b" " + text for text in texts]
    assert repr(convert(name, texts, numeric_comma=comma)) == repr(convert(name, blanks, numeric_comma=comma))


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=19, min_value=0, max_value=1), max_size=20
    )
)
def test_fractions_of_many_digits_are_the_nearest_floats(fractions):
    texts = [str(each)[:20].encode() for each in fractions]
    assert convert("float64", texts) == [float(text) for text in texts]


@pytest.mark.parametrize(
    ("form", "careful", "right"),
    [
        ("%Y-%m-%d", "%4Y-%2m-%2d", "2013-02-28"),
        ("%y%m%d", "%2y%2m%2d", "680229"),
        ("%Y-%m-%dT%H:%M:%SZ", "%4Y-%2m-%2dT%2H:%2M:%2SZ", "9999-12-31T23:59:59Z"),
        ("%d %b %Y", "%2d %b %4Y", "31 Dec 0001"),
        ("%H:%M:%S.%f", "%2H:%2M:%2S.%6f", "23:59:59.123456"),
        ("%f", "%6f", "12345"),
        ("%M", "%2M", "59"),
    ],
)
@given(st.data())
def test_dates_are_those_of_texts_that_are_read_one_by_one(form, careful, right, data):
    # with widths, a format is nothing that is read at once
    texts = data.draw(st.lists(mutants(right), max_size=5))
    for kind in ("datetime", "datetimei"):
        assert convert(f"{kind}:{form}", texts) == convert(f"{kind}:{careful}", texts)


@st.composite
def mutants(draw, right):
    """Draw a text with at most two characters replaced, left out or put in."""
    text = right
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        new = draw(st.sampled_from(["", *"0129 -:.Tbec\t\0/\xff"]))
        text = text[:place] + new + text[place + draw(st.integers(0, 1)) :]
    return text.encode("latin-1")


@given(st.lists(st.integers(-(10**12), 10**12)))
def test_instants_are_counted_from_1970(seconds):
    first, last = -62135596800, 253402300799
    wanted = [
        at(1970, 1, 1) + datetime.timedelta(seconds=each) if first <= each <= last else BAD
        for each in seconds
    ]
    assert convert("datetime:%s", [b"%d" % each for each in seconds]) == wanted
    assert convert("datetime:%J", [b"%d000" % each for each in seconds]) == wanted


texts = st.lists(
    st.one_of(st.binary(max_size=6), st.text("aé\\\n \t\x1f", max_size=40).map(str.encode)), max_size=6
)


@given(texts)
def test_text_is_decoded_stripped_and_escaped_as_python_does(texts):
    def decoded(text):
        try:
            return text.decode()
        except UnicodeDecodeError:
            return BAD

    def escaped(text, special):
        return re.sub(special, lambda char: b"\\%03o" % ord(char[0]), text).decode()

    stripped = [text.strip() for text in texts]
    assert convert("bytes", texts) == texts
    assert convert("bytesstrip", texts) == stripped
    assert convert("unicode:utf-8", texts) == list(map(decoded, texts))
    assert convert("unicodestrip:utf-8", texts) == list(map(decoded, stripped))
    assert convert("unicode:latin-1", texts) == [text.decode("latin-1") for text in texts]
    assert convert("unicode:utf-8/replace", texts) == [text.decode("utf-8", "replace") for text in texts]
    assert convert("ascii", texts) == [escaped(text, rb"[\x80-\xff]") for text in texts]
    assert convert("asciistrip:encode", texts) == [escaped(text, rb"[\x80-\xff\\]") for text in stripped]


words = st.sampled_from(
    [b"", b"0", b"\x10", b"F", b"f\0", b"FALSE", b"no", b"oFF", b"nil", b"NULL", b"null "]
)


@given(st.lists(words))
def test_words_are_false_whatever_their_case(texts):
    wanted = [
        text.lower() not in (b"", b"0", b"f", b"false", b"no", b"off", b"nil", b"null") for text in texts
    ]
    assert convert("strbool", texts) == wanted


@pytest.mark.parametrize("name", ["int64_10", "bytes", "date:%Y"])
@given(
    st.lists(st.sampled_from([None, b"", b"2013", b"NA", b"N/A of 17 bytes..", b"X/A of 17 bytes.."])),
    st.sets(st.sampled_from([b"", b"NA", b"N/A of 17 bytes.."])),
)
def test_texts_that_stand_for_none_do_in_any_row(name, texts, none_texts):
    found = convert(name, texts, none_texts | {None})
    for text, value in zip(texts, found, strict=True):
        assert (value is None) == (text is None or text in none_texts)
    present = [text for text in texts if text is not None and text not in none_texts]
    assert [value for value in found if value is not None] == convert(name, present)
