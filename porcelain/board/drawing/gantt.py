"""When the stages and slices of a job ran: bars below each other, on one axis of time."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from porcelain import term
from porcelain.views.plain import View
from porcelain.views.timeline import Span, spans

# more slices than these are drawn close together, as one picture
_MOST_ROWS: Final = 32
_CLOSE_PIXELS: Final = 3
_LEAST_PERCENT: Final = 0.3
_MOST_TICKS: Final = 6


class Bars(NamedTuple):
    """One row of the chart.

    Attributes
    ----------
    name, lasted : str
        Of the stage or slice, in words; of many slices, from the shortest to the longest.
    picture : Markup
        An <svg> as wide as there is room.
    is_slice : bool
        It is part of analysis.
    """

    name: str
    lasted: str
    picture: Markup
    is_slice: bool


class Chart(NamedTuple):
    """The rows of the chart, and the axis below them."""

    rows: Sequence[Bars]
    axis: Markup


def chart(view: View) -> Chart | None:
    """Return when the stages and slices of a job ran; None when nothing is known of that.

    Parameters
    ----------
    view
        The job, as `porcelain.views.job_views.job` shows it.
    """
    found = list(spans(view))
    if not found:
        return None
    ends = [view["seconds"], *(span.begun + span.seconds for span in found)]
    whole = max(ends) if max(ends) > 0 else 1.0  # a clock may have been set back
    ticks = _ticks(whole)
    slices = [span for span in found if span.is_slice]
    if len(slices) <= _MOST_ROWS:
        rows = [_row(span, whole, ticks) for span in found]
    else:
        first = found.index(slices[0])
        rows = [_row(span, whole, ticks) for span in found if not span.is_slice]
        rows.insert(first, _close(slices, whole, ticks))
    return Chart(rows, _axis(whole, ticks))


def _row(span: Span, whole: float, ticks: Sequence[float]) -> Bars:
    lasted = term.duration(span.seconds)
    bar = _bar(span, whole, 'y="15%" height="70%" rx="2"')
    return Bars(span.name, lasted, _picture(16, [_grid(ticks, whole), bar]), span.is_slice)


def _close(slices: Sequence[Span], whole: float, ticks: Sequence[float]) -> Bars:
    """Return many slices as one row."""
    bars = [
        _bar(span, whole, f'y="{number * _CLOSE_PIXELS}" height="{_CLOSE_PIXELS - 0.5}"')
        for number, span in enumerate(slices)
    ]
    seconds = sorted(span.seconds for span in slices)
    lasted = f"{term.duration(seconds[0])} to {term.duration(seconds[-1])}"
    picture = _picture(_CLOSE_PIXELS * len(slices), [_grid(ticks, whole), *bars])
    return Bars(f"{len(slices)} slices", lasted, picture, is_slice=True)


def _bar(span: Span, whole: float, where: str) -> Markup:
    start = min(100.0, max(0.0, 100 * span.begun / whole))
    width = max(_LEAST_PERCENT, min(100 * span.seconds / whole, 100 - start))
    title = f"{span.name}: {term.duration(span.seconds)} s, from {term.duration(max(0.0, span.begun))} s on"
    return Markup(
        f'<rect class="{{}}" x="{{:.3f}}%" width="{{:.3f}}%" {where}><title>{{}}</title></rect>'
    ).format("slice" if span.is_slice else "stage", min(start, 100 - _LEAST_PERCENT), width, title)


def _grid(ticks: Sequence[float], whole: float) -> Markup:
    lines = (
        Markup('<line x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="100%"/>').format(100 * tick / whole)
        for tick in ticks
    )
    return Markup("").join(lines)


def _axis(whole: float, ticks: Sequence[float]) -> Markup:
    texts = [
        Markup('<text x="{:.3f}%" y="12" text-anchor="{}">{}</text>').format(
            100 * tick / whole,
            "start" if not tick else "end" if tick > 0.94 * whole else "middle",
            f"{tick:g} s" if whole < 60 else term.duration(tick),
        )
        for tick in ticks
    ]
    return _picture(16, texts)


def _picture(height: int, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg width="100%" height="{}">{}</svg>').format(height, Markup("").join(parts))


def _ticks(whole: float) -> list[float]:
    """Return round numbers of seconds from 0 to `whole`.

    >>> _ticks(3.2)
    [0.0, 1.0, 2.0, 3.0]
    """
    power = 10 ** math.floor(math.log10(whole / _MOST_TICKS))
    step = next(each for each in (power, 2 * power, 5 * power, 10 * power) if whole / each <= _MOST_TICKS)
    return [round(number * step, 9) for number in range(int(whole / step) + 1)]
