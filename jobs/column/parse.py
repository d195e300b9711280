"""Text to typed values: the conversions of `dataset_type`, a batch of one column at a time."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from jobs.column import clocks, encodings, numerals
from jobs.column.kernel import Kernel, Make, Parsed, Wish, convert_each, objects
from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Array, Mask
from jobs.errors import ColumnError

NONE_TEXTS: Final[frozenset[bytes | None]] = frozenset({b""})
_NAME: Final = re.compile(r"([a-z0-9_]+)(\+None)?(?::(.*))?", re.DOTALL)


class Converted(NamedTuple):
    """The values of a batch of texts.

    Attributes
    ----------
    values : (n,) array or PackedTexts
        What `SliceWriter.extend_array` takes; a value at a None or a bad text says nothing, and a packed text is empty
        there.
    none : (n,) bool or None
        Which texts stand for None; no array when none does, nor beside packed texts, which know it themselves.
    bad : (n,) bool or None
        Which texts cannot be converted; no array when all can.
    """

    values: Any
    none: Mask | None
    bad: Mask | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How text becomes the values of a column.

    Attributes
    ----------
    name : str
        As a user writes it: "int64_10", "date+None:%Y-%m-%d".
    type : str
        The column type of the values.
    none_support : bool
        Whether the name says that the empty text stands for None.
    kernel : callable
        Converts texts that do not stand for None.
    """

    name: str
    type: str
    none_support: bool
    kernel: Kernel

    def convert(
        self, texts: Sequence[bytes], none_texts: AbstractSet[bytes | None] | None = None
    ) -> Converted:
        """Return the values of `texts`.

        Parameters
        ----------
        texts
            What is to be converted; None too, if it is among `none_texts`.
        none_texts
            What stands for None; by default the empty text when the conversion has None support, else nothing.

        >>> get_conversion("int64_10+None").convert([b"17", b""])
        Converted(values=array([17,  0]), none=array([False,  True]), bad=None)
        """
        packed = PackedTexts.of(list(texts), are_bytes=True)
        assert packed.none is None or (none_texts and None in none_texts), (
            "None, which nobody said may be there"
        )
        return self.convert_spans(packed.spans, none_texts, packed.none)

    def convert_spans(
        self, texts: Spans, none_texts: AbstractSet[bytes | None] | None = None, none: Mask | None = None
    ) -> Converted:
        """Return the values of texts that lie in one piece of memory.

        Parameters
        ----------
        texts
            What is to be converted.
        none_texts
            As of `convert`; None in it says nothing here.
        none : (n,) bool, optional
            Which of `texts` are None already.
        """
        if none_texts is None:
            none_texts = NONE_TEXTS if self.none_support else frozenset()
        for text in none_texts:
            are_equal = None if text is None else texts.equal(text)
            if are_equal is not None and are_equal.any():
                none = are_equal if none is None else none | are_equal
        if none is None or not none.any():
            values, bad = self.kernel(texts)
            return Converted(values, None, bad)
        values, bad = self.kernel(texts.where(~none))
        bad = None if bad is None else _spread(bad, none)
        if isinstance(values, PackedTexts):
            return Converted(values.spread(none), None, bad)
        return Converted(_spread(values, none), none, bad)


def _spread(values: Array, gaps: Mask) -> Array:
    whole = np.full(len(gaps), None if values.dtype == np.object_ else 0, values.dtype)
    whole[~gaps] = values
    return whole


def get_conversion(name: str, *, numeric_comma: bool = False, timezone: str | None = None) -> Conversion:
    """Return the conversion of that name.

    Parameters
    ----------
    name
        One of `CONVERSIONS`, then "+None" if an empty text is None, then what it is told after a ":".
    numeric_comma
        Whether fractions follow a comma, not a point.
    timezone
        The zone that datetimes are in, by its name in the tz database; they become UTC.
    """
    match = _NAME.fullmatch(name)
    row = CONVERSIONS.get(match[1]) if match else None
    if match is None or row is None:
        raise ColumnError(f"no conversion '{name}'", hint="there are " + ", ".join(_like(name)))
    wish = Wish(name, match[3], row.ignore_rest, numeric_comma, timezone)
    return Conversion(name, row.type, match[2] is not None, row.make(wish))


def _like(name: str) -> Iterable[str]:
    begin = re.split("[+:]", name)[0]
    longer = [known for known in CONVERSIONS if begin and known.startswith(begin)]
    return longer or get_close_matches(begin, CONVERSIONS) or CONVERSIONS


# ---- the table


def _json(wish: Wish) -> Kernel:
    wish.refuse_argument()

    def kernel(texts: Spans) -> Parsed:
        values, bad = convert_each(texts, _parse_json, None)
        return objects(values), bad

    return kernel


def _parse_json(text: bytes) -> Any:
    try:
        return json.loads(text.decode())
    except RecursionError:
        raise ValueError from None


class _Row(NamedTuple):
    """A conversion: the column type that it makes, its maker, and whether it ignores the rest of a text."""

    type: str
    make: Make
    ignore_rest: bool = False


_INTEGERS: Final = {
    f"{name}_{base}": _Row(name, numerals.make_integers(base, bits))
    for name, bits in (("int32", 32), ("int64", 64))
    for base in (0, 8, 10, 16)
}
_LENIENT: Final = {
    **_INTEGERS,
    "float32": _Row("float32", numerals.make_float32),
    "float64": _Row("float64", numerals.make_float64),
    "floatbool": _Row("bool", numerals.make_floatbool),
    "date": _Row("date", clocks.make_dates),
    "datetime": _Row("datetime", clocks.make_datetimes),
    "time": _Row("time", clocks.make_times),
}
# by name; those that have one read a text's beginning when their name has an "i" at its end
CONVERSIONS: Final[Mapping[str, _Row]] = MappingProxyType(
    _LENIENT
    | {name + "i": row._replace(ignore_rest=True) for name, row in _LENIENT.items()}
    | {
        "ascii": _Row("ascii", encodings.make_ascii),
        "asciistrip": _Row("ascii", encodings.make_stripped(encodings.make_ascii)),
        "bytes": _Row("bytes", encodings.make_bytes),
        "bytesstrip": _Row("bytes", encodings.make_stripped(encodings.make_bytes)),
        "complex32": _Row("complex32", numerals.make_complex32),
        "complex64": _Row("complex64", numerals.make_complex64),
        "json": _Row("json", _json),
        "number": _Row("number", numerals.make_number),
        "strbool": _Row("bool", numerals.make_strbool),
        "unicode": _Row("unicode", encodings.make_unicode),
        "unicodestrip": _Row("unicode", encodings.make_stripped(encodings.make_unicode)),
    }
)
