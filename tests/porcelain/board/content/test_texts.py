"""Parts of texts, and JSON set out in lines."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porcelain.board.content.texts import read_part, set_out

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text(), st.integers(1, 20))
def test_parts_are_whole_lines_and_together_all_of_the_text(text, most):
    data = b"\xef\xbb\xbf" + text.encode()
    stream, at, raw = io.BytesIO(data), 0, b""
    while at is not None:
        part = read_part(stream, at, most)
        end = len(data) if part.next is None else part.next
        raw += data[at:end]
        assert end > at
        at = part.next
    assert raw == data


def test_a_part_ends_with_a_line():
    assert read_part(io.BytesIO(b"one\ntwo\nthree"), 0, 9) == ("one\ntwo\n", 8)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_json_that_is_set_out_is_the_same_json(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert json.loads(set_out(text)) == value


def test_numbers_stay_as_they_are_written():
    assert set_out('{"a":1.10,"b":1E400,"b":12345678901234567890.0}') == (
        '{\n  "a": 1.10,\n  "b": 1E400,\n  "b": 12345678901234567890.0\n}'
    )


@pytest.mark.parametrize("text", ["", "{", "[1,]", "[" * 100_000, '{"a": 1} x', "9" * 5000 + "x"])
def test_what_is_no_json_is_not_set_out(text):
    assert set_out(text) is None
