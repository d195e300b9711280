"""The column types: what each accepts, and the one Python value that stands for it."""

import datetime
import json
import operator
import pickle
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from jobs.errors import ColumnError, OutOfRange, WrongType

Check: TypeAlias = Callable[[Any], Any]

UTC: Final = datetime.UTC
# what Python itself turns into text and back (sys.set_int_max_str_digits): 4,300 digits
LARGEST_INT_BITS: Final = 14_284
_MEANT_AS_NUMBER: Final = "numbers are wanted; 'parsed:{name}' takes text too"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What a column of one type takes and gives back.

    Attributes
    ----------
    name : str
        As a user writes it, "parsed:int64" for one.
    base : str
        The type that is stored and read back: "int64".
    dtype : str or None
        The numpy type of the values in arrays (little-endian), or None when they are objects there.
    kind : str
        "fixed" numpy arrays, "text" joined bytes, "object" a mixture or a serialised form.
    exact : tuple of type
        Values of exactly these types are as `check` would return them, but for their range.
    has_minmax : bool
        Whether the smallest and the largest value are noted.
    check : callable
        One value (never None, but in json and pickle) to the value that is read back.
    keep : callable
        One value to what a batch is made of: as `check`, or the text of a json value, or the bytes of a pickle.
    parsed : bool
        Whether text is converted when it is written.
    """

    name: str
    base: str
    dtype: str | None
    kind: Literal["fixed", "text", "object"]
    exact: tuple[type, ...]
    has_minmax: bool
    check: Check
    keep: Check
    parsed: bool = False


def get_type(name: str) -> ColumnType:
    """Return the column type of that name; raise `ColumnError` when there is none.

    >>> get_type("parsed:int64").check(" 17 ")
    17
    """
    try:
        return TYPES[name]
    except KeyError:
        raise ColumnError(f"no column type '{name}'", hint="there are " + ", ".join(TYPES)) from None


# ---- numbers


def check_number(value: Any) -> int | float:
    """Return an int or a float, as `value` is one; a bool is 0 or 1."""
    value = _plain(value)
    if isinstance(value, float):
        return float(value)
    if hasattr(type(value), "__index__"):
        number = operator.index(value)
        if number.bit_length() > LARGEST_INT_BITS:
            raise OutOfRange(
                "an integer of more than 4300 digits", hint="Python itself does not write it as text"
            )
        return number
    return check_float(value, "number")


def _check_integer(bits: int) -> Check:
    name, bound = f"int{bits}", 1 << (bits - 1)

    def check(value: Any) -> int:
        value = _plain(value)
        if not hasattr(type(value), "__index__"):
            raise WrongType(f"no {name}: {_show(value)}", hint=_MEANT_AS_NUMBER.format(name=name))
        number = operator.index(value)
        if not -bound <= number < bound:
            raise OutOfRange(f"too large for {name}: {_show(number)}")
        return number

    return check


def check_float(value: Any, name: str = "float64") -> float:
    """Return `value`, a number of any kind but complex, as a float."""
    kind = type(value)
    if isinstance(value, (str, bytes)) or not (hasattr(kind, "__float__") or hasattr(kind, "__index__")):
        raise WrongType(f"no {name}: {_show(value)}", hint=_MEANT_AS_NUMBER.format(name=name))
    try:
        return float(value)
    except OverflowError:
        raise OutOfRange(f"too large for {name}: {_show(value)}") from None


def check_float32(value: Any) -> float:
    """Return `value` as the nearest float of 32 bits; never turn a finite number into infinity."""
    return _round_to_float32(check_float(value, "float32"), "float32")


def _round_to_float32(number: float, name: str) -> float:
    try:
        rounded: float = _FLOAT32.unpack(_FLOAT32.pack(number))[0]
    except OverflowError:
        raise OutOfRange(f"too large for {name}: {_show(number)}") from None
    return rounded


def check_complex64(value: Any, name: str = "complex64") -> complex:
    """Return `value`, a number of any kind, as a complex of two 64-bit floats."""
    if isinstance(value, complex):
        return complex(value)
    if hasattr(type(value), "__complex__") and not isinstance(value, (str, bytes)):
        return complex(value)
    return complex(check_float(value, name))


def check_complex32(value: Any) -> complex:
    """Return `value`, a number of any kind, as a complex whose parts are rounded to 32 bits."""
    name = "complex32"
    number = check_complex64(value, name)
    return complex(_round_to_float32(number.real, name), _round_to_float32(number.imag, name))


def check_bool(value: Any) -> bool:
    """Return True or False for these two, and for the integers 1 and 0."""
    value = _plain(value)
    if not hasattr(type(value), "__index__"):
        raise WrongType(f"no bool: {_show(value)}", hint="True, False, 1 and 0 are wanted")
    if value not in (0, 1):
        raise OutOfRange(f"no bool: {_show(value)}", hint="True, False, 1 and 0 are wanted")
    return bool(value)


def _plain(value: Any) -> Any:
    """Return the Python value that a numpy scalar holds; any other value as it is."""
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


# ---- dates and times


def check_date(value: Any) -> datetime.date:
    """Return the date of a date or a datetime."""
    # the NaT of pandas is a date, and not equal to itself
    if not isinstance(value, datetime.date) or value != value:  # noqa: PLR0124
        raise WrongType(f"no date: {_show(value)}")
    return datetime.date(value.year, value.month, value.day)


def check_datetime(value: Any) -> datetime.datetime:
    """Return a datetime that is naive or in UTC, with its fold."""
    if not isinstance(value, datetime.datetime) or value != value:  # noqa: PLR0124
        raise ColumnError(f"no datetime: {_show(value)}")
    zone = _check_zone(value)
    day = datetime.datetime(value.year, value.month, value.day)
    return day.replace(
        hour=value.hour,
        minute=value.minute,
        second=value.second,
        microsecond=value.microsecond,
        tzinfo=zone,
        fold=value.fold,
    )


def check_time(value: Any) -> datetime.time:
    """Return a time that is naive or in UTC, with its fold."""
    if not isinstance(value, datetime.time):
        raise WrongType(f"no time: {_show(value)}")
    zone = _check_zone(value)
    return datetime.time(value.hour, value.minute, value.second, value.microsecond, zone, fold=value.fold)


def _check_zone(value: datetime.datetime | datetime.time) -> datetime.timezone | None:
    if value.tzinfo is None:
        return None
    # by its name too: other zones are at offset zero in winter
    if value.tzinfo is UTC or (not value.utcoffset() and value.tzname() == "UTC"):
        return UTC
    raise ColumnError(
        f"a time zone other than UTC: {_show(value)}", hint="'.astimezone(timezone.utc)' converts"
    )


# ---- text, json, pickle


def check_bytes(value: Any) -> bytes:
    """Return `value`, which is bytes and nothing else."""
    if not isinstance(value, bytes):
        raise WrongType(f"no bytes: {_show(value)}")
    return bytes.__bytes__(value)


def check_ascii(value: Any) -> str:
    """Return text of ASCII characters, given as such or as bytes."""
    if not isinstance(value, (str, bytes)):
        raise WrongType(f"no ascii: {_show(value)}")
    if not value.isascii():
        text = value if isinstance(value, str) else value.decode("latin-1")
        position = next(place for place, char in enumerate(text) if not char.isascii())
        hint = "'unicode' and 'bytes' hold it"
        raise ColumnError(f"no ascii at position {position}: {_show(value)}", hint=hint)
    return bytes.decode(value, "ascii") if isinstance(value, bytes) else str.__str__(value)


def check_unicode(value: Any) -> str:
    """Return text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise WrongType(f"no unicode: {_show(value)}")
    if not value.isascii():
        try:
            str.encode(value)
        except UnicodeEncodeError as err:
            raise ColumnError(f"half a character at position {err.start}: {_show(value)}") from err
    return str.__str__(value)


def keep_json(value: Any) -> str:
    """Return the one-line text of a json value."""
    try:
        return _encode_json(value)
    except TypeError as err:
        raise WrongType(f"no json: {_show(value)}", hint=str(err)) from err
    except (ValueError, RecursionError) as err:
        raise ColumnError(f"no json: {_show(value)}", hint=str(err)) from err


def check_json(value: Any) -> Any:
    """Return a json value as it is read back: a tuple as list, keys as text."""
    return json.loads(keep_json(value))


def keep_pickle(value: Any) -> bytes:
    """Return the pickle of `value`."""
    try:
        return pickle.dumps(value, 4)
    except Exception as err:
        raise WrongType(f"no pickle: {_show(value)}", hint=str(err)) from err


def _same(value: Any) -> Any:
    return value


# ---- parsed: text becomes a number when it is written


def _parsed(name: str, parse: Check, check: Check) -> Check:
    def convert(value: Any) -> Any:
        try:
            return check(parse(value))
        except OverflowError as err:
            raise OutOfRange(f"too large for {name}: {_show(value)}") from err
        except (ValueError, TypeError) as err:
            raise ColumnError(f"no {name}: {_show(value)}") from err

    return convert


def _parse_number(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        try:
            return int(value)
        except ValueError:
            return float(value)
    return value


def _parse_complex(value: Any) -> complex:
    return complex(value.decode("ascii") if isinstance(value, bytes) else value)


def _parse_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, (str, bytes)) else value


# ---- the table


def _show(value: object) -> str:
    """Return `value` for a message, in single quotes; long ones are cut."""
    try:
        text = value if isinstance(value, str) and value.isprintable() else ascii(value)
    except Exception:  # noqa: BLE001 - a message must not fail on what it tells of
        text = f"a {type(value).__name__}"
    return "'" + (text if len(text) <= 60 else text[:57] + "...") + "'"


_FLOAT32 = struct.Struct("<f")
_encode_json = json.JSONEncoder(separators=(",", ":")).encode


def _type(name: str, check: Check, *exact: type, **fields: Any) -> ColumnType:
    plain = {"dtype": None, "kind": "fixed", "has_minmax": True, "keep": check}
    return ColumnType(name=name, base=name, exact=exact, check=check, **(plain | fields))


_TABLE: Final = (
    _type("number", check_number, int, float, kind="object"),
    _type("int64", _check_integer(64), int, dtype="<i8"),
    _type("int32", _check_integer(32), int, dtype="<i4"),
    _type("float64", check_float, float, dtype="<f8"),
    _type("float32", check_float32, float, dtype="<f4"),
    # two floats of 64 bits, two of 32: the names are the peer's
    _type("complex64", check_complex64, complex, dtype="<c16", has_minmax=False),
    _type("complex32", check_complex32, complex, dtype="<c8", has_minmax=False),
    _type("bool", check_bool, bool, dtype="|b1"),
    _type("date", check_date, datetime.date, dtype="<M8[D]"),
    _type("time", check_time, datetime.time, dtype="<m8[us]"),
    _type("datetime", check_datetime, datetime.datetime, dtype="<M8[us]"),
    _type("bytes", check_bytes, bytes, kind="text", has_minmax=False),
    _type("ascii", check_ascii, str, kind="text", has_minmax=False),
    _type("unicode", check_unicode, str, kind="text", has_minmax=False),
    _type("json", check_json, kind="object", has_minmax=False, keep=keep_json),
    _type("pickle", _same, kind="object", has_minmax=False, keep=keep_pickle),
)
_PARSERS: Final[Mapping[str, Check]] = {
    "number": _parse_number,
    "int64": int,
    "int32": int,
    "float64": float,
    "float32": float,
    "complex64": _parse_complex,
    "complex32": _parse_complex,
    "json": _parse_json,
}


def _parsed_type(of: ColumnType) -> ColumnType:
    parse, name = _PARSERS[of.base], "parsed:" + of.base
    check, keep = _parsed(name, parse, of.check), _parsed(name, parse, of.keep)
    return replace(of, name=name, exact=(), check=check, keep=keep, parsed=True)


TYPES: Final[Mapping[str, ColumnType]] = MappingProxyType(
    {each.name: each for each in _TABLE}
    | {"parsed:" + each.name: _parsed_type(each) for each in _TABLE if each.name in _PARSERS}
)
