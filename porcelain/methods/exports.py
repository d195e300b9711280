"""What methods that export datasets have in common: which datasets, and the names of files by slice."""

from collections.abc import Sequence
from typing import Any

from jobs import context
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError, OptionError
from porcelain.methods.tables.chains import check_slices


def find_sources(sources: Sequence[Dataset], previous: Any, *, chain: bool) -> list[Dataset]:
    """Return the datasets to export, oldest first.

    Parameters
    ----------
    sources
        What the method was given as `source`.
    previous
        An earlier job of the method, or `NoJob`.
    chain
        Take all datasets of each source's chain, from the source of `previous` on.

    Raises
    ------
    DatasetError
        When there is none, or one has other slices than the job.
    """
    found = list(sources)
    if chain:
        before = list(previous.params["datasets"].get("source") or ()) if previous else []
        before += [None] * (len(found) - len(before))
        found = [
            each for source, stop in zip(found, before, strict=False) for each in source.chain(stop_ds=stop)
        ]
    if not found:
        raise DatasetError("no dataset to export", hint="source=... names it")
    for each in found:
        check_slices(each, context.current().slices)
    return found


def name_of_slice(filename: str, sliceno: int, example: str) -> str:
    """Return the name of a slice's file: `filename` has a %d, or gets the number at its end.

    Raises
    ------
    OptionError
        When it has another %; `example` is a name that would do.
    """
    try:
        return filename % sliceno if "%" in filename else f"{filename}.{sliceno}"
    except (TypeError, ValueError) as err:
        raise OptionError(f"'{filename}' has no place for one number", hint=f"as in '{example}'") from err
