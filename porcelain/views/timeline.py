"""When each stage and slice of a job ran, as bars below each other."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from jobs.nodes.parts import ANALYSIS
from porcelain import term
from porcelain.views.plain import View

_NAME_WIDTH: Final = 10
_DURATION_WIDTH: Final = 8


class Span(NamedTuple):
    """When a stage or slice ran, in seconds from the start of the job."""

    name: str
    begun: float
    seconds: float
    is_slice: bool = False


def timeline(view: View, width: int) -> list[str]:
    """Return a line for each stage and slice of a job: its name, how long it took, and a bar from begin to end.

    Parameters
    ----------
    view
        The job, as `porcelain.views.job_views.job` shows it.
    width
        Of the lines, in characters.
    """
    found = list(spans(view))
    whole = max([view["seconds"], *(span.begun + span.seconds for span in found)])
    room = max(10, width - _NAME_WIDTH - _DURATION_WIDTH - 2)
    return [_line(span, whole or 1.0, room) for span in found]


def _line(span: Span, whole: float, room: int) -> str:
    before = min(int(span.begun / whole * room), room - 1)
    bar = term.bar(min(span.seconds / whole, 1 - before / room), room)
    name = f"{'  ' if span.is_slice else ''}{span.name}"
    return (
        f"{name:<{_NAME_WIDTH}}{term.duration(span.seconds):>{_DURATION_WIDTH}}  {' ' * before}{bar}".rstrip()
    )


def spans(view: View) -> Iterator[Span]:
    """Yield the stages of a job, as `porcelain.views.job_views.job` shows it, and behind analysis its slices."""
    begun = view["begun"]
    at = 0.0
    for stage, seconds in view["stages"].items():
        # runs of before it was noted have one stage after the other
        start = begun["stages"].get(stage, at)
        yield Span(stage, start, seconds)
        at = start + seconds
        if stage == ANALYSIS:
            yield from _slices(view, start)
    if ANALYSIS not in view["stages"]:
        yield from _slices(view, at)


def _slices(view: View, start: float) -> Iterator[Span]:
    seconds, starts = view["slices"], view["begun"]["slices"]
    if len(starts) != len(seconds):
        starts = [start] * len(seconds)
    for number, (begun, lasted) in enumerate(zip(starts, seconds, strict=True)):
        # of a run that failed some slices have no time, and nothing says which
        yield Span("slice" if view["failure"] else f"slice {number}", begun, lasted, is_slice=True)
