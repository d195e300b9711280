"""Dataset whose rows lie in the slice that the value in one column decides."""

from functools import partial
from typing import Any, NamedTuple

from jobs.dataset.arrays import check_column
from jobs.dataset.dataset import Dataset
from jobs.dataset.lists import DatasetChain
from jobs.dataset.writer import DatasetWriter
from jobs.errors import DatasetError
from jobs.method.options import OptionString
from porcelain.methods.tables.chains import chain_since
from porcelain.methods.tables.columns import read_slice
from porcelain.methods.tables.moving import Moved, put_scattered, scatter, take_moved, targets_of
from porcelain.methods.tables.parallel import in_each_slice
from porcelain.methods.tables.scratch import Scratch

version = 1

description = """Rows of a dataset, or of a chain, in the slices that the value in one column decides.

Rows with the same value in that column are in the same slice afterwards. Each dataset of the chain, from the source
of previous on, becomes one; with chain_slices it becomes a chain of datasets, one for each slice that rows come from,
which spares writing rows to disk in between.
"""

options = {
    "hashlabel": OptionString,  # the column that decides
    "caption": '"%(caption)s" hashed on %(hashlabel)s',
    "length": -1,  # go back at most so many datasets in the chain
    "chain_slices": False,  # make a dataset of each slice instead of putting them together
}
datasets = ("source", "previous")


class Prepared(NamedTuple):
    """What is read, where it goes, and with `scratches` where the rows lie until then.

    Attributes
    ----------
    writers : list of list of DatasetWriter
        For each dataset one, or with `chain_slices` one for each slice that rows come from.
    moved : list of list of Moved
        By the slice that rows come from, and by dataset.
    """

    chain: "DatasetChain[Dataset]"
    writers: list[list[DatasetWriter]]
    scratches: list[Scratch]
    moved: list[list[Moved]]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Prepared:
    """Make the writers; unless each slice writes for all, find out which rows go where."""
    chain = chain_since(datasets.source, datasets.previous, options.length)
    for source in chain:
        _check_decides(source, options.hashlabel)
    writers: list[list[DatasetWriter]] = []
    previous = datasets.previous
    for number in range(len(chain)):
        writers.append(_make_writers(job, options, chain, number, previous, slices))
        previous = writers[-1][-1]
    if options.chain_slices:
        return Prepared(chain, writers, [], [])
    scratches = [Scratch() for _ in range(slices)]
    moved = in_each_slice(slices, partial(_scatter_slice, chain, options.hashlabel, scratches))
    return Prepared(chain, writers, scratches, moved)


def analysis(sliceno: int, slices: int, options: Any, prepare_res: Prepared) -> None:
    """Write the rows that go to this slice, or with `chain_slices` those that come from it."""
    chain, writers, scratches, moved = prepare_res
    for number, source in enumerate(chain):
        if options.chain_slices:
            _write_spread(source, sliceno, writers[number][sliceno], options.hashlabel, slices)
        else:
            for columns in take_moved(sliceno, (each[number] for each in moved), scratches):
                writers[number][0].write_arrays(columns, are_placed=True)


def _check_decides(source: Dataset, hashlabel: str) -> None:
    check_column(source, hashlabel)
    column_type = source.columns[hashlabel].type
    if column_type in ("json", "pickle"):
        raise DatasetError(f"column '{hashlabel}' of '{source.spec}' is {column_type}, and decides no slice")


def _make_writers(
    job: Any, options: Any, chain: "DatasetChain[Dataset]", number: int, previous: Any, slices: int
) -> list[DatasetWriter]:
    source = chain[number]
    caption = options.caption % {"caption": source.caption or source.name, "hashlabel": options.hashlabel}
    columns = {name: (column.type, chain.none_support(name)) for name, column in source.columns.items()}
    make = partial(job.datasetwriter, columns=columns, hashlabel=options.hashlabel, filename=source.filename)
    is_last = number == len(chain) - 1
    if not options.chain_slices:
        return [make(name="default" if is_last else str(number), caption=caption, previous=previous)]
    made: list[DatasetWriter] = []
    for sliceno in range(slices):
        name = "default" if is_last and sliceno == slices - 1 else f"{number}.{sliceno}"
        told = f"{caption} (slice {sliceno})"
        previous = make(name=name, caption=told, previous=previous, for_single_slice=sliceno)
        made.append(previous)
    return made


def _scatter_slice(
    chain: "DatasetChain[Dataset]", hashlabel: str, scratches: list[Scratch], sliceno: int
) -> list[Moved]:
    """Leave the rows of a slice on disk, and return where those for each slice are, by dataset."""
    found: list[Moved] = []
    for source in chain:
        moved: Moved = {}
        for columns in read_slice(source, sliceno, sorted(source.columns)):
            targets = targets_of(columns[hashlabel], source.columns[hashlabel].type, len(scratches))
            put_scattered(columns, targets, scratches[sliceno], moved)
        found.append(moved)
    return found


def _write_spread(source: Dataset, sliceno: int, writer: DatasetWriter, hashlabel: str, slices: int) -> None:
    for target in range(slices):
        writer.set_slice(target)  # so that it is there, also without rows
    for columns in read_slice(source, sliceno, sorted(source.columns)):
        targets = targets_of(columns[hashlabel], source.columns[hashlabel].type, slices)
        for target, part in scatter(columns, targets):
            writer.set_slice(target)
            writer.write_arrays(part, are_placed=True)
