"""Formats whose fields stand at the same places in every text: read all at once."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from jobs.column.digits import read_digits
from jobs.column.packed import Spans
from jobs.column.timesteps import DIGITS, MONTHS, PIVOT, Step
from jobs.column.transform import Ints, Mask
from jobs.column.words import WORD_BYTES, Words, has_high_bit, take_words, words_of

# what texts say, by the code of the field: Y m d H M S, and f in microseconds
Fields: TypeAlias = dict[str, Ints]

_LOWER_CASE: Final = np.uint64(0x20)
# what makes the high bit of every byte that is not 0, and of every byte above 9
_BEYOND_NOTHING, _BEYOND_NINE = b"\x7f", b"\x76"
# what the last of so many digits after the point is worth in microseconds
_MICROSECONDS: Final = np.array([0, 100_000, 10_000, 1_000, 100, 10, 1])


class Layout:
    """A format whose fields stand at the same places in every text that has them at full width.

    What it does not accept may still be right.

    Parameters
    ----------
    steps
        The parts of the format; `fits` says whether it can be read so.
    ignore_rest
        Whether text may go on after what the format wants.
    """

    def __init__(self, steps: Sequence[Step], *, ignore_rest: bool) -> None:
        self._ignore_rest = ignore_rest
        self._has_fraction = steps[-1].code == "f"
        self._places: dict[str, range] = {}
        wanted = checked = beyond = b""
        for step in steps[:-1] if self._has_fraction else steps:
            text = _text_of(step)
            if step.code not in "x~":
                self._places[step.code] = range(len(wanted), len(wanted) + len(text))
            wanted += text
            # the letters of a month are looked at by themselves
            checked += (b"\0" if step.code == "b" else b"\xff") * len(text)
            beyond += (_BEYOND_NOTHING if step.code in "x~" else _BEYOND_NINE) * len(text)
        self._size = len(wanted)
        self._count = max(-(-self._size // WORD_BYTES), 1)
        self._wanted, self._checked, self._beyond = (
            np.array(words_of(each, self._count), np.uint64)[:, np.newaxis]
            for each in (wanted, checked, beyond)
        )

    @staticmethod
    def fits(steps: Sequence[Step]) -> bool:
        """Return whether all of a format's parts can be read so."""
        codes = [step.code for step in steps]
        fields = [code for code in codes if code not in "x~"]
        return (
            0 < len(fields) == len(set(fields))
            and set(fields) <= set("YymbdHMSf")
            and not {"Y", "y"} <= set(fields)
            and not {"m", "b"} <= set(fields)
            and not any(step.width for step in steps)
            # the one field of any length can only be the last part
            and "f" not in codes[:-1]
        )

    def read(self, texts: Spans) -> tuple[Fields, Mask]:
        """Return the fields of all texts, and which of these texts have them all at full width."""
        words = take_words(texts.data, texts.starts + (self._size - self._count * WORD_BYTES), self._count)
        differing = (words ^ self._wanted) & self._checked
        good = ~has_high_bit(np.bitwise_or.reduce((differing + self._beyond) | differing))
        fields: Fields = {}
        if self._has_fraction:
            # what follows is left to others too
            rest = texts._replace(starts=np.minimum(texts.starts + self._size, texts.ends))
            digits, are_digits = read_digits(rest)
            good &= are_digits & (rest.lengths < len(_MICROSECONDS))
            fields["f"] = digits * _MICROSECONDS[np.minimum(rest.lengths, len(_MICROSECONDS) - 1)]
        else:
            good &= texts.lengths >= self._size if self._ignore_rest else texts.lengths == self._size
        for code, places in self._places.items():
            if code == "b":
                fields["m"] = _read_month(self._bytes(words, places))
            else:
                fields[code] = _join(self._bytes(differing, places))
        if "y" in fields:
            year = fields.pop("y")
            fields["Y"] = year + np.where(year >= PIVOT, 1900, 2000)
        return fields, good

    def _bytes(self, words: Words, places: range) -> list[Words]:
        """Return the bytes that stand at some places of the format."""
        first = self._count * WORD_BYTES - self._size
        found = [divmod(first + place, WORD_BYTES) for place in places]
        return [(words[number] >> np.uint64(8 * byte)) & np.uint64(0xFF) for number, byte in found]


def _text_of(step: Step) -> bytes:
    """Return a text that a part of a format matches at full width, of fields that of the number 0."""
    return {"x": step.text, "~": b" ", "b": b"000"}.get(step.code) or b"0" * DIGITS[step.code]


def _join(digits: Sequence[Words]) -> Ints:
    number = digits[0]
    for digit in digits[1:]:
        number = number * np.uint64(10) + digit
    return number.view(np.int64)


def _read_month(letters: Sequence[Words]) -> Ints:
    """Return the number of the month that has this name, 0 where there is none."""
    first, second, third = (letter | _LOWER_CASE for letter in letters)
    words = (first << np.uint64(16)) | (second << np.uint64(8)) | third
    number = np.zeros(len(words), np.int64)
    for place, month in enumerate(MONTHS):
        number[words == int.from_bytes(month, "big")] = place + 1
    return number
