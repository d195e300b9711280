"""Datasets of any types that a test writes, in a project with a method that does so."""

import datetime
import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jobs.execution.executors.serial import SerialExecutor
from porcelain import config
from porcelain.project import Project
from tests.methods.bench import Bench
from tests.strategies import texts

_METHOD = '''"""Dataset of what a file holds."""

import pickle

from acc import InputFile

options = {"file": InputFile()}


def synthesis(job, options):
    columns, rows, hashlabel = pickle.loads(options.file.path.read_bytes())
    writer = job.datasetwriter(hashlabel=hashlabel)
    for name, column_type in columns.items():
        writer.add(name, column_type.removesuffix("?"), none_support=column_type.endswith("?"))
    write = writer.get_split_write_list() if hashlabel else None
    for sliceno, part in enumerate(rows):
        if not hashlabel:
            writer.set_slice(sliceno)
            write = writer.write_list
        for row in part:
            write(row)
'''

_WHEN = {"min_value": datetime.datetime(2020, 1, 1), "max_value": datetime.datetime(2020, 1, 1, 0, 0, 0, 3)}
# few values of each type, so that keys meet
VALUES: Mapping[str, st.SearchStrategy[object]] = {
    "int32": st.sampled_from([0, 1, -1, 7, -(2**31), 2**31 - 1]),
    "int64": st.sampled_from([0, 1, -1, 7, -(2**63), 2**63 - 1, 2**53 + 1]),
    "float32": st.sampled_from([0.0, -0.0, 1.0, 0.5, math.inf, -math.inf, math.nan]),
    "float64": st.sampled_from([0.0, -0.0, 1.0, 0.1, math.inf, -math.inf, math.nan, 2.0**53, 1e308]),
    "bool": st.booleans(),
    "number": st.sampled_from([0, 0.0, -0.0, 1, 1.0, 0.5, 10**30, -(10**30), 2**53 + 1, 2.0**53, math.nan]),
    "date": st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 3)),
    "datetime": st.one_of(
        st.datetimes(**_WHEN),
        st.datetimes(**_WHEN, timezones=st.just(datetime.UTC)),
        st.just(datetime.datetime(2020, 1, 1, fold=1)),
    ),
    "time": st.sampled_from(
        [datetime.time(1), datetime.time(1, fold=1), datetime.time(1, tzinfo=datetime.UTC), datetime.time(2)]
    ),
    "ascii": st.sampled_from(["", "a", "b", "a\n", "aa"]),
    "unicode": st.one_of(st.sampled_from(["", "a", "ä"]), texts),
    "bytes": st.sampled_from([b"", b"a", b"\n", b"\xff"]),
}
KEYS = sorted([*VALUES, *(f"{name}?" for name in VALUES)])


class Tables(Bench):
    """A bench on which datasets are written row by row."""

    def table(self, columns, rows, hashlabel=None):
        """Return a dataset.

        Parameters
        ----------
        columns
            A type by name; a type that ends in "?" takes None.
        rows
            The rows of each slice.
        """
        path = self.write(pickle.dumps((dict(columns), rows, hashlabel)), "rows.pickle")
        return self.build("rows", file=path).dataset()


@contextmanager
def open_tables(root: Path, slices: int = 3, executor: Any = None) -> Iterator[Tables]:
    """Open a project in an empty folder; without an executor its jobs run in this process."""
    (root / "input").mkdir()
    (root / "written").mkdir()
    (root / "written" / "__init__.py").touch()
    (root / "written" / "a_rows.py").write_text(_METHOD)
    with reopen_tables(root, slices, executor) as tables:
        yield tables


@contextmanager
def reopen_tables(root: Path, slices: int, executor: Any = None) -> Iterator[Tables]:
    """Open a project that was opened before, with any number of slices."""
    (root / "acc.toml").write_text(
        f'[project]\nslices = {slices}\nmethods = ["written"]\ninput_directory = "input"\ndurability = "none"\n'
    )
    with Project(config.load(root), executor=executor or SerialExecutor()) as project:
        yield Tables(root, project)


@st.composite
def sliced_rows(draw, types: Sequence[str], slices: int = 3, max_rows: int = 25):
    """Return rows for each slice, of columns of these types."""
    values = [
        st.one_of(st.none(), VALUES[each[:-1]]) if each.endswith("?") else VALUES[each] for each in types
    ]
    placed: list[list[tuple[object, ...]]] = [[] for _ in range(slices)]
    for row in draw(st.lists(st.tuples(*values), max_size=max_rows)):
        placed[draw(st.integers(0, slices - 1))].append(row)
    return placed


def as_key(value):
    """Return what equal keys have in common, in the order of keys: None first, naive before UTC, nan last."""
    if value is None:
        return (0,)
    if value != value:
        return (2,)
    if isinstance(value, (datetime.datetime, datetime.time)):
        return (1, value.replace(tzinfo=None, fold=0), value.tzinfo is not None)
    return (1, value)


def row_key(row):
    """Return what equal rows have in common."""
    return tuple(map(as_key, row))
