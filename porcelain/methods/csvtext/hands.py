"""Rows of CSV files on their way from prepare to the slices of analysis."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jobs.column.transform import Ints
from porcelain.methods.tables.columns import Columns, select
from porcelain.methods.tables.scratch import Place, Scratch


class Piece(NamedTuple):
    """Some rows, dealt out in turn.

    Attributes
    ----------
    rows : int
        How many there are.
    scratch : int
        The number of the scratch file that they lie in.
    places : tuple of Place
        Where: rows 0, n, 2n ... of n slices, then rows 1, n + 1 ..., as far as there are any.
    """

    rows: int
    scratch: int
    places: tuple[Place, ...]


def deal(rows: int, slices: int) -> Ints:
    """Return the numbers of rows in the order in which a `Piece` has them."""
    return np.concatenate([np.arange(first, rows, slices) for first in range(slices)])


def put_piece(
    columns: Columns, rows: int, slices: int, scratches: Sequence[Scratch], number: int = 0
) -> Piece:
    """Put columns, whose rows are in the order of `deal`, into scratch file `number`."""
    ends = np.cumsum([len(range(first, rows, slices)) for first in range(min(slices, rows))]).tolist()
    places = [
        scratches[number].put({name: select(values, slice(start, end)) for name, values in columns.items()})
        for start, end in pairwise([0, *ends])
    ]
    return Piece(rows, number, tuple(places))


class Hands:
    """Rows of one kind, dealt out to the slices in turn.

    Parameters
    ----------
    slices
        How many there are.
    dealt
        Rows that were dealt before, so that the next goes to the slice after that of the last.
    """

    def __init__(self, slices: int, dealt: int = 0) -> None:
        self._slices = slices
        self._begin = self.dealt = dealt
        self._pieces: list[tuple[Piece, int, int]] = []

    def add(self, piece: Piece, lines: int = 0) -> None:
        """Deal the rows of a piece, before whose text there are so many lines."""
        self._pieces.append((piece, self.dealt % self._slices, lines))
        self.dealt += piece.rows

    def count(self, sliceno: int) -> int:
        """Return the number of rows of a slice."""
        before, after = (len(range(sliceno, dealt, self._slices)) for dealt in (self._begin, self.dealt))
        return after - before

    def take(self, sliceno: int, scratches: Sequence[Scratch]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the columns of each piece of a slice, and the number of lines before its text."""
        for piece, first, lines in self._pieces:
            number = (sliceno - first) % self._slices
            for columns in scratches[piece.scratch].take(piece.places[number : number + 1]):
                yield lines, columns
