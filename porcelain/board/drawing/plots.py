"""Bars as SVG: how often values are, how long slices are. Colours come from the page, in light and in dark."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from porcelain import term

# about the width of one at font-size 11, with some room for capitals
_LETTER: Final = 7.0
# a few bars need not fill all the width
_WIDEST_STEP: Final = 95.0


class Bar(NamedTuple):
    """One bar: what it stands for, how much that is, and where it leads."""

    label: str
    amount: int
    address: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        """What is said of it when a pointer rests on it."""
        return f"{_cut(self.label, 300)}: {self.amount:,}" + (f" ({self.note})" if self.note else "")


class Size(NamedTuple):
    """How large a plot is, in pixels of a page on which it is not scaled."""

    width: int
    height: int


SMALL: Final = Size(320, 120)
LARGE: Final = Size(760, 240)
STRIP: Final = Size(760, 90)


def upright(bars: Sequence[Bar], size: Size, about: str, *, ends: tuple[str, str] | None = None) -> Markup:
    """Return bars beside each other, in the order of what they stand for.

    Parameters
    ----------
    about
        What it shows, for those who do not see it.
    ends
        What to write below the first and the last bar; by default what they stand for.
    """
    below, above = 18, 14
    most, room = max((bar.amount for bar in bars), default=0) or 1, size.height - below - above
    step = min(size.width / max(len(bars), 1), _WIDEST_STEP)
    end = step * len(bars)
    gap = min(2.0, step * 0.15)
    parts = []
    for place, bar in enumerate(bars):
        high = _length(bar.amount, most, room)
        x, width = place * step + gap / 2, step - gap
        # the whole column can be pointed at, however short the bar
        shape = Markup(
            '<rect class="reach" x="{}" y="0" width="{}" height="{}"/>'
            '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="{}"/>'
        ).format(
            *map(_number, (place * step, step, size.height - below)),
            *map(_number, (x, above + room - high, width, high, min(2.0, width / 4))),
        )
        parts.append(_with_title(bar, shape))
    first, last = ends or ((bars[0].label, bars[-1].label) if bars else ("", ""))
    letters = int(end / _LETTER / 2) - 1
    texts = [
        _text(0, 10, f"{most:,}", "start"),
        _text(0, size.height - 4, _cut(first, letters), "start"),
        _text(end, size.height - 4, _cut(last, letters), "end"),
    ]
    base = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(
        size.width, *[_number(above + room + 0.5)] * 2
    )
    return _svg(size, about, [*parts, base, *texts], has_links=any(bar.address for bar in bars))


def lying(bars: Sequence[Bar], size: Size, about: str) -> Markup:
    """Return bars below each other, each with what it stands for before it and how much that is behind it."""
    most = max((bar.amount for bar in bars), default=0) or 1
    step = 20
    bars = [bar._replace(label=term.printable(bar.label)) for bar in bars]
    name_width = min(max((len(bar.label) for bar in bars), default=0) * _LETTER + 8, size.width * 0.46)
    number_width = max((len(f"{bar.amount:,}") for bar in bars), default=0) * _LETTER + 8
    room = size.width - name_width - number_width
    parts = []
    for place, bar in enumerate(bars):
        y, long = place * step, _length(bar.amount, most, room)
        shape = Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
            _number(name_width), y + 4, _number(long), step - 7
        )
        label = _text(0, y + 14, _cut(bar.label, int((name_width - 8) / _LETTER)), "start", "name")
        number = _text(name_width + long + 6, y + 14, f"{bar.amount:,}", "start")
        parts.append(_with_title(bar, shape + label + number))
    return _svg(
        Size(size.width, max(len(bars) * step, step)),
        about,
        parts,
        has_links=any(bar.address for bar in bars),
    )


def _svg(size: Size, about: str, parts: Sequence[Markup], *, has_links: bool) -> Markup:
    # what is in a picture is not read out, and links have to be
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" width="{}" height="{}" role="{}" aria-label="{}">{}</svg>'
    ).format(*size, *size, "group" if has_links else "img", term.printable(about), Markup("").join(parts))


def _with_title(bar: Bar, shape: Markup) -> Markup:
    title = Markup("<title>{}</title>").format(term.printable(bar.title))
    if bar.address:
        return Markup('<a href="{}" aria-label="{}">{}{}</a>').format(
            bar.address, term.printable(bar.title), title, shape
        )
    return Markup("<g>{}{}</g>").format(title, shape)


def _text(x: float, y: float, text: str, anchor: str, kind: str = "quiet") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" font-size="11" text-anchor="{}">{}</text>').format(
        kind, _number(x), _number(y), anchor, escape(term.printable(text))
    )


def _length(count: int, most: int, room: float) -> float:
    """Return how long a bar is: what is there at all is seen."""
    return max(count / most * room, 1.5) if count else 0.0


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(letters - 1, 1)] + "…"
