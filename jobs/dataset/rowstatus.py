"""The status of an iteration: which dataset and slice it is in, and the row that it has reached."""

import time
from collections.abc import Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any, Final

from jobs.dataset.arrays import Described
from jobs.status import Status

# what has fewer rows is over, or shows no progress, before anybody could look
_WORTH_A_LOOK_ROWS: Final = 1024
_FIRST_ROWS: Final = 256
_PART_SECONDS: Final = 0.1


class RowStatus(Status):
    """Says how far an iteration is; to find out costs nothing for each row.

    Parameters
    ----------
    rows
        How many there are in all.
    """

    def __init__(self, rows: int) -> None:
        super().__init__("iterating", brief=rows < _WORTH_A_LOOK_ROWS)
        self._where = ""
        self._lines = 0
        self._rows: Sequence[int] | None = None
        self._given = 0
        self._before = 0
        self._piece: Iterator[Any] = iter(())
        self._part_rows = _FIRST_ROWS

    def visit(self, dataset: Described, sliceno: object, rows: Sequence[int] | None) -> None:
        """Take down what is read from now on.

        Parameters
        ----------
        rows
            The numbers of the rows, when they can be told from how many were given.
        """
        lines = dataset.head.lines
        if isinstance(sliceno, int):
            where, self._lines = f"slice {sliceno}", lines[sliceno]
        else:
            where, self._lines = "all slices in turn", sum(lines)
        self._where = f" {dataset.spec}, {where}"
        self._rows = rows
        self._given = self._before = 0
        self._piece = iter(())

    def cut(self, pieces: Iterable[Sequence[Sequence[Any]]]) -> Iterator[list[Iterable[Any]]]:
        """Yield the columns of `pieces` in parts that take long enough to be shown, and no longer.

        What comes of a part is to be read before the next is asked for.
        """
        for columns in pieces:
            rows, at = len(columns[0]), 0
            while at < rows:
                end = min(at + self._part_rows, rows)
                part = columns if end - at == rows else [values[at:end] for values in columns]
                begun = time.monotonic()
                self._piece = iter(())
                self.show()
                self._before, self._given = self._given, self._given + end - at
                self._piece = iter(part[0])
                yield [self._piece, *part[1:]]
                is_quick = time.monotonic() - begun < _PART_SECONDS
                self._part_rows = self._part_rows * 2 if is_quick else max(self._part_rows // 2, 1)
                at = end

    def settle(self) -> None:
        """Find out which row was the last, now that nobody wants those that are left."""
        self._given -= sum(1 for _ in self._piece)
        self._piece = iter(())

    @property
    def text(self) -> str:
        """Where the iteration is."""
        # an iterator over a list knows what it has left, so no row has to be counted; others leave it at the part
        left = length_hint(self._piece, -1)
        reached = self._given - max(left, 0)
        if not reached:
            return f"iterating{self._where}"
        row = self._row(reached)
        if left < 0 and self._before + 1 < reached:
            row = f"{self._row(self._before + 1)} to {row}"
        of = "those asked for" if self._rows is None else f"{self._lines:,}"
        return f"iterating{self._where}: row {row} of {of}"

    def _row(self, count: int) -> str:
        """Return the number of the row that was the `count`-th; from 1 as people count."""
        return f"{count if self._rows is None else self._rows[count - 1] + 1:,}"
