"""Numbers that are in the order of texts, found some bytes at a time."""

from typing import Any, Final

import numpy as np

from jobs.column.packed import PackedTexts
from jobs.column.transform import Array

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


def first_words(texts: PackedTexts) -> Array:
    """Return (n,) uint64, the first bytes of each text: the same for equal texts, and never less for a later one."""
    return _Words(texts).take(np.arange(len(texts)), 0, _KEY_BYTES)


def rank_texts(texts: PackedTexts) -> Array:
    """Return (n,) int64 in the order of `texts`; equal ones have equal numbers, and None is as the empty text.

    The order of UTF-8 is that of the characters.
    """
    if not texts.data.all():
        return _rank_by_python(texts)
    words = _Words(texts)
    order = np.arange(len(texts))
    # where in the order a row is another than the one before
    begins = np.zeros(len(texts), np.bool_)
    begins[:1] = True
    # where rows stand that may yet differ from one beside them, and which of them are equal so far
    places, groups = order.copy(), np.zeros(len(texts), np.int64)
    first = 0
    for _ in range(_MOST_ROUNDS):
        if not len(places):
            break
        width = (64 - int(groups[-1]).bit_length()) // 8
        rows = order[places]
        keys = words.take(rows, first, width) | (groups << (8 * width % 64)).astype(np.uint64)
        by_key = np.argsort(keys)
        rows, keys = rows[by_key], keys[by_key]
        order[places] = rows
        begins[places[1:]] |= keys[1:] != keys[:-1]
        first += width
        # one that ends here may be equal so far to one that goes on
        stands_alone = begins[places] & np.append(begins[1:], True)[places]
        places = places[(words.lengths[rows] >= first) & ~stands_alone]
        groups = np.cumsum(begins[places]) - 1
    if len(places):
        rows = order[places]
        rest = _rank_by_python(texts[rows])
        by_rest = np.lexsort((rest, groups))
        order[places] = rows[by_rest]
        rest = rest[by_rest]
        begins[places[1:]] |= rest[1:] != rest[:-1]
    ranks = np.empty(len(texts), np.int64)
    ranks[order] = np.cumsum(begins)
    return ranks


def _rank_by_python(texts: PackedTexts) -> Array:
    empty: Any = b"" if texts.are_bytes else ""
    values = [value or empty for value in texts.tolist()]
    numbers = {text: number for number, text in enumerate(sorted(set(values)))}
    return np.fromiter(map(numbers.__getitem__, values), np.int64, len(values))
