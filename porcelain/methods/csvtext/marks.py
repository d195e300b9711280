"""How CSV text is written, and what the places of its quotes, separators and newlines say without reading it."""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_NONE: Final = np.zeros(0, np.int64)
_ZERO: Final = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How CSV text is written.

    Attributes
    ----------
    separator : bytes
        One byte between fields, or none: each row is one field.
    newline : bytes
        One byte at the end of a row, or none: a newline, or a carriage return and a newline.
    quotes : bytes
        Each byte of it is a quote; none: there are no quotes.
    comment : bytes
        One byte with which a comment line begins, or none.
    """

    separator: bytes = b","
    newline: bytes = b""
    quotes: bytes = b""
    comment: bytes = b""

    @property
    def line_end(self) -> bytes:
        """The byte that ends a line."""
        return self.newline or b"\n"


class _View(NamedTuple):
    """What is known when the quotes with even numbers open fields, or those with odd numbers.

    Attributes
    ----------
    row_ends : (n,) int64
        Newlines outside of quotes.
    odd : (m,) int64
        Numbers of quotes that do not fit.
    closing : (k,) int64
        Places of quotes that close.
    hidden : (k + 1,) int64
        Separators between quotes, before each of these places.
    """

    row_ends: Ints
    odd: Ints
    closing: Ints
    hidden: Ints


def find_bytes(chars: npt.NDArray[np.uint8], sought: bytes) -> Mask:
    """Return which of `chars` are among the bytes that are sought."""
    # ten times as fast as np.isin for one or two of them
    found: Mask = chars == sought[0]
    for other in sought[1:]:
        found |= chars == other
    return found


class Marks:
    """The places of newlines, separators and quotes in a text, and what can be said of them without reading it.

    A row may begin before any quote, and the quotes from there on open and close fields in turn. So all is known
    twice: as it is when the quotes with even numbers open, and when those with odd numbers do.
    """

    def __init__(self, text: bytes, dialect: Dialect) -> None:
        self.chars = np.frombuffer(text, np.uint8)
        self._dialect = dialect
        self.newlines = self._places(dialect.line_end)
        self._separators = self._places(dialect.separator)
        self._quotes = self._places(dialect.quotes)
        self._views = self._both_views() if len(self._quotes) else [_View(self.newlines, _NONE, _NONE, _ZERO)]

    def _places(self, bytes_sought: bytes) -> Ints:
        return np.flatnonzero(find_bytes(self.chars, bytes_sought)) if bytes_sought else _NONE

    # -- what depends on which quotes open ---------------------------------------------------------------------

    def _both_views(self) -> list[_View]:
        chars, quotes = self.chars, self._quotes
        kinds = chars[quotes]
        same_next = np.append(kinds[1:] == kinds[:-1], True)
        twice = np.append(np.diff(quotes) == 1, False) & same_next
        opens = (self._begins_field() | np.roll(twice, 1)) & same_next
        closes = self._ends_field() | twice
        return [self._view(first, opens, closes) for first in (0, 1)]

    def _view(self, first: int, opens: Mask, closes: Mask) -> _View:
        outside = np.searchsorted(self._quotes, self.newlines) % 2 == first
        odd = np.flatnonzero(~np.where(np.arange(len(self._quotes)) % 2 == first, opens, closes))
        if self._dialect.comment:
            odd = np.union1d(odd, self._quotes_in_comments(first))
        closing = self._quotes[first + 1 :: 2]
        opening = self._quotes[first::2][: len(closing)]
        hidden = np.searchsorted(self._separators, closing) - np.searchsorted(self._separators, opening)
        return _View(self.newlines[outside], odd, closing, np.append(0, np.cumsum(hidden)))

    def _begins_field(self) -> Mask:
        before = self.chars[self._quotes - 1]
        begins: Mask = (before == self._dialect.line_end[0]) | (self._quotes == 0)
        if self._dialect.separator:
            begins |= before == self._dialect.separator[0]
        return begins

    def _ends_field(self) -> Mask:
        # at the end of the text the row is not whole, and all that can be said is said when more of it is there
        size = len(self.chars)
        after = self.chars[np.minimum(self._quotes + 1, size - 1)]
        ends: Mask = after == self._dialect.line_end[0]
        if self._dialect.separator:
            ends |= after == self._dialect.separator[0]
        if not self._dialect.newline:
            second = self.chars[np.minimum(self._quotes + 2, size - 1)]
            ends |= (after == ord("\r")) & (second == ord("\n"))
        return ends

    def _quotes_in_comments(self, first: int) -> Ints:
        """Return the number of the first quote in each line that looks like a comment and has one."""
        starts = np.concatenate([[0], self.newlines + 1])
        starts = starts[starts < len(self.chars)]
        starts = starts[self.chars[starts] == self._dialect.comment[0]]
        ends = np.append(self.newlines, len(self.chars))[np.searchsorted(self.newlines, starts)]
        begin, end = np.searchsorted(self._quotes, starts), np.searchsorted(self._quotes, ends)
        found: Ints = begin[(end > begin) & (begin % 2 == first)]
        return found

    # -- rows --------------------------------------------------------------------------------------------------

    def _view_at(self, place: int) -> tuple[_View, int]:
        quote = int(np.searchsorted(self._quotes, place))
        return self._views[quote % len(self._views)], quote

    def find_oddity(self, place: int) -> int | None:
        """Return where the first odd quote lies, when a row begins at `place`."""
        view, quote = self._view_at(place)
        number = int(np.searchsorted(view.odd, quote))
        return int(self._quotes[view.odd[number]]) if number < len(view.odd) else None

    def regular_rows(self, place: int) -> tuple[Ints, Ints]:
        """Return where the rows from `place` on begin and end, as far as no quote is odd."""
        view, _ = self._view_at(place)
        odd = self.find_oddity(place)
        begin = int(np.searchsorted(view.row_ends, place))
        end = len(view.row_ends) if odd is None else int(np.searchsorted(view.row_ends, odd))
        ends = view.row_ends[begin:end]
        return np.concatenate([[place], ends[:-1] + 1])[: len(ends)], ends

    def count_fields(self, starts: Ints, ends: Ints) -> Ints:
        """Return the number of fields of rows that `regular_rows` gave."""
        view, _ = self._view_at(int(starts[0]))

        def separators_before(places: Ints) -> Ints:
            hidden = view.hidden[np.searchsorted(view.closing, places)]
            return np.searchsorted(self._separators, places) - hidden

        return separators_before(ends) - separators_before(starts) + 1
