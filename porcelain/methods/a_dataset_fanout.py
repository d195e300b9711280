"""A dataset for each value of a column."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from jobs.column.batches import BATCH_ROWS
from jobs.dataset.arrays import check_column
from jobs.dataset.dataset import Dataset
from jobs.dataset.lists import DatasetChain
from jobs.dataset.writer import DatasetWriter
from jobs.errors import DatasetError
from jobs.method.options import OptionString
from porcelain.methods import subjobs
from porcelain.methods.tables.chains import chain_since_job
from porcelain.methods.tables.columns import Values, read_slice, take_rows
from porcelain.methods.tables.distinct import as_texts
from porcelain.methods.tables.scratch import Place, Scratch

version = 1

description = """A dataset for each value of a column, without that column.

Each dataset has the name str(value) and the rows with that value, of the chain from the source of previous on. It
follows the dataset of that name in previous; a dataset there whose value does not come again is followed by an empty
one.

The datasets have the columns that all datasets of the chain have. A column whose types differ gets one that holds them
all: ascii and unicode become unicode, int32 and int64 int64, float32 and float64 float64, complex32 and complex64
complex64, any other mixture of numbers number.
"""

options = {
    "column": OptionString("customer"),  # whose values
    "length": -1,  # go back at most so many datasets in the chain
}
datasets = ("source",)
jobs = ("previous",)

# rows that a slice may hold in memory: a dataset that is being written holds up to a batch of them
ROWS_HELD: Final = 1 << 20
_NUMBERS: Final = frozenset({"int32", "int64", "float32", "float64", "number"})
# types that one of several is replaced by; the first that holds them all is taken
_WIDER: Final = (
    ("unicode", {"ascii", "unicode"}),
    ("complex64", {"complex32", "complex64"}),
    ("float64", {"float32", "float64"}),
    ("int64", {"int32", "int64"}),
    ("number", _NUMBERS),
)


class Prepared(NamedTuple):
    """What is read, and where it goes.

    Attributes
    ----------
    columns : list of str
        Those that the new datasets have.
    writers : dict of str to DatasetWriter
        By the value that they are for.
    scratches : list of Scratch
        One a slice, when the rows go through a scratch file; else none.
    """

    chain: "DatasetChain[Dataset]"
    columns: list[str]
    writers: dict[str, DatasetWriter]
    scratches: list[Scratch]


def prepare(job: Any, options: Any, datasets: Any, jobs: Any, slices: int) -> Prepared:
    """Find the values and make a writer for each."""
    chain = chain_since_job(datasets.source, jobs.previous, options.length)
    columns = _common_columns(chain, options.column)
    collected = subjobs.build(
        "dataset_fanout_collect",
        source=datasets.source,
        previous=jobs.previous,
        column=options.column,
        length=options.length,
    )
    earlier = {dataset.name: dataset for dataset in jobs.previous.datasets} if jobs.previous else {}
    writers: dict[str, DatasetWriter] = {}
    names = {text: text or "default" for text in sorted({*collected.load(), *earlier})}
    if "" in names and "default" in names:
        raise DatasetError("the values '' and 'default' would both be the dataset 'default'")
    for text, name in names.items():
        writers[text] = job.datasetwriter(
            name=name,
            columns=columns,
            hashlabel=_common_hashlabel(chain, options.column),
            previous=earlier.get(name),
            caption=f"{options.column} is {text}",
        )
    rows = max(chain.lines(sliceno) for sliceno in range(slices))
    spills = min(rows, len(writers) * BATCH_ROWS) > ROWS_HELD
    return Prepared(chain, sorted(columns), writers, [Scratch() for _ in range(slices if spills else 0)])


def analysis(sliceno: int, options: Any, prepare_res: Prepared) -> dict[str, list[Place]]:
    """Write the rows of this slice, or put them into a scratch file by value."""
    places = defaultdict[str, list[Place]](list)
    for source in prepare_res.chain:
        for text, columns in _read_by_value(source, sliceno, options.column, prepare_res.columns):
            if prepare_res.scratches:
                places[text].append(prepare_res.scratches[sliceno].put(columns))
            else:
                prepare_res.writers[text].write_arrays(columns, are_placed=True)
    return dict(places)


def synthesis(prepare_res: Prepared, analysis_res: Any) -> None:
    """Write what is in scratch files, a dataset at a time."""
    if not prepare_res.scratches:
        return
    by_slice = list(analysis_res)
    for text, writer in prepare_res.writers.items():
        for sliceno, (scratch, places) in enumerate(zip(prepare_res.scratches, by_slice, strict=True)):
            writer.set_slice(sliceno)
            for columns in scratch.take(places.get(text, ())):
                writer.write_arrays(columns, are_placed=True)
        writer.finish()


# ---- columns


def _common_columns(chain: "DatasetChain[Dataset]", column: str) -> dict[str, tuple[str, bool]]:
    """Return type and none_support of the columns that all datasets have, but for that one."""
    for source in chain:
        check_column(source, column)
    common = set(chain[0].columns).intersection(*(source.columns for source in chain)) - {column}
    if not common:
        raise DatasetError(f"the datasets have no column in common but '{column}'")
    return {
        name: (
            _widest(name, {source.columns[name].type for source in chain}),
            chain.none_support(name),
        )
        for name in common
    }


def _widest(name: str, types: set[str]) -> str:
    if len(types) == 1:
        return next(iter(types))
    for wider, held in _WIDER:
        if types <= held:
            return wider
    raise DatasetError(
        f"column '{name}' has types that no type holds: {', '.join(sorted(types))}",
        hint="dataset_type and dataset_filter_columns make datasets that fit together",
    )


def _common_hashlabel(chain: "DatasetChain[Dataset]", column: str) -> str | None:
    labels = {source.hashlabel for source in chain} - {column}
    return labels.pop() if len(labels) == len({source.hashlabel for source in chain}) == 1 else None


# ---- rows


def _read_by_value(
    source: Dataset, sliceno: int, column: str, names: list[str]
) -> Iterator[tuple[str, Mapping[str, Values]]]:
    """Yield the rows of a slice by the text of their value, a batch at a time."""
    column_type = source.columns[column].type
    for columns in read_slice(source, sliceno, [column, *names]):
        texts, codes = as_texts(columns.pop(column), column_type)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(texts))).tolist()
        sorted_columns = take_rows(columns, order)
        for text, start, end in zip(texts, [0, *ends], ends, strict=False):
            if end > start:
                yield text, {name: values[start:end] for name, values in sorted_columns.items()}
