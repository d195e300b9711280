"""Numbers out of text: integers, floats, complex numbers and bools."""

import functools
import re
from typing import Final

import numpy as np

from jobs.column.kernel import Kernel, Make, Parsed, Texts, Wish, convert_each, join_masks, objects

# what numeric_comma does to a text: afterwards a fraction follows a point, and a point is no part of a number
_COMMA: Final = bytes.maketrans(b",.", b".,")
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
    # of decimal digits Python takes what C takes, and underscores
    if b"_" in b"".join(texts):
        return None
    try:
        numbers = np.array(list(map(int, texts)), np.int64)
    except (ValueError, OverflowError):
        return None
    fits = bits == 64 or not len(numbers) or -(2**31) <= numbers.min() <= numbers.max() < 2**31
    return (numbers, None) if fits else None


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
        if b"_" not in b"".join(texts):
            try:
                return np.array(list(map(float, texts)), np.float64), None
            except ValueError:
                pass
        values, bad = convert_each(texts, careful, 0.0)
        return np.array(values, np.float64), bad

    return kernel


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
    careful = _parse_whole if wish.choose("float", "int") == "int" else _parse_number

    def kernel(texts: Texts) -> Parsed:
        texts = _with_points(texts, wish)
        quick = _quick_integers(texts, 64)
        if quick is not None:
            return quick
        values, bad = convert_each(texts, careful, 0)
        return objects(values), bad

    return kernel


def _parse_whole(text: bytes) -> int:
    match = _match_whole(text)
    if match is None:
        raise ValueError
    return int(match[1] + (match[2].partition(b".")[0] or b"0"))


def _parse_number(text: bytes) -> int | float:
    if _match_whole(text) is not None:
        return _parse_whole(text)
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
