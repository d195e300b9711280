"""What is known of a column in bounded memory: sketches that take values and can be merged.

They keep no chance in them: the same values in the same order give the same sketch.
"""

import math
from typing import Final

import numpy as np

from jobs.column.transform import Array, Ints
from porcelain.methods.tables.aggregates import Aggregate, Count, Part
from porcelain.methods.tables.grouping import Table, join_parts, join_tables, reduce_table
from porcelain.methods.tables.vectors import Groups, Vector, to_slices

# different values that are counted
VALUES_COUNTED: Final = 1 << 16
# hashes that an estimate of how many values there are is made of: one standard error is 0.8%
HASHES_KEPT: Final = 1 << 14
# values of equal weight that stand for a part of a column
BUFFER_VALUES: Final = 1 << 12

_HASHES: Final = 1 << 62


class Running:
    """An aggregate of all rows."""

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self.part: Part | None = None

    def add(self, vector: Vector) -> None:
        """Take some rows, at least one."""
        self._take(self._reduce(self._aggregate.start(vector), len(vector)))

    def merge(self, other: "Running") -> None:
        """Take all rows that another has taken."""
        if other.part is not None:
            self._take(other.part)

    def _take(self, part: Part) -> None:
        self.part = part if self.part is None else self._reduce(join_parts([self.part, part]), 2)

    def _reduce(self, part: Part, rows: int) -> Part:
        return self._aggregate.reduce(part, Groups(np.arange(rows), np.zeros(1, np.int64)))

    def result(self) -> Vector | None:
        """Return one row; None when there were no rows."""
        return None if self.part is None else self._aggregate.finish(self.part).vector


class Counts:
    """How often each value comes; of more values than are counted the rare ones are forgotten.

    Attributes
    ----------
    error : int
        A value may come so many times more than is told; those that are not told of come at most so many times.

    Notes
    -----
    J. Misra and D. Gries, "Finding repeated elements", 1982; merged as by P. K. Agarwal et al., "Mergeable summaries",
    2013. The error is at most the number of rows / 65,537.
    """

    def __init__(self) -> None:
        self.table: Table | None = None
        self.error = 0

    def add(self, key: Vector) -> None:
        """Take values, none of them None."""
        self._take(Table(len(key), [key], [(np.ones(len(key), np.int64),)]))

    def merge(self, other: "Counts") -> None:
        """Take all that another has taken."""
        self.error += other.error
        if other.table is not None:
            self._take(other.table)

    def _take(self, table: Table) -> None:
        both = table if self.table is None else join_tables([self.table, table])
        self.table = self._forget(reduce_table(both, [Count()], ordered=False))

    def _forget(self, table: Table) -> Table:
        if table.rows <= VALUES_COUNTED:
            return table
        counts = table.parts[0][0]
        least = int(np.partition(counts, -VALUES_COUNTED - 1)[-VALUES_COUNTED - 1])
        self.error += least
        kept = table.take(np.flatnonzero(counts > least))
        return Table(kept.rows, kept.keys, [(kept.parts[0][0] - least,)])

    @property
    def different(self) -> int:
        """How many values are counted: all there are when the error is 0."""
        return 0 if self.table is None else self.table.rows

    def top(self, count: int) -> tuple[Vector, list[int]] | None:
        """Return the values that come most often, and how often; of those that come equally often the smallest."""
        if self.table is None or not count:
            return None
        table = reduce_table(self.table, [Count()])
        counts = table.parts[0][0]
        rows = np.argsort(-counts, kind="stable")[:count]
        return table.keys[0][rows], counts[rows].tolist()


class Distinct:
    """An estimate of how many different values there are, from the smallest of their hashes.

    Notes
    -----
    K. Beyer et al., "On synopses for distinct-value estimation under multiset operations", 2007. Texts have hashes of
    32 bits: of a hundred million different ones 1.2% are missed.
    """

    def __init__(self, column_type: str) -> None:
        self._type = column_type
        self.hashes: Ints = np.zeros(0, np.int64)

    def add(self, key: Vector) -> None:
        """Take values, none of them None."""
        self._take(to_slices(key, self._type, _HASHES))

    def merge(self, other: "Distinct") -> None:
        """Take all that another has taken."""
        self._take(other.hashes)

    def _take(self, hashes: Ints) -> None:
        if len(self.hashes) == HASHES_KEPT:
            hashes = hashes[hashes < self.hashes[-1]]
        self.hashes = np.unique(np.concatenate([self.hashes, hashes]))[:HASHES_KEPT]

    def estimate(self) -> int:
        """Return how many different values there are about."""
        if len(self.hashes) < HASHES_KEPT:
            return len(self.hashes)
        return round((HASHES_KEPT - 1) * _HASHES / int(self.hashes[-1]))


class Quantiles:
    """Values in order, each standing for as many as its weight says; a power of two.

    Notes
    -----
    G. S. Manku, S. Rajagopalan and B. G. Lindsay, "Approximate medians and other order statistics in one pass", 1998.
    The rank of a quantile of n values is wrong by at most n * log2(n / 4096) / 8192, and exact up to 4,095 values.
    """

    def __init__(self) -> None:
        self.pending: list[Array] = []
        self.levels: list[Array | None] = []
        self._odd: list[bool] = []

    def add(self, values: Array) -> None:
        """Take values, none of them None or nan."""
        self.pending.append(values)
        if sum(map(len, self.pending)) < BUFFER_VALUES:
            return
        joined = _join(self.pending)
        whole = len(joined) - len(joined) % BUFFER_VALUES
        self.pending = [joined[whole:]]
        for start in range(0, whole, BUFFER_VALUES):
            self._push(np.sort(joined[start : start + BUFFER_VALUES]), 0)

    def merge(self, other: "Quantiles") -> None:
        """Take all that another has taken."""
        for level, buffer in enumerate(other.levels):
            if buffer is not None:
                self._push(buffer, level)
        for values in other.pending:
            self.add(values)

    def _push(self, buffer: Array, level: int) -> None:
        while len(self.levels) <= level:
            self.levels.append(None)
            self._odd.append(False)
        there = self.levels[level]
        if there is None:
            self.levels[level] = buffer
            return
        self.levels[level] = None
        # every second one stands for two, of each pair the first and the second in turn
        start = int(self._odd[level])
        self._odd[level] = not self._odd[level]
        self._push(np.sort(_join([there, buffer]))[start::2], level + 1)

    def find(self, fractions: list[float]) -> Array | None:
        """Return the smallest value that at least such a fraction of all values does not exceed; None of no values."""
        buffers = [(each, 1) for each in self.pending]
        buffers += [(each, 1 << level) for level, each in enumerate(self.levels) if each is not None]
        if not sum(len(each) for each, _ in buffers):
            return None
        values = _join([each for each, _ in buffers])
        order = np.argsort(values, kind="stable")
        weights = np.concatenate([np.full(len(each), weight) for each, weight in buffers])[order]
        ranks = np.cumsum(weights)
        wanted = [max(math.ceil(fraction * int(ranks[-1])), 1) for fraction in fractions]
        return values[order][np.searchsorted(ranks, wanted)]


def _join(arrays: list[Array]) -> Array:
    return join_parts([(each,) for each in arrays])[0]
