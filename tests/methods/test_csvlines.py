"""Lines of many rows at once: what stands between values, and which are in quotes."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.column.packed import PackedTexts
from jobs.errors import DatasetError
from porcelain.methods.csvtext.digits import integers, overlaid
from porcelain.methods.csvtext.lines import lines
from porcelain.methods.csvtext.quoting import Quoting
from porcelain.methods.csvtext.texts import ALPHABET

words = st.binary(max_size=3) | st.binary(max_size=40) | st.binary(max_size=100)


def packed(rows):
    return PackedTexts.of(rows, are_bytes=True)


@given(
    st.integers(1, 3).flatmap(
        lambda columns: st.tuples(
            st.lists(st.tuples(*[words] * columns), max_size=10),
            st.tuples(*[st.binary(max_size=3)] * (columns + 1)),
        )
    )
)
@example(([(b"x" * 32, b""), (b"", b"x" * 33)], (b"", b",", b"\n")))
def test_lines_are_the_texts_and_what_is_around_them(case):
    rows, (first, *behind) = case
    columns = zip(*rows, strict=True) if rows else [()] * len(behind)
    made = lines([packed(list(column)).spans for column in columns], [first, *behind])
    wanted = [first + b"".join(a + b for a, b in zip(row, behind, strict=True)) for row in rows]
    assert made.tobytes() == b"".join(wanted)


def test_texts_are_laid_over_others():
    rows = np.array([True, False, True])
    spans = overlaid(integers(np.array([1, -22, 333])), rows, packed([b"none"]).spans)
    assert spans.tolist() == [b"none", b"-22", b"none"]


def one_by_one(text, quote, special, *, always):
    """Return what is written for a text, as the description of csvexport says it."""
    if always or any(part and part in text for part in (*special, "\n", "\r", "'", '"', quote)):
        return quote + text.replace(quote, quote * 2) + quote
    return text


@given(
    st.lists(st.text("ab,;\"'\n\r\0éx", max_size=6), max_size=8),
    st.sampled_from(['"', "'", "a", "é", "ab", "\n"]),
    st.sampled_from([",", ";", "é", "ab", ",;", ""]),
    st.sampled_from(["\n", "\r\n", "x"]),
    st.booleans(),
)
def test_values_are_put_in_quotes_as_if_one_by_one(texts, quote, separator, end, always):
    quoting = Quoting(quote, separator, end, always=always)
    spans = quoting.written("a", packed([text.encode() for text in texts]))
    made = lines([spans], quoting.around(1)).tobytes()
    wanted = [one_by_one(text, quote, (separator, end), always=always) + end for text in texts]
    assert made.decode() == "".join(wanted)


@given(
    st.lists(st.text("ab\n\réc", max_size=6), max_size=8),
    st.sampled_from(["b", "é", "ab", "aba", "\n"]),
    st.sampled_from(["\n", "\r\n", "\n\n", "c"]),
)
@example(["\n\n"], "b", "\n\n")
@example(["\r", "\n"], "b", "\r\n")
@example(["", "a\na\n"], "b", "\na\n")
def test_without_quotes_all_that_cannot_be_read_back_is_refused(texts, separator, end):
    quoting = Quoting("", separator, end, always=False)
    column = packed([text.encode() for text in texts])
    if any(part in text for part in (separator, end) for text in texts):
        with pytest.raises(DatasetError, match="column 'a' has values with"):
            quoting.written("a", column)
    else:
        assert quoting.written("a", column).tolist() == [text.encode() for text in texts]


@pytest.mark.parametrize(
    ("separator", "concerned"),
    [(",", False), ("\t", False), (" ", True), ("-", True), ("1:", True), ("1;", False), ("", False)],
)
def test_numbers_are_looked_at_only_where_they_may_hold_a_separator(separator, concerned):
    assert Quoting('"', separator, "\n", always=False).concerns(ALPHABET) == concerned
