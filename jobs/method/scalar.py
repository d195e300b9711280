"""The types that an option can have by itself: which values each takes, and how it reads a text."""

import datetime
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from jobs.errors import OptionError

_TRUE: Final = frozenset({"true", "1", "t", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "f", "no", "off", ""})


class Refused(OptionError):
    """A value that an option does not take; the option's name is not known yet.

    Attributes
    ----------
    value : object
        The culprit itself, which may lie deep inside the option.
    takes : str
        What would do, as "an int".
    place : str
        Where in the option the culprit is, as "[2]['colour']".
    """

    def __init__(self, value: object, takes: str, place: str = "") -> None:
        super().__init__(f"{value!r} is not {takes}")
        self.value = value
        self.takes = takes
        self.place = place

    def inside(self, key: object) -> "Refused":
        """Return the same refusal, seen from the container that has the culprit under `key`."""
        return Refused(self.value, self.takes, f"[{key!r}]{self.place}")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type of option.

    Attributes
    ----------
    name : str
        Its name in JSON.
    takes : str
        What a message calls a value of it.
    accept : callable
        Returns a value of it for one that is of it; raises TypeError, ValueError or OverflowError for others.
    coerce : callable
        The same, but takes numbers and texts that can be made a value of the type.
    """

    name: str
    takes: str
    accept: Callable[[object], object]
    coerce: Callable[[object], object]


def plain(value: object) -> object:
    """Return a numpy scalar as the Python value that it holds, anything else as it is."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return value.item()
    return value


def _only(value: object, *kinds: type) -> None:
    if not isinstance(value, kinds):
        raise TypeError(type(value).__name__)


def _no_text_of_ours(value: object) -> None:
    # a job, a dataset or an input file is a str too, and must never become a mere text
    if isinstance(value, str) and type(value) is not str:
        raise TypeError(type(value).__name__)


# ---- numbers and texts


def _accept_int(value: object) -> object:
    _only(value, int)
    return int(value)  # type: ignore[call-overload] # just seen


def _coerce_int(value: object) -> object:
    _only(value, int, float, str)
    _no_text_of_ours(value)
    return int(value)  # type: ignore[call-overload] # just seen


def _accept_float(value: object) -> object:
    _only(value, float, int)
    return float(value)  # type: ignore[arg-type] # just seen


def _coerce_float(value: object) -> object:
    _only(value, float, int, str)
    _no_text_of_ours(value)
    return float(value)  # type: ignore[arg-type] # just seen


def _accept_complex(value: object) -> object:
    _only(value, complex, float, int)
    return complex(value)  # type: ignore[call-overload] # just seen


def _coerce_complex(value: object) -> object:
    _only(value, complex, float, int, str)
    _no_text_of_ours(value)
    return complex(value)  # type: ignore[call-overload] # just seen


def _accept_bool(value: object) -> object:
    _only(value, int)
    if value not in (0, 1):
        raise ValueError(value)
    return bool(value)


def _coerce_bool(value: object) -> object:
    _only(value, int, float, str)
    if not isinstance(value, str):
        return bool(value)
    word = str.lower(value)
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _accept_str(value: object) -> object:
    _only(value, str)
    return value


def _coerce_str(value: object) -> object:
    _only(value, str, int, float, complex, PurePath)
    return value if isinstance(value, str) else str(value)


def _accept_bytes(value: object) -> object:
    _only(value, bytes, bytearray)
    return bytes(value)  # type: ignore[call-overload] # just seen


def _coerce_bytes(value: object) -> object:
    _no_text_of_ours(value)
    return value.encode() if isinstance(value, str) else _accept_bytes(value)


# ---- dates and paths


def _accept_datetime(value: object) -> object:
    _only(value, datetime.date)
    if isinstance(value, datetime.datetime):
        return value
    assert isinstance(value, datetime.date)
    return datetime.datetime(value.year, value.month, value.day)


def _accept_date(value: object) -> object:
    _only(value, datetime.date)
    return value.date() if isinstance(value, datetime.datetime) else value


def _accept_time(value: object) -> object:
    _only(value, datetime.time, datetime.datetime)
    return value.timetz() if isinstance(value, datetime.datetime) else value


def _accept_timedelta(value: object) -> object:
    if isinstance(value, datetime.timedelta):
        return value
    _only(value, int, float)
    return datetime.timedelta(seconds=value)  # type: ignore[arg-type] # just seen


def _coerce_timedelta(value: object) -> object:
    return datetime.timedelta(seconds=float(value)) if type(value) is str else _accept_timedelta(value)


def _reading(read: Callable[[str], object], accept: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: read(value) if type(value) is str else accept(value)


def _accept_path(value: object) -> object:
    _only(value, str, PurePath)
    _no_text_of_ours(value)
    return Path(value)  # type: ignore[arg-type] # just seen


def _accept_pure_path(value: object) -> object:
    _only(value, str, PurePath)
    _no_text_of_ours(value)
    return PurePath(value)  # type: ignore[arg-type] # just seen


# ---- containers of anything


def words(text: str) -> list[str]:
    """Return the parts of a comma separated text, without the blanks around them; none for an empty one."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _accept_list(value: object) -> object:
    _only(value, list, tuple)
    return list(value)  # type: ignore[call-overload] # just seen


def _accept_tuple(value: object) -> object:
    _only(value, list, tuple)
    return tuple(value)  # type: ignore[arg-type] # just seen


def _accept_set(value: object) -> object:
    _only(value, list, tuple, set, frozenset)
    return set(value)  # type: ignore[call-overload] # just seen


def _accept_dict(value: object) -> object:
    _only(value, Mapping)
    kind = OrderedDict if isinstance(value, OrderedDict) else dict
    return kind(value)  # type: ignore[call-overload] # just seen


_TYPES: Final[Mapping[type, Scalar]] = types.MappingProxyType(
    {
        bool: Scalar("bool", "true or false", _accept_bool, _coerce_bool),
        int: Scalar("int", "an int", _accept_int, _coerce_int),
        float: Scalar("float", "a float", _accept_float, _coerce_float),
        complex: Scalar("complex", "a complex number", _accept_complex, _coerce_complex),
        str: Scalar("str", "a text", _accept_str, _coerce_str),
        bytes: Scalar("bytes", "bytes", _accept_bytes, _coerce_bytes),
        datetime.datetime: Scalar(
            "datetime",
            "a datetime",
            _accept_datetime,
            _reading(datetime.datetime.fromisoformat, _accept_datetime),
        ),
        datetime.date: Scalar(
            "date", "a date", _accept_date, _reading(datetime.date.fromisoformat, _accept_date)
        ),
        datetime.time: Scalar(
            "time", "a time", _accept_time, _reading(datetime.time.fromisoformat, _accept_time)
        ),
        datetime.timedelta: Scalar(
            "timedelta", "a timedelta or seconds", _accept_timedelta, _coerce_timedelta
        ),
        Path: Scalar("path", "a path", _accept_path, _accept_path),
        PurePath: Scalar("purepath", "a path", _accept_pure_path, _accept_pure_path),
        list: Scalar("list", "a list", _accept_list, _reading(words, _accept_list)),
        tuple: Scalar(
            "tuple", "a tuple", _accept_tuple, _reading(lambda text: tuple(words(text)), _accept_tuple)
        ),
        set: Scalar("set", "a set", _accept_set, _reading(lambda text: set(words(text)), _accept_set)),
        dict: Scalar("dict", "a dict", _accept_dict, _accept_dict),
    }
)
_BY_NAME: Final = {scalar.name: scalar for scalar in _TYPES.values()}


def find_type(kind: type) -> Scalar | None:
    """Return the scalar that `kind`, written as a declaration, stands for, or None."""
    return _TYPES.get(kind) or next(
        (_TYPES[base] for base in (Path, PurePath) if issubclass(kind, base)), None
    )


def find_type_of(value: object) -> Scalar | None:
    """Return the scalar of which `value`, written as a declaration, is the default."""
    for base in type(plain(value)).__mro__:
        if base in _TYPES:
            return _TYPES[base]
    return None


def get_scalar(name: str) -> Scalar:
    """Return the scalar called `name`; raise KeyError when there is none."""
    return _BY_NAME[name]
