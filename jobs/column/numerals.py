"""Numbers out of text: integers, floats, complex numbers and bools."""

import functools
import re
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.digits import Decimals, read_decimals
from jobs.column.kernel import Kernel, Make, Parsed, Wish, convert_each, convert_others, join_masks
from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Array, Mask

Floats: TypeAlias = npt.NDArray[np.float64]

# what numeric_comma does to a text: afterwards a fraction follows a point, and a point is no part of a number
_SWAP_COMMA: Final = np.frombuffer(bytes.maketrans(b",.", b".,"), np.uint8)
_LARGEST_POWER: Final = 22
_POWERS: Final = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])
_LARGEST_EXACT: Final = np.uint64(1 << 53)
# floats of 64 bits, as Intel's processors have and not all others, in 16 bytes
_HAVE_64_BITS: Final = np.finfo(np.longdouble).nmant == 63 and np.dtype(np.longdouble).itemsize == 16
_LONG_POWERS: Final = np.cumprod([np.longdouble(1)] + [np.longdouble(10)] * 27)
_UNDERSCORE: Final = ord("_")
_FALSE: Final = (b"", b"0", b"f", b"false", b"no", b"off", b"nil", b"null")
_LOWER: Final = np.frombuffer(bytes(range(256)).lower(), np.uint8)


# ---- integers


def make_integers(base: int, bits: int) -> Make:
    """Return the maker of integers as C's `strtol` reads them: blanks around, a sign, the base's prefix."""

    def make(wish: Wish) -> Kernel:
        wish.refuse_argument()
        careful = functools.partial(_parse_integer, base=base, bits=bits, ignore_rest=wish.ignore_rest)

        def kernel(texts: Spans) -> Parsed:
            if base == 10:
                values, done = read_decimals(texts).ints()
                if bits < 64:
                    done &= (values >= -(1 << bits - 1)) & (values < 1 << bits - 1)
            else:
                values, done = np.zeros(len(texts.starts), np.int64), np.zeros(len(texts.starts), np.bool_)
            return values, convert_others(
                values, done, texts, lambda others: convert_each(others, careful, 0)
            )

        return kernel

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

    def convert(texts: PackedTexts) -> tuple[Floats | list[float], Mask | None]:
        texts = _with_points(texts, wish)
        if not (texts.data == _UNDERSCORE).any():
            try:
                return np.fromiter(map(float, texts.tolist()), np.float64, len(texts)), None
            except ValueError:
                pass
        return convert_each(texts, careful, 0.0)

    def kernel(texts: Spans) -> Parsed:
        values, done = _nearest_floats(read_decimals(texts, _point(wish)))
        return values, convert_others(values, done, texts, convert)

    return kernel


def _nearest_floats(decimals: Decimals) -> tuple[Floats, Mask]:
    """Return the floats nearest to decimal fractions, and which of them are surely right.

    Notes
    -----
    Source: W. Clinger, "How to read floating point numbers accurately" (1990): an integer of at most 53 bits
    divided by a power of ten of at most 22 is rounded once, so rightly. Likewise one of 64 bits, and a power of at most
    27, in floats of 64 bits; these are rounded again to 53, which goes wrong only where they lie midway between two.
    """
    digits, places = decimals.digits, decimals.places
    values = digits.view(np.int64) / _POWERS[np.minimum(places, _LARGEST_POWER)]
    done = decimals.are_plain & (digits <= _LARGEST_EXACT) & (places <= _LARGEST_POWER)
    if _HAVE_64_BITS:
        rows = np.flatnonzero(decimals.are_plain & ~done & (places < len(_LONG_POWERS)))
        quotients = digits[rows].astype(np.longdouble) / _LONG_POWERS[places[rows]]
        values[rows] = quotients
        done[rows] = quotients.view(np.uint64)[::2] & np.uint64(0x7FF) != 0x400
    return np.where(decimals.is_negative, -values, values), done


def _point(wish: Wish) -> int:
    return ord("," if wish.numeric_comma else ".")


def _with_points(texts: PackedTexts, wish: Wish) -> PackedTexts:
    return replace(texts, data=_SWAP_COMMA[texts.data]) if wish.numeric_comma else texts


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
    def rounded(texts: Spans) -> Parsed:
        values, bad = kernel(texts)
        with np.errstate(over="ignore"):
            small = np.asarray(values).astype(dtype)
        too_large = np.isinf(small)
        rows = np.flatnonzero(too_large)
        if len(rows):
            too_large[rows] = [b"inf" not in text.lower() for text in texts.where(rows).tolist()]
        return small, join_masks(bad, too_large)

    return rounded


def make_floatbool(wish: Wish) -> Kernel:
    """Make True of floats that are not 0."""
    floats = make_float64(wish)

    def kernel(texts: Spans) -> Parsed:
        values, bad = floats(texts)
        return np.asarray(values) != 0, bad

    return kernel


def make_strbool(wish: Wish) -> Kernel:
    """Make False of the words that say so, True of all others."""
    wish.refuse_argument()

    def kernel(texts: Spans) -> Parsed:
        values = np.ones(len(texts.starts), np.bool_)
        rows = np.flatnonzero(texts.lengths <= max(map(len, _FALSE)))
        packed = texts.where(rows).pack()
        words = packed.spans._replace(data=_LOWER[packed.data])
        for word in _FALSE:
            values[rows[words.equal(word)]] = False
        return values, None

    return kernel


# ---- numbers of any kind


_match_whole: Final = re.compile(rb"\s*([+-]?)([0-9]+\.?0*|\.0+)\s*\Z").match


def make_number(wish: Wish) -> Kernel:
    """Make ints of whole numbers that are written out, as 12.0, else floats, which ":int" refuses."""
    only_int = wish.choose("float", "int") == "int"
    careful = _parse_whole if only_int else _parse_number

    def convert(texts: PackedTexts) -> tuple[list[float], Mask | None]:
        return convert_each(_with_points(texts, wish), careful, 0)

    def kernel(texts: Spans) -> Parsed:
        decimals = read_decimals(texts, _point(wish))
        ints, are_ints = decimals.ints()
        if are_ints.all():
            return ints, None
        floats, are_floats = _nearest_floats(decimals)
        # without a point there may be integers of more than 63 bits
        are_floats &= ~are_ints & (decimals.places > 0) & (not only_int)
        if are_floats.all():
            return floats, None
        values: Array = floats.astype(np.object_)
        values[are_ints] = ints[are_ints].astype(np.object_)
        return values, convert_others(values, are_ints | are_floats, texts, convert)

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

    def kernel(texts: Spans) -> Parsed:
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
