"""The names that dataset_fanout gives its datasets."""

from typing import Any

import numpy as np

from jobs.method.options import OptionString
from porcelain.methods.tables.chains import chain_since_job
from porcelain.methods.tables.columns import read_slice
from porcelain.methods.tables.distinct import as_texts

version = 1

description = """The different values of a column, as texts.

dataset_fanout builds it to know which datasets to make. Its result is a set: each value of the column in the chain,
from the source of previous on, as str(value).
"""

options = {
    "column": OptionString("customer"),  # whose values
    "length": -1,  # go back at most so many datasets in the chain
}
datasets = ("source",)
jobs = ("previous",)


def analysis(sliceno: int, options: Any, datasets: Any, jobs: Any) -> set[str]:
    """Collect the values of this slice."""
    found: set[str] = set()
    column = options.column
    for source in chain_since_job(datasets.source, jobs.previous, options.length):
        for columns in read_slice(source, sliceno, [column]):
            texts, codes = as_texts(columns[column], source.columns[column].type)
            found.update(texts[code] for code in np.unique(codes).tolist())
    return found


def synthesis(analysis_res: Any) -> set[str]:
    """Return the values of all slices."""
    return set().union(*analysis_res)
