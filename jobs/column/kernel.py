"""What conversions of text share: the form of a kernel, what it was asked for, values made one by one."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Array, Mask
from jobs.errors import ColumnError

# a value for each text, and which texts are bad (None: none is); the value of a bad one says nothing
Parsed: TypeAlias = tuple[Array | PackedTexts, Mask | None]
Kernel: TypeAlias = Callable[[Spans], Parsed]


class Wish(NamedTuple):
    """What a conversion is asked for.

    Attributes
    ----------
    name : str
        The conversion as a user wrote it.
    argument : str or None
        What follows ":".
    ignore_rest : bool
        Whether a text may go on after what is converted.
    numeric_comma : bool
        Whether fractions follow a comma.
    timezone : str or None
        The zone of datetimes.
    """

    name: str
    argument: str | None = None
    ignore_rest: bool = False
    numeric_comma: bool = False
    timezone: str | None = None

    def refuse_argument(self) -> None:
        """Raise `ColumnError` when something follows ":"."""
        if self.argument is not None:
            raise ColumnError(f"nothing may follow ':' in conversion '{self.name}'")

    def choose(self, *choices: str) -> str:
        """Return what follows ":", one of `choices`; the first of them when nothing does."""
        if self.argument is None:
            return choices[0]
        if self.argument not in choices:
            raise ColumnError(
                f"no conversion '{self.name}'", hint="':' is followed by " + " or ".join(choices)
            )
        return self.argument


Make: TypeAlias = Callable[[Wish], Kernel]


def objects(values: Sequence[Any]) -> Array:
    """Return any values, also lists, as an array of objects."""
    return np.fromiter(values, np.object_, len(values))


def convert_each(
    texts: Spans | PackedTexts, convert: Callable[[bytes], Any], filler: Any
) -> tuple[list[Any], Mask | None]:
    """Return what `convert` makes of each text, and which are bad: those for which it raises ValueError."""
    values: list[Any] = []
    bad: list[int] = []
    for place, text in enumerate(texts.tolist()):
        try:
            values.append(convert(text))
        except ValueError:
            values.append(filler)
            bad.append(place)
    if not bad:
        return values, None
    mask = np.zeros(len(values), np.bool_)
    mask[bad] = True
    return values, mask


def convert_others(
    values: Array, done: Mask, texts: Spans, convert: Callable[[PackedTexts], tuple[Any, Mask | None]]
) -> Mask | None:
    """Put into `values` what `convert` makes of those texts that are not done, and return which are bad."""
    rows = np.flatnonzero(~done)
    if not len(rows):
        return None
    values[rows], bad_rows = convert(texts.where(rows).pack())
    return None if bad_rows is None else spread_mask(bad_rows, rows, len(values))


def spread_mask(mask: Mask, rows: Array, count: int) -> Mask:
    """Return which of `count` rows those are that a mask chooses of `rows`."""
    whole = np.zeros(count, np.bool_)
    whole[rows] = mask
    return whole


def join_masks(bad: Mask | None, more: Mask) -> Mask | None:
    """Return which texts are bad by either mask."""
    if not more.any():
        return bad
    return more if bad is None else bad | more
