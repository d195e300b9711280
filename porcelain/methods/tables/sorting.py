"""Rows in the order of some columns, more of them than memory holds.

Splitters, taken from a sample, cut the order into buckets: those between two splitters, which are sorted one at a
time, and those equal to a splitter, which need no sorting. The rows of a bucket lie on disk in the order in which they
came, so that equal rows stay in it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from jobs.column.batches import BATCH_ROWS
from jobs.column.transform import Array
from jobs.column.types import get_type
from jobs.dataset.dataset import Dataset
from porcelain.methods.tables.columns import Columns, Values, count_rows, join, select, take_rows
from porcelain.methods.tables.moving import Moved, put_scattered
from porcelain.methods.tables.ordering import Ordering
from porcelain.methods.tables.scratch import Scratch

_SAMPLED_ROWS: Final = 1 << 16
# what a value takes in an array, and an object beside that
_VALUE_BYTES, _OBJECT_BYTES = 8, 56


def rows_in_memory(datasets: Sequence[Dataset], megabytes: int) -> int:
    """Return how many rows of these datasets fit into so much memory; at least a batch."""
    rows = max(sum(sum(dataset.lines) for dataset in datasets), 1)
    size = sum(_bytes_of(dataset, name) for dataset in datasets for name in dataset.columns)
    return max(megabytes * (1 << 20) * rows // max(size, 1), BATCH_ROWS)


def _bytes_of(dataset: Dataset, name: str) -> int:
    """Return what a column takes in memory, about."""
    node, rows = dataset.get_column_node(name), sum(dataset.lines)
    kind = get_type(node.type).kind
    size = rows * (_VALUE_BYTES + (_OBJECT_BYTES if kind == "object" else 0))
    return size if kind == "fixed" else size + sum(part.bytes for part in node.slices)


def sorted_batches(
    read: Callable[[Sequence[str]], Iterable[Columns]],
    rows: int,
    ordering: Ordering,
    columns: Sequence[str],
    limit: int,
) -> Iterator[Columns]:
    """Yield rows in their order, a batch at a time.

    Parameters
    ----------
    read
        Gives named columns of the rows, some rows at a time; called twice when they do not fit.
    rows
        How many there are.
    columns
        Which columns are wanted, among them those of `ordering`.
    limit
        So many rows at most are in memory, about.
    """
    if rows <= limit:
        yield from _in_memory(read(columns), ordering)
        return
    buckets = Buckets(ordering, sample(read(ordering.names), rows), 2 * rows // limit + 1)
    scratch = Scratch()
    moved: Moved = {}
    for piece in read(columns):
        put_scattered(piece, buckets.number_of(piece), scratch, moved)
    for number in sorted(moved):
        yield from buckets.in_order(number, scratch.take(moved[number]))


def sample(pieces: Iterable[Columns], rows: int) -> dict[str, Values]:
    """Return some rows, spread evenly, of `rows`; an empty dict when there are none."""
    step = rows // _SAMPLED_ROWS + 1
    return _joined(
        {name: select(values, np.arange(0, len(values), step)) for name, values in piece.items()}
        for piece in pieces
    )


class Buckets:
    """Buckets that follow each other: even numbers lie between splitters, odd ones are equal to one.

    Parameters
    ----------
    ordering
        The order.
    samples
        Columns of some rows.
    count
        About so many buckets are wanted.
    """

    def __init__(self, ordering: Ordering, samples: Columns, count: int) -> None:
        self._ordering = ordering
        self._splitters: dict[str, Values] = {}
        if samples:
            ranks = ordering.rank(samples)
            order = np.argsort(ranks)
            chosen = order[np.arange(1, count) * len(order) // count]
            _, first = np.unique(ranks[chosen], return_index=True)
            self._splitters = {name: select(samples[name], chosen[first]) for name in ordering.names}

    def number_of(self, columns: Columns) -> Array:
        """Return the bucket of each row."""
        if not self._splitters:
            return np.zeros(count_rows(columns), np.int64)
        of_rows, of_splitters = map(self._ordering.outline, (columns, self._splitters))
        numbers, are_sure = _compare(of_rows, of_splitters)
        unsure = np.flatnonzero(~are_sure)
        if len(unsure):
            together = {
                name: join([select(columns[name], unsure), splitters])
                for name, splitters in self._splitters.items()
            }
            ranks = self._ordering.rank(together)
            numbers[unsure], _ = _compare(ranks[: len(unsure)], ranks[len(unsure) :])
        return numbers

    def in_order(self, number: int, pieces: Iterable[Columns]) -> Iterator[Columns]:
        """Yield the rows of a bucket in their order."""
        return iter(pieces) if number % 2 else _in_memory(pieces, self._ordering)


def _compare(values: Array, splitters: Array) -> tuple[Array, Array]:
    """Return the bucket of each value, and which are equal to no splitter."""
    before, after = (np.searchsorted(splitters, values, side) for side in ("left", "right"))
    return before + after, before == after


def _in_memory(pieces: Iterable[Columns], ordering: Ordering) -> Iterator[Columns]:
    columns = _joined(pieces)
    if not columns:
        return
    order = ordering.sort(columns)
    for start in range(0, len(order), BATCH_ROWS):
        yield take_rows(columns, order[start : start + BATCH_ROWS])


def _joined(pieces: Iterable[Columns]) -> dict[str, Values]:
    parts = [dict(piece) for piece in pieces]
    names = list(parts[0]) if parts else []
    # a column at a time, so that at most one is there twice
    return {name: join([part.pop(name) for part in parts]) for name in names}
