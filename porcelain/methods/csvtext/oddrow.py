"""One row of CSV text read by itself, a field at a time."""

from typing import NamedTuple

from porcelain.methods.csvtext.dialect import Dialect


class OddRow(NamedTuple):
    """A row that was read by itself: where it ends, where the next begins, its fields or why it is broken."""

    end: int
    following: int
    fields: list[bytes] | str


def read_row(text: bytes, at: int, dialect: Dialect, endless: set[int] | None = None) -> OddRow | None:
    """Return the row that begins at `at`, or None when the text ends before it.

    A quote at the beginning of a field opens it; inside, two of that quote are one; after the closing one the field
    must end. A quote elsewhere is a character like others.

    Places of fields behind which the text ends before the row does are noted in `endless`: when each of many rows has
    such a quote, none but the first is read to the end of the text.
    """
    seen: set[int] = set() if endless is None else endless
    begun: list[int] = []
    if dialect.comment and text.startswith(dialect.comment, at):
        end = text.find(dialect.line_end, at)
        return None if end < 0 else OddRow(end, end + 1, [])
    fields: list[bytes] = []
    broken = False
    is_last = False
    while not is_last:
        begun.append(at)
        close = None if at in seen else _find_closing(text, at, dialect)
        end, following, is_last = (
            (-1, -1, False) if close is None else _find_field_end(text, close + 1, dialect)
        )
        if close is None or end < 0:
            seen.update(begun)
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
