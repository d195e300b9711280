"""A number that tells whether two chains have the same datasets."""

from typing import Any

from blake3 import blake3

from jobs.nodes.values import DotDict
from porcelain.methods import subjobs
from porcelain.methods.tables.chains import check_given

version = 1

description = """A checksum of the datasets of a chain, to compare chains across machines.

Each dataset is summed by dataset_checksum. The sum is the BLAKE3, as an integer, of these sums, the oldest dataset
first, 32 bytes of each, the highest first. So it counts which rows are in which dataset, and how these follow.
"""

options = {
    "chain_length": -1,  # go back at most so many datasets
    "columns": {str},  # only these
    "sort": True,  # slices and the order of rows in a dataset do not count
}
datasets = ("source", "stop")


def synthesis(options: Any, datasets: Any) -> DotDict:
    """Return and print the sum."""
    source = check_given(datasets.source)
    chain = source.chain(options.chain_length, stop_ds=datasets.stop)
    total = blake3()
    for each in chain:
        job = subjobs.build("dataset_checksum", source=each, columns=options.columns, sort=options.sort)
        total.update(job.load().sum.to_bytes(32, "big"))
    print(total.hexdigest())  # noqa: T201 - what a method prints is its output
    return DotDict(
        sum=int(total.hexdigest(), 16),
        sort=options.sort,
        columns=sorted(options.columns or source.columns),
        sources=chain,
    )
