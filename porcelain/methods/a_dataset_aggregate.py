"""Rows of a dataset grouped, with counts, sums, extremes and means of each group."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jobs.dataset.arrays import check_column
from jobs.dataset.dataset import Dataset
from jobs.errors import OptionError
from porcelain.methods.tables.aggregates import FUNCTIONS, Aggregate, Part, make_aggregate
from porcelain.methods.tables.chains import check_given, check_slices
from porcelain.methods.tables.columns import read_slice
from porcelain.methods.tables.grouping import Division, Grouper, StoredRun, Table, merge_runs
from porcelain.methods.tables.scratch import Place, Scratch
from porcelain.methods.tables.vectors import Vector, as_key, as_vector, check_key, make_nones, to_columns

version = 1

description = """Rows grouped by columns: counts, sums, smallest, largest and mean values.

Makes a dataset with a row for each group. An aggregate is (function, column), the function one of
  count     rows in which the column is not None; without a column, rows
  sum       int64, or number when a sum is too large for that; float64 of floats
  min, max  of any type that has an order; nan only of nothing else
  mean      float64
None is skipped; where nothing is left, sum, min, max and mean are None. Rows whose key is None are a group, so are
those whose key is nan.

The dataset is hashed on the first column of group_by, and each slice is sorted by all of them, None first and nan
last. Without group_by it has one row.
"""

options = {
    "group_by": [str],  # rows that are equal in these columns are a group
    "aggregates": {},  # {new column: (function, column)}; ("count", None) counts rows
    "caption": "aggregated dataset",
}
datasets = ("source", "previous")


class Wanted(NamedTuple):
    """A column that is computed from a column of the source; from none when rows are counted."""

    aggregate: Aggregate
    column: str | None
    type: str
    none_support: bool


class Prepared(NamedTuple):
    """What is computed by new column, and where each slice puts its groups."""

    wanted: dict[str, Wanted]
    division: Division
    scratches: list[Scratch]

    @property
    def aggregates(self) -> list[Aggregate]:
        """How each new column is computed."""
        return [each.aggregate for each in self.wanted.values()]


class Merged(NamedTuple):
    """The groups as they are written: which types the new columns need, and where the groups of each slice are."""

    types: dict[str, str]
    places: list[list[Place]]
    scratch: Scratch


def prepare(options: Any, datasets: Any, slices: int) -> Prepared:
    """Check what is asked of the source."""
    source = check_given(datasets.source)
    check_slices(source, slices)
    group_by, aggregates = options.group_by, options.aggregates
    if not (group_by or aggregates):
        raise OptionError("give group_by, aggregates or both")
    for name in group_by:
        check_key(source, name)
        if group_by.count(name) > 1:
            raise OptionError(f"column '{name}' is given twice in group_by")
    for name in aggregates:
        if name in group_by:
            raise OptionError(f"aggregate '{name}' has the name of a column of group_by")
    return Prepared(
        {name: _make_wanted(source, name, asked, group_by) for name, asked in aggregates.items()},
        Division(source.columns[group_by[0]].type if group_by else None, slices),
        [Scratch() for _ in range(slices)],
    )


def analysis(sliceno: int, options: Any, datasets: Any, prepare_res: Prepared) -> dict[int, list[StoredRun]]:
    """Group the rows of this slice, and return where its groups are."""
    wanted = prepare_res.wanted.values()
    grouper = Grouper(prepare_res.aggregates, prepare_res.division, prepare_res.scratches[sliceno])
    for table in _read(datasets.source, sliceno, options.group_by, list(wanted)):
        grouper.add(table)
    if sliceno == 0 and not options.group_by:
        grouper.add(_start_nothing(list(wanted), 1))  # without any rows there is a result too
    grouper.flush()
    return grouper.runs


def synthesis(job: Any, options: Any, datasets: Any, prepare_res: Prepared, analysis_res: Any) -> None:
    """Merge the groups of all slices, and write them."""
    merged = _merge(prepare_res, list(analysis_res))
    group_by, columns = options.group_by, datasets.source.columns
    types = {name: columns[name].type for name in group_by} | merged.types
    writer = job.datasetwriter(
        hashlabel=next(iter(group_by), None), previous=datasets.previous, caption=options.caption
    )
    for name in group_by:
        writer.add(name, types[name], none_support=columns[name].none_support)
    for name, wanted in prepare_res.wanted.items():
        writer.add(name, types[name], none_support=wanted.none_support)
    for target, places in enumerate(merged.places):
        writer.set_slice(target)
        for vectors in merged.scratch.take(places):
            columns = to_columns(dict(zip(types, vectors, strict=True)), types)
            writer.write_arrays(columns, are_placed=True)


# ---- what is asked


def _make_wanted(source: Dataset, name: str, asked: Any, group_by: Sequence[str]) -> Wanted:
    function, column = _parse(name, asked)
    if column is None:
        if function != "count":
            raise OptionError(f"aggregate '{name}' is a {function} of no column")
        return Wanted(make_aggregate(function, "bool", name), None, "bool", none_support=False)
    check_column(source, column)
    described = source.columns[column]
    told = f"column '{column}' of '{source.spec}'"
    lacks = function != "count" and (described.none_support or not group_by)
    return Wanted(make_aggregate(function, described.type, told), column, described.type, none_support=lacks)


def _parse(name: str, asked: Any) -> tuple[str, str | None]:
    """Return function and column of an aggregate; no column is None."""
    parts = [asked] if isinstance(asked, str) else asked
    if not isinstance(parts, (list, tuple)) or len(parts) not in (1, 2) or parts[0] not in FUNCTIONS:
        raise OptionError(
            f"aggregate '{name}' is {asked!r}",
            hint="it is (function, column), the function one of " + ", ".join(FUNCTIONS),
        )
    return parts[0], (parts[1] if len(parts) == 2 else None) or None


# ---- rows and groups


def _read(
    source: Dataset, sliceno: int, group_by: Sequence[str], wanted: Sequence[Wanted]
) -> Iterator[Table]:
    """Yield the rows of a slice, a batch at a time."""
    types = {name: column.type for name, column in source.columns.items()}
    columns = dict.fromkeys([*group_by, *(each.column for each in wanted if each.column is not None)])
    # rows can be counted by any column
    names = list(columns) or sorted(types)[:1]
    for values in read_slice(source, sliceno, names):
        vectors = {name: as_vector(values[name], types[name]) for name in names}
        rows = len(vectors[names[0]])
        keys = [as_key(vectors[name], types[name]) for name in group_by]
        yield Table(rows, keys, _start(wanted, vectors, rows))


def _start(wanted: Sequence[Wanted], vectors: Mapping[str, Vector], rows: int) -> list[Part]:
    every = Vector(np.ones(rows, np.bool_), np.zeros(rows, np.bool_))
    return [each.aggregate.start(every if each.column is None else vectors[each.column]) for each in wanted]


def _start_nothing(wanted: Sequence[Wanted], rows: int) -> Table:
    """Return rows that add nothing to a group."""
    return Table(rows, [], [each.aggregate.start(make_nones(each.type, rows)) for each in wanted])


def _merge(prepared: Prepared, runs_by_slice: Sequence[Mapping[int, list[StoredRun]]]) -> Merged:
    """Merge the groups of all slices; the type of a sum is known when all are."""
    results = Scratch()
    types: dict[str, set[str]] = {name: set() for name in prepared.wanted}

    def finish(table: Table) -> list[Vector]:
        vectors = list(table.keys)
        for (name, wanted), part in zip(prepared.wanted.items(), table.parts, strict=True):
            kind, vector = wanted.aggregate.finish(part)
            types[name].add(kind)
            vectors.append(vector)
        return vectors

    finish(_start_nothing(list(prepared.wanted.values()), 0))  # types are known also of no groups
    places: list[list[Place]] = []
    for target in range(prepared.division.slices):
        runs = [
            scratch.take(run)
            for scratch, found in zip(prepared.scratches, runs_by_slice, strict=True)
            for run in found.get(target, ())
        ]
        merged = merge_runs(runs, prepared.aggregates)
        places.append([results.put(finish(table)) for table in merged])
    return Merged({name: max(kinds) for name, kinds in types.items()}, places, results)
