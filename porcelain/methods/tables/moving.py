"""Rows that go to other slices: found by the value that decides, left on disk, written where they belong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from jobs.column.spread import slices_of
from jobs.column.transform import Array
from jobs.dataset.writer import DatasetWriter
from porcelain.methods.tables.columns import Columns, Values, split_none, take_rows
from porcelain.methods.tables.scratch import Place, Scratch

# where the rows lie that go to each slice
Moved: TypeAlias = dict[int, list[Place]]


def targets_of(values: Values, column_type: str, slices: int) -> Array:
    """Return the slice that each row belongs to whose deciding column of that type holds `values`."""
    array, none = split_none(values)
    targets = slices_of(array, column_type, slices)
    if none is not None:
        targets[none] = 0
    return targets


def scatter(columns: Columns, targets: Array) -> Iterator[tuple[int, dict[str, Values]]]:
    """Yield the rows that go to each slice, of those that get any."""
    for target, rows in rows_by_target(targets):
        yield target, take_rows(columns, rows)


def rows_by_target(targets: Array) -> Iterator[tuple[int, Array]]:
    """Yield the numbers of the rows that have each target, in rising order; targets are not below 0."""
    # numpy sorts integers of up to 16 bits by radix
    small = targets.astype(np.min_scalar_type(targets.max(initial=0)))
    order = np.argsort(small, kind="stable")
    ends = np.cumsum(np.bincount(targets)).tolist()
    for target, (start, end) in enumerate(pairwise([0, *ends])):
        if start < end:
            yield target, order[start:end]


def put_scattered(columns: Columns, targets: Array, scratch: Scratch, moved: Moved) -> None:
    """Leave rows on disk, and note in `moved` where."""
    for target, part in scatter(columns, targets):
        moved.setdefault(target, []).append(scratch.put(part))


def take_moved(
    target: int, moved: Iterable[Mapping[int, Sequence[Place]]], scratches: Iterable[Scratch]
) -> Iterator[dict[str, Any]]:
    """Yield the rows that go to one slice, in the order of those that they come from."""
    for each, scratch in zip(moved, scratches, strict=True):
        yield from scratch.take(each.get(target, ()))


def write_spread(pieces: Iterable[Columns], writer: DatasetWriter, label: str, slices: int) -> None:
    """Write rows to the slices that their values in `label` decide; all slices are there afterwards."""
    for target in range(slices):
        writer.set_slice(target)
    for columns in pieces:
        targets = targets_of(columns[label], writer.columns[label].type, slices)
        for target, part in scatter(columns, targets):
            writer.set_slice(target)
            writer.write_arrays(part, are_placed=True)
