"""write_arrow: what Arrow holds becomes the dataset that rows would have made; what does not fit is named."""

import datetime
import decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

from jobs.dataset.dataset import Dataset
from jobs.errors import ColumnError, DatasetError
from tests.jobs.dataset.owners import FewJobs
from tests.jobs.dataset.test_arrow import tables
from tests.jobs.dataset.test_roundtrip import shown

BATCH_ROWS = 1 << 16
DAY = datetime.datetime(2013, 1, 1)


def write_arrow(jobs: FewJobs, columns: dict[str, Any], *parts: Any, **options: Any) -> Dataset:
    """Return a dataset of what goes to each slice."""
    writer = jobs.new().writer(columns=columns, **options)
    for sliceno in range(jobs.slices):
        writer.set_slice(sliceno)
        for part in parts[sliceno : sliceno + 1]:
            writer.write_arrow(part)
    dataset: Dataset = writer.finish()
    return dataset


def one(jobs: FewJobs, column: str | tuple[str, bool], array: pa.Array) -> list[Any]:
    """Return the values of a column that an Arrow array was written to."""
    return list(write_arrow(jobs, {"x": column}, pa.table({"x": array})).iterate(None, "x"))


def without_what_arrow_has_not(kind: str, value: Any) -> Any:
    """Return a value without its fold, and a time without UTC."""
    if kind == "time" and value is not None:
        return value.replace(tzinfo=None, fold=0)
    return value.replace(fold=0) if kind == "datetime" and value is not None else value


@given(tables())
def test_what_arrow_gives_writes_the_same_dataset(
    made: tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]],
) -> None:
    columns, slices = made
    kinds = [kind for kind, _ in columns.values()]
    rows = [[tuple(map(without_what_arrow_has_not, kinds, row)) for row in part] for part in slices]
    jobs = FewJobs()
    dataset = jobs.write(columns, rows)
    again = write_arrow(jobs, columns, *(dataset.to_arrow(number) for number in range(jobs.slices)))
    for name, column in dataset.columns.items():
        if column.type == "number":  # an int among floats comes back as a float
            pairs = zip(dataset.iterate(None, name), again.iterate(None, name), strict=True)
            assert all(one == other or (one != one and other != other) for one, other in pairs)
        else:
            assert again.columns[name].node == column.node


# ---- equal data, equal ids


@pytest.mark.parametrize("rows", [0, 1, BATCH_ROWS, BATCH_ROWS + 1, 2 * BATCH_ROWS + 7])
@pytest.mark.parametrize("batch_rows", [1000, 1 << 20])
def test_rows_arrays_and_arrow_make_the_same_dataset(jobs: FewJobs, rows: int, batch_rows: int) -> None:
    columns = {"f": ("float64", True), "i": "int64", "m": "datetime", "u": ("unicode", True)}
    numbers = np.arange(rows)
    missing = numbers % 3 == 0
    moments = np.datetime64(DAY, "us") + numbers
    texts = [None if number % 5 == 0 else str(number) for number in range(rows)]
    floats = pa.array(numbers / 7, mask=missing)
    table = pa.table({"u": texts, "f": floats, "m": moments, "i": numbers}, schema=schema_of(columns))
    by_arrow = write_arrow(jobs, columns, pa.Table.from_batches(table.to_batches(batch_rows), table.schema))
    writer = jobs.new().writer(columns=columns)
    for sliceno in range(jobs.slices):
        writer.set_slice(sliceno)
        if sliceno == 0:
            writer.write_arrays({"f": (numbers / 7, missing), "i": numbers, "m": moments, "u": texts})
    assert by_arrow.node == writer.finish().node
    values = [table[name].to_pylist() for name in sorted(columns)]
    assert by_arrow.node == jobs.write(columns, [list(zip(*values, strict=True)), [], []]).node


def schema_of(columns: dict[str, Any]) -> pa.Schema:
    types = {"f": pa.float64(), "i": pa.int64(), "m": pa.timestamp("us"), "u": pa.string()}
    return pa.schema([(name, types[name]) for name in ["u", "f", "m", "i"] if name in columns])


# ---- who hands it over


TABLE = pa.table({"u": ["å", None, "c"], "i": [1, 2, 3]})
FRAME = pd.DataFrame({"u": ["å", None, "c"], "i": [1, 2, 3]})


@pytest.mark.parametrize(
    "given",
    [
        lambda: TABLE,
        lambda: TABLE.to_batches()[0],
        lambda: pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches()),
        lambda: TABLE.select(["i", "u"]),
        lambda: pa.concat_tables([TABLE, TABLE, TABLE]).slice(3, 3),
        lambda: pl.DataFrame({"u": ["å", None, "c"], "i": [1, 2, 3]}),
        lambda: pl.DataFrame({"u": ["å", None, "c"], "i": [1, 2, 3]}).cast({"u": pl.Categorical}),
        lambda: FRAME,
        lambda: duckdb.from_arrow(TABLE),
    ],
    ids=["table", "batch", "reader", "order", "part", "polars", "categorical", "pandas", "duckdb"],
)
def test_whoever_has_arrow_data_is_written(jobs: FewJobs, given: Any) -> None:
    dataset = write_arrow(jobs, {"i": "int64", "u": ("unicode", True)}, given())
    assert list(dataset.iterate(0)) == [(1, "å"), (2, None), (3, "c")]


def test_a_batch_that_has_no_stream_is_written(jobs: FewJobs) -> None:
    class Batch:
        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return TABLE.to_batches()[0].__arrow_c_array__(requested_schema)

    assert write_arrow(jobs, {"i": "int64", "u": ("unicode", True)}, Batch()).lines == (3, 0, 0)


def test_a_dataset_is_arrow_data_too(jobs: FewJobs) -> None:
    source = write_arrow(jobs, {"i": "int64", "u": ("unicode", True)}, TABLE)
    assert write_arrow(jobs, {"i": "int64", "u": ("unicode", True)}, source).node == source.node


# ---- types


def decimals(*values: str, scale: int = 2) -> pa.Array:
    return pa.array([decimal.Decimal(value) for value in values], pa.decimal128(20, scale))


UTC_DAY = DAY.replace(tzinfo=datetime.UTC)
COMPLEX_WITH_HOLE = pa.array(
    [{"real": 1.0, "imag": None}], pa.struct({"real": pa.float64(), "imag": pa.float64()})
)
COMPLEX = pa.array(
    [{"real": 1.0, "imag": 2.0}, None], pa.struct({"real": pa.float32(), "imag": pa.float64()})
)


@pytest.mark.parametrize(
    ("column", "array", "values"),
    [
        ("int64", pa.array([1, -128], pa.int8()), [1, -128]),
        ("int64", pa.array([1, (1 << 63) - 1], pa.uint64()), [1, (1 << 63) - 1]),
        ("int64", decimals("12", scale=0), [12]),
        ("int32", pa.array([True, False]), [1, 0]),
        ("float64", pa.array([1, 2], pa.int16()), [1.0, 2.0]),
        ("float64", decimals("12.5", "0.1"), [12.5, 0.1]),
        (("float64", True), pa.array(np.float16([1.5, 0]), mask=np.array([False, True])), [1.5, None]),
        ("float32", pa.array([0.1]), [float(np.float32(0.1))]),
        ("number", pa.array([1.5, 2.0]), [1.5, 2.0]),
        ("number", pa.array([(1 << 64) - 1], pa.uint64()), [(1 << 64) - 1]),
        ("number", decimals("12345678901234567890", scale=0), [12345678901234567890]),
        (("complex64", True), COMPLEX, [1 + 2j, None]),
        ("complex32", pa.array([1.5]), [1.5 + 0j]),
        ("bool", pa.array([1, 0]), [True, False]),
        ("date", pa.array([DAY.date()], pa.date64()), [DAY.date()]),
        ("time", pa.array([3601], pa.time32("s")), [datetime.time(1, 0, 1)]),
        ("time", pa.array([1000], pa.time64("ns")), [datetime.time(0, 0, 0, 1)]),
        ("datetime", pa.array([DAY], pa.timestamp("ns")), [DAY]),
        ("datetime", pa.array([DAY], pa.timestamp("s")), [DAY]),
        (("datetime", True), pa.array([DAY, None], pa.timestamp("ms", "UTC")), [UTC_DAY, None]),
        ("datetime", pa.array([UTC_DAY], pa.timestamp("us", "Europe/Stockholm")), [UTC_DAY]),
        ("unicode", pa.array(["å", "x"], pa.string()), ["å", "x"]),
        (("unicode", True), pa.array(["å", None, "å"]).dictionary_encode(), ["å", None, "å"]),
        ("ascii", pa.array([b"a"], pa.large_binary()), ["a"]),
        ("bytes", pa.array([b"ab"], pa.binary(2)), [b"ab"]),
        ("json", pa.array(['{"a": [1, null]}', "null", None]), [{"a": [1, None]}, None, None]),
        ("json", pa.array([[1, 2], None, []]), [[1, 2], None, []]),
        ("json", pa.array([{"a": 1.5}]), [{"a": 1.5}]),
        ("json", pa.array([1, None]), [1, None]),
        ("parsed:int64", pa.array(["1", " 2 "]), [1, 2]),
        ("parsed:int64", pa.array([1, 2]), [1, 2]),
        ("parsed:json", pa.array(["[1]"]), [[1]]),
        (("int64", True), pa.nulls(2), [None, None]),
        (("unicode", True), pa.nulls(1), [None]),
    ],
)
def test_a_column_takes_arrow_types_that_mean_the_same(
    jobs: FewJobs, column: Any, array: pa.Array, values: list[Any]
) -> None:
    assert shown(one(jobs, column, array)) == shown(values)


@pytest.mark.parametrize(
    ("column", "array", "error"),
    [
        ("int64", pa.array([1.0]), "column 'x' is int64, which takes no Arrow double"),
        ("int64", pa.array(["1"]), "column 'x' is int64, which takes no Arrow string"),
        ("int64", decimals("1"), r"takes no Arrow decimal128\(20, 2\)"),
        ("float64", pa.array(["1"]), "column 'x' is float64, which takes no Arrow string"),
        ("date", pa.array([DAY]), r"column 'x' is date, which takes no Arrow timestamp\[us\]"),
        ("datetime", pa.array([DAY.date()]), r"column 'x' is datetime, which takes no Arrow date32\[day\]"),
        ("time", pa.array([5], pa.duration("us")), r"takes no Arrow duration\[us\]"),
        ("unicode", pa.array([b"a"]), "column 'x' is unicode, which takes no Arrow binary"),
        ("bytes", pa.array(["a"]), "column 'x' is bytes, which takes no Arrow string"),
        ("unicode", pa.array([["a"]]), "column 'x' is unicode, which takes no Arrow list"),
        ("pickle", pa.array([1]), "column 'x' is pickle, which takes no Arrow int64"),
        ("pickle", pa.nulls(1), "column 'x' is pickle, which takes no Arrow null"),
        ("json", pa.array([b"a"]), "column 'x' is json, which takes no Arrow binary"),
        ("json", pa.array(["{"]), "column 'x': no json: '{'"),
        ("int32", pa.array([1 << 31]), "column 'x': too large for int32: '2147483648'"),
        ("int64", pa.array([1 << 63], pa.uint64()), "column 'x': too large for int64: '9223372036854775808'"),
        ("float32", pa.array([1e300]), "column 'x': too large for float32: '1e"),
        ("bool", pa.array([2]), "column 'x': no bool: '2'"),
        ("ascii", pa.array(["å"]), "column 'x': no ascii at position 0"),
        ("int64", pa.array([1, None]), "column 'x': refusing to write None without none_support=True"),
        ("unicode", pa.array(["a", None]), "column 'x': refusing to write None without none_support=True"),
        (
            "datetime",
            pa.array([1], pa.timestamp("ns")),
            r"column 'x': no timestamp\[us\]: .* would lose data: 1",
        ),
        ("time", pa.array([1], pa.time64("ns")), r"column 'x': no time64\[us\]: .* would lose data: 1"),
        (
            "datetime",
            pa.array([1 << 62], pa.timestamp("us")),
            "column 'x': no datetime: '4611686018427387904'",
        ),
        ("datetime", pa.array([1 << 62], pa.timestamp("us", "UTC")), "column 'x': a year beyond 1 to 9999"),
        (
            ("datetime", True),
            pa.array([-(1 << 63)], pa.timestamp("us")),
            "column 'x': a year beyond 1 to 9999",
        ),
        ("complex64", COMPLEX_WITH_HOLE, "column 'x': a complex number without"),
    ],
)
def test_what_does_not_fit_is_named(jobs: FewJobs, column: Any, array: pa.Array, error: str) -> None:
    with pytest.raises(ColumnError, match=error):
        one(jobs, column, array)


def test_what_lies_beneath_none_does_not_matter(jobs: FewJobs) -> None:
    beneath = np.array([1, 1 << 40, -5])
    array = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x01"), pa.py_buffer(beneath)])
    assert one(jobs, ("int32", True), array) == [1, None, None]


# ---- columns and slices


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (TABLE.select(["i"]), r"other columns than are written: 'u' \(missing\)"),
        (TABLE.append_column("k", TABLE["i"]), r"other columns than are written: 'k' \(unknown\)"),
        (TABLE.append_column("i", TABLE["i"]), "Arrow data with 2 columns 'i'"),
        (TABLE.slice(0, 0).select(["i"]), r"'u' \(missing\)"),
        ("dev-1/default", "a 'str' is no Arrow data"),
    ],
)
def test_the_columns_are_those_that_are_written(jobs: FewJobs, table: Any, error: str) -> None:
    with pytest.raises(DatasetError, match=error):
        write_arrow(jobs, {"i": "int64", "u": ("unicode", True)}, table)


def test_data_without_rows_needs_a_slice_too(jobs: FewJobs) -> None:
    writer = jobs.new().writer(columns={"i": "int64"})
    with pytest.raises(DatasetError, match="has no slice to write to yet"):
        writer.write_arrow(TABLE.select(["i"]).slice(0, 0))


def test_rows_of_other_slices_are_refused_or_dropped(jobs: FewJobs) -> None:
    table = pa.table({"i": list(range(30)), "u": [str(number) for number in range(30)]})
    for label in ("i", "u"):
        columns = {"i": "int64", "u": "unicode"}
        with pytest.raises(DatasetError, match=f"is hashed on '{label}': a row of slice"):
            write_arrow(jobs, columns, table, hashlabel=label)
        writer = jobs.new().writer(columns=columns, hashlabel=label)
        writer.enable_hash_discard()
        for sliceno in range(jobs.slices):
            writer.set_slice(sliceno)
            writer.write_arrow(table)
        dataset = writer.finish()
        assert sorted(dataset.iterate(None, "i", hashlabel=label)) == list(range(30))


def test_arrow_and_rows_may_take_turns(jobs: FewJobs) -> None:
    writer = jobs.new().writer(columns={"i": "int64"}, allow_missing_slices=True)
    writer.set_slice(0)
    writer.write(0)
    writer.write_arrow(TABLE.select(["i"]))
    writer.write(4)
    assert list(writer.finish().iterate(0, "i")) == [0, 1, 2, 3, 4]
