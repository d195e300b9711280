"""How CSV text is written: the options that say so, and the marks that they stand for."""

from dataclasses import dataclass
from typing import Final

from jobs.errors import OptionError

_QUOTES: Final = {"True": "\"'", "False": ""}


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
