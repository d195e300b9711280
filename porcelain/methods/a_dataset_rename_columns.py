"""A dataset whose columns have other names."""

from typing import Any

from porcelain.methods.tables.chains import check_given

version = 1

description = """A dataset whose columns have other names; nothing is copied.

A column that has a new name already is replaced. The dataset before it in its chain stays the same, unless previous is
given.
"""

options = {
    "rename": {"OLD": str},  # {column: column}; None discards
}
datasets = ("source", "previous")


def synthesis(options: Any, datasets: Any) -> None:
    """Link the columns."""
    source = check_given(datasets.source)
    source.link_to_here(rename=options.rename, override_previous=datasets.previous or source.previous)
