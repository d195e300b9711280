"""Texts as spans: the same byte strings as a list of them, and no memory beyond the data."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.packed import PackedTexts
from jobs.column.text import Lines, PackedCodec, Texts, decode_packed, decode_texts
from jobs.column.transform import Cursor, encode_ints

_HEAD = struct.Struct("<BBHI")
ALL_CONTROLS = bytes(range(32))


texts = st.lists(st.one_of(st.binary(max_size=5), st.sampled_from([b"", b"\n", ALL_CONTROLS])), max_size=9)


@given(texts)
def test_packed_texts_are_the_texts_in_every_layout(rows: list[bytes]) -> None:
    data = Texts.from_rows(rows).encode()
    assert decode_packed(Cursor(data), are_bytes=True).tolist() == list(decode_texts(Cursor(data))) == rows


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
def test_damaged_texts_are_not_unpacked(data: bytes) -> None:
    with pytest.raises(ValueError, match="wanted"):
        decode_packed(Cursor(data), are_bytes=True)


def test_text_that_is_no_ascii_is_no_ascii_column() -> None:
    data = Texts.from_rows(["å".encode()]).encode()
    assert PackedCodec().decode(Cursor(data)).tolist() == ["å"]
    with pytest.raises(ValueError, match="no ASCII"):
        PackedCodec(only_ascii=True).decode(Cursor(data))


@given(texts, st.slices(9))
def test_texts_that_were_packed_are_the_same(rows: list[bytes], part: slice) -> None:
    packed, listed = Texts.from_packed(PackedTexts.of(rows, are_bytes=True)), Texts.from_rows(rows)
    assert packed.encode() == listed.encode()
    assert packed.weights().tolist() == listed.weights().tolist()
    assert sum(packed.weights()) == packed.weight
    part = slice(*part.indices(len(rows))[:2])
    assert packed[part].rows() == rows[part]
