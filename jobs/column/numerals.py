"""Numbers out of text: integers, floats, complex numbers and bools."""

import functools
import re
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.kernel import (
    Array,
    Kernel,
    Make,
    Mask,
    Parsed,
    Texts,
    Wish,
    convert_each,
    join_masks,
    objects,
)

Ints: TypeAlias = npt.NDArray[np.int64]

# what numeric_comma does to a text: afterwards a fraction follows a point, and a point is no part of a number
_COMMA: Final = bytes.maketrans(b",.", b".,")
_INT64: Final = np.iinfo(np.int64)
_NEWLINE, _PLUS, _MINUS, _POINT, _ZERO = b"\n+-.0"
_LARGEST_POWER: Final = 22
_POWERS: Final = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])
_LARGEST_PLACES: Final = 18  # 10 ** 18 is an int64
_FALSE: Final = frozenset([b"", b"0", b"f", b"false", b"no", b"off", b"nil", b"null"])


# ---- integers


def make_integers(base: int, bits: int) -> Make:
    """Return the maker of integers as C's `strtol` reads them: blanks around, a sign, the base's prefix."""

    def make(wish: Wish) -> Kernel:
        wish.refuse_argument()
        careful = functools.partial(_parse_integer, base=base, bits=bits, ignore_rest=wish.ignore_rest)
        return lambda texts: (_quick_integers(texts, bits) if base == 10 else None) or _slow(texts, careful)

    def _slow(texts: Texts, careful: functools.partial[int]) -> Parsed:
        values, bad = convert_each(texts, careful, 0)
        return np.array(values, np.int64), bad

    return make


_DIGITS: Final = {0: b"0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*", 8: b"[0-7]+", 10: b"[0-9]+", 16: b"(?:0x)?[0-9a-f]+"}
_MATCH_INTEGER: Final = {
    (base, ignore_rest): re.compile(
        rb"\s*([+-]?(?:" + digits + b"))" + (b"" if ignore_rest else rb"\s*\Z"), re.IGNORECASE
    ).match
    for base, digits in _DIGITS.items()
    for ignore_rest in (False, True)
}


def _parse_integer(text: bytes, *, base: int, bits: int, ignore_rest: bool) -> int:
    match = _MATCH_INTEGER[base, ignore_rest](text)
    if match is None:
        if ignore_rest:
            return 0
        raise ValueError
    number = int(match[1], base or _base_of(match[1].lstrip(b"+-")))
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise ValueError
    return number


def _base_of(digits: bytes) -> int:
    if digits[:2].lower() == b"0x":
        return 16
    return 8 if digits.startswith(b"0") else 10


def _quick_integers(texts: Texts, bits: int) -> Parsed | None:
    """Return what the texts say when all are plain digits with a sign at most, else None."""
    numbers = _read_digits(b"\n".join(texts), len(texts))
    if numbers is None:
        return None
    fits = not len(numbers) or -(1 << bits - 1) <= numbers.min() <= numbers.max() < 1 << bits - 1
    return (numbers, None) if fits else None


def _read_digits(lines: bytes, count: int) -> Ints | None:
    """Return the integers on `count` lines, all at once; None when one line is no integer, or a very large one.

    Four times as fast as one by one.
    """
    if not lines or lines.translate(None, b"0123456789+-\n") or lines.count(b"\n") != count - 1:
        return None
    if not _are_signs_in_front(lines):
        return None
    numbers = np.fromstring(lines, np.int64, sep=" ")
    # an empty line is passed over, and a number too large becomes the largest
    beyond = len(numbers) and (numbers.max() == _INT64.max or numbers.min() == _INT64.min)
    return None if len(numbers) != count or beyond else numbers


def _are_signs_in_front(lines: bytes) -> bool:
    """Return whether each sign begins a line, and a digit or a point comes next."""
    chars = np.frombuffer(b"\n" + lines + b"\n", np.uint8)
    signs = np.flatnonzero((chars == _PLUS) | (chars == _MINUS))
    follows = chars[signs + 1]
    return bool(((chars[signs - 1] == _NEWLINE) & ((follows >= _ZERO) | (follows == _POINT))).all())


# ---- floats


_FLOAT: Final = (
    rb"\s*([+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?"
    rb"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan(?:\([0-9a-z_]*\))?))"
)
_match_float_and_more: Final = re.compile(_FLOAT, re.IGNORECASE).match
_match_float: Final = re.compile(_FLOAT + rb"\s*\Z", re.IGNORECASE).match


def make_float64(wish: Wish) -> Kernel:
    """Make floats as C's `strtod` does; those too large are infinite."""
    wish.refuse_argument()
    careful = functools.partial(_parse_float, ignore_rest=wish.ignore_rest)

    def kernel(texts: Texts) -> Parsed:
        texts = _with_points(texts, wish)
        values = _quick_floats(texts)
        if values is not None:
            return values, None
        if b"_" not in b"".join(texts):
            try:
                return np.array(list(map(float, texts)), np.float64), None
            except ValueError:
                pass
        numbers, bad = convert_each(texts, careful, 0.0)
        return np.array(numbers, np.float64), bad

    return kernel


def _quick_floats(texts: Texts) -> Array | None:
    """Return what the texts say when all are plain decimal fractions, most of them short, else None."""
    decimals = _Decimals.read(texts)
    return None if decimals is None else decimals.to_floats(texts)


class _Decimals(NamedTuple):
    """Plain decimal fractions: the digits of each as an integer, and how many of these follow the point."""

    digits: Ints
    places: Ints
    is_negative_zero: Mask

    @classmethod
    def read(cls, texts: Texts) -> "_Decimals | None":
        """Return what the texts say, or None when one of them is something else."""
        lines = b"\n".join(texts)
        digits = _read_digits(lines.replace(b".", b""), len(texts))
        if digits is None or not len(digits):
            return None
        chars = np.frombuffer(lines, np.uint8)
        ends = np.append(np.flatnonzero(chars == _NEWLINE), len(chars))
        starts = np.append(0, ends[:-1] + 1)
        points = np.flatnonzero(chars == _POINT)
        rows = np.searchsorted(ends, points)
        if (np.diff(rows) == 0).any() or not _are_signs_in_front(lines):
            return None
        places = np.zeros(len(texts), np.int64)
        places[rows] = ends[rows] - 1 - points
        return cls(digits, places, (digits == 0) & (chars[starts] == _MINUS))

    def to_floats(self, texts: Texts) -> Array | None:
        """Return the nearest floats, or None when too many of the texts have more digits than a float.

        Notes
        -----
        Source: W. Clinger, "How to read floating point numbers accurately" (1990): an integer of at most 53 bits
        divided by a power of ten of at most 22 is rounded once, so rightly.
        """
        inexact = (np.abs(self.digits) > 1 << 53) | (self.places > _LARGEST_POWER) | self.is_negative_zero
        rows = np.flatnonzero(inexact).tolist()
        if len(rows) > len(texts) // 4:
            return None
        values: Array = self.digits / _POWERS[np.minimum(self.places, _LARGEST_POWER)]
        values[rows] = [float(texts[row]) for row in rows]
        return values

    def to_numbers(self, texts: Texts) -> Array | None:
        """Return ints of those that are whole, floats of the others; None as `to_floats`."""
        floats = self.to_floats(texts)
        if floats is None or self.places.max() > _LARGEST_PLACES:
            return None
        powers = 10**self.places
        is_whole = self.digits % powers == 0
        values: Array = floats.astype(np.object_)
        values[is_whole] = (self.digits // powers)[is_whole].astype(np.object_)
        return values


def _with_points(texts: Texts, wish: Wish) -> Texts:
    return [text.translate(_COMMA) for text in texts] if wish.numeric_comma else texts


def _parse_float(text: bytes, *, ignore_rest: bool) -> float:
    match = _match_float_and_more(text) if ignore_rest else _match_float(text)
    if match is None:
        if ignore_rest:
            return 0.0
        raise ValueError
    number = match[1].decode("ascii").lower()
    if "x" not in number:
        return float(number.partition("(")[0])
    try:
        return float.fromhex(number)
    except OverflowError:
        return float("-inf" if number.startswith("-") else "inf")


def make_float32(wish: Wish) -> Kernel:
    """Make floats of 32 bits; a number too large for them is bad."""
    return _rounded(make_float64(wish), np.dtype(np.float32))


def _rounded(kernel: Kernel, dtype: "np.dtype[np.float32] | np.dtype[np.complex64]") -> Kernel:
    def rounded(texts: Texts) -> Parsed:
        values, bad = kernel(texts)
        with np.errstate(over="ignore"):
            small = values.astype(dtype)
        too_large = np.isinf(small)
        for place in np.flatnonzero(too_large).tolist():
            too_large[place] = b"inf" not in texts[place].lower()
        return small, join_masks(bad, too_large)

    return rounded


def make_floatbool(wish: Wish) -> Kernel:
    """Make True of floats that are not 0."""
    floats = make_float64(wish)

    def kernel(texts: Texts) -> Parsed:
        values, bad = floats(texts)
        return values != 0, bad

    return kernel


def make_strbool(wish: Wish) -> Kernel:
    """Make False of the words that say so, True of all others."""
    wish.refuse_argument()
    return lambda texts: (np.array([text.lower() not in _FALSE for text in texts], np.bool_), None)


# ---- numbers of any kind


_match_whole: Final = re.compile(rb"\s*([+-]?)([0-9]+\.?0*|\.0+)\s*\Z").match


def make_number(wish: Wish) -> Kernel:
    """Make ints of whole numbers that are written out, as 12.0, else floats, which ":int" refuses."""
    only_int = wish.choose("float", "int") == "int"
    careful = _parse_whole if only_int else _parse_number

    def kernel(texts: Texts) -> Parsed:
        texts = _with_points(texts, wish)
        quick = _quick_integers(texts, 64)
        if quick is not None:
            return quick
        decimals = None if only_int else _Decimals.read(texts)
        numbers = None if decimals is None else decimals.to_numbers(texts)
        if numbers is not None:
            return numbers, None
        values, bad = convert_each(texts, careful, 0)
        return objects(values), bad

    return kernel


def _parse_whole(text: bytes) -> int:
    match = _match_whole(text)
    if match is None:
        raise ValueError
    return _int_of(match)


def _int_of(match: re.Match[bytes]) -> int:
    return int(match[1] + (match[2].partition(b".")[0] or b"0"))


def _parse_number(text: bytes) -> int | float:
    match = _match_whole(text)
    if match is not None:
        return _int_of(match)
    if b"_" in text:
        raise ValueError
    number = float(text)
    if number in (np.inf, -np.inf) and b"inf" not in text.lower():
        raise ValueError
    return number


def make_complex64(wish: Wish) -> Kernel:
    """Make complex numbers as Python writes them."""
    wish.refuse_argument()

    def kernel(texts: Texts) -> Parsed:
        values, bad = convert_each(texts, _parse_complex, 0j)
        return np.array(values, np.complex128), bad

    return kernel


def _parse_complex(text: bytes) -> complex:
    if b"_" in text:
        raise ValueError
    return complex(text.decode("ascii"))


def make_complex32(wish: Wish) -> Kernel:
    """Make complex numbers of two 32-bit floats; one too large for these is bad."""
    return _rounded(make_complex64(wish), np.dtype(np.complex64))
