"""CSV text to columns: the options that say how it is written, and rows cut into fields."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from jobs.errors import OptionError
from porcelain.methods.csvtext.marks import Dialect, Ints, find_bytes

_QUOTES: Final = {"True": "\"'", "False": ""}


def make_dialect(*, separator: str, newline: str, quotes: str | bool, comment: str) -> Dialect:
    """Return the dialect that options say, each one character or none; raise `OptionError` when they cannot be."""
    given = {
        "separator": separator,
        "newline": newline,
        "quotes": _QUOTES.get(str(quotes), quotes),
        "comment": comment,
    }
    marks = {name: _as_bytes(name, str(text)) for name, text in given.items()}
    dialect = Dialect(**marks)
    marks["newline"] = dialect.line_end
    names = list(marks)
    for place, name in enumerate(names):
        for other in names[:place]:
            if set(marks[name]) & set(marks[other]):
                raise OptionError(f"options '{other}' and '{name}' are the same character")
    return dialect


def _as_bytes(name: str, text: str) -> bytes:
    if text in _QUOTES.values():
        return text.encode()
    if len(text) > 1 or ord(text or " ") > 255:
        raise OptionError(f"option '{name}' is one character of latin-1 or none, not '{text}'")
    return text.encode("latin-1")


class Batch(NamedTuple):
    """Some good rows.

    Attributes
    ----------
    lines : (n,) int64
        Number of the line that each begins on.
    text : bytes
        The rows, with line ends between them.
    odd : dict of int to list of bytes
        The fields of rows that the text does not give; it has empty fields in their place.
    """

    lines: Ints
    text: bytes
    odd: Mapping[int, list[bytes]]


def pack_batch(dialect: Dialect, lines: Ints, texts: list[bytes], odd: Mapping[int, list[bytes]]) -> Batch:
    """Return rows as a batch; `odd` are the fields of those that were read by themselves."""
    for row, fields in odd.items():
        texts[row] = dialect.separator * (len(fields) - 1)
    return Batch(lines, dialect.line_end.join(texts), odd)


def split_columns(batch: Batch, width: int, dialect: Dialect) -> list[list[bytes]]:
    """Return the fields of each column, of rows that have `width` of them."""
    fields = _split_fields(batch.text, dialect)
    assert len(fields) == width * len(batch.lines), "a row with another number of fields was taken for good"
    columns = [fields[column::width] for column in range(width)]
    for row, values in batch.odd.items():
        for column, value in zip(columns, values, strict=True):
            column[row] = value
    return columns


def _split_fields(text: bytes, dialect: Dialect) -> list[bytes]:
    if any(quote in text for quote in dialect.quotes):
        return _split_quoted(text, dialect)
    if not dialect.separator:
        return text.split(dialect.line_end)
    return text.replace(dialect.line_end, dialect.separator).split(dialect.separator)


def _split_quoted(text: bytes, dialect: Dialect) -> list[bytes]:
    """Return all fields: the text is split where fields end, after the quotes are taken out."""
    chars = np.frombuffer(text, np.uint8)
    is_quote = find_bytes(chars, dialect.quotes)
    quotes = np.flatnonzero(is_quote)
    ends = np.flatnonzero(find_bytes(chars, dialect.separator + dialect.line_end))
    # a third of the time that it takes to search for each end among the quotes
    quotes_before = np.cumsum(np.bincount(np.searchsorted(ends, quotes), minlength=len(ends) + 1)[:-1])
    ends = ends[quotes_before % 2 == 0]
    # a quote that closes right before one that opens: the two stand for one
    twice = quotes[1::2][: len(quotes[2::2])]
    is_quote[twice[quotes[2::2] == twice + 1]] = False
    for byte in _UNLIKELY:
        if byte not in text:
            marked = chars.copy()
            marked[ends] = byte
            return marked[~is_quote].tobytes().split(bytes([byte]))
    return _cut(chars[~is_quote].tobytes(), (ends - np.cumsum(is_quote)[ends]).tolist())


# what text has in it comes last
_UNLIKELY: Final = (*range(32), *range(255, 31, -1))


def _cut(text: bytes, ends: list[int]) -> list[bytes]:
    starts = [0, *(end + 1 for end in ends)]
    return [text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True)]
