"""Column slices: where batches end, what arrays may be written, and blobs that are none."""

import contextlib
import datetime
import io
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import UnknownFormat
from cas.formats import canonical
from cas.memory import MemoryStore
from jobs.column.batches import BATCH_BYTES, BATCH_ROWS
from jobs.column.codec import merge_bounds
from jobs.column.slice import SliceReader, SliceWriter
from jobs.errors import ColumnError, DatasetError
from tests.suites.codec import open_slice, same, write

UTC = datetime.UTC
DATE, DAY = datetime.date, datetime.timedelta(1)
NAN = float("nan")


def write_array(store, column_type, array, mask=None, *, none=False):
    writer = SliceWriter(column_type, store.writer(), none_support=none)
    writer.extend_array(array, mask)
    return writer.finish()


def rows_of(store, column_type, summary):
    return [batch.rows for batch in open_slice(store, column_type, summary, none=True).batches]


# ---- where batches end


def model_of_batches(weights):
    """Return the rows of each batch, by the rule as it is written down."""
    batches, rows, total = [], 0, 0
    for weight in weights:
        if rows == BATCH_ROWS or (rows and total + weight > BATCH_BYTES):
            batches.append(rows)
            rows = total = 0
        rows, total = rows + 1, total + weight
    return [*batches, rows] if rows else batches


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([None, 0, 1, 100_000, 1 << 20, 2 << 20])), max_size=12
    ),
    st.lists(st.sampled_from([1, 2, 3, 500]), min_size=1),
)
def test_a_batch_ends_before_4_mib_of_text(runs, steps):
    store = MemoryStore()
    values = [None if size is None else b"x" * size for count, size in runs for _ in range(count)]
    weights = [0 if value is None else len(value) + 4 for value in values]
    writer = SliceWriter("bytes", store.writer(), none_support=True)
    start, turns = 0, itertools.cycle(steps)
    while start < len(values):
        stop = start + next(turns)
        writer.extend_array(np.array([*values[start:stop], None], object)[:-1])
        start = stop
    summary = writer.finish()
    assert rows_of(store, "bytes", summary) == model_of_batches(weights)
    assert write(store, "bytes", values, none=True).blob == summary.blob
    assert list(open_slice(store, "bytes", summary, none=True)) == values


def test_a_batch_may_be_exactly_full(store):
    quarter = b"x" * (BATCH_BYTES // 4 - 4)
    values = [quarter, b"x" * 2000 + quarter[2000:], quarter, quarter, None, b"", quarter]
    for writer, end in (
        (SliceWriter("bytes", store.writer(), none_support=True), stop) for stop in (4, 5, 6, 7)
    ):
        writer.extend_array(np.fromiter(values[:end], object, end))
        assert rows_of(store, "bytes", writer.finish()) == {4: [4], 5: [5], 6: [5, 1], 7: [5, 2]}[end]


def test_a_text_larger_than_a_batch_stands_alone(store):
    large = "é" * (3 << 20)
    values = ["a", "b", large, "c", large, large]
    summary = write(store, "unicode", values)
    assert rows_of(store, "unicode", summary) == [2, 1, 1, 1, 1]
    assert list(open_slice(store, "unicode", summary)) == values


def test_a_batch_of_text_fits_into_one_frame(store):
    # of all one-character byte strings every byte is used, so that lengths must be stored
    values = [bytes([code % 256]) * (60 + code % 2) for code in range(70_000)] + [None] * 2000
    summary = write(store, "bytes", values, none=True)
    batches = open_slice(store, "bytes", summary, none=True).batches
    assert len(batches) == 2
    assert max(batch.bytes for batch in batches) <= 4 << 20


def test_large_integers_weigh_what_they_take(store):
    values = [2**14_000] * 6000 + [1, 2.5] * 1000
    summary = write(store, "number", values)
    weights = [1751 + 4] * 6000 + [0] * 2000
    assert rows_of(store, "number", summary) == model_of_batches(weights)
    writer = SliceWriter("number", store.writer())
    for start in range(0, len(values), 700):
        writer.extend(values[start : start + 700])
    assert writer.finish().blob == summary.blob
    assert list(open_slice(store, "number", summary)) == values


def test_an_empty_call_changes_nothing(store):
    writer = SliceWriter("int64", store.writer())
    writer.extend([])
    writer.extend_array(np.array([], np.int64))
    writer.extend_array(np.array([], np.float64))
    writer.append(1)
    writer.extend(iter(()))
    assert writer.finish().blob == write(store, "int64", [1]).blob


def test_the_writer_says_where_a_frame_may_end():
    calls = []

    class Sink:
        def write(self, data):
            calls.append(len(data))

        def cut(self):
            calls.append("cut")

        def commit(self):
            return "id"

        def abort(self):
            raise AssertionError

    writer = SliceWriter("int64", Sink())
    writer.extend(range(BATCH_ROWS * 2 + 1))
    assert writer.finish().blob == "id"
    assert [each for each in calls if each == "cut"] == ["cut"] * 3
    assert calls[1::2] == ["cut"] * 3


def test_an_array_may_change_after_it_was_written(store):
    array, mask = np.arange(10), np.arange(10) > 5
    writer = SliceWriter("int64", store.writer(), none_support=True)
    writer.extend_array(array)
    writer.extend_array(array, mask)
    array[:], mask[:] = 0, False
    expected = [*range(10), *range(6), *[None] * 4]
    assert writer.finish().blob == write(store, "int64", expected, none=True).blob


@pytest.mark.parametrize(
    ("values", "mask"),
    [
        (np.zeros((2, 2)), None),
        (np.zeros(2), np.zeros(3, bool)),
        (np.zeros(()), None),
        (np.zeros(1), np.zeros((1, 1))),
    ],
)
def test_arrays_of_other_shapes_are_refused(store, values, mask):
    writer = SliceWriter("float64", store.writer(), none_support=True)
    with pytest.raises(ColumnError, match="no arrays of one dimension and equal length"):
        writer.extend_array(values, mask)


# ---- arrays


@pytest.mark.parametrize(
    ("column_type", "array", "values"),
    [
        ("int64", np.array([1, 2], np.int8), [1, 2]),
        ("int64", np.array([1, 2], np.uint64), [1, 2]),
        ("int64", np.array([True, False]), [1, 0]),
        ("int64", np.arange(10)[::-2], [9, 7, 5, 3, 1]),
        ("int32", np.array([2**31 - 1, -(2**31)]), [2**31 - 1, -(2**31)]),
        ("float64", np.array([1, 2]), [1.0, 2.0]),
        ("float64", np.array([0.5, -np.nan], np.float32), [0.5, NAN]),
        ("float64", np.array([2**53 + 1]), [float(2**53)]),
        ("float32", np.array([0.1]), [float(np.float32(0.1))]),
        ("float32", np.array([2**53 - 1]), [float(2**53)]),
        ("float32", np.array([np.inf, -np.inf]), [np.inf, -np.inf]),
        ("complex64", np.array([1.5, 2]), [1.5 + 0j, 2 + 0j]),
        ("complex32", np.array([1j], np.complex128), [1j]),
        ("number", np.array([1, 2], np.int16), [1, 2]),
        ("number", np.array([1.0, np.nan]), [1.0, NAN]),
        ("number", np.array([2**64 - 1, 1], np.uint64), [2**64 - 1, 1]),
        ("number", np.array([True]), [1]),
        ("bool", np.array([1, 0]), [True, False]),
        ("date", np.array(["2020-01-02T03:04:05"], "M8[s]"), [datetime.date(2020, 1, 2)]),
        ("datetime", np.array(["2020-01-02"], "M8[D]"), [datetime.datetime(2020, 1, 2)]),
        (
            "datetime",
            np.array(["2020-01-02T03:04:05.000006"], "M8[ns]"),
            [datetime.datetime(2020, 1, 2, 3, 4, 5, 6)],
        ),
        ("time", np.array([3_600_000_000], "m8[us]"), [datetime.time(1)]),
        ("ascii", np.array(["a", "bc"]), ["a", "bc"]),
        ("unicode", np.array(["é", ""]), ["é", ""]),
        ("bytes", np.array([b"a", b"bc"]), [b"a", b"bc"]),
        ("json", np.array([1.5, 2]), [1.5, 2.0]),
        ("parsed:int64", np.array(["1", " 2"]), [1, 2]),
        ("parsed:int64", np.array([1.9, -1.9]), [1, -1]),
        ("parsed:float64", np.array([b"1.5"]), [1.5]),
    ],
)
def test_an_array_is_written_as_its_values(store, column_type, array, values):
    summary = write_array(store, column_type, array)
    assert same(list(open_slice(store, column_type, summary)), values)
    assert summary.blob == write(store, column_type, values).blob


@pytest.mark.parametrize(
    ("column_type", "array", "message"),
    [
        ("int64", np.array([1.0, 2.0]), "no int64: '1.0'"),
        ("int64", np.array([2**63], np.uint64), "too large for int64: '9223372036854775808'"),
        ("int64", np.array(["1"]), "no int64: '1'"),
        ("int32", np.array([0, 2**31]), "too large for int32: '2147483648'"),
        ("float32", np.array([0.5, 1e39]), "too large for float32: '1e\\+39'"),
        ("float64", np.array([1j]), "no float64"),
        ("bool", np.array([0, 2]), "no bool: '2'"),
        ("date", np.array([0, 10**7], "M8[D]"), "no date"),
        ("date", np.array([1, 2]), "no date: '1'"),
        ("datetime", np.array([1], "M8[ns]"), "no datetime"),
        ("datetime", np.array(["10000-01-01"], "M8[us]"), "no datetime"),
        ("datetime", np.array([1 << 62], "M8[s]"), "no datetime"),
        ("date", np.array([50_505_469_855_531_193], "M8[Y]"), "no date"),
        ("time", np.array([2**64 // 3_600_000_000 + 1], "m8[h]"), "no time"),
        ("time", np.array([86_400_000_000], "m8[us]"), "no time"),
        ("time", np.array([-1], "m8[us]"), "no time"),
        ("ascii", np.array(["a", "é"]), "no ascii at position 0: 'é'"),
        ("unicode", np.array(["\ud800"]), "half a character at position 0"),
        ("unicode", np.array([b"a"]), "no unicode"),
        ("bytes", np.array(["a"]), "no bytes: 'a'"),
        ("number", np.array(["1"]), "no number: '1'"),
        ("parsed:int64", np.array(["1", "x"]), "no parsed:int64: 'x'"),
    ],
)
def test_an_array_that_does_not_fit_is_refused_by_its_value(store, column_type, array, message):
    with pytest.raises(ColumnError, match=message):
        write_array(store, column_type, array)


def test_what_a_mask_hides_is_never_looked_at(store):
    mask = np.array([False, True, False])
    for column_type, array in (
        ("int32", np.array([1, 2**40, 3])),
        ("float32", np.array([1, 1e300, 3])),
        ("bool", np.array([1, 7, 0])),
        ("ascii", np.array(["a", "é", "b"])),
        ("date", np.array([1, 10**9, 2], "M8[D]")),
        ("number", np.array([1, "x", 2.5], object)),
        ("parsed:int64", np.array(["1", "x", "3"])),
    ):
        summary = write_array(store, column_type, array, mask, none=True)
        read = list(open_slice(store, column_type, summary, none=True))
        assert [value is None for value in read] == [False, True, False]
        with pytest.raises(ColumnError, match="refusing to write None"):
            write_array(store, column_type, array, mask)


def test_a_mask_that_hides_nothing_needs_no_none_support(store):
    summary = write_array(store, "int64", np.arange(3), np.zeros(3, bool))
    assert summary.blob == write(store, "int64", range(3)).blob


def test_no_time_is_none(store):
    array = np.array(["2020-01-01", "NaT"], "M8[us]")
    summary = write_array(store, "datetime", array, none=True)
    assert list(open_slice(store, "datetime", summary, none=True)) == [datetime.datetime(2020, 1, 1), None]
    with pytest.raises(ColumnError, match="refusing to write None"):
        write_array(store, "datetime", array)


def test_the_arrays_of_a_type_have_its_own_dtype(store):
    moment = datetime.datetime(2020, 1, 1)
    for column_type, value, dtype in (
        ("int64", 1, "i8"),
        ("int32", 1, "i4"),
        ("float64", 1.0, "f8"),
        ("float32", 1.0, "f4"),
        ("complex64", 1j, "c16"),
        ("complex32", 1j, "c8"),
        ("bool", True, "?"),
        ("date", moment.date(), "M8[D]"),
        ("datetime", moment.replace(tzinfo=UTC), "M8[us]"),
        ("time", moment.time(), "m8[us]"),
        ("number", 1, "i8"),
        ("number", 1.0, "f8"),
        ("number", 2**70, "O"),
        ("unicode", "x", "O"),
        ("json", [1], "O"),
    ):
        array, mask = open_slice(store, column_type, write(store, column_type, [value])).array(0)
        assert (array.dtype, mask) == (np.dtype(dtype), None)
        array, mask = open_slice(
            store, column_type, write(store, column_type, [None, value], none=True), none=True
        ).array(0)
        assert array.dtype == np.dtype(dtype)


# ---- bounds


def test_nan_is_a_bound_only_for_want_of_others(store):
    summary = write(store, "float64", [NAN] * 65_536 + [2.0, NAN, 1.0])
    assert (summary.min, summary.max) == (1.0, 2.0)
    nothing_else = write(store, "float64", [NAN, NAN])
    assert same([nothing_else.min, nothing_else.max], [NAN, NAN])
    batches = open_slice(store, "float64", summary).batches
    assert same([batches[0].min, batches[1].min], [NAN, 1.0])


def test_of_two_zeros_the_bound_is_the_positive_one(store):
    for values in ([0.0, -0.0], [-0.0, 0.0], [-0.0]):
        summary = write(store, "float64", values)
        assert same([summary.min, summary.max], [0.0, 0.0])


def test_of_an_int_and_an_equal_float_the_bound_is_the_int(store):
    for values in ([1, 1.0, 5, 5.0], [5.0, 1.0, 5, 1]):
        assert same([*write(store, "number", values)[-2:]], [1, 5])
    # as floats these two would be equal
    assert write(store, "number", [2**53 + 1, float(2**53)]).max == 2**53 + 1


def test_bounds_of_parts_are_merged():
    naive, utc = datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 1, tzinfo=UTC)
    assert merge_bounds([]) == (None, None)
    assert merge_bounds([(None, None), (1, 3), (2, 9)]) == (1, 9)
    assert merge_bounds([(naive, naive), (utc, utc)]) == (utc, naive)
    assert same([*merge_bounds([(NAN, NAN)])], [NAN, NAN])


# ---- reading


@pytest.mark.parametrize("first", [DATE.min, DATE(1969, 12, 31), DATE.max - DAY * 2999], ids=str)
def test_dates_that_lie_close_together_come_back(store, first):
    dates = [first + DAY * (day * 7 % 3000) for day in range(20_000)]
    assert open_slice(store, "date", write(store, "date", dates)).values(0) == dates


def test_a_reader_reads_only_what_it_is_asked_for(store):
    summary = write(store, "int64", [value * value for value in range(200_000)])

    class Counting(io.BytesIO):
        taken = 0

        def read(self, size=-1):
            data = super().read(size)
            self.taken += len(data)
            return data

    stream = Counting(store.get(summary.blob))
    reader = SliceReader(stream, "int64", none_support=False)
    assert reader.lines == 200_000
    last = reader.batches[-1]
    assert stream.taken == summary.bytes - (last.offset + last.bytes), "more than the directory"
    before = stream.taken
    assert reader.values(2)[0] == (2 * BATCH_ROWS) ** 2
    assert stream.taken - before == reader.batches[2].bytes


def test_a_large_directory_is_read(store):
    values = [2**14_000 + number for number in range(12_000)]
    summary = write(store, "number", values)
    reader = open_slice(store, "number", summary)
    assert len(reader.batches) == 6
    assert list(reader) == values


def test_batches_cover_the_blob_up_to_the_directory(store):
    reader = open_slice(store, "int64", write(store, "int64", range(150_000)))
    ends = [batch.offset + batch.bytes for batch in reader.batches]
    assert [batch.offset for batch in reader.batches] == [0, *ends[:-1]]
    assert [(batch.min, batch.max) for batch in reader.batches] == [
        (0, 65_535),
        (65_536, 131_071),
        (131_072, 149_999),
    ]


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 100, bytes(16), b"\xff\xff\xff\x7f\0\0\0\0acc col\x01"])
def test_other_bytes_are_no_column_slice(data):
    with pytest.raises(UnknownFormat, match="no column slice"):
        SliceReader(io.BytesIO(data), "int64", none_support=False)


def with_directory(store, summary, batches):
    """Return a reader of a slice of int64 with another directory."""
    whole = store.get(summary.blob)
    (length,) = struct.unpack_from("<I", whole, len(whole) - 16)
    directory = canonical.dumps({"batches": batches, "type": "int64"})
    data = whole[: -16 - length] + directory + struct.pack("<I4x8s", len(directory), whole[-8:])
    return SliceReader(io.BytesIO(data), "int64", none_support=False)


@pytest.mark.parametrize(
    "batch", [[1, 2, 3], 7, [-1, 2, 1, 2], ["8", 2, 1, 2], [8, 2, "a", "b"], [8, 2, 5, 1]]
)
def test_a_directory_of_what_cannot_be_is_an_error(store, batch):
    with pytest.raises(DatasetError, match="the directory of a 'int64' column is damaged"):
        with_directory(store, write(store, "int64", [1, 2]), [batch])


def test_a_directory_that_says_of_other_rows_is_an_error(store):
    summary = write(store, "int64", [1, 2])
    size = open_slice(store, "int64", summary).batches[0].bytes
    with pytest.raises(DatasetError, match="has 2 rows, and its directory says 3"):
        with_directory(store, summary, [[size, 3, 1, 2]]).values(0)


def test_a_slice_of_another_type_is_named(store):
    summary = write(store, "int64", [1])
    with pytest.raises(DatasetError, match="a column slice of type 'int64' where 'float64' is wanted"):
        open_slice(store, "float64", summary)
    assert list(open_slice(store, "parsed:int64", summary)) == [1]


def test_none_that_was_not_declared_is_an_error(store):
    summary = write(store, "int64", [1, None], none=True)
    with pytest.raises(DatasetError, match="without none_support holds None"):
        open_slice(store, "int64", summary).values(0)


@pytest.mark.parametrize(
    "column_type", ["int64", "float64", "number", "bool", "unicode", "bytes", "datetime"]
)
def test_damaged_batches_are_errors_or_other_values_but_nothing_else(column_type):
    # a store hands out no damaged bytes: this is about blobs made by others
    store = MemoryStore()
    rows = {
        "int64": [1, 2**40],
        "float64": [0.5, 1e100],
        "number": [1, 2.5, 2**70],
        "bool": [True],
        "unicode": ["\n", "é"],
        "bytes": [bytes(range(256))],
        "datetime": [datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(1, 1, 1)],
    }[column_type]
    summary = write(store, column_type, [*rows, None], none=True)
    blob = bytearray(store.get(summary.blob))
    size = open_slice(store, column_type, summary, none=True).batches[0].bytes
    for place, flip in itertools.product(range(size), (1, 0x80, 0xFF)):
        blob[place] ^= flip
        reader = SliceReader(io.BytesIO(blob), column_type, none_support=True)
        with contextlib.suppress(DatasetError):
            assert len(reader.values(0)) == len(rows) + 1
        blob[place] ^= flip
