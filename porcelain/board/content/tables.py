"""Tables in text files, CSV, TSV, JSON and JSON lines: some rows at a time, whatever the file holds."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final, NamedTuple

from porcelain.board.content.texts import clean
from porcelain.views.plain import View

# more of a row or of a page is of no use to who looks, and what a hostile file has is bounded by this
_LINE_BYTES: Final = 1 << 20
_PAGE_BYTES: Final = 1 << 22
_MOST_COLUMNS: Final = 200
_CELL_CHARACTERS: Final = 500
_VALUE: Final = "value"


class Rows(NamedTuple):
    """Some rows of a table.

    Attributes
    ----------
    columns, rows : sequence
        Names, and texts; no row has more cells than there are columns.
    next : int or None
        The byte at which the rows behind them begin; None when these are the last.
    cut : bool
        Columns are left out, since there are too many.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    next: int | None
    cut: bool

    def to_view(self) -> View:
        """Return what JSON says of it; a column is numeric when all that is shown of it are numbers."""
        return {
            "columns": [
                {"name": name, "numeric": _is_numeric([row[place] for row in self.rows if place < len(row)])}
                for place, name in enumerate(self.columns)
            ],
            "rows": [list(row) for row in self.rows],
            "next": self.next,
            "cut": self.cut,
        }


def read_csv(stream: BinaryIO, at: int, count: int, *, tabs: bool) -> Rows | None:
    """Return `count` rows of CSV, or with `tabs` of TSV, from the byte `at` on; None when they cannot be read as such.

    The first row of the file names the columns.
    """
    lines = _Lines(stream)
    first = next(lines, "")
    delimiter = "\t" if tabs else max(",;\t|", key=first.count)
    lines.go_to(0)
    try:
        reader = csv.reader(lines, delimiter=delimiter)
        header = next(reader, [])
        if at:
            lines.go_to(at)
        rows = list(islice(reader, count))
    except csv.Error:
        return None
    return _cut(header, rows, lines.find_next())


def read_json_lines(stream: BinaryIO, at: int, count: int) -> Rows | None:
    """Return `count` rows of JSON lines from the byte `at` on; None when one of them is no JSON."""
    lines = _Lines(stream)
    lines.go_to(at)
    try:
        values = [json.loads(line) for line in islice(lines, count) if line.strip()]
    except (ValueError, RecursionError):
        return None
    return of_values(values, lines.find_next())


def of_values(values: Sequence[Any], following: int | None = None) -> Rows:
    """Return values as rows: the keys of mappings name the columns; any other value is in a column by itself."""
    names: dict[str, None] = {}
    for value in values:
        names |= dict.fromkeys(value if isinstance(value, dict) else (_VALUE,))
    columns = [*islice(names, _MOST_COLUMNS)]
    rows = []
    for value in values:
        cells = value if isinstance(value, dict) else {_VALUE: value}
        rows.append([_to_text(cells[name]) if name in cells else "" for name in columns])
    found = _cut(columns, rows, following)
    return found._replace(cut=len(names) > len(columns))


class _Lines(Iterator[str]):
    """The lines of a stream, no more of them than a page may take; where it is, is a place in bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.go_to(0)

    def go_to(self, at: int) -> None:
        self._at, self._end = at, at + _PAGE_BYTES

    def __next__(self) -> str:
        self._stream.seek(self._at)
        line = self._stream.readline(_LINE_BYTES)
        if not line or self._at >= self._end:
            raise StopIteration
        starts = self._at == 0
        self._at += len(line)
        return line.removeprefix(b"\xef\xbb\xbf" if starts else b"").decode("utf-8", "replace")

    def find_next(self) -> int | None:
        self._stream.seek(self._at)
        return self._at if self._stream.read(1) else None


def _cut(header: Sequence[str], rows: Sequence[Sequence[str]], following: int | None) -> Rows:
    columns = min(max([len(header), *map(len, rows)]), _MOST_COLUMNS)
    names = [*map(_shortened, header[:columns]), *[""] * (columns - len(header))]
    cells = [[_shortened(cell) for cell in row[:columns]] for row in rows if row]
    return Rows(names, cells, following, max([len(header), *map(len, rows)]) > columns)


def _to_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _shortened(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _CELL_CHARACTERS else text[: _CELL_CHARACTERS - 1] + "…"


def _is_numeric(texts: Sequence[str]) -> bool:
    given = [text for text in texts if text]
    return bool(given) and all(map(_is_number, given))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
