"""What programs print for a terminal, as HTML: colours are classes, and nothing else of it commands anything.

A line is shown as a terminal would leave it: what a carriage return goes back over is written over.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from markupsafe import Markup, escape

_TOKEN: Final = re.compile(
    r"""
      (?P<text>[^\x00-\x08\x0a-\x1f\x7f-\x9f]+)
    | (?P<newline>\n)
    | (?P<back>[\r\x08])
    | \x1b\[(?P<values>[0-9:;]{0,200})(?P<final>[mCDGK])
    | \x1b\[[0-?]*[ -/]*[@-~]?                        # other control sequences
    | \x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?            # titles, links
    | (?P<picture>\x1bP[0-9;]*q)(?:[^\x1b]*\x1b\\|[^\n]*)  # sixel
    | \x1b[PX^_](?:[^\x1b]*\x1b\\|[^\n]*)
    | \x1b[ -/]*[0-~]?
    | [\x00-\x1f\x7f-\x9f]
    """,
    re.VERBOSE,
)
_PICTURE: Final = "[picture]"
# nobody's terminal is wider: past the end of a line one goes no further
_MOST_COLUMNS: Final = 400
_ON: Final = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike", 21: "underline"}
_OFF: Final = {
    22: {"bold", "dim"},
    23: {"italic"},
    24: {"underline"},
    27: {"inverse"},
    29: {"strike"},
}
_LEVELS: Final = (0, 95, 135, 175, 215, 255)


class _Style(NamedTuple):
    """How text looks: its colours by number or "", and "bold", "underline" ..."""

    color: str = ""
    background: str = ""
    marks: frozenset[str] = frozenset()


_Piece: TypeAlias = tuple[str, _Style]
_PLAIN: Final = _Style()


def to_html(text: str) -> Markup:
    r"""Return printed text as HTML for within <pre>; ansi.css has its colours.

    >>> to_html("50%\r\x1b[1;31m100%\x1b[0m <done>")
    Markup('<span class="a-bold a-f1">100%</span> &lt;done&gt;')
    """
    merged = groupby(_pieces(text), key=itemgetter(1))
    return Markup("").join(_marked("".join(part for part, _ in group), style) for style, group in merged)


def stylesheet() -> str:
    """Return the rules of ansi.css for the colours from 16 on; the first sixteen are written there by hand."""
    lines = []
    for number in range(16, 256):
        color = "#{:02x}{:02x}{:02x}".format(*_rgb(number))
        lines.append(f".a-f{number} {{ color: color-mix(in oklab, {color} 65%, var(--text)); }}")
        lines.append(f".a-b{number} {{ background: color-mix(in oklab, {color} 60%, var(--sunk)); }}")
    return "\n".join(lines) + "\n"


def _marked(text: str, style: _Style) -> Markup:
    classes = _classes(style)
    return Markup('<span class="{}">{}</span>').format(classes, text) if classes else escape(text)


@lru_cache(maxsize=1024)
def _classes(style: _Style) -> str:
    color, background = style.color, style.background
    if "inverse" in style.marks:
        color, background = background or "page", color or "text"
    names = [*sorted(style.marks - {"inverse"})]
    names += [f"f{color}"] if color else []
    names += [f"b{background}"] if background else []
    return " ".join(f"a-{name}" for name in names)


# -- lines -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """One line while it is written.

    Attributes
    ----------
    pieces : list
        What was written one behind the other, as long as nothing was written over.
    cells : list or None
        Each character with its style, from when something was.
    column : int
        Where the next character goes.
    length : int
        How many characters there are.
    """

    pieces: list[_Piece] = field(default_factory=list)
    cells: list[_Piece] | None = None
    column: int = 0
    length: int = 0

    def write(self, text: str, style: _Style) -> None:
        if self.column > self.length:
            gap = self.column - self.length
            self.column = self.length
            self.write(" " * gap, _PLAIN)
        end = self.column + len(text)
        if self.cells is None and self.column == self.length:
            self.pieces.append((text, style))
        else:
            self._to_cells()[self.column : end] = [(character, style) for character in text]
        self.column, self.length = end, max(self.length, end)

    def move(self, column: int) -> None:
        self.column = max(0, min(column, max(self.length, _MOST_COLUMNS)))

    def erase(self, what: int) -> None:
        """Erase what is right of the cursor, or with 2 all."""
        if what == 2:
            self.pieces, self.cells, self.length = [], None, 0
            self.move(self.column)
        elif what == 0 and self.column < self.length:
            del self._to_cells()[self.column :]
            self.length = self.column

    def _to_cells(self) -> list[_Piece]:
        if self.cells is None:
            self.cells = [(character, style) for text, style in self.pieces for character in text]
            self.pieces = []
        return self.cells

    def written(self) -> Sequence[_Piece]:
        return self.pieces if self.cells is None else self.cells


def _pieces(text: str) -> Iterator[_Piece]:
    line, style = _Line(), _PLAIN
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "text":
            line.write(found[0], style)
        elif kind == "newline":
            yield from line.written()
            yield "\n", style
            line = _Line()
        elif kind == "back":
            line.move(0 if found[0] == "\r" else line.column - 1)
        elif kind == "picture":
            line.write(_PICTURE, style)
        elif kind == "final":
            style = _obey(line, style, found["values"], found["final"])
    yield from line.written()


def _obey(line: _Line, style: _Style, values: str, final: str) -> _Style:
    """Do to a line what a control sequence says, and return the style from then on."""
    if final == "m":
        return _styled(style, values)
    number = _number(values.partition(";")[0])
    if final == "K":
        line.erase(number)
    elif final == "G":
        line.move(number - 1)
    else:
        step = max(1, number)
        line.move(line.column + (step if final == "C" else -step))
    return style


def _number(text: str) -> int:
    """Return a number of a control sequence; one that is missing is 0, and so is one that is too long."""
    return int(text) if text.isdecimal() and len(text) < 6 else 0


# -- styles ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _styled(style: _Style, values: str) -> _Style:
    """Return a style as the values of an SGR sequence change it."""
    # a group with colons says all of one colour: as if it stood alone, without the name of the colour space
    groups = [group.split(":") for group in values.split(";")]
    flat = [_number(value) for group in groups for value in _without_space(group)]
    while flat:
        code = flat.pop(0)
        if code in (38, 48):
            color = _chosen(flat)
            style = style._replace(color=color) if code == 38 else style._replace(background=color)
        else:
            style = _with_code(style, code)
    return style


def _without_space(group: list[str]) -> list[str]:
    return [*group[:2], *group[3:]] if len(group) == 6 and group[1] == "2" else group


def _chosen(rest: list[int]) -> str:
    """Return the number of the colour that the next values choose, and take these away."""
    kind = rest.pop(0) if rest else 0
    if kind == 5 and rest:
        return str(min(rest.pop(0), 255))
    if kind == 2 and len(rest) >= 3:
        red, green, blue = (min(value, 255) for value in rest[:3])
        del rest[:3]
        return str(_nearest(red, green, blue))
    rest.clear()
    return ""


def _with_code(style: _Style, code: int) -> _Style:
    if code == 0:
        return _PLAIN
    if code in _ON:
        return style._replace(marks=style.marks | {_ON[code]})
    if code in _OFF:
        return style._replace(marks=style.marks - _OFF[code])
    digit = code % 10
    color = str(digit + 8 * (code >= 90)) if digit < 8 else ""
    if code // 10 in (3, 9):
        return style._replace(color=color)
    if code // 10 in (4, 10):
        return style._replace(background=color)
    return style


def _nearest(red: int, green: int, blue: int) -> int:
    """Return the number of the one of 256 colours that is nearest to another."""
    cube = 16 + sum(
        step * min(range(6), key=lambda level: abs(_LEVELS[level] - value))
        for step, value in ((36, red), (6, green), (1, blue))
    )
    grey = 232 + max(0, min(23, round(((red + green + blue) / 3 - 8) / 10)))
    return min(
        (cube, grey),
        key=lambda number: sum((a - b) ** 2 for a, b in zip(_rgb(number), (red, green, blue), strict=True)),
    )


def _rgb(number: int) -> tuple[int, int, int]:
    """Return red, green and blue of one of the 256 colours, from 16 on."""
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    red, rest = divmod(number - 16, 36)
    green, blue = divmod(rest, 6)
    return _LEVELS[red], _LEVELS[green], _LEVELS[blue]
