"""Where batches end: a function of the values alone, whatever pieces they come in.

Notes
-----
Source: docs/reference/formats/column.md, "Where batches end".
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from jobs.column.codec import Body, join_bodies, weights_of
from jobs.column.packed import concatenate_masks
from jobs.column.text import Texts
from jobs.column.transform import Ints, Mask

BATCH_ROWS: Final = 1 << 16
# of texts and large integers; with head, mask and lengths a batch still fits into one frame of 4 MiB
BATCH_BYTES: Final = (4 << 20) - (16 << 10)


class Piece(NamedTuple):
    """Some rows of a column: the values that are not None, and which rows are (None when no row is)."""

    rows: int
    body: Body
    mask: Mask | None

    def cut(self, start: int, stop: int) -> "Piece":
        """Return the rows from `start` to `stop`."""
        if start == 0 and stop == self.rows:
            return self
        if self.mask is None:
            return Piece(stop - start, self.body[start:stop], None)
        before = start - int(np.count_nonzero(self.mask[:start]))
        mask = self.mask[start:stop]
        return Piece(stop - start, self.body[before : before + int(np.count_nonzero(~mask))], mask)


class Batcher:
    """Take pieces of any size, give batches.

    Attributes
    ----------
    lines : int
        The number of rows taken.
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._rows = self._weight = 0
        self.lines = 0

    @property
    def rows_left(self) -> int:
        """The number of rows after which the batch ends at the latest; pieces of that size need no cutting."""
        return BATCH_ROWS - self._rows

    def add(self, piece: Piece) -> Iterator[Piece]:
        """Take a piece and yield the batches that are full now."""
        self.lines += piece.rows
        weights = _Weights(piece)
        start = 0
        while start < piece.rows:
            stop = weights.find_end(start, BATCH_BYTES - self._weight)
            stop = min(stop, start + self.rows_left)
            if stop == start and self._rows == 0:
                stop += 1  # larger than a batch: it stands alone
            if stop > start:
                self._pieces.append(piece.cut(start, stop))
                self._rows += stop - start
                self._weight += weights.between(start, stop)
            if stop < piece.rows or self._rows == BATCH_ROWS:
                yield from self.flush()
            start = stop

    def flush(self) -> Iterator[Piece]:
        """Yield what there is as a batch."""
        pieces, rows = self._pieces, self._rows
        self._pieces, self._rows, self._weight = [], 0, 0
        if rows:
            mask = concatenate_masks([piece.mask for piece in pieces], [piece.rows for piece in pieces])
            yield Piece(rows, join_bodies([piece.body for piece in pieces]), mask)


class _Weights:
    """What the rows of a piece add to the payload of a batch; added up only if the piece may not fit as a whole."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._ends: Ints | None = None
        if isinstance(piece.body, Texts):
            self._total = piece.body.weight
        elif piece.body.dtype == object:
            self._total = int(self._add_up()[-1])
        else:
            self._total = 0

    def find_end(self, start: int, room: int) -> int:
        """Return the end of the rows from `start` that weigh at most `room` together."""
        if self._total <= room:
            return self._piece.rows
        ends = self._add_up()
        return max(int(np.searchsorted(ends, ends[start] + room, "right")) - 1, start)

    def between(self, start: int, stop: int) -> int:
        """Return what the rows from `start` to `stop` weigh together."""
        if self._total == 0 or (start == 0 and stop == self._piece.rows):
            return self._total
        ends = self._add_up()
        return int(ends[stop] - ends[start])

    def _add_up(self) -> Ints:
        """Return what all rows before each row weigh; at the end, the total."""
        if self._ends is None:
            self._ends = np.zeros(self._piece.rows + 1, np.int64)
            dense = weights_of(self._piece.body)
            if dense is not None:
                weights = dense
                if self._piece.mask is not None:
                    weights = np.zeros(self._piece.rows, np.int64)
                    weights[~self._piece.mask] = dense
                np.cumsum(weights, out=self._ends[1:])
        return self._ends
