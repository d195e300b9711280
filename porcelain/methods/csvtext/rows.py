"""The rows of CSV text: where each begins and ends, how many fields it has, and which ones are not as they should be.

Most rows are found at once, a block at a time, from the places of quotes, separators and newlines. That is right as
long as every quote opens a field, closes one, or stands twice for one; a row in which one does not is read by itself,
a character at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

import numpy as np

from jobs.errors import DatasetError
from porcelain.methods.csvtext.marks import Dialect, Ints, Marks, Mask

COMMENT: Final = 0  # "number of fields" of a comment line
BROKEN: Final = -1  # and of a row whose quotes are wrong
BLOCK_BYTES: Final = 4 << 20
# a row is held in memory; one that goes on for longer has a quote that is never closed
LONGEST_ROW_BYTES: Final = 64 << 20
_NOTHING: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that lie one after another in a piece of text.

    Attributes
    ----------
    text : bytes
        Where they lie.
    dialect : Dialect
        How it is written.
    starts, ends : (n,) int64
        Of each row, without what ends its line.
    lines : (n,) int64
        Number of the line that each begins on.
    counts : (n,) int64
        Number of fields; `COMMENT` or `BROKEN`.
    odd : dict of int to list of bytes or str
        The rows that were read by themselves: their fields, or why they are broken.
    """

    text: bytes
    dialect: Dialect
    starts: Ints
    ends: Ints
    lines: Ints
    counts: Ints
    odd: dict[int, list[bytes] | str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self) -> list[bytes]:
        """Return the text of each row."""
        if not len(self.starts):
            return []
        text = self.text[self.starts[0] : self.ends[-1]]
        # four times as fast as cutting each, and the same when no line lies between rows or inside of quotes
        if not self.dialect.newline and b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        texts = text.split(self.dialect.line_end)
        if len(texts) == len(self.starts):
            return texts
        return [
            self.text[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        ]

    def fields(self, row: int) -> list[bytes] | str:
        """Return the fields of a row, or why it is broken."""
        if row in self.odd:
            return self.odd[row]
        read = read_row(self.text, int(self.starts[row]), self.dialect)
        assert read is not None, "a row that was found has no end"
        return read.fields

    def where(self, keep: Mask) -> "Rows":
        """Return the rows for which `keep` is true."""
        places = np.cumsum(keep) - 1
        odd = {int(places[row]): what for row, what in self.odd.items() if keep[row]}
        starts, ends, lines, counts = (
            each[keep] for each in (self.starts, self.ends, self.lines, self.counts)
        )
        return replace(self, starts=starts, ends=ends, lines=lines, counts=counts, odd=odd)

    def without_extra(self, width: int) -> "Rows":
        """Return the same rows, but `width` fields of those that have more when the others are empty."""
        odd, counts = dict(self.odd), self.counts.copy()
        for row in np.flatnonzero(counts > width).tolist():
            fields = self.fields(row)
            if not isinstance(fields, str) and not any(fields[width:]):
                odd[row] = fields[:width]
                counts[row] = width
        return replace(self, counts=counts, odd=odd)


class Readable(Protocol):
    """Where CSV text comes from."""

    def read(self, size: int, /) -> bytes:
        """Return some bytes, none at the end."""


def read_rows(
    stream: Readable,
    dialect: Dialect,
    *,
    name: str,
    line: int = 1,
    block_bytes: int = BLOCK_BYTES,
    longest: int = LONGEST_ROW_BYTES,
) -> Iterator[Rows]:
    """Yield the rows of `stream`, many at a time.

    Parameters
    ----------
    name
        What errors call the stream.
    line
        Number of the first line.
    block_bytes
        Read so much at once; memory use, not the result, depends on it.
    longest
        Largest number of bytes in a row. Of a longer one the first line is broken, and reading goes on behind it.
    """
    rest = b""
    while True:
        block = stream.read(block_bytes)
        text = rest + block
        if not block and text and not text.endswith(dialect.line_end):
            text += dialect.line_end
        finder = _RowFinder(text, dialect, line, longest, last=not block)
        try:
            rows, end = finder.find()
        except TooLong as err:
            raise DatasetError(f"line {err.line} of '{name}' has more than {longest} bytes") from None
        if len(rows):
            yield rows
        line = finder.line_at(end)
        rest = text[end:]
        if not block:
            return


class TooLong(Exception):
    """A line that is longer than a row may be, and its number."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class OddRow(NamedTuple):
    """A row that was read by itself: where it ends, where the next begins, its fields or why it is broken."""

    end: int
    following: int
    fields: list[bytes] | str


class _RowFinder:
    """Finds the rows that lie whole in `text`, which begins with a row on line `line`; `last`: nothing comes after."""

    def __init__(self, text: bytes, dialect: Dialect, line: int, longest: int, *, last: bool) -> None:
        self._text = text
        self._dialect = dialect
        self._line = line
        self._longest = longest
        self._last = last
        self._marks = Marks(text, dialect)
        self._starts: list[Ints] = []
        self._ends: list[Ints] = []
        self._counts: list[Ints] = []
        self._odd: dict[int, list[bytes] | str] = {}
        self._found = 0

    def find(self) -> tuple[Rows, int]:
        """Return the rows, and where they end."""
        at = 0
        while at < len(self._text):
            at = self._find_regular(at)
            odd = self._find_odd(at) if at < len(self._text) else None
            if odd is None:
                break
            count = BROKEN if isinstance(odd.fields, str) else len(odd.fields)
            self._odd[self._found] = odd.fields
            self._add(np.array([at]), np.array([odd.end]), np.array([count]))
            at = odd.following
        return self._rows(), at

    def line_at(self, place: int) -> int:
        """Return the number of the line that begins at `place`."""
        return self._line + int(np.searchsorted(self._marks.newlines, place))

    def _find_regular(self, at: int) -> int:
        """Find rows from `at` on until one has an odd quote or is too long; return where they end."""
        starts, ends = self._marks.regular_rows(at)
        too_long = np.flatnonzero(ends - starts > self._longest)
        if len(too_long):
            starts, ends = starts[: too_long[0]], ends[: too_long[0]]
        if not len(ends):
            return at
        self._add(starts, ends, self._marks.count_fields(starts, ends))
        return int(ends[-1]) + 1

    def _find_odd(self, at: int) -> OddRow | None:
        """Return the row at `at`, or None when its end is not known yet."""
        complete = self._last or len(self._text) - at > self._longest
        if not complete and self._marks.find_oddity(at) is None:
            return None
        row = read_row(self._text, at, self._dialect)
        if row is None and not complete:
            return None
        if row is not None and row.end - at <= self._longest:
            return row
        end = self._text.find(self._dialect.line_end, at)
        if not 0 <= end - at <= self._longest:
            raise TooLong(self.line_at(at))
        return OddRow(end, end + 1, "a quote that is never closed")

    def _add(self, starts: Ints, ends: Ints, counts: Ints) -> None:
        self._starts.append(starts)
        self._ends.append(ends)
        self._counts.append(counts)
        self._found += len(starts)

    def _rows(self) -> Rows:
        if not self._found:
            return Rows(self._text, self._dialect, _NOTHING, _NOTHING, _NOTHING, _NOTHING)
        starts, ends, counts = map(np.concatenate, (self._starts, self._ends, self._counts))
        lines = self._line + np.searchsorted(self._marks.newlines, starts)
        chars = self._marks.chars
        if not self._dialect.newline:
            ends = ends - ((ends > starts) & (chars[ends - 1] == ord("\r")))
        if self._dialect.comment:
            is_comment = (ends > starts) & (chars[starts] == self._dialect.comment[0])
            counts = np.where(is_comment, COMMENT, counts)
        return Rows(self._text, self._dialect, starts, ends, lines, counts, self._odd)


# ---- one row by itself


def read_row(text: bytes, at: int, dialect: Dialect) -> OddRow | None:
    """Return the row that begins at `at`, or None when the text ends before it.

    A quote at the beginning of a field opens it; inside, two of that quote are one; after the closing one the field
    must end. A quote elsewhere is a character like others.
    """
    if dialect.comment and text.startswith(dialect.comment, at):
        end = text.find(dialect.line_end, at)
        return None if end < 0 else OddRow(end, end + 1, [])
    fields: list[bytes] = []
    broken = False
    is_last = False
    while not is_last:
        close = _find_closing(text, at, dialect)
        if close is None:
            return None
        end, following, is_last = _find_field_end(text, close + 1, dialect)
        if end < 0:
            return None
        fields.append(text[at:end] if close < at else _unquoted(text[at : close + 1]))
        broken |= at <= close < end - 1
        at = following
    return OddRow(at - 1, at, "text after a closing quote" if broken else fields)


def _find_closing(text: bytes, at: int, dialect: Dialect) -> int | None:
    """Return the place of the quote that closes the field at `at`.

    It is the place before `at` when no quote opens the field, and None when the text ends before the closing one.
    """
    quote = text[at : at + 1]
    if not quote or quote not in dialect.quotes:
        return at - 1
    place = at + 1
    while (place := text.find(quote, place)) >= 0 and text.startswith(quote, place + 1):
        place += 2
    return None if place < 0 else place


def _unquoted(quoted: bytes) -> bytes:
    quote = quoted[:1]
    return quoted[1:-1].replace(quote + quote, quote)


def _find_field_end(text: bytes, begin: int, dialect: Dialect) -> tuple[int, int, bool]:
    """Return where unquoted text from `begin` ends, where the next field begins, and whether it is in the next row.

    The end is -1 when it is not in the text.
    """
    line_end = text.find(dialect.line_end, begin)
    if line_end < 0:
        return -1, -1, False
    separator = text.find(dialect.separator, begin, line_end) if dialect.separator else -1
    if separator >= 0:
        return separator, separator + 1, False
    end = line_end - 1 if not dialect.newline and text.endswith(b"\r", begin, line_end) else line_end
    return end, line_end + 1, True
