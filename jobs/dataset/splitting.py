"""Rows that find their slice themselves, many at a time: by the value in a column, or one after another."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from jobs.column.spread import slices_of
from jobs.dataset.rows import Pending
from jobs.dataset.slices import ManyRows

# rows of each slice that are worth handing over together
SLICE_ROWS: Final = 1024

# takes the number of a slice and rows that go there
Deliver = Callable[[int, Pending], None]


class HashSplit:
    """Gives each row to the slice that the value in one column decides.

    Parameters
    ----------
    place
        The number of that column.
    column_type
        Its type.
    slices
        Their number.
    deliver
        Takes the rows; it may keep none of the lists.
    """

    def __init__(self, place: int, column_type: str, slices: int, deliver: Deliver) -> None:
        self._place = place
        self._type = column_type
        self._slices = slices
        self._deliver = deliver

    def __call__(self, pending: Pending) -> None:
        """Deliver rows."""
        targets = slices_of(pending[self._place], self._type, self._slices)
        # the rows of each slice together, in the order in which they came
        order = np.argsort(targets, kind="stable").tolist()
        moved = [list(map(values.__getitem__, order)) for values in pending]
        ends = np.cumsum(np.bincount(targets, minlength=self._slices)).tolist()
        for number, (start, end) in enumerate(pairwise([0, *ends])):
            if start < end:
                self._deliver(number, [values[start:end] for values in moved])

    def parts(self, rows: ManyRows) -> Iterator[tuple[int, ManyRows]]:
        """Yield the number of each slice that gets any of these rows, and those."""
        return _parts(rows, rows.slices_by(self._place, self._slices))


class TurnSplit:
    """Gives one row to each slice in turn."""

    def __init__(self, slices: int, deliver: Deliver) -> None:
        self._slices = slices
        self._deliver = deliver
        self._next = 0  # the slice that the next row goes to

    def __call__(self, pending: Pending) -> None:
        """Deliver rows."""
        slices, first, rows = self._slices, self._next, len(pending[0])
        for start in range(min(slices, rows)):
            self._deliver((first + start) % slices, [values[start::slices] for values in pending])
        self._next = (first + rows) % slices

    def parts(self, rows: ManyRows) -> Iterator[tuple[int, ManyRows]]:
        """Yield the number of each slice that gets any of these rows, and those."""
        targets = (np.arange(len(rows)) + self._next) % self._slices
        self._next = (self._next + len(rows)) % self._slices
        return _parts(rows, targets)


def _parts(rows: ManyRows, targets: npt.NDArray[np.int64]) -> Iterator[tuple[int, ManyRows]]:
    for number in np.unique(targets).tolist():
        yield number, rows.where(targets == number)
