"""Datasets to Parquet: one file of all slices, or a file for each."""

from collections.abc import Iterable, Iterator
from typing import IO, Any, Final, NamedTuple

from jobs.dataset.arrow import RecordBatch, Schema, Table, arrow_batches, arrow_schema, load_arrow
from jobs.dataset.dataset import Dataset
from jobs.method.options import OptionEnum
from porcelain.methods.exports import find_sources, name_of_slice

version = 1

description = """Parquet file of a dataset, or of several one after another.

The rows come slice by slice, in each slice dataset by dataset. The types are those that Dataset.to_arrow gives: number
becomes int64 or float64, json becomes text, pickle is refused. A column has one type in all datasets.
"""

options = {
    "filename": "result.parquet",
    "columns": [str],  # which columns, in this order; all in sorted order when not given
    "compression": OptionEnum("zstd snappy gzip brotli lz4 none").zstd,
    "chain_source": False,  # take all datasets of each source's chain, from the source of previous on
    "sliced": False,  # a file for each slice: filename has a %d, or gets the number at its end
}
datasets = (["source"],)
jobs = ("previous",)

# a row group ends at the first of these; it is in memory while it is written
_GROUP_ROWS: Final = 1 << 20
_GROUP_BYTES: Final = 64 << 20


class Prepared(NamedTuple):
    """What is exported, and as what."""

    sources: list[Dataset]
    schema: Schema


def prepare(options: Any, datasets: Any, jobs: Any, slices: int) -> Prepared:
    """Choose datasets and columns."""
    sources = find_sources(datasets.source, jobs.previous, chain=options.chain_source)
    names = list(dict.fromkeys(options.columns)) or sorted(sources[0].columns)
    return Prepared(sources, arrow_schema(sources, range(slices), names))


def analysis(job: Any, sliceno: int, options: Any, prepare_res: Prepared) -> None:
    """Write the file of this slice, if there is to be one."""
    if options.sliced:
        with job.open(name_of_slice(options.filename, sliceno, "part-%02d.parquet"), "wb") as file:
            _write(file, prepare_res, [sliceno], options.compression)


def synthesis(job: Any, slices: int, options: Any, prepare_res: Prepared) -> None:
    """Write the file of all slices, if there is to be one."""
    if not options.sliced:
        with job.open(options.filename, "wb") as file:
            _write(file, prepare_res, range(slices), options.compression)


def _write(file: IO[bytes], what: Prepared, slices: Iterable[int], compression: str) -> None:
    from pyarrow.parquet import ParquetWriter

    batches = arrow_batches(what.sources, list(slices), what.schema)
    with ParquetWriter(file, what.schema, compression=str(compression)) as writer:
        for group in _row_groups(batches, what.schema):
            writer.write_table(group, row_group_size=len(group))


def _row_groups(batches: Iterator[RecordBatch], schema: Schema) -> Iterator[Table]:
    pa = load_arrow()
    gathered: list[RecordBatch] = []
    for batch in batches:
        gathered.append(batch)
        rows, size = sum(map(len, gathered)), sum(each.nbytes for each in gathered)
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.Table.from_batches(gathered, schema)
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered, schema)
