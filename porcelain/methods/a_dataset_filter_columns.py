"""Some columns of a dataset."""

from typing import Any

from jobs.dataset.arrays import check_column
from jobs.errors import OptionError
from porcelain.methods.tables.chains import check_given

version = 1

description = """Some columns of a dataset; nothing is copied.

Give either the columns to keep or those to discard.
"""

options = {
    "keep_columns": [str],  # only these
    "discard_columns": [str],  # all but these
}
datasets = ("source", "previous")


def synthesis(options: Any, datasets: Any) -> None:
    """Link the columns."""
    source = check_given(datasets.source)
    if bool(options.keep_columns) == bool(options.discard_columns):
        raise OptionError("give either keep_columns or discard_columns")
    for name in options.discard_columns:
        check_column(source, name)
    keep = options.keep_columns or [name for name in source.columns if name not in options.discard_columns]
    if not keep:
        raise OptionError("discard_columns leaves no column")
    source.link_to_here(column_filter=keep, override_previous=datasets.previous)
