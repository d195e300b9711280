"""Integers as text, many at once."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from jobs.column.packed import Spans
from jobs.column.transform import Ints, Mask
from jobs.column.words import Bytes

Naturals = npt.NDArray[np.uint64]

_GROUP: Final = 4  # digits that one look into the table gives
_LIMIT: Final = np.uint64(10**_GROUP)
# the digits of 0 to 9999, as what four bytes are when they are read as one number
_GROUPS: Final = (
    (np.arange(10**_GROUP)[:, None] // (1000, 100, 10, 1) % 10 + ord("0"))
    .astype(np.uint8)
    .view(np.uint32)[:, 0]
)
# the smallest numbers of 2, 3, ... 20 digits
_POWERS: Final = np.array([10**power for power in range(1, 20)], np.uint64)
_MINUS: Final = ord("-")


def integers(values: Ints) -> Spans:
    """Return what `str` makes of each of `values`."""
    magnitudes = np.abs(values).view(np.uint64)  # also of the smallest, whose magnitude is no int64
    digits = _POWERS.searchsorted(magnitudes, side="right") + 1
    # a group more, for the sign
    text = zero_padded(magnitudes, int(digits.max(initial=1)) + _GROUP)
    ends = np.arange(1, len(values) + 1) * text.shape[1]
    data = np.append(text, np.uint8(0))  # a byte follows each, also the last
    return signed(Spans(data, ends - digits, ends), values < 0)


def zero_padded(values: Naturals, width: int) -> Bytes:
    """Return the digits of each of `values`, zeros before them: (n, `width` or up to 3 more) uint8."""
    places = -(-width // _GROUP)
    groups = np.empty((len(values), places), np.uint32)
    for place in reversed(range(1, places)):
        rest = values // _LIMIT
        groups[:, place] = _GROUPS[values - rest * _LIMIT]
        values = rest
    groups[:, 0] = _GROUPS[values]
    return groups.view(np.uint8)


def signed(numbers: Spans, negative: Mask) -> Spans:
    """Return `numbers` with a minus before those that are `negative`, written into their data, which has room."""
    starts = numbers.starts - negative
    numbers.data[starts[negative]] = _MINUS
    return Spans(numbers.data, starts, numbers.ends)


def overlaid(spans: Spans, rows: Any, others: Spans) -> Spans:
    """Return `spans` with `others` in place of those that a mask or row numbers choose."""
    before = len(spans.data)
    starts, ends = spans.starts.copy(), spans.ends.copy()
    starts[rows], ends[rows] = others.starts + before, others.ends + before
    return Spans(np.concatenate([spans.data, others.data]), starts, ends)
