"""Columns of texts to lines."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from jobs.column.packed import Spans
from jobs.column.transform import Ints
from jobs.column.words import Bytes, windows

# bytes copied at once; most texts are shorter, and more take longer
_STEP: Final = 32


def lines(columns: Sequence[Spans], around: Sequence[bytes]) -> Bytes:
    """Return the rows of columns of equal length as text.

    Parameters
    ----------
    columns
        At least one.
    around
        What stands before the first column, between each two, and behind the last; one more than there are columns.
    """
    first, *behind = around
    behind[-1] += first
    starts, sizes = _side_by_side(columns)
    steps = (sizes + np.array([len(each) for each in behind])).reshape(-1)
    targets = np.cumsum(steps) - steps + len(first)
    end = len(first) + int(steps.sum())
    text = np.empty(end + _STEP, np.uint8)
    text[: len(first)] = list(first)
    data = np.concatenate([*(column.data for column in columns), np.zeros(_STEP, np.uint8)])
    _copy(data, starts.reshape(-1), sizes.reshape(-1), text, targets)
    ends = targets.reshape(sizes.shape) + sizes
    for column, literal in enumerate(behind):
        for place, byte in enumerate(literal):
            text[ends[:, column] + place] = byte
    return text[: end - len(first)]


def _side_by_side(columns: Sequence[Spans]) -> tuple[Ints, Ints]:
    """Return where in the data of all columns, one after another, each text begins, and its size: (rows, columns)."""
    shape = len(columns[0].starts), len(columns)
    starts, sizes = np.empty(shape, np.int64), np.empty(shape, np.int64)
    before = 0
    for place, column in enumerate(columns):
        starts[:, place] = column.starts + before
        sizes[:, place] = column.lengths
        before += len(column.data)
    return starts, sizes


def _copy(data: Bytes, starts: Ints, sizes: Ints, text: Bytes, targets: Ints) -> None:
    """Copy texts to their places in `text`, which are in rising order.

    Always whole steps are copied. What is too much of one, the next ones write over.
    """
    if int(sizes.max(initial=0)) > _STEP:
        counts = np.maximum(-(-sizes // _STEP), 1)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = np.repeat(starts, counts) + within * _STEP
        targets = np.repeat(targets, counts) + within * _STEP
    windows(text, _STEP)[targets] = windows(data, _STEP)[starts]
