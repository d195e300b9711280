"""The status of an iteration: which dataset and slice it is in, and the row that it has reached."""

import time
from array import array, typecodes
from collections.abc import Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any, Final

from jobs.dataset.arrays import Described
from jobs.status import Status

# what has fewer rows is over, or shows no progress, before anybody could look
_WORTH_A_LOOK_ROWS: Final = 1024
_FIRST_ROWS: Final = 256
_PART_SECONDS: Final = 0.1
# so long parts are read at some ns a row, and to copy one would be felt
_COPIED_ROWS: Final = 1 << 14
_ArrayIterator: Final = type(iter(array("q")))


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
        self._told = ""

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

    def cut(
        self, pieces: Iterable[Sequence[Sequence[Any]]], *, by_first: bool
    ) -> Iterator[list[Iterable[Any]]]:
        """Yield the columns of `pieces` in parts that take long enough to be shown, and no longer.

        What comes of a part is to be read before the next is asked for.

        Parameters
        ----------
        by_first
            Rows may end within one, so only the first column tells which was reached.
        """
        for columns in pieces:
            rows, at = len(columns[0]), 0
            while at < rows:
                end = min(at + self._part_rows, rows)
                part: list[Iterable[Any]] = [
                    values if end - at == rows else values[at:end] for values in columns
                ]
                counted = 0 if by_first else _best_to_count(part)
                begun = time.monotonic()
                self._piece = iter(())
                self.show()
                self._before, self._given = self._given, self._given + end - at
                part[counted] = self._piece = _countable(part[counted])
                yield part
                is_quick = time.monotonic() - begun < _PART_SECONDS
                self._part_rows = self._part_rows * 2 if is_quick else max(self._part_rows // 2, 1)
                at = end

    def is_news(self) -> bool:
        """Return whether the iteration has gone on since the last error was told of it.

        An error that is kept keeps its frames, and so the iterations in them, which nobody will go on with.
        """
        before, self._told = self._told, self.text
        return before != self._told

    def settle(self) -> None:
        """Find out which row was the last, now that nobody wants those that are left."""
        left = _left(self._piece)
        self._given -= sum(1 for _ in self._piece) if left is None else left
        self._piece = iter(())

    @property
    def text(self) -> str:
        """Where the iteration is."""
        # the iterator knows what it has left, so no row has to be counted; one over texts leaves it at the part
        left = _left(self._piece)
        reached = self._given - (left or 0)
        if not reached:
            return f"iterating{self._where}"
        row = self._row(reached)
        if left is None and self._before + 1 < reached:
            row = f"{self._row(self._before + 1)} to {row}"
        of = "those asked for" if self._rows is None else f"{self._lines:,}"
        return f"iterating{self._where}: row {row} of {of}"

    def _row(self, count: int) -> str:
        """Return the number of the row that was the `count`-th; from 1 as people count."""
        return f"{count if self._rows is None else self._rows[count - 1] + 1:,}"


def _best_to_count(part: Sequence[Iterable[Any]]) -> int:
    """Return the number of the first column whose iterator knows what it has left, or 0."""
    return next((number for number, values in enumerate(part) if isinstance(values, list | memoryview)), 0)


def _countable(values: Iterable[Any]) -> Iterator[Any]:
    """Return an iterator over `values` that knows what it has left, where that costs nothing to speak of."""
    if isinstance(values, memoryview) and len(values) <= _COPIED_ROWS:
        if values.format not in typecodes or not values.contiguous:
            return iter(values.tolist())
        # as quick to read, and unlike that of a memoryview its iterator tells
        copied = array(values.format)
        copied.frombytes(values.cast("B"))
        return iter(copied)
    return iter(values)


def _left(values: Iterator[Any]) -> int | None:
    """Return how many values an iterator has left, or None when it cannot tell."""
    left = length_hint(values, -1)
    if left >= 0:
        return left
    if isinstance(values, _ArrayIterator):
        state: tuple[Any, ...] = values.__reduce__()  # type: ignore[assignment]  # how, of what, and from where on
        return len(state[1][0]) - state[2] if len(state) > 2 else 0
    return None
