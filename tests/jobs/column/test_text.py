"""Texts as spans: the same byte strings as a list of them, and no memory beyond the data."""

import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.text import Lines, SpanCodec, Texts, decode_spans, decode_texts
from jobs.column.transform import Cursor, encode_ints

_HEAD = struct.Struct("<BBHI")
ALL_CONTROLS = bytes(range(32))


def spans_of(data: bytes) -> list[bytes]:
    spans = decode_spans(Cursor(data))
    offsets = spans.offsets.tolist()
    assert offsets[0] == 0
    assert offsets[-1] == len(spans.data)
    return [spans.data[start:end] for start, end in pairwise(offsets)]


@given(st.lists(st.one_of(st.binary(max_size=5), st.sampled_from([b"", b"\n", ALL_CONTROLS])), max_size=9))
def test_spans_are_the_texts_in_every_layout(rows: list[bytes]) -> None:
    data = Texts.from_rows(rows).encode()
    assert spans_of(data) == list(decode_texts(Cursor(data))) == rows


@pytest.mark.parametrize(("joiner", "letter"), [("\n", "å"), (b"\n", b"a")], ids=["texts", "bytes"])
@pytest.mark.parametrize("length", [0, 1, 100, 1 << 14, (1 << 14) + 1, 50_000])
def test_lines_are_split_as_all_at_once(joiner: Any, letter: Any, length: int) -> None:
    rows = [joiner[:0], letter * length, letter] * 40
    lines = Lines(joiner.join(rows), joiner, len(rows))
    assert list(lines) == rows
    assert len(lines) == 120
    assert lines[3:7] == rows[3:7]


@pytest.mark.parametrize(
    "data",
    [
        _HEAD.pack(0, 10, 0, 3) + b"a\nb",
        _HEAD.pack(0, 10, 0, 1) + b"a\nb",
        _HEAD.pack(1, 0, 0, 2) + encode_ints(np.array([5, -1])) + b"abcde",
        _HEAD.pack(1, 0, 0, 3) + encode_ints(np.array([1, 1])) + b"ab",
        _HEAD.pack(1, 0, 0, 2) + encode_ints(np.array([1, 5])) + b"ab",
    ],
    ids=["too few", "too many", "length below 0", "too few lengths", "beyond the end"],
)
def test_damaged_texts_make_no_spans(data: bytes) -> None:
    with pytest.raises(ValueError, match="wanted"):
        decode_spans(Cursor(data))


def test_text_that_is_no_ascii_is_no_ascii_column() -> None:
    data = Texts.from_rows(["å".encode()]).encode()
    assert SpanCodec(only_ascii=False).decode(Cursor(data)).data == "å".encode()
    with pytest.raises(ValueError, match="no ASCII"):
        SpanCodec(only_ascii=True).decode(Cursor(data))
