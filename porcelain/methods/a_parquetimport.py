"""Parquet files to a dataset: each slice reads its part of the rows for itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple

from jobs.dataset.arrow import ArrowType, RecordBatch, Schema, load_arrow
from jobs.dataset.fromarrow import kind_of, stored_type
from jobs.dataset.writer import DatasetWriter
from jobs.errors import DatasetError
from jobs.method.options import InputFile, InputPath, RequiredOption

version = 1

description = """Dataset from Parquet files.

Each slice gets as many rows as the others, which follow each other in the files: iterating over all slices one after
another (sliceno None) gives the rows in the order of the files.

The columns are of the types that the files say, and hold None when the files say that they may:
  int8 to int32, uint8, uint16              int32
  int64, uint32                             int64
  uint64, decimal without places            number
  decimal with places                       float64, the nearest
  double; float, half float                 float64; float32
  boolean, date, time                       bool, date, time
  timestamp of any zone                     datetime; in UTC when there is a zone
  string; binary of any kind                unicode; bytes
  struct of the floats real and imag        complex64 or complex32
  list, map, other struct, null             json
Times that are finer than a microsecond fail the job, and so do intervals.
"""

options = {
    "filename": RequiredOption([InputFile()]),  # one or several, relative to the input directory or absolute
    "columns": [str],  # which columns, by their names in the files; all when not given
    "rename": {"OLD": str},  # {column: column}
}
datasets = ("previous",)

_BATCH_ROWS: Final = 1 << 16
# a column chunk is read piece by piece; as a whole it may be some 100 MB
_READ_BYTES: Final = 1 << 20
_SIMPLE: Final[Mapping[str, str]] = {
    "bool": "bool",
    "decimal": "float64",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
    "text": "unicode",
    "bytes": "bytes",
    "nested": "json",
    "null": "json",
}


class Source(NamedTuple):
    """A file, and how many rows its row groups have."""

    path: InputPath
    groups: tuple[int, ...]


class Prepared(NamedTuple):
    """What analysis needs; `columns` are the new names by the old."""

    sources: list[Source]
    columns: dict[str, str]
    writer: DatasetWriter


def prepare(job: Any, options: Any, datasets: Any) -> Prepared:
    """Look at the schemas of the files and make the writer."""
    paths = list(options.filename)
    if not paths:
        raise DatasetError("no file to import", hint="filename=... names it")
    sources, tables = [], []
    for path in paths:
        with _opened(path) as file:
            groups = range(file.metadata.num_row_groups)
            sources.append(Source(path, tuple(file.metadata.row_group(each).num_rows for each in groups)))
            tables.append(_typed(path, file.schema_arrow, options.columns))
    for path, table in zip(paths, tables, strict=True):
        _check_same(paths[0], tables[0], path, table)
    columns = _renamed(paths[0], list(tables[0]), options.rename)
    names = ", ".join(paths)
    writer = job.datasetwriter(
        filename=names, caption=f"parquetimport of {names}", previous=datasets.previous
    )
    for old, new in columns.items():
        column_type = tables[0][old].type
        may_be_none = column_type != "json" and any(table[old].nullable for table in tables)
        writer.add(new, column_type, none_support=may_be_none)
    return Prepared(sources, columns, writer)


def analysis(sliceno: int, slices: int, prepare_res: Prepared) -> None:
    """Read and write the rows of this slice."""
    pa = load_arrow()
    ends = list(accumulate((sum(source.groups) for source in prepare_res.sources), initial=0))
    first, last = (ends[-1] * number // slices for number in (sliceno, sliceno + 1))
    for source, start in zip(prepare_res.sources, ends, strict=False):
        rows = range(max(first - start, 0), min(last - start, sum(source.groups)))
        for batch in _read(source, rows, list(prepare_res.columns)):
            arrays = [batch.column(name) for name in prepare_res.columns]
            named = pa.RecordBatch.from_arrays(arrays, names=list(prepare_res.columns.values()))
            prepare_res.writer.write_arrow(named)


# ---- columns


class Column(NamedTuple):
    """What becomes of a column of a file."""

    type: str
    nullable: bool


def _typed(path: InputPath, schema: Schema, wanted: list[str]) -> dict[str, Column]:
    """Return type and name of the wanted columns of a file, of all when none are named."""
    for name in wanted or schema.names:
        times = schema.names.count(name)
        if times != 1:
            what = f"{times} columns" if times else "no column"
            raise DatasetError(
                f"'{path}' has {what} '{name}'", hint="it has " + ", ".join(sorted({*schema.names})[:8])
            )
    if not schema.names:
        raise DatasetError(f"'{path}' has no columns")
    fields = [schema.field(name) for name in wanted or schema.names]
    return {
        field.name: Column(_column_type(path, field.name, field.type), field.nullable) for field in fields
    }


def _column_type(path: InputPath, name: str, arrow_type: ArrowType) -> str:
    kind, stored = kind_of(arrow_type), stored_type(arrow_type)
    if kind == "int":
        return _integer_type(stored)
    if kind == "float":
        return "float64" if stored.bit_width == 64 else "float32"
    if kind == "complex":
        return (
            "complex64" if 64 in {stored.field(place).type.bit_width for place in range(2)} else "complex32"
        )
    if kind not in _SIMPLE:
        raise DatasetError(
            f"column '{name}' of '{path}' is {arrow_type}, which no column type holds",
            hint="columns=[...] leaves it out",
        )
    return _SIMPLE[kind]


def _integer_type(stored: ArrowType) -> str:
    types = load_arrow().types
    if types.is_decimal(stored) or types.is_uint64(stored):
        return "number"
    return "int64" if types.is_int64(stored) or types.is_uint32(stored) else "int32"


def _check_same(
    one: InputPath, mine: Mapping[str, Column], other: InputPath, theirs: Mapping[str, Column]
) -> None:
    for name in sorted({*mine, *theirs}):
        told = [table[name].type if name in table else "missing" for table in (mine, theirs)]
        if told[0] != told[1]:
            raise DatasetError(
                f"column '{name}' is {told[0]} in '{one}' and {told[1]} in '{other}'",
                hint="columns=[...] names those that all files have",
            )


def _renamed(path: InputPath, names: list[str], rename: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted({*rename} - {*names})
    if unknown:
        raise DatasetError(f"'{path}' has no column '{unknown[0]}' to be renamed")
    columns = {name: rename.get(name, name) for name in names}
    for new in columns.values():
        olds = [old for old, each in columns.items() if each == new]
        if len(olds) > 1:
            raise DatasetError(f"columns '{olds[0]}' and '{olds[1]}' of '{path}' would both be '{new}'")
    return columns


# ---- rows


@contextmanager
def _opened(path: InputPath) -> Iterator[Any]:
    """Give the Parquet file; raise `DatasetError` when it is none, or is damaged where it is read in the block."""
    pa = load_arrow()
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path.filename(), buffer_size=_READ_BYTES, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as err:
        raise DatasetError(f"'{path}' cannot be read as Parquet: {str(err).splitlines()[0]}") from err


def _read(source: Source, rows: range, columns: list[str]) -> Iterator[RecordBatch]:
    """Yield the rows of a file whose numbers are in `rows`, of the row groups that have them."""
    spans = list(pairwise(accumulate(source.groups, initial=0)))
    groups = [place for place, (start, end) in enumerate(spans) if start < rows.stop and rows.start < end]
    if not rows or not groups:
        return
    at = spans[groups[0]][0]
    with _opened(source.path) as file:
        for batch in file.iter_batches(_BATCH_ROWS, groups, columns, use_threads=False):
            part = range(max(rows.start - at, 0), min(rows.stop - at, len(batch)))
            if part:
                yield batch.slice(part.start, len(part))
            at += len(batch)
            if at >= rows.stop:
                break
