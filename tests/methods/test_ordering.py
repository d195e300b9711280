"""The order that arrays give is that of Python's sorted, for every type, for any number of rows in memory."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.memory import MemoryStore
from jobs.column.packed import PackedTexts
from jobs.column.slice import SliceReader, SliceWriter
from jobs.column.types import TYPES, UTC
from jobs.errors import ColumnError
from porcelain.methods.tables import textorder
from porcelain.methods.tables.columns import decoder, join, to_list
from porcelain.methods.tables.ordering import Ordering
from porcelain.methods.tables.sorting import sorted_batches
from porcelain.methods.tables.textorder import rank_texts

FEW = st.integers(-3, 3)
naive = st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2))
zones = st.sampled_from([None, UTC])
VALUES = {
    "int64": FEW | st.integers(-(1 << 63), (1 << 63) - 1),
    "int32": FEW,
    "float64": st.floats() | FEW.map(float),
    "float32": st.floats(width=32),
    "number": FEW | st.floats() | st.integers(-(1 << 70), 1 << 70),
    "bool": st.booleans(),
    "date": st.dates(),
    "datetime": st.builds(datetime.datetime.replace, naive, tzinfo=zones),
    "time": st.builds(datetime.time.replace, st.times(), tzinfo=zones),
    "ascii": st.text("ab\0\n", max_size=30),
    "unicode": st.text("aåž𝄞\n", max_size=12) | st.text(max_size=5),
    "bytes": st.binary(max_size=4) | st.binary(max_size=12),
}
LAST = {"date": datetime.date.max, "datetime": datetime.datetime.max, "time": datetime.time.max}


def key(value, column_type):
    """Return what Python compares in place of a value."""
    if value is None:
        empty = {"ascii": "", "unicode": "", "bytes": b""}
        return (LAST | empty | {"bool": -1}).get(column_type, -math.inf)
    if isinstance(value, float) and math.isnan(value):
        return math.inf
    if isinstance(value, datetime.datetime | datetime.time):
        return value.replace(tzinfo=None, fold=0)
    return value


def stored(values, column_type):
    """Return values as a column gives them back, as lists and as the arrays that are sorted."""
    store = MemoryStore()
    writer = SliceWriter(column_type, store.writer(), none_support=True)
    writer.extend(values)
    reader = SliceReader(store.open(writer.finish().blob), column_type, none_support=True)
    arrays = [decoder(reader, column_type)(batch) for batch in range(len(reader.batches))]
    return list(reader), join(arrays)


@st.composite
def tables(draw):
    """Return types and rows of some columns."""
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3))
    values = [draw(st.just(VALUES[each]) | st.just(VALUES[each] | st.none())) for each in types]
    return types, draw(st.lists(st.tuples(*values), min_size=1, max_size=40))


@given(tables(), st.booleans(), st.integers(1, 50), st.integers(1, 50))
def test_rows_are_sorted_as_python_sorts_them(tmp_path_factory, table, descending, limit, piece):
    types, rows = table
    columns, values = {}, []
    for number, (column_type, given_values) in enumerate(zip(types, zip(*rows, strict=True), strict=True)):
        found, columns[str(number)] = stored(given_values, column_type)
        values.append([key(value, column_type) for value in found])
    rows_before = list(zip(*values, strict=True))
    wanted = sorted(range(len(rows)), key=rows_before.__getitem__, reverse=descending)

    ordering = Ordering({str(number): each for number, each in enumerate(types)}, descending=descending)
    assert ordering.sort(columns).tolist() == wanted

    columns["row"] = np.arange(len(rows))

    def read(names):
        for start in range(0, len(rows), piece):
            yield {name: columns[name][start : start + piece] for name in names}

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.getbasetemp())
        batches = sorted_batches(read, len(rows), ordering, sorted(columns), limit)
        assert [row for batch in batches for row in batch["row"].tolist()] == wanted


@pytest.mark.parametrize("limit", [1, 7, 60, 499])
@pytest.mark.parametrize("different", [1, 3, 40, 10_000])
def test_buckets_of_any_size_follow_each_other(tmp_path, monkeypatch, limit, different):
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(limit).integers(0, different, 500)
    columns = {"a": values, "row": np.arange(500)}

    def read(names):
        for start in range(0, 500, 33):
            yield {name: columns[name][start : start + 33] for name in names}

    batches = sorted_batches(read, 500, Ordering({"a": "int64"}), ["a", "row"], limit)
    found = [row for batch in batches for row in batch["row"].tolist()]
    assert found == np.argsort(values, kind="stable").tolist()


@pytest.mark.parametrize("factor", [1, 1 << 60, 0.5], ids=["narrow", "wide", "float"])
@pytest.mark.parametrize("different", [1, 7, 5000])
def test_many_equal_rows_stay_in_their_order(factor, different):
    values = np.random.default_rng(different).integers(0, different, 5000) % 8 * factor
    ordering = Ordering({"a": "float64" if factor == 0.5 else "int64"})
    assert ordering.sort({"a": values}).tolist() == np.argsort(values, kind="stable").tolist()


@pytest.mark.parametrize(
    ("column_type", "pieces"),
    [
        ("int64", [[None, 5, -(1 << 63)], [7, 3], [-9, 4]]),
        ("bool", [[None, True], [False, True], [True]]),
        ("number", [[1 << 70, 0.5], [4, -3], [1.5, 4.0, math.inf], [None, 2], [(1 << 53) + 1, -(1 << 70)]]),
    ],
    ids=["int64", "bool", "number"],
)
@pytest.mark.parametrize("descending", [False, True])
def test_pieces_of_which_only_some_hold_none_or_floats_or_objects(
    tmp_path, monkeypatch, column_type, pieces, descending
):
    monkeypatch.chdir(tmp_path)

    def read(_names):
        yield from ({"a": stored(values, column_type)[1]} for values in pieces)

    values = [value for piece in pieces for value in piece]
    batches = sorted_batches(read, len(values), Ordering({"a": column_type}, descending=descending), ["a"], 2)
    found = [value for batch in batches for value in to_list(batch["a"])]
    assert found == sorted(values, key=lambda value: key(value, column_type), reverse=descending)


@given(st.lists(st.text("abÿ\0\n", max_size=200) | st.text("ab", max_size=3)), st.booleans())
def test_ranks_of_texts_are_in_their_order_and_equal_for_equal_texts(texts, as_bytes):
    if as_bytes:
        texts = [text.encode() for text in texts]
    ranks = rank_texts(PackedTexts.of(texts, are_bytes=as_bytes)).tolist()
    numbers = {text: number for number, text in enumerate(sorted(set(texts)))}
    order = {rank: number for number, rank in enumerate(sorted(set(ranks)))}
    assert [order[rank] for rank in ranks] == [numbers[text] for text in texts]


@given(st.lists(st.text("ab", max_size=3).map(lambda text: "x" * 60 + text)))
def test_texts_that_agree_in_many_words_are_compared_too(texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textorder, "_MOST_ROUNDS", 2)
        ranks = rank_texts(PackedTexts.of(texts, are_bytes=False))
    order = np.argsort(ranks, kind="stable").tolist()
    assert order == sorted(range(len(texts)), key=texts.__getitem__)


def test_values_of_other_types_have_the_order_of_python_or_none():
    ordering = Ordering({"a": "json"})
    _, lists = stored([[2], [1, 5], [1]], "json")
    assert ordering.sort({"a": lists}).tolist() == [2, 1, 0]
    _, mixed = stored([1, "a"], "json")
    with pytest.raises(ColumnError, match="values of column 'a' have no order"):
        ordering.sort({"a": mixed})


def test_every_type_that_has_an_order_is_tried():
    assert {each.base for each in TYPES.values()} - {*VALUES} == {"json", "pickle", "complex32", "complex64"}
