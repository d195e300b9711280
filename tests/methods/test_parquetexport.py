"""parquetexport: what it writes is read by pyarrow, polars and duckdb, and imported again as it was."""

import datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import JobFailed, OptionError
from tests.methods.bench import SLICES

DAY = datetime.datetime(2013, 1, 1)
TABLE = pa.table(
    {
        "i": [3, 1, 2, 5, 4],
        "s": ["å", None, "", "x\ny", "z"],
        "f": [0.5, None, float("nan"), 2.0, -0.0],
        "d": [DAY.date()] * 5,
        "m": [DAY + datetime.timedelta(hours=hour) for hour in range(5)],
        "b": [True, None, False, True, True],
        "j": [[1], None, [], [2, 3], [None]],
        "y": [b"\0", b"", None, b"\n", b"x"],
        "c": pa.array([{"real": 1.0, "imag": 2.0}] * 5),
    }
)


@pytest.fixture
def source(bench):
    """Return a dataset of a table with columns of many types."""
    pq.write_table(TABLE, bench.root / "input" / "source.parquet")
    return bench.build("parquetimport", filename="source.parquet").dataset()


@pytest.fixture
def exported(bench, source):
    """Return a function that gives the path of the file that `source`, or other datasets, become."""

    def build(**arguments):
        job = bench.build("parquetexport", **{"source": source} | arguments)
        (name,) = job.files()
        return job.filename(name)

    return build


def test_the_file_has_the_rows_of_the_dataset(source, exported):
    assert repr(pq.read_table(exported()).to_pydict()) == repr(source.to_arrow().to_pydict())
    assert pq.read_table(exported()).schema == source.to_arrow().schema


def test_what_is_exported_is_imported_as_it_was(bench, source, exported):
    bench.write(Path(exported()).read_bytes(), "again.parquet")
    again = bench.build("parquetimport", filename="again.parquet").dataset()
    assert again.lines == source.lines
    for name in set(source.columns) - {"j"}:  # json is text there
        assert again.columns[name].node == source.columns[name].node
    assert list(again.iterate(None, "j")) == ["[1]", "null", "[]", "[2,3]", "[null]"]


def test_polars_and_duckdb_read_the_file(exported):
    path = exported(columns=["s", "i"])
    assert pl.read_parquet(path)["s"].to_list() == TABLE["s"].to_pylist()
    assert duckdb.read_parquet(path).filter("i > 2").fetchall() == [("å", 3), ("x\ny", 5), ("z", 4)]


def test_columns_come_in_the_order_that_is_asked_for(exported):
    assert pq.read_table(exported(columns=["s", "i"])).column_names == ["s", "i"]
    assert pq.read_table(exported()).column_names == sorted(TABLE.column_names)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "brotli", "lz4", "none"])
def test_the_compression_is_chosen(exported, compression):
    column = pq.ParquetFile(exported(compression=compression)).metadata.row_group(0).column(0)
    assert column.compression == ("UNCOMPRESSED" if compression == "none" else compression.upper())


def test_it_is_zstd_by_default_and_equal_data_makes_equal_files(exported):
    metadata = pq.ParquetFile(exported()).metadata
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert Path(exported()).read_bytes() == Path(exported(filename="other.parquet")).read_bytes()


def test_every_slice_can_be_a_file(bench, source):
    job = bench.build("parquetexport", source=source, columns=["i"], sliced=True)
    parts = [pq.read_table(job.filename(f"result.parquet.{n}"))["i"].to_pylist() for n in range(SLICES)]
    assert parts == [list(source.iterate(n, "i")) for n in range(SLICES)]
    named = bench.build("parquetexport", source=source, sliced=True, filename="part%02d.parquet")
    assert named.files() == {"part00.parquet", "part01.parquet", "part02.parquet"}
    with pytest.raises(JobFailed, match=r"'%d-%d' has no place for one number"):
        bench.build("parquetexport", source=source, sliced=True, filename="%d-%d")


@pytest.fixture
def chain(bench):
    """Return two datasets, of numbers that are whole in the first alone."""

    def build(name, text, previous=None):
        source = bench.csvimport(text, name).dataset()
        types = {"n": "number", "t": "ascii+None"}
        return bench.build("dataset_type", source=source, column2type=types, previous=previous).dataset()

    first = build("1.csv", b"n,t\n1,a\n2,\n3,b\n4,c\n")
    return first, build("2.csv", b"n,t\n0.5,d\n", first)


def test_a_chain_is_exported_slice_by_slice_with_one_type_for_all(bench, exported, chain):
    table = pq.read_table(exported(source=chain[1], chain_source=True))
    assert table.schema.types == [pa.float64(), pa.large_string()]
    assert table.to_pydict() == {"n": [1.0, 4.0, 0.5, 2.0, 3.0], "t": ["a", "c", "d", None, "b"]}
    assert pq.read_table(exported(source=chain[0])).schema.field("n").type == pa.int64()
    several = pq.read_table(exported(source=[*chain]))
    assert several.equals(table)


def test_a_chain_goes_on_where_the_previous_job_ended(bench, exported, chain):
    before = bench.build("parquetexport", source=chain[0], chain_source=True)
    assert pq.read_table(exported(source=chain[1], chain_source=True, previous=before)).num_rows == 1


def test_large_datasets_have_several_row_groups(bench, exported):
    rows = (1 << 20) + 100_000
    pq.write_table(pa.table({"i": pa.array(range(rows), pa.int32())}), bench.root / "input" / "long.parquet")
    long = bench.build("parquetimport", filename="long.parquet").dataset()
    file = pq.ParquetFile(exported(source=long))
    assert file.metadata.num_row_groups == 2
    assert file.read()["i"].to_pylist() == list(range(rows))


def test_a_dataset_without_rows_makes_a_file_without_rows(bench, exported):
    empty = bench.table(b"a,b\n")
    table = pq.read_table(exported(source=empty))
    assert (table.num_rows, table.column_names) == (0, ["a", "b"])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"source": []}, "no dataset to export"),
        ({"columns": ["k"]}, r"has no column 'k'"),
        ({"source": "both"}, r"column 'i' is int64 in '.*' and bytes in '.*'"),
    ],
)
def test_what_cannot_be_exported_is_named(bench, source, exported, arguments, error):
    if arguments.get("source") == "both":
        arguments = {"source": [source, bench.table(b"i\n1\n")], "columns": ["i"]}
    with pytest.raises(JobFailed, match=error):
        exported(**arguments)


def test_another_compression_is_refused(bench, source):
    with pytest.raises(OptionError, match="zstd"):
        bench.build("parquetexport", source=source, compression="zip")


def test_duckdb_reads_a_dataset_out_of_the_store(source):
    reader = pa.RecordBatchReader.from_stream(source)
    assert duckdb.from_arrow(reader).aggregate("sum(i), max(s)").fetchall() == [(15, "å")]


def test_polars_reads_a_dataset_out_of_the_store(source):
    assert pl.from_arrow(source.arrow_reader(columns="i"))["i"].to_list() == TABLE["i"].to_pylist()
