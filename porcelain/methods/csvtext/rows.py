"""The rows of CSV text and their fields: where each begins and ends, and which rows are not as they should be.

Most rows are found at once, a block at a time, from the places of quotes, separators and newlines. That is right as
long as every quote opens a field, closes one, or stands twice for one; a row in which one does not is read by itself,
a field at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Ints, Mask
from jobs.column.words import Bytes
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.marks import NO_PLACES, Marks, find_bytes
from porcelain.methods.csvtext.oddrow import OddRow, read_row
from porcelain.methods.csvtext.refusal import Refused

COMMENT: Final = 0  # "number of fields" of a comment line
BROKEN: Final = -1  # and of a row whose quotes are wrong
# a row is held in memory; one that goes on for longer has a quote that is never closed
LONGEST_ROW_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that lie one after another in a piece of text.

    Attributes
    ----------
    chars : (bytes,) uint8
        The text.
    starts, ends : (n,) int64
        Of each row in it, without what ends its line.
    lines : (n,) int64
        Number of the line that each begins on.
    counts : (n,) int64
        Number of fields; `COMMENT` or `BROKEN`.
    first : (n,) int64
        Number of its first field; says nothing of a comment or a broken row.
    fields : Spans
        All fields, without quotes.
    broken : dict of int to str
        What is wrong with the broken rows.
    """

    chars: Bytes
    starts: Ints
    ends: Ints
    lines: Ints
    counts: Ints
    first: Ints
    fields: Spans
    broken: dict[int, str]

    def __len__(self) -> int:
        return len(self.starts)

    def are_left_out(self, *, empty: bool) -> Mask:
        """Return which rows are comments or, if so wished, empty."""
        left_out: Mask = self.counts == COMMENT
        return left_out | (self.starts == self.ends) if empty else left_out

    def raw(self) -> Spans:
        """Return the text of each row."""
        return Spans(self.chars, self.starts, self.ends)

    def column(self, number: int) -> Spans:
        """Return one field of each row."""
        return self.fields.where(self.first + number)

    def get(self, row: int) -> list[bytes] | str:
        """Return the fields of a row, or why it is broken."""
        if row in self.broken:
            return self.broken[row]
        return self.fields.where(slice(self.first[row], self.first[row] + self.counts[row])).tolist()

    def where(self, keep: Mask) -> "Rows":
        """Return the rows for which `keep` is true."""
        return self if keep.all() else self.take(np.flatnonzero(keep))

    def take(self, numbers: Ints) -> "Rows":
        """Return the rows with these numbers."""
        starts, ends, lines, counts, first = (
            each[numbers] for each in (self.starts, self.ends, self.lines, self.counts, self.first)
        )
        broken: dict[int, str] = {}
        if self.broken:
            broken = {
                place: self.broken[row] for place, row in enumerate(numbers.tolist()) if row in self.broken
            }
        return replace(self, starts=starts, ends=ends, lines=lines, counts=counts, first=first, broken=broken)

    def without_extra(self, width: int) -> "Rows":
        """Return the same rows, but `width` fields of those that have more when the others are empty."""
        filled = np.append(0, np.cumsum(self.fields.lengths > 0))
        rows = np.flatnonzero(self.counts > width)
        first = self.first[rows]
        rows = rows[filled[first + width] == filled[first + self.counts[rows]]]
        counts = self.counts.copy()
        counts[rows] = width
        return replace(self, counts=counts)


class Found(NamedTuple):
    """Rows that lie whole in a part of a text, where in the text they end, and how many lines are before that."""

    rows: Rows
    end: int
    lines: int


def find_rows(
    text: memoryview, dialect: Dialect, *, last: bool, part_bytes: int, longest: int = LONGEST_ROW_BYTES
) -> Iterator[Found]:
    """Yield the rows that lie whole in a text, those in a part of it at a time.

    Parameters
    ----------
    text, dialect, longest, last
        As of `RowFinder`.
    part_bytes
        Size of a part; a longer row is a part of its own.
    """
    at, line = 0, 1
    while at < len(text):
        rest = text[at:]
        is_end = part_bytes >= len(rest)
        finder = RowFinder(
            bytes(rest[:part_bytes]), dialect, line=line, last=last and is_end, longest=longest
        )
        rows, end = finder.find()
        found: Found | None = Found(rows, end, finder.line_at(end) - 1)
        if not end:
            found = (
                None if is_end else _find_long(rest, dialect, line, part_bytes, last=last, longest=longest)
            )
        if found is None:
            return
        at, line = at + found.end, found.lines + 1
        yield found._replace(end=at)


def _find_long(
    text: memoryview, dialect: Dialect, line: int, size: int, *, last: bool, longest: int
) -> Found | None:
    """Return the first row of a text, which is longer than `size`, or None when its end is not known yet."""
    row = None
    part = b""
    while row is None and size < len(text) and len(part) <= longest:
        size *= 2
        part = bytes(text[: min(size, longest + 1)])
        complete = len(part) > longest or (last and len(part) == len(text))
        row = _read_whole(part, 0, dialect, line, complete=complete, longest=longest)
    if row is None:
        return None
    # the marks of all that follows it in the part would take tens of times the memory of the text
    pieces = _Pieces(np.frombuffer(part, np.uint8), dialect)
    pieces.add_odd(0, row)
    lines = line - 1 + part.count(dialect.line_end, 0, row.following)
    return Found(pieces.rows(NO_PLACES, line), row.following, lines)


def _read_whole(  # noqa: PLR0913 - what its two callers know of the text
    text: bytes,
    at: int,
    dialect: Dialect,
    line: int,
    *,
    complete: bool,
    longest: int,
    endless: set[int] | None = None,
) -> OddRow | None:
    """Return the row at `at`, or None when its end is not known yet.

    The text begins with the line of number `line`; it is complete when nothing follows it, or more than `longest`
    bytes of the row are there.
    """
    row = read_row(text, at, dialect, endless)
    if row is None and not complete:
        return None
    if row is not None and row.end - at <= longest:
        return row
    end = text.find(dialect.line_end, at)
    if not 0 <= end - at <= longest:
        raise Refused(line + text.count(dialect.line_end, 0, at), f" has more than {longest} bytes")
    return OddRow(end, end + 1, "a quote that is never closed")


class RowFinder:
    """Finds the rows that lie whole in a text.

    Parameters
    ----------
    text
        It begins with a row.
    line
        The number of its first line.
    longest
        Largest number of bytes in a row. Of a longer one the first line is broken, and the next row begins behind it.
    last
        Whether nothing comes after it; then it ends with the end of a line.
    """

    def __init__(
        self,
        text: bytes,
        dialect: Dialect,
        *,
        line: int = 1,
        last: bool,
        longest: int = LONGEST_ROW_BYTES,
    ) -> None:
        self._text = text
        self._dialect = dialect
        self._line = line
        self._longest = longest
        self._last = last
        self._endless: set[int] = set()
        self._marks = Marks(text, dialect)
        self._pieces = _Pieces(self._marks.chars, dialect)

    def find(self) -> tuple[Rows, int]:
        """Return the rows, and where the last of them ends; raise `Refused` for one that is too long."""
        at = 0
        while at < len(self._text):
            at = self._find_regular(at)
            odd = self._find_odd(at) if at < len(self._text) else None
            if odd is None:
                break
            self._pieces.add_odd(at, odd)
            at = odd.following
        return self._pieces.rows(self._marks.newlines, self._line), at

    def line_at(self, place: int) -> int:
        """Return the number of the line that begins at `place`."""
        return self._line + int(np.searchsorted(self._marks.newlines, place))

    def _find_regular(self, at: int) -> int:
        """Find rows from `at` on until one has an odd quote or is too long; return where they end."""
        ends, last, doubled = self._marks.regular_rows(at)
        if len(last) and ends[-1] - at > self._longest:
            too_long = np.flatnonzero(np.diff(ends[last], prepend=at - 1) - 1 > self._longest)
            last = last[: too_long[0]] if len(too_long) else last
        if not len(last):
            return at
        ends = ends[: last[-1] + 1]
        self._pieces.add_regular(at, ends, last, doubled[: np.searchsorted(doubled, ends[-1])])
        return int(ends[-1]) + 1

    def _find_odd(self, at: int) -> OddRow | None:
        """Return the row at `at`, or None when its end is not known yet."""
        complete = self._last or len(self._text) - at > self._longest
        if not complete and self._marks.find_oddity(at) is None:
            return None
        return _read_whole(
            self._text,
            at,
            self._dialect,
            self._line,
            complete=complete,
            longest=self._longest,
            endless=self._endless,
        )


class _Pieces:
    """Rows on their way to `Rows`: runs of regular ones, and odd ones between them."""

    def __init__(self, chars: Bytes, dialect: Dialect) -> None:
        self._chars = chars
        self._dialect = dialect
        # of the rows: where they start and end, their numbers of fields, and of their first fields
        self._rows: list[tuple[Ints, Ints, Ints, Ints]] = []
        self._found = 0
        self._starts: list[Ints] = []  # of fields
        self._ends: list[Ints] = []
        self._last: list[Ints] = []  # numbers of those that are the last of their rows
        self._fields = 0
        self._doubled: list[Ints] = []
        self._odd: dict[int, list[bytes]] = {}
        self._broken: dict[int, str] = {}

    def add_regular(self, start: int, ends: Ints, last: Ints, doubled: Ints) -> None:
        """Add the rows from `start` on, whose fields end at `ends`, the `last` of each row among them."""
        starts = np.empty_like(ends)
        starts[0], starts[1:] = start, ends[:-1] + 1
        first = np.empty_like(last)
        first[0], first[1:] = 0, last[:-1] + 1
        self._rows.append((starts[first], ends[last], last - first + 1, self._fields + first))
        self._found += len(last)
        self._starts.append(starts)
        self._ends.append(ends)
        self._last.append(self._fields + last)
        self._fields += len(starts)
        self._doubled.append(doubled)

    def add_odd(self, start: int, row: OddRow) -> None:
        """Add the row at `start`, which was read by itself."""
        if isinstance(row.fields, str):
            self._broken[self._found] = row.fields
        else:
            self._odd[self._found] = row.fields
        count = BROKEN if isinstance(row.fields, str) else len(row.fields)
        starts, ends, counts, first = np.array([[start], [row.end], [count], [0]])
        self._rows.append((starts, ends, counts, first))
        self._found += 1

    def rows(self, newlines: Ints, line: int) -> Rows:
        """Return all that were added; lines end at `newlines`, and the first has the number `line`."""
        if not self._rows:
            nothing = NO_PLACES
            none = Spans(self._chars, nothing, nothing)
            return Rows(self._chars, nothing, nothing, nothing, nothing, nothing, none, {})
        starts, ends, counts, first = map(np.concatenate, zip(*self._rows, strict=True))
        if not self._dialect.newline:
            ends -= self._are_before_return(starts, ends)
        if self._dialect.comment:
            counts[(ends > starts) & (self._chars[starts] == self._dialect.comment[0])] = COMMENT
        lines = line + np.searchsorted(newlines, starts)
        first[list(self._odd)] = self._fields + _offsets(list(map(len, self._odd.values())))[:-1]
        return Rows(self._chars, starts, ends, lines, counts, first, self._all_fields(), self._broken)

    def _are_before_return(self, starts: Ints, ends: Ints) -> Mask:
        """Return which texts, up to where their lines end, have a carriage return at their end."""
        are_before: Mask = (ends > starts) & (self._chars[ends - 1] == ord("\r"))
        return are_before

    def _all_fields(self) -> Spans:
        """Return the fields of the regular rows, then those of the odd ones."""
        starts, ends, last = (
            np.concatenate([NO_PLACES, *parts]) for parts in (self._starts, self._ends, self._last)
        )
        if not self._dialect.newline:
            ends[last] -= self._are_before_return(starts[last], ends[last])
        if self._dialect.quotes:
            quoted = find_bytes(self._chars[starts], self._dialect.quotes)
            starts += quoted
            ends -= quoted
        doubled = np.concatenate([NO_PLACES, *self._doubled])
        odd = [field for fields in self._odd.values() for field in fields]
        if not len(doubled) and not odd:
            return Spans(self._chars, starts, ends)
        # what does not lie in the text as it is lies behind it
        numbers = np.searchsorted(ends, doubled, "right")
        is_next = np.diff(numbers, prepend=-1) > 0
        touched, which = numbers[is_next], np.cumsum(is_next) - 1
        undoubled = _without(Spans(self._chars, starts[touched], ends[touched]), which, doubled)
        others = PackedTexts.of(odd, are_bytes=True)
        data = np.concatenate([self._chars, undoubled.data, others.data])
        starts[touched], ends[touched] = (
            places + len(self._chars) for places in (undoubled.starts, undoubled.ends)
        )
        begin = len(self._chars) + len(undoubled.data)
        return Spans(
            data,
            np.concatenate([starts, begin + others.offsets[:-1]]),
            np.concatenate([ends, begin + others.offsets[1:] - 1]),
        )


def _without(texts: Spans, which: Ints, places: Ints) -> Spans:
    """Return texts in memory of their own without the bytes at `places`, each in the text of number `which`."""
    packed = texts.pack()
    kept = np.ones(len(packed.data), np.bool_)
    kept[packed.offsets[which] + places - texts.starts[which]] = False
    offsets = _offsets(np.diff(packed.offsets) - np.bincount(which, minlength=len(texts.starts)))
    return Spans(packed.data[kept], offsets[:-1], offsets[1:] - 1)


def _offsets(sizes: Sequence[int] | Ints) -> Ints:
    return np.append(0, np.cumsum(np.asarray(sizes, np.int64)))
