"""Numbers that are in the order of texts, found some bytes at a time."""

from typing import Any, Final

import numpy as np

from jobs.column.kernel import Array
from jobs.column.packed import PackedTexts

_KEY_BYTES: Final = 8
# texts that agree so many times are compared by Python
_MOST_ROUNDS: Final = 12


class _Words:
    """Texts without zeros, as numbers of some bytes."""

    def __init__(self, texts: PackedTexts) -> None:
        data = np.append(texts.data, np.zeros(_KEY_BYTES, np.uint8))
        # eight bytes from any offset on
        self._at_offset = np.ndarray(len(texts.data) + 1, "<u8", data, strides=(1,))
        self._starts = texts.offsets[:-1]
        self.lengths = texts.lengths

    def take(self, rows: Array, first: int, width: int) -> Array:
        """Return bytes `first` to `first + width` of each row as a number, zeros for those that it lacks."""
        sizes = np.minimum(self.lengths[rows] - first, width)
        words = self._at_offset[self._starts[rows] + first].byteswap()
        missing = (8 * (_KEY_BYTES - sizes)).astype(np.uint64)
        # numpy does not say what shifting by all 64 bits gives
        words = np.where(sizes > 0, (words >> (missing & np.uint64(63))) << (missing & np.uint64(63)), 0)
        return words >> np.uint64(8 * (_KEY_BYTES - width))


def rank_texts(texts: PackedTexts) -> Array:
    """Return (n,) int64 in the order of `texts`; equal ones have equal numbers, and None is as the empty text.

    The order of UTF-8 is that of the characters.
    """
    if not texts.data.all():
        return _rank_by_python(texts)
    words = _Words(texts)
    ranks = np.zeros(len(texts), np.int64)
    # rows that are not yet told apart from others, and which of them are still equal
    rows, groups = np.arange(len(texts)), np.zeros(len(texts), np.int64)
    first = 0
    for _ in range(_MOST_ROUNDS):
        if not len(rows):
            return ranks
        width = (64 - int(groups[-1]).bit_length()) // 8
        keys = words.take(rows, first, width) | (groups << (8 * width % 64)).astype(np.uint64)
        order = np.argsort(keys)
        rows = rows[order]
        begins = _tell_apart(ranks, rows, keys[order])
        first += width
        # one that ends here may be equal so far to one that goes on
        is_open = (words.lengths[rows] >= first) & ~(begins & np.append(begins[1:], True))
        rows, groups = rows[is_open], np.cumsum(begins[is_open]) - 1
    if len(rows):
        rest = _rank_by_python(texts[rows])
        order = np.lexsort((rest, groups))
        _tell_apart(ranks, rows[order], rest[order])
    return ranks


def _tell_apart(ranks: Array, rows: Array, keys: Array) -> Array:
    """Raise the ranks of rows whose keys are larger than those of others of equal rank.

    Parameters
    ----------
    ranks : (n,) int64
        For each row, the number of rows that are less: so there is room between two ranks.
    rows, keys
        Sorted by rank and key; rows of equal rank are all there.

    Returns
    -------
    (rows,) bool
        Where rank or key is another than before.
    """
    old = ranks[rows]
    is_first, begins = np.ones(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    is_first[1:] = old[1:] != old[:-1]
    begins[1:] = is_first[1:] | (keys[1:] != keys[:-1])
    places = np.arange(len(rows))
    ranks[rows] = (
        old
        + np.maximum.accumulate(np.where(begins, places, 0))
        - np.maximum.accumulate(np.where(is_first, places, 0))
    )
    return begins


def _rank_by_python(texts: PackedTexts) -> Array:
    empty: Any = b"" if texts.are_bytes else ""
    values = [value or empty for value in texts.tolist()]
    numbers = {text: number for number, text in enumerate(sorted(set(values)))}
    return np.fromiter(map(numbers.__getitem__, values), np.int64, len(values))
