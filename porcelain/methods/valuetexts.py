"""Values of columns as text, as csvexport writes them and the commands show them."""

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any, Final


def json_text(value: Any) -> str:
    """Return a value of a json column as JSON, with its keys sorted."""
    return json.dumps(value, sort_keys=True)


def bytes_text(value: bytes) -> str:
    """Return bytes as text: UTF-8, and what is none of it as surrogates, which "surrogateescape" makes bytes again."""
    return value.decode("utf-8", "surrogateescape")


def same(value: str) -> str:
    """Return a text as it is."""
    return value


_FORMATS: Final[Mapping[str, Callable[[Any], str]]] = {
    "date": datetime.date.isoformat,  # what str gives, in a third of the time
    "ascii": same,
    "unicode": same,
    "json": json_text,
    "bytes": bytes_text,
    "float32": repr,
    "float64": repr,
    "number": repr,
}


def format_of(column_type: str) -> Callable[[Any], str]:
    """Return the function that makes text of a value of a column, of any but None."""
    return _FORMATS.get(column_type, str)


def none_text(column_type: str) -> str:
    """Return what None is written as: "null" in a json column, where it is a value, else "None"."""
    return "null" if column_type == "json" else "None"
