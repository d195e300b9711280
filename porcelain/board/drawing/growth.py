"""How the store grew: a curve of bytes over days, as SVG."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from porcelain import term

_WIDTH, _HEIGHT = 900, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 12, 12, 28
_DAY: Final = 86_400
_LINES: Final = 4
_DATES: Final = 6


class Point(NamedTuple):
    """What there was at the end of a day, which begins at `day` in seconds since 1970: raw and stored bytes."""

    day: int
    raw_bytes: int
    stored_bytes: int


def draw_growth(points: Sequence[Point]) -> Markup:
    """Return the picture of raw and stored bytes over time; "" when there are fewer than two days."""
    if len(points) < 2:
        return Markup()
    first, last = points[0].day, points[-1].day
    top = max(1, points[-1].raw_bytes, *(point.raw_bytes for point in points))

    def across(day: int) -> float:
        return round(_LEFT + (day - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT), 1)

    def up(size: int) -> float:
        return round(_HEIGHT - _BOTTOM - size / top * (_HEIGHT - _TOP - _BOTTOM), 1)

    def area(sizes: Sequence[int], kind: str) -> Markup:
        # a step a day: nothing grew between two days on which something did
        path = [f"M{across(first)} {up(0)}"]
        for point, size in zip(points, sizes, strict=True):
            path += [f"H{across(point.day)}", f"V{up(size)}"]
        return Markup('<path class="{}" d="{}"/>').format(kind, " ".join([*path, f"V{up(0)}Z"]))

    lines = Markup().join(_line(top * step // _LINES, up) for step in range(1, _LINES + 1))
    spread = min(_DATES, max(2, (last - first) // _DAY + 1))
    days = [first + (last - first) * step // (spread - 1) for step in range(spread)]
    dates = Markup().join(
        Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            across(day),
            _HEIGHT - 8,
            "end" if day == last else "start" if day == first else "middle",
            _date(day),
        )
        for day in days
    )
    said = (
        f"from {_date(first)} to {_date(last)}: {term.size(points[-1].raw_bytes)} raw, "
        f"{term.size(points[-1].stored_bytes)} stored"
    )
    return Markup('<svg class="growth" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>').format(
        _WIDTH,
        _HEIGHT,
        said,
        lines,
        area([point.raw_bytes for point in points], "raw"),
        area([point.stored_bytes for point in points], "stored"),
        dates,
    )


def _line(size: int, up: Callable[[int], float]) -> Markup:
    grid = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    tick = Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>')
    return grid.format(_LEFT, _WIDTH - _RIGHT, up(size), up(size)) + tick.format(
        _LEFT - 8, up(size) + 4, term.size(size)
    )


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
