"""Plain decimal numbers out of text, eight digits at a time.

Notes
-----
Source: the eight digits of a word are made a number by three multiplications, as in D. Lemire, "Quickly parsing eight
digits" (2018).
"""

from typing import Final, NamedTuple

import numpy as np

from jobs.column.packed import Spans
from jobs.column.transform import Ints, Mask
from jobs.column.words import WORD_BYTES, Words, each_byte, has_high_bit, take_words

# a sign, 19 digits and a point need no more
_MOST_WORDS: Final = 3
_PLUS, _MINUS = b"+-"
_ALL: Final = each_byte(0xFF)
_ONES: Final = each_byte(1)
_ZEROS: Final = each_byte(ord("0"))
_LOW_BITS: Final = each_byte(0x7F)
# what makes the high bit of every number above 9
_BEYOND_NINE: Final = each_byte(0x80 - 10)
_BYTE, _TOP = np.uint64(8), np.uint64(56)
# 10 ** 19 is the largest power of ten in 64 bits: above the 16 digits of two words there may be three more
_MOST_ABOVE: Final = np.uint64(999)
_POWERS: Final = np.array([10**power for power in range(20)], np.uint64)


class Decimals(NamedTuple):
    """Decimal fractions: `digits` / 10 ** `places`, and a sign.

    Attributes
    ----------
    digits : (n,) uint64
        All digits, below 10 ** 19.
    places : (n,) int64
        How many of them follow the point.
    is_negative : (n,) bool
        Whether there is a minus sign.
    are_plain : (n,) bool
        Which texts are a sign at most, digits, and a point at most among them; the rest is wrong for others.
    """

    digits: Words
    places: Ints
    is_negative: Mask
    are_plain: Mask

    def ints(self) -> tuple[Ints, Mask]:
        """Return the whole numbers among them, and which are such: plain, of 63 bits, only zeros after the point."""
        digits, are_whole = self.digits, self.are_plain
        if self.places.any():
            digits, rest = np.divmod(digits, _POWERS[np.minimum(self.places, len(_POWERS) - 1)])
            are_whole = are_whole & (rest == 0)
        numbers = digits.view(np.int64)
        return np.where(self.is_negative, -numbers, numbers), are_whole & (numbers >= 0)


def read_decimals(texts: Spans, point: int | None = None) -> Decimals:
    """Return the numbers that texts say; `point` is the byte before fractions, None when there are only integers."""
    lengths = texts.lengths
    first = texts.data[texts.starts]
    is_negative = first == _MINUS
    counts = lengths - (is_negative | (first == _PLUS))
    words = _words_of(texts, lengths)
    places = np.zeros(len(lengths), np.int64)
    if point is not None:
        words = [word & ~_unused(lengths, place) for place, word in enumerate(words)]
        words, places, has_point = _take_out(words, point)
        counts = counts - has_point
    digits, are_plain = _read(words, counts)
    return Decimals(
        digits, places, is_negative & are_plain, are_plain & (lengths <= _MOST_WORDS * WORD_BYTES)
    )


def read_digits(texts: Spans) -> tuple[Ints, Mask]:
    """Return the numbers that texts of at most 18 digits say, and which texts are such."""
    lengths = texts.lengths
    digits, are_plain = _read(_words_of(texts, lengths), lengths)
    return digits.view(np.int64), are_plain & (lengths <= 18)


def _words_of(texts: Spans, lengths: Ints) -> list[Words]:
    """Return the words in which texts end, the last first, as many as the longest needs."""
    longest = int(lengths.max(initial=1))
    count = min(-(-longest // WORD_BYTES), _MOST_WORDS)
    return list(take_words(texts.data, texts.ends - count * WORD_BYTES, count))[::-1]


def _unused(counts: Ints, place: int) -> Words:
    """Return the bytes of a word, the last but `place`, that lie before the last `counts` bytes of a text."""
    here = np.clip(counts - place * WORD_BYTES, 0, WORD_BYTES).view(np.uint64)
    return _ALL >> (here * _BYTE)


def _read(words: list[Words], counts: Ints) -> tuple[Words, Mask]:
    """Return the numbers that the last `counts` bytes say, and which of these bytes are digits, at least one."""
    others = np.zeros(len(counts), np.uint64)
    number = np.zeros(len(counts), np.uint64)
    are_plain = counts > 0
    for place, word in enumerate(words):
        values = (word ^ _ZEROS) & ~_unused(counts, place)
        others |= (values + _BEYOND_NINE) | values
        here = _join_digits(values)
        if place == _MOST_WORDS - 1:
            are_plain &= here <= _MOST_ABOVE
        number += here * np.uint64(10 ** (WORD_BYTES * place))
    return number, are_plain & ~has_high_bit(others)


def _join_digits(values: Words) -> Words:
    """Return the number that eight bytes from 0 to 9 make, the first of them highest."""
    pairs = (values * np.uint64(1 + (10 << 8)) >> _BYTE) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(1 + (100 << 16)) >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return fours * np.uint64(1 + (10000 << 32)) >> np.uint64(32)


def _take_out(words: list[Words], point: int) -> tuple[list[Words], Ints, Mask]:
    """Return the words, the last first, without the point, how many bytes followed it, and where there was one."""
    points = each_byte(point)
    places = np.zeros(len(words[0]), np.uint64)
    found = np.zeros(len(words[0]), np.bool_)
    closed: list[Words] = []
    for place, word in enumerate(words):
        others = word ^ points
        hit = ~(((others & _LOW_BITS) + _LOW_BITS) | others | _LOW_BITS)
        hit[found] = 0  # a second point stays, as no digit
        here = hit != 0
        before = (hit >> np.uint64(7)) - np.uint64(1)  # all bytes where there is no hit
        after = ~(hit | (hit - np.uint64(1)))
        moved = (word & before) << _BYTE
        if place + 1 < len(words):
            moved |= words[place + 1] >> _TOP
        following = (after & _ONES) * _ONES >> _TOP
        places += np.where(here, following + np.uint64(WORD_BYTES * place), np.uint64(0))
        found |= here
        closed.append(np.where(found, moved | (word & after), word))
    return closed, places.view(np.int64), found
