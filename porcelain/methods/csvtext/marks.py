"""What the places of quotes, separators and newlines in CSV text say of its rows, without reading it."""

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from jobs.column.transform import Ints, Mask
from jobs.column.words import Bytes
from porcelain.methods.csvtext.dialect import Dialect

NO_PLACES: Final = np.zeros(0, np.int64)


class _View(NamedTuple):
    """What is known when the quotes with even numbers open fields, or those with odd numbers.

    Attributes
    ----------
    ends : (n,) int64
        Separators and newlines outside of quotes: where fields end.
    last : (m,) int64
        Which of them are newlines: where rows end.
    odd : (k,) int64
        Numbers of quotes that do not fit.
    doubled : (l,) int64
        Places of quotes that follow another, with which they stand for one.
    """

    ends: Ints
    last: Ints
    odd: Ints
    doubled: Ints


class RegularRows(NamedTuple):
    """Rows, one after another, in which no quote is odd.

    Attributes
    ----------
    ends : (f,) int64
        Where each of their fields ends.
    last : (n,) int64
        Which of these is the last of each row.
    doubled : (d,) int64
        Places of quotes that follow another, with which they stand for one.
    """

    ends: Ints
    last: Ints
    doubled: Ints


def find_bytes(chars: Bytes, sought: bytes) -> Mask:
    """Return which of `chars` are among the bytes that are sought."""
    # ten times as fast as np.isin for one or two of them
    found: Mask = chars == sought[0]
    for other in sought[1:]:
        found |= chars == other
    return found


class Marks:
    """The places of newlines, separators and quotes in a text, and what can be said of them without reading it.

    A row may begin before any quote, and the quotes from there on open and close fields in turn. So all can be seen
    in two ways: as it is when the quotes with even numbers open, and when those with odd numbers do.
    """

    def __init__(self, text: bytes, dialect: Dialect) -> None:
        self.chars = np.frombuffer(text, np.uint8)
        self._dialect = dialect
        self._places = np.flatnonzero(
            find_bytes(self.chars, dialect.line_end + dialect.separator + dialect.quotes)
        )
        self._kinds = self.chars[self._places]
        self._are_quotes = find_bytes(self._kinds, dialect.quotes) if dialect.quotes else None
        self._quotes = NO_PLACES if self._are_quotes is None else self._places[self._are_quotes]
        self._views: dict[int, _View] = {}

    @cached_property
    def newlines(self) -> Ints:
        """Where lines end, also inside of quotes."""
        newlines: Ints = self._places[self._kinds == self._dialect.line_end[0]]
        return newlines

    # -- what depends on which quotes open ---------------------------------------------------------------------

    def _view_at(self, place: int) -> tuple[_View, int]:
        """Return the view of a row that begins at `place`, and the number of the next quote."""
        quote = int(self._quotes.searchsorted(place))
        first = quote % 2 if len(self._quotes) else 0
        if first not in self._views:
            self._views[first] = self._make_view(first)
        return self._views[first], quote

    def _make_view(self, first: int) -> _View:
        if self._are_quotes is None or not len(self._quotes):
            return _View(self._places, self._line_ends(self._kinds), NO_PLACES, NO_PLACES)
        # a byte counts them well enough, since only whether they are even matters
        quotes_before = np.cumsum(self._are_quotes, dtype=np.uint8) & 1
        outside = (quotes_before == first) & ~self._are_quotes
        numbers = np.arange(len(self._quotes)) % 2
        opens, closes, twice = self._rightly_placed
        odd = np.flatnonzero(~np.where(numbers == first, opens, closes))
        if self._dialect.comment:
            odd = np.union1d(odd, self._quotes_in_comments(first))
        doubled = self._quotes[1:][twice[:-1] & (numbers[:-1] != first)]
        return _View(self._places[outside], self._line_ends(self._kinds[outside]), odd, doubled)

    def _line_ends(self, kinds: Bytes) -> Ints:
        return np.flatnonzero(kinds == self._dialect.line_end[0])

    @cached_property
    def _rightly_placed(self) -> tuple[Mask, Mask, Mask]:
        """Which quotes may open a field, which may close one, and which are followed by one of their kind."""
        kinds = self.chars[self._quotes]
        same_next = np.append(kinds[1:] == kinds[:-1], True)
        twice = np.append(np.diff(self._quotes) == 1, False) & same_next
        opens = (self._begins_field() | np.roll(twice, 1)) & same_next
        return opens, self._ends_field() | twice, twice

    def _begins_field(self) -> Mask:
        before = self.chars[self._quotes - 1]
        begins = find_bytes(before, self._dialect.line_end + self._dialect.separator)
        begins[self._quotes == 0] = True
        return begins

    def _ends_field(self) -> Mask:
        # at the end of the text the row is not whole, and all that can be said is said when more of it is there
        size = len(self.chars)
        after = self.chars[np.minimum(self._quotes + 1, size - 1)]
        ends = find_bytes(after, self._dialect.line_end + self._dialect.separator)
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

    # -- rows: asked again after each odd row, so with the methods of arrays, a third of the time of numpy's functions

    def find_oddity(self, place: int) -> int | None:
        """Return where the first odd quote lies, when a row begins at `place`."""
        view, quote = self._view_at(place)
        number = int(view.odd.searchsorted(quote))
        return int(self._quotes[view.odd[number]]) if number < len(view.odd) else None

    def regular_rows(self, place: int) -> RegularRows:
        """Return the rows from `place` on, as far as no quote is odd."""
        view, quote = self._view_at(place)
        number = int(view.odd.searchsorted(quote))
        begin, stop = int(view.ends.searchsorted(place)), len(view.ends)
        if number < len(view.odd):
            stop = int(view.ends.searchsorted(self._quotes[view.odd[number]]))
        last = view.last[view.last.searchsorted(begin) : view.last.searchsorted(stop)]
        if not len(last):
            return RegularRows(NO_PLACES, NO_PLACES, NO_PLACES)
        ends = view.ends[begin : last[-1] + 1]
        doubled = view.doubled[view.doubled.searchsorted(place) : view.doubled.searchsorted(ends[-1])]
        return RegularRows(ends, last - begin, doubled)
