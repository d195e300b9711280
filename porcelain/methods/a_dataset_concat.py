"""A chain of datasets as one dataset."""

from typing import Any, NamedTuple

from jobs.dataset.dataset import Dataset
from jobs.dataset.lists import DatasetChain
from jobs.dataset.writer import DatasetWriter
from jobs.errors import DatasetError
from porcelain.methods.tables.chains import chain_since, check_alike
from porcelain.methods.tables.columns import read_slice

version = 1

description = """A chain of datasets as one dataset.

The datasets, from the source of previous on, must have the same columns and be hashed on the same one. To read one
dataset takes less than to read many small ones.
"""

options = {"caption": "concatenated datasets"}
datasets = ("source", "previous")


class Prepared(NamedTuple):
    """What is read, and where it goes."""

    chain: "DatasetChain[Dataset]"
    writer: DatasetWriter


def prepare(job: Any, options: Any, datasets: Any) -> Prepared:
    """Check that the datasets are alike."""
    source = datasets.source
    chain = chain_since(source, datasets.previous)
    for each in chain:
        check_alike(each, source)
        _check_hashed_alike(each, source)
    writer = job.datasetwriter(
        hashlabel=source.hashlabel, previous=datasets.previous, caption=options.caption
    )
    for name, column in sorted(source.columns.items()):
        writer.add(name, column.type, none_support=chain.none_support(name))
    return Prepared(chain, writer)


def analysis(sliceno: int, prepare_res: Prepared) -> None:
    """Copy this slice of each dataset."""
    for each in prepare_res.chain:
        for columns in read_slice(each, sliceno, sorted(each.columns)):
            prepare_res.writer.write_arrays(columns, are_placed=True)


def _check_hashed_alike(one: Dataset, other: Dataset) -> None:
    if one.hashlabel != other.hashlabel:
        raise DatasetError(
            f"'{one.spec}' is hashed on {one.hashlabel!r} and '{other.spec}' on {other.hashlabel!r}"
        )
