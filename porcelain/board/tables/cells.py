"""Values as the board shows them: short, None apart from the empty text, and never more than a browser can take."""

import json
from typing import Any, Final, NamedTuple

from porcelain import term
from porcelain.board.tables.table import LONGEST_TEXT, Missing
from porcelain.views.plain import plain

_SHORT: Final = 60
_WHOLE: Final = 10_000
RIGHT: Final = frozenset({"int64", "int32", "float64", "float32", "number", "complex64", "complex32"})


class Cell(NamedTuple):
    """A value in a table.

    Attributes
    ----------
    text : str
        Its beginning.
    whole : str
        All of it, when that is more and a page can hold it.
    kind : str
        "is-none", "is-empty" or "is-missing" when it is no value like others.
    """

    text: str
    whole: str = ""
    kind: str = ""


def cell_of(value: Any) -> Cell:
    """Return a value as a cell."""
    if isinstance(value, Missing):
        return Cell(value.why, kind="is-missing")
    if value is None:
        return Cell("None", kind="is-none")
    text = text_of(value)
    if not text:
        return Cell('""', kind="is-empty")
    # on one line, as the commands show it
    shown = term.printable(text[: _SHORT + 1])
    if len(text) <= _SHORT:
        return Cell(shown)
    whole = text if len(text) <= _WHOLE else f"{text[:_WHOLE]}… ({_length_of(text)})"
    return Cell(shown[: _SHORT - 1] + "…", whole)


def _length_of(text: str) -> str:
    return f"{'more than ' if len(text) >= LONGEST_TEXT else ''}{len(text):,} characters"


def text_of(value: Any) -> str:
    """Return a value as text, as the commands show it; what is no UTF-8 is escaped.

    Along a chain the type of a column may change: the value itself says what it is.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def json_of(column_type: str, value: Any) -> Any:
    """Return a value of a column as JSON has it."""
    if value is None or isinstance(value, Missing):
        return None
    if column_type == "json":
        return _json_value(value)
    return plain(text_of(value) if isinstance(value, bytes) else value)


def _json_value(text: str) -> Any:
    """Return what a JSON text says, or the text when that cannot be sent: half characters, cut ones."""
    try:
        value = plain(json.loads(text))
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text
    return value
