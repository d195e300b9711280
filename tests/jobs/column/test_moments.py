"""Moments are the datetimes or times that they were read from, with time zone and fold, and are written as these."""

import datetime
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.memory import MemoryStore
from jobs.column.moments import Moments, concatenate
from jobs.column.slice import SliceReader, SliceWriter
from jobs.column.spread import slices_of
from jobs.column.types import UTC
from jobs.errors import ColumnError

zones, folds = st.sampled_from([None, UTC]), st.integers(0, 1)
datetimes = st.builds(datetime.datetime.replace, st.datetimes(), tzinfo=zones, fold=folds)
times = st.builds(datetime.time.replace, st.times(), tzinfo=zones, fold=folds)
columns = st.tuples(st.just("datetime"), st.lists(st.none() | datetimes)) | st.tuples(
    st.just("time"), st.lists(st.none() | times)
)


def write(column_type, write_to):
    """Return a store and what was written to a column in it."""
    store = MemoryStore()
    writer = SliceWriter(column_type, store.writer(), none_support=True)
    write_to(writer)
    return store, writer.finish()


def read(column_type, values):
    """Return values as moments, and what is written of them."""
    store, summary = write(column_type, lambda writer: writer.extend(values))
    reader = SliceReader(store.open(summary.blob), column_type, none_support=True)
    empty = Moments(np.zeros(0, np.int64), None, column_type == "datetime")
    return concatenate([empty, *map(reader.moments, range(len(reader.batches)))]), summary


def whole(values):
    """Return values with what their equality leaves out."""
    return [value and (value, value.tzinfo, value.fold) for value in values]


@given(columns, st.data())
def test_moments_are_the_values_that_were_written(column, data):
    column_type, values = column
    moments, _ = read(column_type, values)
    assert whole(moments.tolist()) == whole(values)
    assert whole(pickle.loads(pickle.dumps(moments)).present().tolist()) == whole(filter(None, values))
    rows = data.draw(st.lists(st.integers(0, len(values) - 1))) if values else []
    assert whole(moments[np.array(rows, np.int64)].tolist()) == whole(values[row] for row in rows)


@given(columns)
def test_moments_are_written_as_the_values_are(column):
    column_type, values = column
    moments, summary = read(column_type, values)
    assert write(column_type, lambda writer: writer.extend_array(moments))[1] == summary


@given(columns)
def test_moments_belong_to_the_slices_of_the_values(column):
    column_type, values = column
    moments, _ = read(column_type, values)
    assert slices_of(moments, column_type, 97).tolist() == slices_of(values, column_type, 97).tolist()


def test_moments_are_refused_as_the_values_are():
    moments, _ = read("time", [datetime.time(1), None])
    with pytest.raises(ColumnError, match="no datetime"):
        write("datetime", lambda writer: writer.extend_array(moments))
    with pytest.raises(ColumnError, match="None"):
        SliceWriter("time", MemoryStore().writer()).extend_array(moments)
