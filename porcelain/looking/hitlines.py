"""Rows that were found as lines: fields with a separator, or aligned by spaces, or JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from porcelain import term
from porcelain.looking.export import json_line
from porcelain.looking.patterns import Patterns
from porcelain.looking.search import Found, Part, texts_of
from porcelain.methods.valuetexts import bytes_text
from porcelain.plain import plain


class Tabs(NamedTuple):
    """How fields are aligned by spaces: they end at multiples of `tab`, and are at least so wide.

    Attributes
    ----------
    field : int
        Least width of a field with the spaces after it.
    least : int
        Least number of spaces.
    """

    tab: int = 8
    field: int = 16
    least: int = 2

    def after(self, width: int) -> int:
        """Return the number of spaces after a text."""
        end = max(width + self.least, self.field)
        return -(-end // self.tab) * self.tab - width


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are made.

    Attributes
    ----------
    form : str
        "csv" puts fields in quotes where they need them; "raw" does not; "json" makes an object of a row.
    separator : str
        Between fields.
    tabs : Tabs or None
        Aligns fields in place of a separator.
    only : str
        "part" for only what matches, "columns" for only the values in which something does, else "".
    color, escape : bool
        For a terminal: mark what matches; show control characters as escapes.
    dataset, slice, line : bool
        Say where a row is.
    """

    form: Literal["csv", "raw", "json"] = "csv"
    separator: str = "\t"
    tabs: Tabs | None = None
    only: Literal["part", "columns", ""] = ""
    color: bool = False
    escape: bool = False
    dataset: bool = False
    slice: bool = False
    line: bool = False

    def header(self, names: Sequence[str]) -> bytes:
        """Return a line that names the fields."""
        places = [("[DATASET]", self.dataset), ("[SLICE]", self.slice), ("[LINE]", self.line)]
        return self.join([*(title for title, wanted in places if wanted), *names])

    def row(self, part: Part, found: Found, patterns: Patterns) -> bytes:
        """Return the line of a row."""
        if self.form == "json":
            return self._json(part, found, patterns)
        texts = self._chosen(list(_texts(part, found)), patterns)
        place = [str(value) for value in self._place(part, found).values()]
        return self.join([*place, *texts], patterns if self.color else None, first=len(place))

    def join(self, texts: Sequence[str], patterns: Patterns | None = None, *, first: int = 0) -> bytes:
        """Return texts as a line; what matches is marked in those from number `first` on."""
        shown = [self._quoted(text) for text in texts]
        widths = [len(text) for text in shown]
        if patterns is not None:
            shown[first:] = [_marked(text, patterns) for text in shown[first:]]
        if self.tabs is None:
            line = self.separator.join(shown)
        else:
            spaces = [self.tabs.after(width) for width in widths[:-1]] + [0]
            line = "".join(text + " " * gap for text, gap in zip(shown, spaces, strict=True))
        return line.encode("utf-8", "surrogateescape") + b"\n"

    def _place(self, part: Part, found: Found) -> dict[str, Any]:
        places = {
            "dataset": (self.dataset, part.dataset.spec),
            "sliceno": (self.slice, found.sliceno),
            "lineno": (self.line, found.lineno),
        }
        return {name: value for name, (wanted, value) in places.items() if wanted}

    def _chosen(self, texts: Sequence[str], patterns: Patterns) -> Sequence[str]:
        if self.only == "part":
            return ["".join(text[start:stop] for start, stop in patterns.spans(text)) for text in texts]
        if self.only == "columns":
            return [text if patterns.spans(text) else "" for text in texts]
        return texts

    def _quoted(self, text: str) -> str:
        if self.form == "csv" and not self.tabs and self._needs_quotes(text):
            text = '"' + text.replace('"', '""') + '"'
        return term.printable(text) if self.escape else text

    def _needs_quotes(self, text: str) -> bool:
        return (
            text.startswith('"')
            or "\n" in text
            or "\r" in text
            or bool(self.separator and self.separator in text)
        )

    def _json(self, part: Part, found: Found, patterns: Patterns) -> bytes:
        row = {name: _plain(value) for name, value in zip(part.shown, found.values, strict=True)}
        if self.only:
            texts = list(_texts(part, found))
            chosen = dict(zip(part.shown, self._chosen(texts, patterns), strict=True))
            row = chosen if self.only == "part" else {name: row[name] for name in row if chosen[name]}
        place = self._place(part, found)
        return json_line(place | {"data": row} if place else row)


def unique_key(part: Part, found: Found, names: Sequence[str], *, ignore_case: bool) -> tuple[str, ...]:
    """Return the names of the columns that decide whether a row was seen before, and their values as text."""
    texts = dict(zip(part.shown, _texts(part, found), strict=True))
    chosen = [name for name in part.shown if not names or name in names]
    values = [texts[name].lower() if ignore_case else texts[name] for name in chosen]
    return (*chosen, *values)


def _texts(part: Part, found: Found) -> Iterator[str]:
    for name, value in zip(part.shown, found.values, strict=True):
        yield texts_of(part.dataset, name)([value])[0]


def _plain(value: object) -> Any:
    return bytes_text(value) if isinstance(value, bytes) else plain(value)


def _marked(text: str, patterns: Patterns) -> str:
    return "".join(_pieces(text, patterns.spans(text)))


def _pieces(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    at = 0
    for start, stop in spans:
        yield text[at:start]
        yield term.marked(text[start:stop])
        at = stop
    yield text[at:]
