"""Datasets as Arrow: every type and None, as pyarrow, polars, duckdb and pandas read them; what Arrow cannot hold."""

import datetime
import gc
import json
import sys
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.formats.node import put_node
from jobs.column.batches import Piece
from jobs.column.slice import SliceWriter
from jobs.column.text import Texts
from jobs.dataset.arrow import _fixed_array
from jobs.dataset.dataset import Dataset, NoDataset
from jobs.dataset.head import ColumnNode, ColumnSlice, DatasetColumn, DatasetHead
from jobs.errors import DatasetError
from tests.jobs.dataset.owners import FewJobs
from tests.jobs.dataset.test_roundtrip import SLICES, VALUES, shown

BATCH_ROWS = 1 << 16
UTC = datetime.UTC
DAY = datetime.datetime(2013, 1, 1)
LARGE = 1 << 53

# what one column holds: of number and datetime only what has one Arrow type
KINDS: dict[str, list[st.SearchStrategy[Any]]] = {
    **{kind: [values] for kind, values in VALUES.items() if kind != "pickle"},
    "number": [VALUES["int64"], st.one_of(st.floats(), st.integers(-LARGE, LARGE)), st.just(1 << 80)],
    "datetime": [st.datetimes(), st.datetimes(timezones=st.just(UTC))],
}
ARROW_TYPES = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "bytes": pa.large_binary(),
    "ascii": pa.large_string(),
    "unicode": pa.large_string(),
    "json": pa.large_string(),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]]:
    """Draw the columns of a dataset, and rows for each slice."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.booleans()), min_size=1, max_size=4))
    columns = {f"{place} {kind}": (kind, none) for place, (kind, none) in enumerate(chosen)}
    values = [draw(st.sampled_from(KINDS[kind])) for kind, _ in chosen]
    values = [
        st.one_of(st.none(), each) if none else each for each, (_, none) in zip(values, chosen, strict=True)
    ]
    rows = st.lists(st.tuples(*values), max_size=8)
    return columns, draw(st.lists(rows, min_size=SLICES, max_size=SLICES))


def as_arrow_gives(kind: str, value: Any) -> Any:
    """Return what a value of a column is in Python when it comes out of Arrow."""
    if kind == "json":
        return json.dumps(value, separators=(",", ":"))
    if value is None:
        return None
    if kind.startswith("complex"):
        return {"real": value.real, "imag": value.imag}
    if kind == "time":
        return value.replace(tzinfo=None, fold=0)
    if kind == "datetime":
        return value.replace(fold=0)
    return value


def plain(value: Any) -> Any:
    """Return a value so that nan equals itself, 0.0 is not -0.0, and UTC is UTC whatever library says so."""
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.replace(tzinfo=UTC)
    return repr(value) if isinstance(value, float | dict) else value


def column_of(rows: Sequence[Sequence[Any]], place: int, kind: str) -> list[Any]:
    values = [as_arrow_gives(kind, row[place]) for row in rows]
    if kind == "number" and not all(
        value is None or (type(value) is int and abs(value) < 1 << 63) for value in values
    ):
        values = [None if value is None else float(value) for value in values]
    return [plain(value) for value in values]


@given(tables())
def test_rows_are_the_same_in_arrow(
    made: tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]],
) -> None:
    columns, slices = made
    dataset = FewJobs(slices=SLICES).write(columns, slices)
    table = dataset.to_arrow()
    table.validate(full=True)
    rows = [row for part in slices for row in part]
    for place, (name, (kind, none_support)) in enumerate(columns.items()):
        assert table.schema.field(name).type == ARROW_TYPES.get(kind, table.schema.field(name).type)
        assert table.schema.field(name).nullable == (none_support and kind != "json")
        assert [plain(value) for value in table[name].to_pylist()] == column_of(rows, place, kind)
    assert repr(pa.table(dataset).to_pydict()) == repr(table.to_pydict())  # nan equals nothing


@given(tables())
def test_polars_and_duckdb_read_the_same_rows(
    made: tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]],
) -> None:
    columns, slices = made
    dataset = FewJobs(slices=SLICES).write(columns, slices)
    table = dataset.to_arrow()
    assert pl.DataFrame(dataset.arrow_reader()).equals(pl.DataFrame(table), null_equal=True)
    reader = pa.RecordBatchReader.from_stream(dataset)
    assert duckdb.from_arrow(reader).to_arrow_table().num_rows == table.num_rows


# ---- the libraries


@pytest.fixture
def flights(jobs: FewJobs) -> Dataset:
    rows = [(1, "hå", DAY, 1.5), (2, None, DAY + datetime.timedelta(1), None), (3, "x\ny", DAY, 2.5)]
    columns = {"i": "int64", "u": ("unicode", True), "m": "datetime", "f": ("float64", True)}
    return jobs.write(columns, [rows[:2], [], rows[2:]])


def test_pyarrow_reads_a_dataset(flights: Dataset) -> None:
    assert pa.table(flights).column_names == ["f", "i", "m", "u"]
    assert pa.table(flights)["u"].to_pylist() == ["hå", None, "x\ny"]


def test_a_consumer_may_ask_for_other_types(flights: Dataset) -> None:
    schema = pa.schema(
        [("f", pa.float64()), ("i", pa.int64()), ("m", pa.timestamp("us")), ("u", pa.string())]
    )
    assert pa.table(flights, schema=schema)["u"].type == pa.string()


def test_polars_reads_the_batches_of_a_dataset(flights: Dataset) -> None:
    reader = flights.arrow_reader
    for frame in (pl.from_arrow(reader()), pl.DataFrame(reader()), flights.to_polars()):
        assert isinstance(frame, pl.DataFrame)
        assert frame["u"].to_list() == ["hå", None, "x\ny"]
        assert frame["m"].dtype == pl.Datetime("us")
        assert frame["i"].sum() == 6


def test_duckdb_queries_a_dataset(flights: Dataset) -> None:
    reader = pa.RecordBatchReader.from_stream(flights)
    found = duckdb.from_arrow(reader).query(
        "flights", "select m, sum(i), count(f) from flights group by m order by m"
    )
    assert found.fetchall() == [(DAY, 4, 2), (DAY + datetime.timedelta(1), 2, 0)]


def test_pandas_gets_a_frame(flights: Dataset) -> None:
    frame = flights.to_pandas(columns=["i", "u", "m"])
    assert list(frame.columns) == ["i", "u", "m"]
    assert frame["i"].dtype == np.int64
    assert frame["m"].tolist() == [DAY, DAY + datetime.timedelta(1), DAY]
    assert frame["u"].isna().tolist() == [False, True, False]
    nullable = {pa.int64(): pd.Int64Dtype()}
    assert flights.to_pandas(0, "i", types_mapper=nullable.get)["i"].dtype == pd.Int64Dtype()


# ---- slices, columns, batches


def test_a_slice_and_some_columns_can_be_had(flights: Dataset) -> None:
    assert flights.to_arrow(0, ["u", "i"]).to_pydict() == {"u": ["hå", None], "i": [1, 2]}
    assert flights.to_arrow(1, "i").num_rows == 0
    assert flights.to_arrow(2, "i").to_pydict() == {"i": [3]}
    assert flights.to_arrow(columns=["i", "i"]).column_names == ["i"]


def test_what_is_not_there_is_an_error_at_once(flights: Dataset) -> None:
    with pytest.raises(DatasetError, match="dataset 'dev-1/default' has no column 'k'"):
        flights.arrow_reader(columns="k")
    with pytest.raises(DatasetError, match="dataset 'dev-1/default' has no slice 3"):
        flights.arrow_reader(3)


def test_an_empty_dataset_has_a_schema(jobs: FewJobs) -> None:
    table = jobs.write({"i": "int64", "n": "number", "m": "datetime"}, [[], [], []]).to_arrow()
    assert table.num_rows == 0
    assert table.schema.types == [pa.int64(), pa.timestamp("us"), pa.int64()]


def test_no_dataset_is_a_table_without_columns() -> None:
    assert NoDataset.to_arrow().shape == (0, 0)


@pytest.mark.parametrize("rows", [1, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1, 2 * BATCH_ROWS + 3])
def test_batches_of_all_sizes_come_one_after_another(jobs: FewJobs, rows: int) -> None:
    numbers = np.arange(rows)
    texts = [None if number % 5 == 0 else "é" * (number % 7) for number in range(rows)]
    writer = jobs.new().writer(columns={"i": "int64", "f": ("float64", True), "u": ("unicode", True)})
    writer.set_slice(0)
    writer.write_arrays({"i": numbers, "f": (numbers / 3, numbers % 3 == 0), "u": texts})
    writer.set_slice(1)
    writer.set_slice(2)
    dataset = writer.finish()
    batches = list(dataset.arrow_reader())
    assert [batch.num_rows for batch in batches[:-1]] == [BATCH_ROWS] * ((rows - 1) // BATCH_ROWS)
    table = pa.Table.from_batches(batches)
    assert table["i"].to_numpy().tolist() == numbers.tolist()
    assert table["u"].to_pylist() == texts
    assert table["f"].to_pylist() == [None if number % 3 == 0 else number / 3 for number in range(rows)]


def test_columns_whose_batches_end_elsewhere_are_aligned(jobs: FewJobs) -> None:
    large = "x" * (1 << 20)  # four of them fill a batch
    rows = [(number, f"{number}{large}") for number in range(9)]
    table = jobs.write({"i": "int64", "u": "ascii"}, [rows, [], []]).to_arrow()
    assert table["i"].num_chunks > 1
    assert table["i"].to_pylist() == list(range(9))
    assert [text[:1] for text in table["u"].to_pylist()] == [str(number) for number in range(9)]


@pytest.mark.parametrize("mask", [None, np.arange(100) % 3 == 0])
def test_numbers_are_not_copied(mask: Any) -> None:
    values = np.arange(100)
    array = _fixed_array(values, mask, pa.int64())
    assert array.null_count == (0 if mask is None else 34)
    assert array.buffers()[1].address == values.ctypes.data


@pytest.mark.parametrize("separated", [True, False])
def test_text_of_all_characters_is_found_again(jobs: FewJobs, separated: bool) -> None:
    texts = [chr(code) * 2 for code in range(1 if separated else 0, 128)] + ["", "\n", ""]
    rows = [(None if number == 99 else text,) for number, text in enumerate(texts)]
    dataset = jobs.write({"u": ("unicode", True)}, [rows, [], []])
    assert dataset.to_arrow()["u"].to_pylist() == [row[0] for row in rows]


def test_a_reader_that_is_left_halfway_closes_what_it_read(jobs: FewJobs) -> None:
    dataset = jobs.write({"i": "int64"}, [[(1,)], [(2,)], [(3,)]])
    reader = dataset.arrow_reader()
    assert reader.read_next_batch().to_pydict() == {"i": [1]}
    del reader
    gc.collect()  # an open stream would be a warning, and that an error


# ---- number and datetime


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, -(1 << 63), (1 << 63) - 1], pa.int64()),
        ([None, None], pa.int64()),
        ([1, None, 2.5], pa.float64()),
        ([LARGE, -LARGE, float("nan")], pa.float64()),
        ([1 << 60, 0.5], pa.float64()),
        ([1 << 70, 1], pa.float64()),
    ],
)
def test_numbers_are_int64_when_all_are_and_else_float64(
    jobs: FewJobs, values: list[Any], wanted: pa.DataType
) -> None:
    table = jobs.write({"n": ("number", True)}, [[], [(value,) for value in values], []]).to_arrow()
    assert table.schema.field("n").type == wanted
    assert shown(table["n"].to_pylist()) == shown(
        [value if value is None or wanted == pa.int64() else float(value) for value in values]
    )


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([0.5, LARGE + 1], LARGE + 1),
        ([-LARGE - 1, 0.5], -LARGE - 1),
        ([1 << 70, LARGE + 1], LARGE + 1),
        ([(1 << 70) + 1], (1 << 70) + 1),
        ([10**400], 10**400),
    ],
)
def test_an_integer_that_no_arrow_number_holds_is_named(jobs: FewJobs, values: list[Any], named: int) -> None:
    dataset = jobs.write({"n": "number"}, [[(value,)] for value in [*values, 0, 0][:3]])
    with pytest.raises(
        DatasetError, match=rf"column 'n' of dataset 'dev-1/default' .* beside {named}, which"
    ):
        dataset.arrow_reader()


def test_a_slice_of_numbers_has_the_type_of_its_own_values(jobs: FewJobs) -> None:
    dataset = jobs.write({"n": "number"}, [[(1,)], [(0.5,)], []])
    assert [dataset.to_arrow(number)["n"].type for number in range(3)] == [
        pa.int64(),
        pa.float64(),
        pa.int64(),
    ]


def test_the_clock_of_datetimes_in_utc_is_kept(jobs: FewJobs) -> None:
    dataset = jobs.write({"m": ("datetime", True)}, [[(DAY.replace(tzinfo=UTC),), (None,)], [], []])
    table = dataset.to_arrow()
    assert table.schema.field("m").type == pa.timestamp("us", "UTC")
    assert table["m"].cast(pa.timestamp("us")).to_pylist() == [DAY, None]


@pytest.mark.parametrize("zones", [(None, None, UTC), (None, UTC, None), (UTC, None, None)])
def test_naive_and_utc_datetimes_in_one_column_are_an_error(jobs: FewJobs, zones: Sequence[Any]) -> None:
    rows = [(DAY.replace(day=day + 1, tzinfo=zone),) for day, zone in enumerate(zones)]
    dataset = jobs.write({"m": "datetime"}, [rows, [], []])
    with pytest.raises(
        DatasetError, match="column 'm' of dataset 'dev-1/default' has naive datetimes and such"
    ):
        dataset.to_arrow()
    with pytest.raises((DatasetError, pa.ArrowInvalid), match="column 'm' of dataset 'dev-1/default'"):
        pa.table(dataset)


def test_pickles_are_refused(jobs: FewJobs) -> None:
    dataset = jobs.write({"p": "pickle", "i": "int64"}, [[((), 1)], [], []])
    with pytest.raises(DatasetError, match="column 'p' of dataset 'dev-1/default' is pickle"):
        dataset.to_arrow()
    assert dataset.to_arrow(columns="i")["i"].to_pylist() == [1]


# ---- without pyarrow


def test_without_pyarrow_the_error_says_what_to_install(
    jobs: FewJobs, flights: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DatasetError, match="pyarrow is not installed") as caught:
        flights.to_arrow()
    assert "pip install 'acc[arrow]'" in caught.value.hint


# ---- damage


def test_text_that_is_no_utf8_never_reaches_arrow(jobs: FewJobs) -> None:
    writer = SliceWriter("unicode", jobs.store.writer())
    writer._write(Piece(1, Texts.from_rows([b"\xff"]), None))
    part = writer.finish()
    empty = SliceWriter("unicode", jobs.store.writer()).finish()
    slices = tuple(ColumnSlice(each.blob, each.lines, each.bytes) for each in (part, empty, empty))
    column = ColumnNode("unicode", False, None, None, slices)
    head = DatasetHead({"u": DatasetColumn.of("u", column, put_node(jobs.store, column))}, (1, 0, 0))
    job = jobs.new()
    job.add_dataset("default", put_node(jobs.store, head), head)
    with pytest.raises(DatasetError, match=r"column 'u' of dataset 'dev-1/default' is damaged: .* UTF8"):
        job.dataset().to_arrow()
