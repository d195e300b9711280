"""The columns of several datasets in one."""

from typing import Any

from jobs.errors import DatasetError

version = 1

description = """The columns of several datasets in one; nothing is copied.

The datasets must have as many rows in each slice. Of columns with the same name, that of the later dataset is taken.
Datasets that extend no common one may have other rows in the same places: allow_unrelated says that they have not.
"""

options = {
    "allow_unrelated": False,  # merge datasets that extend no common one
}
datasets = (["source"], "previous")


def synthesis(options: Any, datasets: Any) -> None:
    """Merge one after another; all but the last are there under their numbers."""
    first, *others = datasets.source or [None]
    if not others:
        raise DatasetError("two datasets at least are merged", hint="source=[one, other] names them")
    for number, other in enumerate(others[:-1]):
        first = first.merge(other, name=str(number), allow_unrelated=options.allow_unrelated)
    first.merge(others[-1], previous=datasets.previous, allow_unrelated=options.allow_unrelated)
