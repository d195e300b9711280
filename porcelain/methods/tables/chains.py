"""Which datasets of a chain a standard method works on: those that came since its last job."""

from typing import Any

from jobs import context
from jobs.dataset.dataset import Dataset, NoDataset
from jobs.dataset.head import DatasetHead
from jobs.dataset.lists import DatasetChain
from jobs.errors import DatasetError, NoSuchDataset


def check_given(source: Dataset, name: str = "source") -> Dataset:
    """Return the dataset that a method was given; raise `DatasetError` when it was given none."""
    if not source:
        raise DatasetError(f"no dataset is given as '{name}'", hint=f"{name}=... names it")
    return source


def check_slices(dataset: Dataset, slices: int) -> None:
    """Raise `DatasetError` when the dataset has not as many slices as the job; rows would be left out."""
    if len(dataset.lines) != slices:
        raise DatasetError(
            f"dataset '{dataset.spec}' has {len(dataset.lines)} slices, and there are {slices} here",
            hint="the project had another number of slices then; build it again",
        )


def chain_since(source: Dataset, previous: Dataset, length: int = -1) -> "DatasetChain[Dataset]":
    """Return the chain that ends in `source`, oldest first, from the dataset on that `previous` was made of.

    Parameters
    ----------
    source
        The newest dataset.
    previous
        What an earlier job of the same method made, or `NoDataset`.
    length
        At most so many; negative for all.

    Raises
    ------
    DatasetError
        When there is none: `previous` was made of this very source.
    """
    return _checked(source, check_given(source).chain(length, stop_ds=_source_of(previous)))


def check_alike(one: Dataset, other: Dataset) -> None:
    """Raise `DatasetError` when two datasets have not the same columns, of the same types."""
    mine, theirs = _types(one.head), _types(other.head)
    for name in sorted({*mine, *theirs}):
        if mine.get(name) != theirs.get(name):
            told = [types.get(name, "missing") for types in (mine, theirs)]
            raise DatasetError(
                f"column '{name}' is {told[0]} in '{one.spec}' and {told[1]} in '{other.spec}'"
            )


def _types(head: DatasetHead) -> dict[str, str]:
    return {name: column.type for name, column in head.columns.items()}


def _source_of(previous: Dataset) -> Dataset:
    if not previous:
        return NoDataset
    # the parent says the same as the job's parameter, without making it matter which job that was
    if isinstance(previous.parent, Dataset):
        return previous.parent
    try:
        return Dataset({previous: "source"})
    except NoSuchDataset:
        return NoDataset


def chain_since_job(source: Dataset, previous: Any, length: int = -1) -> "DatasetChain[Dataset]":
    """Return the chain that ends in `source`, as `chain_since`, from the source of the job `previous` on."""
    return _checked(source, check_given(source).chain(length, stop_ds={previous: "source"}))


def _checked(source: Dataset, chain: "DatasetChain[Dataset]") -> "DatasetChain[Dataset]":
    if not chain:
        raise DatasetError(f"dataset '{source.spec}' has nothing that the previous job had not")
    for each in chain:
        check_slices(each, context.current().slices)
    return chain
