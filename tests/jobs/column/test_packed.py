"""Packed texts are the list that they were made of, whatever is in it, taken in any order, cut and joined."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.packed import PackedTexts, Spans
from porcelain.methods.tables.columns import join

lists = st.lists(st.none() | st.text("aé𝄞\n\0", max_size=5)) | st.lists(st.none() | st.binary(max_size=5))


def pack(values):
    return PackedTexts.of(values, are_bytes=any(isinstance(value, bytes) for value in values))


@given(lists)
def test_the_values_come_back(values):
    packed = pack(values)
    assert (packed.tolist(), len(packed)) == (values, len(values))
    assert pickle.loads(pickle.dumps(packed)).tolist() == values


@given(lists, st.data())
def test_rows_are_taken_in_any_order_and_cut(values, data):
    packed = pack(values)
    start, stop = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
    assert packed[start:stop].tolist() == values[start:stop]
    rows = data.draw(st.lists(st.integers(0, len(values) - 1))) if values else []
    assert packed[np.array(rows, np.int64)].tolist() == [values[row] for row in rows]
    assert packed[start:][: stop - start].tolist() == values[start:][: stop - start]


def test_long_texts_are_taken_among_short_ones():
    lengths = [0, 15, 16, 17, 31, 1022, 1023, 1024, 1025, 5000, 1, 0]
    values = [bytes([length % 251]) * length for length in lengths]
    rows = np.random.default_rng(7).integers(0, len(values), 500)
    assert pack(values)[rows].tolist() == [values[row] for row in rows]


@given(lists)
def test_those_that_are_not_none_are_found_and_put_back(values):
    packed = pack(values)
    present = packed.present()
    assert present.tolist() == [value for value in values if value is not None]
    assert present.spread(packed.none).tolist() == values
    encoded = [value.encode() if isinstance(value, str) else value or b"" for value in values]
    assert packed.spans.tolist() == encoded


@given(st.binary(max_size=9), st.data())
def test_spans_lie_anywhere(data, draw):
    places = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    pairs = list(zip(places[::2], places[1::2], strict=False))
    starts, ends = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    spans = Spans(np.frombuffer(data + b"x", np.uint8), starts, ends)
    assert spans.tolist() == [data[start:end] for start, end in pairs]
    assert spans.where(slice(1, None)).tolist() == spans.tolist()[1:]


@given(st.lists(st.lists(st.none() | st.text("aé\n", max_size=3)), min_size=1, max_size=4))
def test_parts_are_joined(parts):
    joined = join([PackedTexts.of(part, are_bytes=False) for part in parts])
    assert joined.tolist() == [value for part in parts for value in part]


blanks = st.text(" \t\n\v\f\r\x1fa", max_size=60).map(str.encode)


@given(st.lists(blanks), st.sampled_from([b"", b" ", b"a", b" " * 20]))
def test_spans_are_stripped_compared_and_replaced(values, text):
    spans = pack([b"", *values]).spans.where(slice(1, None))
    assert spans.strip().tolist() == [value.strip() for value in values]
    assert spans.equal(text).tolist() == [value == text for value in values]
    assert spans.replaced(slice(0, 1), [text][: len(values)]).tolist() == [text, *values[1:]][: len(values)]


def test_long_texts_are_packed_among_short_ones():
    values = [b"x" * size + b"y" for size in (0, 10_000, 3, 31, 32, 33, 5000, 0, 4095, 4096, 1)]
    assert pack(values)[::-1].tolist() == values[::-1]
