"""Datasets as the pages about them are asked for them."""

from typing import Any

from jobs.nodes.listing import JobRow
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked
from porcelain.board.tables.opening import find_target, open_table
from porcelain.board.tables.table import Table


def asked(row: JobRow, path: str = "/", *, wants_json: bool = False, **query: object) -> Asked:
    """Return a question about the default dataset of a job; `__` in the name of a parameter is a dot."""
    parameters = {name.replace("__", "."): str(value) for name, value in query.items()}
    return Asked(path, {"label": row.label, "name": "default"}, parameters, wants_json=wants_json)


def table_of(shown: ShownProject, row: JobRow, **chain: Any) -> Table:
    """Return the rows of the default dataset of a job."""
    return open_table(shown, find_target(shown, asked(row)), chain=bool(chain))
