"""Which datasets a command reads, and which slices of them: the options that say so, and what they name."""

from argparse import Namespace
from collections.abc import Sequence

from jobs.dataset.arrays import chosen_slices
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError, NoSuchJob
from jobs.job import Job
from porcelain.commandline.arguments import Parser, count
from porcelain.spec import Resolver, get_oid


def add_chain(parser: Parser) -> None:
    """Offer to read chains."""
    parser.add_argument("-c", "--chain", action="store_true", help="read the chain that ends in the dataset")
    parser.add_argument(
        "--chain-length", "--cl", type=count, metavar="N", help="at most so many datasets of the chain"
    )
    parser.add_argument("--stop-ds", metavar="SPEC", help="of the chain only what comes after this dataset")


def open_dataset(resolver: Resolver, spec: str) -> Dataset:
    """Return the dataset that a SPEC names, ready to be read; the project must be entered."""
    target = resolver.dataset(spec)
    if target.row is None:
        raise NoSuchJob(f"no job here has the dataset '{target.oid}'")
    return Dataset.of(Job.of(target.row), target.name, get_oid(target))


def follow(resolver: Resolver, datasets: Sequence[Dataset], given: Namespace) -> list[Dataset]:
    """Return the datasets, or all of their chains if the options of `add_chain` ask for them, oldest first."""
    if not given.chain:
        return list(datasets)
    length = -1 if given.chain_length is None else given.chain_length
    stop = open_dataset(resolver, given.stop_ds) if given.stop_ds else None
    return [link for dataset in datasets for link in dataset.chain(length, stop_ds=stop)]


def slices_of(dataset: Dataset, wanted: Sequence[int] | None) -> list[int]:
    """Return the numbers of the slices to read, each once, checked."""
    numbers = range(len(dataset.lines)) if wanted is None else dict.fromkeys(wanted)
    return [number for asked in numbers for number in chosen_slices(dataset, asked)]


def check_columns(datasets: Sequence[Dataset], names: Sequence[str]) -> None:
    """Raise `DatasetError` unless all datasets have all these columns, none of which is of pickles."""
    for dataset in datasets:
        for name in names:
            dataset.get_column_node(name)
            if dataset.columns[name].type == "pickle":
                others = [each for each, column in sorted(dataset.columns.items()) if column.type != "pickle"]
                raise DatasetError(
                    f"column '{name}' of '{dataset.spec}' is pickle, which has no form outside of Python",
                    hint="name other columns: " + ", ".join(others) if others else "",
                )
