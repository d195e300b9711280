"""Packed texts are the list that they were made of, whatever is in it, taken in any order, cut and joined."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from porcelain.methods.columns import join
from porcelain.methods.packed import PackedTexts

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


@given(st.lists(st.lists(st.none() | st.text("aé\n", max_size=3)), min_size=1, max_size=4))
def test_parts_are_joined(parts):
    joined = join([PackedTexts.of(part, are_bytes=False) for part in parts])
    assert joined.tolist() == [value for part in parts for value in part]
