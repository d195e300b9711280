"""Rows that were found as lines: fields with a separator, or aligned by spaces, or JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from porcelain import term
from porcelain.looking.export import json_line
from porcelain.looking.patterns import Patterns
from porcelain.looking.search import Found, Part, texts_of
from porcelain.methods.valuetexts import bytes_text
from porcelain.views.plain import plain


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


class PartLines:
    """Makes lines of the rows of one part."""

    def __init__(self, layout: Layout, patterns: Patterns, part: Part) -> None:
        self._layout = layout
        self._patterns = patterns
        self._part = part
        self._texts_of = [texts_of(part.dataset, name) for name in part.shown]
        places = {"dataset": layout.dataset, "sliceno": layout.slice, "lineno": layout.line}
        self._places = [name for name, wanted in places.items() if wanted]

    def line(self, found: Found) -> bytes:
        """Return the line of a row."""
        if self._layout.form == "json":
            return self._json(found)
        texts = self._chosen(self.texts(found))
        marked = self._patterns if self._layout.color else None
        if not self._places:
            return self._layout.join(texts, marked)
        place = [str(self._place(found, name)) for name in self._places]
        return self._layout.join([*place, *texts], marked, first=len(place))

    def texts(self, found: Found) -> list[str]:
        """Return the values of a row as text."""
        return [make([value])[0] for make, value in zip(self._texts_of, found.values, strict=True)]

    def _place(self, found: Found, name: str) -> str | int:
        return self._part.dataset.spec if name == "dataset" else int(getattr(found, name))

    def _chosen(self, texts: list[str]) -> list[str]:
        if self._layout.only == "part":
            return ["".join(text[start:stop] for start, stop in self._patterns.spans(text)) for text in texts]
        if self._layout.only == "columns":
            return [text if self._patterns.spans(text) else "" for text in texts]
        return texts

    def _json(self, found: Found) -> bytes:
        names = self._part.shown
        row = {name: _plain(value) for name, value in zip(names, found.values, strict=True)}
        if self._layout.only:
            chosen = dict(zip(names, self._chosen(self.texts(found)), strict=True))
            row = chosen if self._layout.only == "part" else {name: row[name] for name in row if chosen[name]}
        place = {name: self._place(found, name) for name in self._places}
        return json_line(place | {"data": row} if place else row)

    def key(self, found: Found, names: Sequence[str], *, ignore_case: bool) -> tuple[str, ...]:
        """Return the columns that decide whether a row was seen before (no names: all), and their values as text."""
        texts = dict(zip(self._part.shown, self.texts(found), strict=True))
        chosen = [name for name in self._part.shown if not names or name in names]
        values = [texts[name].lower() if ignore_case else texts[name] for name in chosen]
        return (*chosen, *values)


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
