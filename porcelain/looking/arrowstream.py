"""Rows for other programs: an Arrow IPC stream, which pyarrow, polars, duckdb and R read."""

from collections.abc import Sequence
from typing import BinaryIO

from jobs.dataset.arrow import arrow_batches, arrow_schema, load_arrow
from jobs.dataset.dataset import Dataset


def write_arrow(stream: BinaryIO, dataset: Dataset, slices: Sequence[int], names: Sequence[str]) -> None:
    """Write an IPC stream of the rows, a record batch at a time.

    Raises
    ------
    DatasetError
        When pyarrow is not there, or for a column or value that Arrow cannot hold.
    """
    load_arrow()
    from pyarrow.ipc import new_stream

    schema = arrow_schema([dataset], slices, names)
    writer = new_stream(stream, schema)
    for batch in arrow_batches([dataset], slices, schema):
        writer.write_batch(batch)
    writer.close()  # only now: its end says that the stream is whole
