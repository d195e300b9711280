"""Bytes of many rows at once: taken from anywhere in memory, and written behind each other.

Notes
-----
numpy takes and puts items of 8 or 32 bytes, wherever they begin, as quickly as single bytes: 3 ns each.
"""

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.transform import Array, Ints, Mask

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]

WORD_BYTES: Final = 8
_CHUNK_BYTES: Final = 32
# longer texts are copied one by one: a chunk more costs the same for one row as for a thousand
_LONG_BYTES: Final = 1 << 12


def take_words(data: Bytes, at: Ints, count: int) -> Words:
    """Return the bytes from each place on, eight in a word, the first of them lowest.

    Parameters
    ----------
    data : (bytes,) uint8
        What they lie in.
    at : (n,) int64
        Where they begin; bytes before the beginning and beyond the end of `data` are 0.
    count : int
        How many words of each place, at least one.

    Returns
    -------
    (count, n) uint64
    """
    words = _take(data, at, count * WORD_BYTES).view("<u8").reshape(len(at), count)
    return np.ascontiguousarray(words.T).astype(np.uint64, copy=False)


def words_of(text: bytes, count: int) -> list[int]:
    """Return a text as `take_words` gives what ends with it: `count` words, with zeros before the text.

    >>> [f"{word:x}" for word in words_of(b"abc", 2)]
    ['0', '6362610000000000']
    """
    padded = text.rjust(count * WORD_BYTES, b"\0")
    return [
        int.from_bytes(padded[at : at + WORD_BYTES], "little") for at in range(0, len(padded), WORD_BYTES)
    ]


def each_byte(value: int) -> np.uint64:
    """Return the word of eight equal bytes."""
    return np.uint64(int.from_bytes(bytes([value]) * WORD_BYTES, "little"))


_HIGH_BITS: Final = each_byte(0x80)


def has_high_bit(words: Words) -> Mask:
    """Return which words have the high bit of any byte."""
    found: Mask = (words & _HIGH_BITS) != 0
    return found


def _take(data: Bytes, at: Ints, size: int) -> Array:
    """Return `size` bytes from each place on, as items of that size."""
    last = len(data) - size
    if len(at) and at.min() >= 0 and at.max() <= last:
        taken: Array = windows(data, size)[at]
    elif last < size:
        gap = np.zeros(size, np.uint8)
        taken = windows(np.concatenate([gap, data, gap]), size)[np.clip(at, -size, len(data)) + size]
    else:
        taken = windows(data, size)[np.clip(at, 0, last)]
        for rows, edge, first in (
            (np.flatnonzero(at < 0), slice(0, size), 0),
            (np.flatnonzero(at > last), slice(last, None), last),
        ):
            # the ends of the data, with zeros beyond them
            taken[rows] = _take(data[edge], at[rows] - first, size)
    return taken


def windows(data: Bytes, width: int, *, start: int = 0, step: int = 1) -> Array:
    """Return the runs of `width` bytes that begin at `start` and each `step` bytes on, as a view of void items.

    They may overlap. What is written into several lies there as the last of them left it. numpy takes 3 ns to copy an
    item of up to 32 bytes from here or to here, and as much for a single one of them as an item of 2 or 8.

    Examples
    --------
    >>> items = windows(np.frombuffer(b"abcde", np.uint8), 3)
    >>> items[[2, 0]].tobytes()
    b'cdeabc'
    """
    count = (len(data) - start - width) // step + 1
    if count <= 0:
        return np.empty(0, f"V{width}")
    return np.ndarray((count,), f"V{width}", data.data, start, (step,))


def join_texts(data: Bytes, starts: Ints, sizes: Ints, offsets: Ints) -> Bytes:
    """Return texts behind each other.

    Parameters
    ----------
    data : (bytes,) uint8
        What they lie in.
    starts, sizes : (n,) int64
        Where each begins, and how long it is.
    offsets : (n + 1,) int64
        Where each is to lie, and the end of the last.
    """
    joined = np.empty(offsets[-1] + _CHUNK_BYTES, np.uint8)
    chunks = windows(joined, _CHUNK_BYTES)
    longest = min(int(sizes.max(initial=0)), _LONG_BYTES)
    # A chunk that goes beyond its text spoils the beginnings of later ones, so these are written last. numpy writes
    # the items of one assignment in their order.
    for begin in reversed(range(0, longest, _CHUNK_BYTES)):
        rows: Any = np.flatnonzero(sizes > begin) if begin else slice(None)
        chunks[offsets[:-1][rows] + begin] = _take(data, starts[rows] + begin, _CHUNK_BYTES)
    for row in np.flatnonzero(sizes > _LONG_BYTES).tolist():
        start, size = starts[row], sizes[row]
        joined[offsets[row] : offsets[row] + size] = data[start : start + size]
    return joined[: offsets[-1]]
