"""Rows put together by their keys, in bounded memory: what is too much goes to disk in sorted runs."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from jobs.column.codec import join_bodies
from porcelain.methods.tables.aggregates import Aggregate, Part
from porcelain.methods.tables.moving import rows_by_target
from porcelain.methods.tables.scratch import Place, Scratch
from porcelain.methods.tables.vectors import Vector, find_nans, group_rows, join_vectors, to_slices

GROUPS_IN_MEMORY: Final = 1 << 18
BLOCK_ROWS: Final = 1 << 14
# so many runs are merged at once: their blocks are as much as may be in memory
FAN_IN: Final = GROUPS_IN_MEMORY // BLOCK_ROWS


class Table(NamedTuple):
    """Keys of rows or groups, and for each aggregate a part of them."""

    rows: int
    keys: list[Vector]
    parts: list[Part]

    def take(self, rows: Any) -> "Table":
        """Return some rows: a slice, or their numbers."""
        keys = [key[rows] for key in self.keys]
        parts = [tuple(each[rows] for each in part) for part in self.parts]
        count = len(range(self.rows)[rows]) if isinstance(rows, slice) else len(rows)
        return Table(count, keys, parts)

    def key_at(self, row: int) -> tuple[Any, ...]:
        """Return what a row is ordered by: None comes first and nan last."""
        return tuple(_comparable(key, row) for key in self.keys)


# a table in the order of its keys, of which each is there once; in blocks
Run: TypeAlias = Iterator[Table]
StoredRun: TypeAlias = list[Place]


def join_tables(tables: Sequence[Table]) -> Table:
    """Return the rows of all `tables`, one after another."""
    if len(tables) == 1:
        return tables[0]
    return Table(
        sum(each.rows for each in tables),
        [join_vectors(keys) for keys in zip(*(each.keys for each in tables), strict=True)],
        [join_parts(parts) for parts in zip(*(each.parts for each in tables), strict=True)],
    )


def reduce_table(table: Table, aggregates: Sequence[Aggregate], *, ordered: bool = True) -> Table:
    """Return one row for each key, in the order of keys if asked."""
    groups = group_rows(table.keys, table.rows, ordered=ordered)
    return Table(
        len(groups.starts),
        [key[groups.first] for key in table.keys],
        [each.reduce(part, groups) for each, part in zip(aggregates, table.parts, strict=True)],
    )


@dataclass(frozen=True, slots=True)
class Division:
    """Which slice the groups go to: that of their first key, of this type; without keys the first slice."""

    key_type: str | None
    slices: int

    def split(self, table: Table) -> Iterator[tuple[int, Table]]:
        """Yield the rows that go to each slice, in the order in which they are."""
        if self.key_type is None:
            yield 0, table
            return
        targets = to_slices(table.keys[0], self.key_type, self.slices)
        for target, rows in rows_by_target(targets):
            yield target, table.take(rows)


class Grouper:
    """Takes rows, keeps groups; more than fit into memory go to scratch as a run for each slice.

    Attributes
    ----------
    runs : dict of int to list of StoredRun
        What was put to scratch, by the slice it goes to.
    """

    def __init__(self, aggregates: Sequence[Aggregate], division: Division, scratch: Scratch) -> None:
        self._aggregates, self._division, self._scratch = aggregates, division, scratch
        self._pending: list[Table] = []
        self._rows = 0
        self.runs: dict[int, list[StoredRun]] = {}

    def add(self, table: Table) -> None:
        """Take some rows."""
        self._keep([*self._pending, reduce_table(table, self._aggregates, ordered=False)])
        if self._rows > GROUPS_IN_MEMORY:
            self._keep([self._reduce(ordered=False)])
            if self._rows > GROUPS_IN_MEMORY // 2:
                self.flush()

    def flush(self) -> None:
        """Put all groups to scratch."""
        if self._pending:
            for target, part in self._division.split(self._reduce(ordered=True)):
                self.runs.setdefault(target, []).append(store_run([part], self._scratch))
        self._keep([])

    def _reduce(self, *, ordered: bool) -> Table:
        return reduce_table(join_tables(self._pending), self._aggregates, ordered=ordered)

    def _keep(self, pending: list[Table]) -> None:
        self._pending, self._rows = pending, sum(each.rows for each in pending)


def store_run(run: Iterable[Table], scratch: Scratch) -> StoredRun:
    """Put a run to scratch in blocks, and return where they are."""
    return [
        scratch.put(table.take(slice(start, start + BLOCK_ROWS)))
        for table in run
        for start in range(0, table.rows, BLOCK_ROWS)
    ]


def merge_runs(runs: Sequence[Run], aggregates: Sequence[Aggregate]) -> Run:
    """Yield the groups of all runs as one run, with at most `FAN_IN` blocks in memory."""
    waiting = list(runs)
    while len(waiting) > FAN_IN:
        scratch = Scratch()
        stored = [
            store_run(_merge(waiting[start : start + FAN_IN], aggregates), scratch)
            for start in range(0, len(waiting), FAN_IN)
        ]
        waiting = [scratch.take(places) for places in stored]
    return _merge(waiting, aggregates)


def _merge(runs: Sequence[Run], aggregates: Sequence[Aggregate]) -> Run:
    blocks = [(table, run) for run in runs for table in islice(run, 1)]
    while blocks:
        # up to the smallest last key no run can have more than is in its block
        end = min(table.key_at(table.rows - 1) for table, _ in blocks)
        cuts = [bisect_right(range(table.rows), end, key=table.key_at) for table, _ in blocks]
        heads = [table.take(slice(cut)) for (table, _), cut in zip(blocks, cuts, strict=True) if cut]
        yield reduce_table(join_tables(heads), aggregates)
        blocks = [
            (rest, run)
            for (table, run), cut in zip(blocks, cuts, strict=True)
            for rest in ([table.take(slice(cut, None))] if cut < table.rows else islice(run, 1))
        ]


def join_parts(parts: Sequence[Part]) -> Part:
    """Return the rows of all `parts`, which are of one aggregate."""
    return tuple(np.asarray(join_bodies(arrays)) for arrays in zip(*parts, strict=True))


def _comparable(key: Vector, row: int) -> tuple[Any, ...]:
    one = key[row : row + 1]
    if one.none[0]:
        return (0,)
    if find_nans(one)[0]:
        return (2,)
    return (1, one.values.tolist()[0])
