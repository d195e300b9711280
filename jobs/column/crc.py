"""CRC-32 of many texts at once, a word of each in one step: a sixth of the time of one by one.

Notes
-----
Source: M. E. Kounavis, F. L. Berry, "A Systematic Approach to Building High Performance Software-Based CRC
Generators" (2005), in which a table says what each place of a word adds to the remainder.
"""

import zlib
from functools import cache, reduce
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.packed import PackedTexts
from jobs.column.transform import Ints

Checks: TypeAlias = npt.NDArray[np.uint32]

_WORD_BYTES: Final = 8
# longer texts go through zlib one by one, which takes less for each byte
_MOST_BYTES: Final = 64


def crc32_of(texts: PackedTexts) -> Checks:
    """Return (n,) uint32: what `zlib.crc32` returns for the bytes of each text; 0 for None."""
    lengths = texts.lengths
    are_short = lengths <= _MOST_BYTES
    if are_short.all():
        return _crc32_of_short(texts, lengths)
    checks = np.empty(len(texts), np.uint32)
    checks[are_short] = _crc32_of_short(texts[np.flatnonzero(are_short)], lengths[are_short])
    data, starts = texts.data.data, texts.offsets[:-1][~are_short]
    spans = zip(starts.tolist(), (starts + lengths[~are_short]).tolist(), strict=True)
    checks[~are_short] = [zlib.crc32(data[start:end]) for start, end in spans]
    return checks


def _crc32_of_short(texts: PackedTexts, lengths: Ints) -> Checks:
    padded = np.append(np.zeros(_WORD_BYTES, np.uint8), texts.data)
    # the word before each byte
    words = np.ndarray(len(texts.data), "<u8", padded, strides=(1,))
    ends = texts.offsets[1:] - 1
    of_zeros, of_pairs = _tables()
    remainders = np.zeros(len(texts), np.uint32)
    # zeros before a text add nothing, so words are counted from its end, and zeros fill up the first
    for after in reversed(range(0, int(lengths.max(initial=0)), _WORD_BYTES)):
        rows = np.flatnonzero(lengths > after)
        missing = np.maximum(_WORD_BYTES - (lengths[rows] - after), 0).astype(np.uint64) << np.uint64(3)
        some = ((words[ends[rows] - after] >> missing) << missing) ^ remainders[rows]
        pairs = some.astype("<u8", copy=False).view("<u2").reshape(-1, len(of_pairs))
        added = (table.take(pairs[:, place]) for place, table in enumerate(of_pairs))
        remainders[rows] = reduce(np.bitwise_xor, added)
    return remainders ^ of_zeros[lengths]


@cache
def _tables() -> tuple[Checks, tuple[Checks, ...]]:
    """Return the CRC-32 of so many zeros, and what each pair of bytes of a word adds to its remainder."""
    of_zeros = np.array([zlib.crc32(bytes(size)) for size in range(_MOST_BYTES + 1)], np.uint32)
    of_bytes = [
        np.array([zlib.crc32(bytes([byte, *bytes(after)])) for byte in range(256)], np.uint32)
        ^ of_zeros[after + 1]
        for after in reversed(range(_WORD_BYTES))
    ]
    high, low = np.divmod(np.arange(1 << 16), 256)
    pairs = zip(of_bytes[::2], of_bytes[1::2], strict=True)
    return of_zeros, tuple(first[low] ^ second[high] for first, second in pairs)
