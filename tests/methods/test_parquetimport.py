"""parquetimport: rows in the order of the files, in equal parts; types; files that are no Parquet or differ."""

import datetime
import decimal
import io

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.errors import JobFailed, OptionError
from tests.methods.bench import SLICES

DAY = datetime.datetime(2013, 1, 1)
UTC_DAY = DAY.replace(tzinfo=datetime.UTC)


def parquet(table, **options):
    """Return the bytes of a Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


@pytest.fixture
def imported(bench):
    """Return a function that gives the dataset of tables, each a file."""

    def build(*tables, row_group_size=None, **options):
        names = [
            bench.write(parquet(table, row_group_size=row_group_size), f"{number}.parquet")
            for number, table in enumerate(tables)
        ]
        return bench.build("parquetimport", filename=names, **options).dataset()

    return build


# ---- rows


@pytest.mark.parametrize("rows", [0, 1, 2, SLICES, 10, 1001])
@pytest.mark.parametrize("row_group_size", [1, 7, 1000])
def test_rows_keep_the_order_of_the_file_in_equal_parts(imported, rows, row_group_size):
    table = pa.table({"i": pa.array(range(rows), pa.int64()), "t": [str(number) for number in range(rows)]})
    dataset = imported(
        table.cast(pa.schema({"i": pa.int64(), "t": pa.string()})), row_group_size=row_group_size
    )
    assert list(dataset.iterate(None, ["i", "t"])) == [(number, str(number)) for number in range(rows)]
    assert max(dataset.lines) - min(dataset.lines) <= 1


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=12), min_size=1, max_size=3),
    st.integers(1, 5),
)
def test_several_files_are_read_one_after_another(bench, parts, row_group_size):
    names = [
        bench.write(
            parquet(pa.table({"i": pa.array(part, pa.int64())}), row_group_size=row_group_size),
            f"{n}.parquet",
        )
        for n, part in enumerate(parts)
    ]
    dataset = bench.build("parquetimport", filename=names).dataset()
    assert list(dataset.iterate(None, "i")) == [value for part in parts for value in part]
    assert max(dataset.lines) - min(dataset.lines) <= 1


def test_rows_beyond_one_batch_arrive(imported):
    rows = 3 * 65_536 + 5
    table = pa.table({"i": pa.array(range(rows), pa.int32())})
    assert imported(table, row_group_size=100_000).to_arrow()["i"].to_pylist() == list(range(rows))


def test_one_file_may_be_named_alone(bench):
    name = bench.write(parquet(pa.table({"i": [1, 2]})), "a.parquet")
    dataset = bench.build("parquetimport", filename=name).dataset()
    assert list(dataset.iterate(None, "i")) == [1, 2]
    assert (dataset.filename, dataset.caption) == ("a.parquet", "parquetimport of a.parquet")


def test_the_dataset_follows_previous(imported):
    first = imported(pa.table({"i": [1]}))
    second = imported(pa.table({"i": [2]}), previous=first)
    assert list(second.iterate_chain(None, "i")) == [1, 2]


# ---- types


@pytest.mark.parametrize(
    ("array", "column_type", "values"),
    [
        (pa.array([-1, 2], pa.int8()), "int32", [-1, 2]),
        (pa.array([1, None], pa.uint16()), "int32", [1, None]),
        (pa.array([1], pa.uint32()), "int64", [1]),
        (pa.array([1], pa.int64()), "int64", [1]),
        (pa.array([(1 << 64) - 1], pa.uint64()), "number", [(1 << 64) - 1]),
        (pa.array(np.float16([1.5])), "float32", [1.5]),
        (pa.array([1.5], pa.float32()), "float32", [1.5]),
        (pa.array([0.1, None]), "float64", [0.1, None]),
        (pa.array([True, None]), "bool", [True, None]),
        (pa.array([decimal.Decimal("1.25")], pa.decimal128(9, 2)), "float64", [1.25]),
        (pa.array([decimal.Decimal(10**20 + 1)], pa.decimal128(30, 0)), "number", [10**20 + 1]),
        (pa.array([DAY.date(), None]), "date", [DAY.date(), None]),
        (pa.array([datetime.time(1, 2, 3)], pa.time32("ms")), "time", [datetime.time(1, 2, 3)]),
        (pa.array([DAY], pa.timestamp("ns")), "datetime", [DAY]),
        (pa.array([UTC_DAY, None], pa.timestamp("ms", "Asia/Tokyo")), "datetime", [UTC_DAY, None]),
        (pa.array(["å", None]), "unicode", ["å", None]),
        (pa.array(["a", "a"]).dictionary_encode(), "unicode", ["a", "a"]),
        (pa.array([b"\xff"]), "bytes", [b"\xff"]),
        (pa.array([b"ab"], pa.binary(2)), "bytes", [b"ab"]),
        (pa.array([[1, None], None]), "json", [[1, None], None]),
        (pa.array([{"a": {"b": "c"}}]), "json", [{"a": {"b": "c"}}]),
        (pa.array([{"real": 1.0, "imag": -2.0}, None]), "complex64", [1 - 2j, None]),
        (pa.nulls(2), "json", [None, None]),
    ],
)
def test_the_types_of_parquet_become_column_types(imported, array, column_type, values):
    dataset = imported(pa.table({"x": array}))
    assert dataset.columns["x"].type == column_type
    assert list(dataset.iterate(None, "x")) == values


def test_a_column_holds_none_when_the_file_says_that_it_may(imported):
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())])
    columns = imported(pa.table({"a": [1], "b": [2]}, schema=schema)).columns
    assert (columns["a"].none_support, columns["b"].none_support) == (False, True)


def test_files_of_polars_and_duckdb_are_read(bench):
    frame = pl.DataFrame({"s": ["å", None], "n": [1.5, 2.5], "d": [DAY, None], "l": [[1], []]})
    frame.write_parquet(bench.root / "input" / "polars.parquet")
    path = str(bench.root / "input" / "duckdb.parquet")
    duckdb.from_arrow(frame.to_arrow()).write_parquet(path)
    for name in ("polars.parquet", "duckdb.parquet"):
        dataset = bench.build("parquetimport", filename=name).dataset()
        assert list(dataset.iterate(None, ["s", "n", "d", "l"])) == [
            ("å", 1.5, DAY, [1]),
            (None, 2.5, None, []),
        ]


# ---- columns


def test_columns_are_chosen_and_renamed(imported):
    table = pa.table({"a.b": [1], "c": ["x"], "d": [2.0]})
    dataset = imported(table, columns=["d", "a.b"], rename={"a.b": "c"})
    assert list(dataset.columns) == ["d", "c"]
    assert list(dataset.iterate(None, ["c", "d"])) == [(1, 2.0)]


INTERVAL = pa.table({"x": pa.array([1], pa.duration("us"))})
TABLE = pa.table({"i": [1], "s": ["x"]})


@pytest.mark.parametrize(
    ("tables", "options", "error"),
    [
        ([TABLE], {"columns": ["k"]}, r"'0\.parquet' has no column 'k'"),
        ([TABLE], {"rename": {"k": "l"}}, r"'0\.parquet' has no column 'k' to be renamed"),
        ([TABLE], {"rename": {"i": "s"}}, r"columns 'i' and 's' of '0\.parquet' would both be 's'"),
        ([TABLE.rename_columns(["i", "i"])], {}, r"'0\.parquet' has 2 columns 'i'"),
        (
            [TABLE, TABLE.select(["i"])],
            {},
            r"column 's' is unicode in '0\.parquet' and missing in '1\.parquet'",
        ),
        (
            [TABLE, pa.table({"i": [1.5], "s": ["x"]})],
            {},
            r"column 'i' is int64 in '0\.parquet' and float64 in '1",
        ),
        ([INTERVAL], {}, r"column 'x' of '0\.parquet' is duration\[us\], which no column type holds"),
        (
            [pa.table({"t": pa.array([1], pa.timestamp("ns"))})],
            {},
            "column 't': no timestamp.* would lose data: 1",
        ),
        ([pa.table({})], {}, r"'0\.parquet' has no columns"),
        ([], {}, "no file to import"),
    ],
)
def test_what_cannot_be_imported_is_named(imported, tables, options, error):
    with pytest.raises(JobFailed, match=error):
        imported(*tables, **options)


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", parquet(TABLE)[:-20]])
def test_a_file_that_is_no_parquet_is_an_error(bench, data):
    with pytest.raises(JobFailed, match=r"'x\.parquet' cannot be read as Parquet: "):
        bench.build("parquetimport", filename=bench.write(data, "x.parquet"))


def test_damage_among_the_rows_is_an_error(bench):
    data = bytearray(parquet(pa.table({"s": [str(number) * 9 for number in range(999)]}), compression="zstd"))
    data[8:60] = bytes(52)
    with pytest.raises(JobFailed, match=r"'x\.parquet' cannot be read as Parquet: "):
        bench.build("parquetimport", filename=bench.write(bytes(data), "x.parquet"))


def test_a_file_must_be_named(bench):
    with pytest.raises(OptionError, match="needs the option 'filename'"):
        bench.build("parquetimport")
