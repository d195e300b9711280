"""Rows of two datasets that have equal keys: brought together, and put side by side in bounded memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from jobs.column.transform import Ints
from jobs.dataset.dataset import Dataset
from porcelain.methods.tables.columns import (
    Values,
    count_rows,
    join,
    none_values,
    read_slice,
    select,
    take_rows,
)
from porcelain.methods.tables.keyindex import KeyIndex, any_none, as_common_key
from porcelain.methods.tables.moving import rows_by_target, targets_of
from porcelain.methods.tables.scratch import Place, Scratch
from porcelain.methods.tables.vectors import Vector, as_vector

ROWS_IN_MEMORY: Final = 1 << 18
_PIECE_ROWS: Final = 1 << 16
_HASH_BITS: Final = 31
_HASH_FACTOR: Final = 1_000_003

Batch: TypeAlias = Mapping[str, Values]


class Side(NamedTuple):
    """One of the two datasets: its keys, and in which types they are compared."""

    dataset: Dataset
    keys: list[str]
    common: list[str]
    columns: list[str]

    @property
    def moves(self) -> bool:
        """Whether its rows go to other slices."""
        return self.dataset.hashlabel != self.keys[0]

    def key_of(self, batch: Batch) -> list[Vector]:
        """Return the keys of some rows, fit to be compared."""
        return [
            as_common_key(self._vector_of(batch, name), self.dataset.columns[name].type, common)
            for name, common in zip(self.keys, self.common, strict=True)
        ]

    def _vector_of(self, batch: Batch, name: str) -> Vector:
        return as_vector(batch[name], self.dataset.columns[name].type)

    def with_key(self, batch: Batch) -> Batch:
        """Return the rows of which no key is None."""
        if not any(self.dataset.columns[name].none_support for name in self.keys):
            return batch
        missing = any_none([self._vector_of(batch, name) for name in self.keys])
        return take_rows(batch, np.flatnonzero(~missing))

    def slices_of(self, batch: Batch, key: str, slices: int) -> Ints:
        """Return the slice of each row, as one key decides."""
        return targets_of(batch[key], self.dataset.columns[key].type, slices)


class Stored(NamedTuple):
    """Rows in a scratch file."""

    rows: int
    place: Place


class Part(NamedTuple):
    """Rows of one side that are joined with some of the other; they can be read as often as one likes."""

    rows: int
    read: Callable[[], Iterator[Batch]]


class Joining(NamedTuple):
    """What is joined, and how; `renamed` are the columns of right that are written, by the names they get."""

    left: Side
    right: Side
    renamed: dict[str, str]
    keeps_left: bool
    slices: int


# ---- rows where they are looked for


def part_of_slice(side: Side, sliceno: int) -> Part:
    """Return the rows of a slice of a side."""
    dataset = side.dataset
    return Part(dataset.lines[sliceno], lambda: read_slice(dataset, sliceno, side.columns))


def scatter(
    side: Side, sliceno: int, slices: int, scratch: Scratch, *, with_none: bool
) -> dict[int, list[Stored]]:
    """Put the rows of a slice to scratch by the slice they go to; those without a key only if asked."""
    if not side.moves:
        return {}
    moved: dict[int, list[Stored]] = {}
    for batch in read_slice(side.dataset, sliceno, side.columns):
        rows = batch if with_none else side.with_key(batch)
        _store(rows, side.slices_of(rows, side.keys[0], slices), scratch, moved)
    return moved


def _store(batch: Batch, targets: Ints, scratch: Scratch, stored: dict[int, list[Stored]]) -> None:
    """Put rows to scratch by their targets."""
    for target, rows in rows_by_target(targets):
        place = scratch.put(take_rows(batch, rows))
        stored.setdefault(target, []).append(Stored(len(rows), place))


def collect(
    side: Side, target: int, moved: Sequence[Mapping[int, list[Stored]]], scratches: Sequence[Scratch]
) -> Part:
    """Return the rows of a side that belong to a slice."""
    if not side.moves:
        return part_of_slice(side, target)
    found = [(scratch, each.get(target, [])) for scratch, each in zip(scratches, moved, strict=True)]
    return _in_scratch(found)


def _in_scratch(found: Sequence[tuple[Scratch, list[Stored]]]) -> Part:
    def read() -> Iterator[Batch]:
        for scratch, stored in found:
            yield from scratch.take(each.place for each in stored)

    return Part(sum(each.rows for _, stored in found for each in stored), read)


# ---- rows side by side


def join_parts(joining: Joining, left: Part, right: Part) -> Iterator[Batch]:
    """Yield the joined rows of two parts, those of right in memory, and in smaller parts when they are many."""
    if right.rows <= ROWS_IN_MEMORY:
        yield from _join_in_memory(joining, left, right)
        return
    count = -(-right.rows // ROWS_IN_MEMORY) * 2  # hardly two of equal size
    lefts = _divide(joining.left, left, count, joining.slices)
    rights = _divide(joining.right, right, count, joining.slices)
    for pair in zip(lefts, rights, strict=True):
        yield from _join_in_memory(joining, *pair)


def _divide(side: Side, part: Part, count: int, slices: int) -> list[Part]:
    """Return the rows of a part in so many smaller ones; rows of equal keys stay together."""
    scratch, stored = Scratch(), dict[int, list[Stored]]()
    for batch in part.read():
        hashes: Ints = np.zeros(count_rows(batch), np.int64)
        for name in side.keys:
            # the rest of a division by the number of slices is the same for all
            found = side.slices_of(batch, name, slices << _HASH_BITS) // slices
            hashes = (hashes * _HASH_FACTOR + found) & ((1 << _HASH_BITS) - 1)
        _store(batch, hashes % count, scratch, stored)
    return [_in_scratch([(scratch, stored.get(number, []))]) for number in range(count)]


def _join_in_memory(joining: Joining, left: Part, right: Part) -> Iterator[Batch]:
    """Yield the joined rows, in the order of left and for each of its rows in that of right."""
    batches = list(right.read())
    types = joining.right.dataset.columns
    if joining.keeps_left or not batches:
        # the last row stands for none: its number is -1, and as a key it equals nothing
        batches.append({name: none_values(types[name].type, 1) for name in joining.right.columns})
    columns = {name: join([batch[name] for batch in batches]) for name in joining.right.columns}
    index = KeyIndex(joining.right.key_of(columns))
    for batch in left.read():
        for rows, found in _pairs(index, joining.left.key_of(batch), keep=joining.keeps_left):
            joined = take_rows(batch, rows)
            joined |= {new: select(columns[old], found) for new, old in joining.renamed.items()}
            yield joined


def _pairs(index: KeyIndex, keys: Sequence[Vector], *, keep: bool) -> Iterator[tuple[Ints, Ints]]:
    """Yield rows of left and those of right beside them, -1 where there is none, in pieces."""
    numbers = index.find(keys)
    there = numbers >= 0
    counts = np.zeros(len(numbers), np.int64)
    counts[there] = index.counts[numbers[there]]
    if keep:
        counts = np.maximum(counts, 1)
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + _PIECE_ROWS, "right")), start + 1)
        rows = np.repeat(np.arange(start, stop), counts[start:stop])
        nth = np.arange(before, before + len(rows)) - (ends - counts)[rows]
        found = np.full(len(rows), -1)
        matched = there[rows]
        found[matched] = index.rows[index.starts[numbers[rows[matched]]] + nth[matched]]
        if len(rows):
            yield rows, found
        start = stop
