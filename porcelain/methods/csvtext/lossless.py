"""Conversions that take only texts of which they lose nothing that counts: what types="auto" chooses among."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from jobs.column.kernel import Kernel, Parsed, join_masks
from jobs.column.packed import Spans
from jobs.column.parse import Conversion, get_conversion
from jobs.column.transform import Mask
from porcelain.methods.csvtext.marks import find_bytes

# from here on floats do not hold every whole number
_LEAST_INEXACT: Final = float(1 << 53)
_LOWER_CASE: Final = np.uint8(0x20)
_DAY: Final = "%Y-%m-%d"
_DAY_BYTES: Final = 10
# the least and the largest size of a time of day
_CLOCKS: Final = {"%H:%M:%S": (8, 8), "%H:%M:%S.%f": (10, 15), "%H:%M": (5, 5)}
UNICODE: Final = "unicode:utf-8"


def lossless_conversions(*, numeric_comma: bool, timezone: str | None) -> Iterator[Conversion]:
    """Yield conversions in the order of choice; the last takes any text.

    Those that make no text have `none_support`.

    Parameters
    ----------
    numeric_comma, timezone
        As of `get_conversion`; datetimes that end in "Z" are UTC whatever the zone.
    """
    yield _strict(get_conversion("int64_10+None"), lambda texts, _: _are_plain(texts))
    yield _strict(get_conversion("float64+None", numeric_comma=numeric_comma), _are_held)
    yield _strict(get_conversion(f"date+None:{_DAY}"), _of_size(_DAY_BYTES, _DAY_BYTES))
    for between, end in ((" ", ""), ("T", ""), ("T", "Z")):
        for clock, sizes in _CLOCKS.items():
            name = f"datetime+None:{_DAY}{between}{clock}"
            made = get_conversion(name, timezone="UTC" if end else timezone)
            made = _strict(made, _of_size(*(_DAY_BYTES + 1 + size for size in sizes)))
            yield replace(made, name=name + end, kernel=_before_z(made.kernel)) if end else made
    yield replace(get_conversion("strbool+None"), kernel=_read_bools)
    yield get_conversion(UNICODE)
    yield get_conversion("bytes")


def _strict(conversion: Conversion, are_kept: Callable[[Spans, Any], Mask]) -> Conversion:
    """Return the conversion, texts of which it would lose something being bad."""

    def kernel(texts: Spans) -> Parsed:
        values, bad = conversion.kernel(texts)
        return values, join_masks(bad, ~are_kept(texts, values))

    return replace(conversion, kernel=kernel)


def _are_plain(texts: Spans) -> Mask:
    """Return which numbers have no zeros before them and nothing around them, and are no hexadecimal ones."""
    data, starts = texts.data, texts.starts
    signs = find_bytes(data[starts], b"+-")
    second = data[np.minimum(starts + signs + 1, len(data) - 1)]
    are_padded = (
        (data[starts + signs] == ord("0")) & (texts.lengths - signs > 1) & ~find_bytes(second, b".,eE")
    )
    last = data[texts.ends - 1]
    plain: Mask = ~are_padded & (data[starts] > ord(" ")) & (last > ord(" ")) & (last != ord(")"))
    return plain


def _are_held(texts: Spans, values: Any) -> Mask:
    """Return which numbers are plain, and not beyond what a float holds: whole ones exactly, others at all."""
    kept = _are_plain(texts)
    rows = np.flatnonzero(np.abs(values) >= _LEAST_INEXACT)
    if len(rows):
        are_finite = np.isfinite(values[rows]).tolist()
        kept[rows] &= [
            not text.lstrip(b"+-").isdigit() if is_finite else b"n" in text.lower()  # inf, written so
            for text, is_finite in zip(texts.where(rows).tolist(), are_finite, strict=True)
        ]
    return kept


def _of_size(least: int, largest: int) -> Callable[[Spans, Any], Mask]:
    """Return what tells texts of these sizes: formats of time take fewer digits too, as in the version 1-2-3."""
    return lambda texts, _: (texts.lengths >= least) & (texts.lengths <= largest)


def _before_z(kernel: Kernel) -> Kernel:
    """Return the kernel for texts that have a "Z" at their end."""

    def without_z(texts: Spans) -> Parsed:
        values, bad = kernel(texts._replace(ends=np.maximum(texts.ends - 1, texts.starts)))
        return values, join_masks(bad, texts.data[texts.ends - 1] != ord("Z"))

    return without_z


def _read_bools(texts: Spans) -> Parsed:
    packed = texts.pack()
    words = packed.spans._replace(data=packed.data | _LOWER_CASE)
    values = words.equal(b"true")
    return values, join_masks(None, ~(values | words.equal(b"false")))
