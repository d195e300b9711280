"""Text to typed values: the conversions of `dataset_type`, a batch of one column at a time."""

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from jobs.column import numerals
from jobs.column.kernel import (
    Array,
    Kernel,
    Make,
    Mask,
    Parsed,
    Texts,
    Wish,
    convert_each,
    decode_all,
    join_masks,
    objects,
)
from jobs.column.packed import Spans
from jobs.column.timeformat import TimeFormat
from jobs.column.types import UTC
from jobs.errors import ColumnError

Moments: TypeAlias = npt.NDArray[np.datetime64]

NONE_TEXTS: Final[frozenset[bytes | None]] = frozenset({b""})
_NAME: Final = re.compile(r"([a-z0-9_]+)(\+None)?(?::(.*))?", re.DOTALL)


class Converted(NamedTuple):
    """The values of a batch of texts.

    Attributes
    ----------
    values : (n,) array or PackedTexts
        What `SliceWriter.extend_array` takes; a value at a None or a bad text says nothing.
    none : (n,) bool or None
        Which texts stand for None; no array when none does.
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

    def convert(self, texts: Texts, none_texts: AbstractSet[bytes | None] | None = None) -> Converted:
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
        if none_texts is None:
            none_texts = NONE_TEXTS if self.none_support else frozenset()
        if not none_texts or none_texts.isdisjoint(texts):
            values, bad = self.kernel(texts)
            return Converted(values, None, bad)
        none = np.fromiter(map(none_texts.__contains__, texts), np.bool_, len(texts))
        values, bad = self.kernel([text for text in texts if text not in none_texts])
        return Converted(_spread(values, ~none), none, None if bad is None else _spread(bad, ~none))

    def convert_spans(
        self, texts: Spans, none_texts: AbstractSet[bytes | None] | None = None, none: Mask | None = None
    ) -> Converted:
        """Return the values of texts that lie in one piece of memory, as `convert` does.

        Parameters
        ----------
        texts
            What is to be converted.
        none_texts
            As of `convert`; None in it says nothing here.
        none : (n,) bool, optional
            Which of `texts` are None already.
        """
        rows: list[Any] = [*texts.tolist()]
        for row in () if none is None else np.flatnonzero(none).tolist():
            rows[row] = None
        chosen = none_texts if none_texts is not None else NONE_TEXTS if self.none_support else frozenset()
        return self.convert(rows, chosen if none is None else chosen | {None})


def _spread(values: Array, places: Mask) -> Array:
    whole = np.full(len(places), None if values.dtype == np.object_ else 0, values.dtype)
    whole[places] = values
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


# ---- text


def _bytes(wish: Wish) -> Kernel:
    wish.refuse_argument()
    return lambda texts: (objects(texts), None)


def _ascii(wish: Wish) -> Kernel:
    """Make ASCII; what is none becomes a backslash and three octal digits, or is bad."""
    how = wish.choose("replace", "encode", "strict")
    special = re.compile(rb"[\x80-\xff\\]" if how == "encode" else rb"[\x80-\xff]")

    def careful(text: bytes) -> str:
        if how != "strict":
            text = special.sub(lambda char: b"\\%03o" % ord(char[0]), text)
        return text.decode("ascii")

    def kernel(texts: Texts) -> Parsed:
        joined = b"".join(texts)
        if joined.isascii() and not (how == "encode" and b"\\" in joined):
            return objects(decode_all(texts, "ascii")), None
        values, bad = convert_each(texts, careful, "")
        return objects(values), bad

    return kernel


def _unicode(wish: Wish) -> Kernel:
    codec, _, errors = (wish.argument or "").partition("/")
    errors = errors or "strict"
    if errors not in ("strict", "replace", "ignore"):
        raise ColumnError(
            f"no conversion '{wish.name}'", hint="'/' is followed by strict or replace or ignore"
        )
    try:
        newline = "\n".encode(codec)
    except LookupError:
        raise ColumnError(
            f"no encoding '{codec}' in '{wish.name}'", hint="the usual one is 'utf-8'"
        ) from None

    def kernel(texts: Texts) -> Parsed:
        if newline == b"\n":
            try:
                return objects(decode_all(texts, codec, errors)), None
            except UnicodeDecodeError:
                pass
        values, bad = convert_each(texts, lambda text: text.decode(codec, errors), "")
        return objects(values), bad

    return kernel


def _stripped(make: Make) -> Make:
    """Return the maker of a conversion that sees texts without white space around them."""

    def make_stripped(wish: Wish) -> Kernel:
        kernel = make(wish)
        return lambda texts: kernel([text.strip() for text in texts])

    return make_stripped


def _json(wish: Wish) -> Kernel:
    wish.refuse_argument()

    def kernel(texts: Texts) -> Parsed:
        values, bad = convert_each(texts, _parse_json, None)
        return objects(values), bad

    return kernel


def _parse_json(text: bytes) -> Any:
    try:
        return json.loads(text.decode())
    except RecursionError:
        raise ValueError from None


# ---- dates and times


def _date(wish: Wish) -> Kernel:
    read = _time_format(wish)

    def kernel(texts: Texts) -> Parsed:
        moments, good = read.moments(texts)
        return moments.astype("M8[D]"), join_masks(None, ~good)

    return kernel


def _time(wish: Wish) -> Kernel:
    read = _time_format(wish)

    def kernel(texts: Texts) -> Parsed:
        moments, good = read.moments(texts)
        return objects([moment.time() for moment in moments.tolist()]), join_masks(None, ~good)

    return kernel


def _datetime(wish: Wish) -> Kernel:
    read = _time_format(wish)
    # an instant is in no zone
    zone = None if wish.timezone is None else get_zone("UTC" if read.absolute else wish.timezone)

    def kernel(texts: Texts) -> Parsed:
        moments, good = read.moments(texts)
        if zone is None:
            return moments, join_masks(None, ~good)
        instants, there = _to_utc(moments, zone)
        return objects([each.replace(tzinfo=UTC) for each in instants.tolist()]), join_masks(
            None, ~(good & there)
        )

    return kernel


def _time_format(wish: Wish) -> TimeFormat:
    if wish.argument is None:
        raise ColumnError(f"no format in conversion '{wish.name}'", hint="such as 'date:%Y-%m-%d'")
    return TimeFormat(wish.argument, ignore_rest=wish.ignore_rest)


def get_zone(name: str) -> datetime.tzinfo:
    """Return the time zone of that name in the tz database."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ColumnError(
            f"no time zone '{name}'",
            hint="names are like 'Europe/Stockholm'; 'pip install tzdata' brings them",
        ) from None


def _to_utc(moments: Moments, zone: datetime.tzinfo) -> tuple[Moments, Mask]:
    """Return what the clocks of UTC show when those of `zone` show `moments`, and which of these are dates.

    Of a moment that a zone has twice, the first is meant; one that it skips counts on from before the gap.
    """
    if zone is UTC:
        return moments, np.ones(len(moments), np.bool_)
    days, places = np.unique(moments.astype("M8[D]"), return_inverse=True)
    begins, ends = (
        np.array([_offset(day, zone) for day in (days.astype("M8[us]") + rest).tolist()], "m8[us]")
        for rest in (np.timedelta64(0, "us"), np.timedelta64(86_400_000_000 - 1, "us"))
    )
    offsets = begins[places]
    # no zone has ever changed its clocks and changed them back within a day
    for place in np.flatnonzero((begins != ends)[places]).tolist():
        offsets[place] = _offset(moments[place].item(), zone)
    instants = moments - offsets
    there = (instants >= np.datetime64("0001-01-01")) & (instants < np.datetime64("10000-01-01"))
    instants[~there] = 0
    return instants, there


def _offset(moment: datetime.datetime, zone: datetime.tzinfo) -> datetime.timedelta:
    return moment.replace(tzinfo=zone).utcoffset() or datetime.timedelta()


# ---- the table


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
    "date": _Row("date", _date),
    "datetime": _Row("datetime", _datetime),
    "time": _Row("time", _time),
}
# by name; those that have one read a text's beginning when their name has an "i" at its end
CONVERSIONS: Final[Mapping[str, _Row]] = MappingProxyType(
    _LENIENT
    | {name + "i": row._replace(ignore_rest=True) for name, row in _LENIENT.items()}
    | {
        "ascii": _Row("ascii", _ascii),
        "asciistrip": _Row("ascii", _stripped(_ascii)),
        "bytes": _Row("bytes", _bytes),
        "bytesstrip": _Row("bytes", _stripped(_bytes)),
        "complex32": _Row("complex32", numerals.make_complex32),
        "complex64": _Row("complex64", numerals.make_complex64),
        "json": _Row("json", _json),
        "number": _Row("number", numerals.make_number),
        "strbool": _Row("bool", numerals.make_strbool),
        "unicode": _Row("unicode", _unicode),
        "unicodestrip": _Row("unicode", _stripped(_unicode)),
    }
)
