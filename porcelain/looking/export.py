"""Rows for other programs: CSV and JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jobs.dataset.dataset import Dataset
from porcelain.looking.pieces import Columns
from porcelain.methods.valuetexts import bytes_text, format_of, none_text
from porcelain.views.plain import plain


def csv_lines(dataset: Dataset, names: Sequence[str], pieces: Iterable[Columns]) -> Iterator[bytes]:
    """Yield the rows as CSV, with quotes where they are needed, a piece at a time."""
    makers = [_texts_of(dataset, name) for name in names]
    for columns in pieces:
        texts = [make(values) for make, values in zip(makers, columns, strict=True)]
        yield csv_text(zip(*texts, strict=True))


def csv_text(rows: Iterable[Sequence[str]], *, separator: str = ",") -> bytes:
    """Return rows of texts as CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def json_lines(dataset: Dataset, names: Sequence[str], pieces: Iterable[Columns]) -> Iterator[bytes]:
    """Yield the rows as JSON, an object a line, a piece at a time."""
    converts = {
        place: bytes_text if dataset.columns[name].type == "bytes" else plain
        for place, name in enumerate(names)
        if dataset.columns[name].type not in _JSON_HAS
    }
    for columns in pieces:
        yield b"".join(json_line(dict(zip(names, row, strict=True))) for row in _rows(columns, converts))


def json_line(row: Mapping[str, Any]) -> bytes:
    """Return a row of plain values as a line of JSON; surrogates, of bytes that are no UTF-8, are escaped."""
    try:
        return _encode(row).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row, allow_nan=False).encode() + b"\n"


_JSON_HAS = frozenset({"int64", "int32", "bool", "ascii", "unicode"})
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _rows(columns: Columns, converts: Mapping[int, Callable[[Any], Any]]) -> Iterator[Sequence[Any]]:
    changed = [
        [None if value is None else converts[place](value) for value in values]
        if place in converts
        else values
        for place, values in enumerate(columns)
    ]
    return zip(*changed, strict=True)


def _texts_of(dataset: Dataset, name: str) -> Callable[[list[Any]], list[str]]:
    column_type = dataset.columns[name].type
    form, none = format_of(column_type), none_text(column_type)
    return lambda values: [none if value is None else form(value) for value in values]
