"""Rows of datasets that match patterns, and those around them: what `acc grep` finds in a part of a dataset."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.dataset import Dataset
from porcelain.looking.patterns import Patterns
from porcelain.looking.pieces import in_turn
from porcelain.methods.valuetexts import format_of, none_text

Row = TypeVar("Row")
TextsOf: TypeAlias = Callable[[list[Any]], Sequence[str]]

_TURN_ROWS = 4096


class Part(NamedTuple):
    """A slice of a dataset, or several whose rows are taken in turn.

    Attributes
    ----------
    shown, searched : list of str
        Which columns are printed, and in which is looked.
    """

    dataset: Dataset
    slices: tuple[int, ...]
    shown: list[str]
    searched: list[str]


class Found(NamedTuple):
    """A row: whether it matches, or else comes before or after one that does; where it is; its values."""

    match: bool
    after: bool
    sliceno: int
    lineno: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes
    ----------
    patterns : Patterns
        A row matches when one of its values does.
    invert : bool
        Rows that do not match are wanted instead.
    before, after : int
        So many rows before and after each are wanted too, of the same part.
    """

    patterns: Patterns
    invert: bool = False
    before: int = 0
    after: int = 0

    def find(self, part: Part) -> Iterator[Found]:
        """Yield the rows that are wanted, in order."""
        around: Around[Found] = Around(self.before, self.after)
        for piece in _pieces(part):
            rows = self._matching(part, piece)
            if not (rows or self.before or around.due):
                piece.skip()
            elif self.before or self.after:
                yield from around.select(piece.rows, rows, _row_maker(piece))
            else:
                make = _row_maker(piece)
                yield from (make(row, True, False) for row in rows)  # noqa: FBT003

    def count(self, part: Part) -> int:
        """Return the number of rows that match."""
        total = 0
        for piece in _pieces(part):
            total += len(self._matching(part, piece))
            piece.skip()
        return total

    def _matching(self, part: Part, piece: "_Piece") -> list[int]:
        found: set[int] = set()
        for name, values in zip(part.searched, piece.searched, strict=True):
            make = texts_of(part.dataset, name)
            found.update(self.patterns.rows(values, lambda make=make, values=values: make(values)))  # type: ignore[misc]
        if self.invert:
            return [row for row in range(piece.rows) if row not in found]
        return sorted(found)


def texts_of(dataset: Dataset, name: str) -> TextsOf:
    """Return a function that makes texts of the values of a column."""
    column = dataset.columns[name]
    form, none = format_of(column.type), none_text(column.type)
    if column.type in ("ascii", "unicode") and not column.none_support:
        return lambda values: values
    return lambda values: [none if value is None else form(value) for value in values]


class Around(Generic[Row]):
    """Chooses rows that match and those around them, of pieces that follow each other.

    Attributes
    ----------
    due : int
        So many rows at the start of the next piece come after one that matched.
    """

    def __init__(self, before: int, after: int) -> None:
        self._before, self._after = before, after
        self._kept: deque[Row] = deque(maxlen=before)
        self.due = 0

    def select(
        self, count: int, matching: Sequence[int], row: "Callable[[int, bool, bool], Row]"
    ) -> Iterator[Row]:
        """Yield rows of a piece of `count` rows, and of the end of the one before it.

        Parameters
        ----------
        matching
            The rows that match, in rising order.
        row
            Makes a row of its number, whether it matches, and whether it comes after one that does.
        """
        at = 0
        for match in matching:
            stop = min(at + self.due, match)
            yield from (row(number, False, True) for number in range(at, stop))  # noqa: FBT003
            if stop == 0 and match < self._before:
                yield from islice(self._kept, max(len(self._kept) - (self._before - match), 0), None)
            start = max(match - self._before, stop)
            yield from (row(number, False, False) for number in range(start, match))  # noqa: FBT003
            yield row(match, True, False)  # noqa: FBT003
            at, self.due = match + 1, self._after
        stop = min(at + self.due, count)
        yield from (row(number, False, True) for number in range(at, stop))  # noqa: FBT003
        self.due -= stop - at
        if stop:
            self._kept.clear()
        first = max(stop, count - self._before)
        self._kept.extend(row(number, False, False) for number in range(first, count))  # noqa: FBT003


# ---- pieces of a part, of which only the columns that are searched are decoded at once


class _Piece(NamedTuple):
    """Some rows: their columns that are searched, and what gives the others, or goes past them."""

    rows: int
    searched: Sequence[list[Any]]
    shown: Callable[[], Sequence[list[Any]]]
    skip: Callable[[], None]
    place: Callable[[int], tuple[int, int]]


def _row_maker(piece: _Piece) -> Callable[[int, bool, bool], Found]:
    columns = piece.shown()

    def row(number: int, match: bool, after: bool) -> Found:  # noqa: FBT001
        return Found(match, after, *piece.place(number), tuple(values[number] for values in columns))

    return row


def _pieces(part: Part) -> Iterator[_Piece]:
    return _turn_pieces(part) if len(part.slices) > 1 else _slice_pieces(part, part.slices[0])


def _slice_pieces(part: Part, sliceno: int) -> Iterator[_Piece]:
    others = [name for name in part.shown if name not in part.searched]
    with opened(part.dataset, sliceno, [*part.searched, *others]) as readers:
        cursors = [Cursor(reader, reader.values) for reader in readers]
        waiting = dict(zip(others, cursors[len(part.searched) :], strict=True))
        first = 0
        lines = range(part.dataset.lines[sliceno])
        for columns in aligned(cursors[: len(part.searched)], [lines]):
            yield _slice_piece(part, columns, waiting, sliceno, first)
            first += len(columns[0])


def _slice_piece(
    part: Part, columns: Sequence[list[Any]], waiting: dict[str, Cursor[list[Any]]], sliceno: int, first: int
) -> _Piece:
    count = len(columns[0])

    def shown() -> Sequence[list[Any]]:
        known = dict(zip(part.searched, columns, strict=True))
        known |= {name: _take(cursor, count) for name, cursor in waiting.items()}
        return [known[name] for name in part.shown]

    def skip() -> None:
        for cursor in waiting.values():
            cursor.skip(count)

    return _Piece(count, columns, shown, skip, lambda number: (sliceno, first + number))


def _take(cursor: Cursor[list[Any]], rows: int) -> list[Any]:
    values: list[Any] = []
    while len(values) < rows:
        values += cursor.take(min(rows - len(values), cursor.ready))
    return values


def _turn_pieces(part: Part) -> Iterator[_Piece]:
    names = list(dict.fromkeys([*part.searched, *part.shown]))
    numbered = [
        zip(((number, line) for line in range(lines)), part.dataset.iterate(number, names), strict=True)
        for number in part.slices
        for lines in [part.dataset.lines[number]]
    ]
    rows = in_turn(numbered)
    while piece := list(islice(rows, _TURN_ROWS)):
        places, values = zip(*piece, strict=True)
        known = dict(zip(names, map(list, zip(*values, strict=True)), strict=True))
        yield _Piece(
            len(piece),
            [known[name] for name in part.searched],
            lambda known=known: [known[name] for name in part.shown],  # type: ignore[misc]
            lambda: None,
            places.__getitem__,
        )
