"""Rows of datasets column by column, a piece at a time: slice by slice, or one row of each slice in turn."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.dataset import Dataset

# a list of equal length for each column
Columns: TypeAlias = Sequence[list[Any]]

_TURN_ROWS = 4096


def pieces(dataset: Dataset, slices: Iterable[int], names: Sequence[str]) -> Iterator[Columns]:
    """Yield the values of the named columns (at least one), slice after slice."""
    for number in slices:
        with opened(dataset, number, names) as readers:
            cursors = [Cursor(reader, reader.values) for reader in readers]
            yield from aligned(cursors, [range(dataset.lines[number])])


def pieces_in_turn(dataset: Dataset, slices: Sequence[int], names: Sequence[str]) -> Iterator[Columns]:
    """Yield the values of the named columns (at least one), a row of each slice in turn as long as it has any."""
    rows = in_turn([dataset.iterate(number, names) for number in slices])
    while piece := list(islice(rows, _TURN_ROWS)):
        yield [list(values) for values in zip(*piece, strict=True)]


def in_turn(parts: Sequence[Iterable[Any]]) -> Iterator[Any]:
    """Yield an item of each of `parts` in turn, of those that have any left.

    >>> list(in_turn(["abc", "", "x"]))
    ['a', 'x', 'b', 'c']
    """
    left = [iter(part) for part in parts]
    while left:
        going = []
        for part in left:
            for item in islice(part, 1):
                yield item
                going.append(part)
        left = going
