"""The parts of a job by name: its stages, and the slices of analysis by their numbers."""

import math
from collections.abc import Mapping
from typing import Final

LOAD: Final = "load"
PREPARE: Final = "prepare"
ANALYSIS: Final = "analysis"
SYNTHESIS: Final = "synthesis"
_MOST_DIGITS: Final = 9
_ORDER: Final[Mapping[str, float]] = {LOAD: -2, PREPARE: -1, SYNTHESIS: math.inf}


def part_name(stage: str, sliceno: int | None) -> str:
    """Return the name of a stage, or of one slice of analysis."""
    return stage if sliceno is None else str(sliceno)


def part_in_words(stage: str, sliceno: int | None) -> str:
    """Return a stage or slice as people read it.

    >>> part_in_words("synthesis", None), part_in_words("analysis", 3)
    ('synthesis', 'analysis, slice 3')
    """
    return stage if sliceno is None else f"{stage}, slice {sliceno}"


def part_order(part: str) -> float:
    """Return where a stage or slice stands among the others, to sort them by; analysis stands with its first slice.

    >>> sorted(["synthesis", "10", "9", "prepare"], key=part_order)
    ['prepare', '9', '10', 'synthesis']
    """
    return int(part) if is_slice(part) else _ORDER.get(part, 0)


def is_slice(part: str) -> bool:
    """Return whether a part is a slice, by its number; what a run from elsewhere says may be no number at all.

    >>> is_slice("12"), is_slice("prepare"), is_slice("²")
    (True, False, False)
    """
    return part.isdecimal() and len(part) <= _MOST_DIGITS
