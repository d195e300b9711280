"""Canonical JSON: one value, one byte string; and the tags for what JSON lacks.

Two layers. A *structure* is what JSON holds without doubt (no floats, no large integers): `dumps`, `loads`.
A user's *value* becomes a structure by `tag` and comes back by `untag`, so that `1`, `1.0` and `True` differ,
and no value of a user passes for structure of ours: an object with a key that begins with "$" is a tag.
"""

import binascii
import datetime
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path, PosixPath, PurePosixPath
from typing import Any, Final, NoReturn, TypeAlias

from cas.errors import AccError, NotCanonical

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None
TagHook: TypeAlias = Callable[[object], Json | None]
UntagHook: TypeAlias = Callable[[str, Json], object]

# the integers that every JSON reader holds exactly, also those whose numbers are doubles
_LARGEST: Final = 2**53 - 1

# check_circular: a circle is found by the check before, so the encoder need not look (1 us a call)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


# a list takes some 64 bytes
_LONG_BYTES: Final = 16 << 20
_BYTES_A_LIST: Final = 32


def dumps(structure: Json) -> bytes:
    """Return the canonical bytes of `structure`; raise `NotCanonical` for what is none.

    >>> dumps({"b": [1, True, None], "a": "x"})
    b'{"a":"x","b":[1,true,null]}'
    """
    try:
        _check(structure)
        return _encode(structure).encode()
    except UnicodeEncodeError as err:
        raise NotCanonical(f"text that is no Unicode: {err.object!a}") from err
    except RecursionError as err:
        raise NotCanonical("a value that is nested too deeply, or holds itself") from err


def loads(data: bytes) -> Json:
    """Return the structure whose canonical bytes `data` is; raise `NotCanonical` when it is no such thing."""
    try:
        structure: Json = _DECODER.decode(data.decode())
        # encoded again: whatever JSON leaves free (order, spaces, escapes, double keys) shows as a difference
        if _encode(structure).encode() != data:
            raise NotCanonical("JSON that is not in canonical form")
        if _may_hold_large_integer(data):
            _check(structure)
    except (ValueError, RecursionError) as err:
        if isinstance(err, NotCanonical):
            raise
        raise NotCanonical(f"bytes that are no canonical JSON: {err}") from err
    return structure


def is_dense(data: bytes) -> bool:
    """Return whether `data` would take much more memory as a structure: a long text with a list every few bytes.

    Ours never does: most of a long one are ids. Of what others have written that is asked first.
    """
    return len(data) > _LONG_BYTES and _BYTES_A_LIST * (data.count(b"[") + data.count(b"{")) > len(data)


def tag(value: object, hook: TagHook | None = None) -> Json:
    """Return a user's value as a structure; raise `NotCanonical` naming type and place of what cannot be.

    Parameters
    ----------
    value : object
        Built of None, bool, int, float, complex, str, bytes, dates, times, paths, lists, tuples, sets, dicts.
        Subclasses of int, float, str and bytes count as what they derive from, numpy scalars as the Python
        value that they hold; an `Enum` is refused.
    hook : callable, optional
        Asked first about every value that is not exactly of a built-in type; returns its structure, or None.

    Examples
    --------
    >>> tag({"size": 0.5, "names": ("a", "b")})
    {'size': {'$f': '0x1.0000000000000p-1'}, 'names': {'$tuple': ['a', 'b']}}
    """
    try:
        return _tag(value, hook)
    except NotCanonical as err:
        where, reason = _find_culprit(value, hook) or ("", str(err))
        raise NotCanonical(f"{reason} at {where}" if where else reason) from err
    except RecursionError as err:
        raise NotCanonical("a value that is nested too deeply, or holds itself") from err


def untag(structure: Json, hook: UntagHook | None = None) -> object:
    """Return the value that `tag` made `structure` of; raise `NotCanonical` when it did not.

    Parameters
    ----------
    structure : Json
        What `tag` returned.
    hook : callable, optional
        Given name and content of every tag that is not one of this room's ("$job"), returns the value.
    """
    try:
        return _untag(structure, hook)
    except AccError:
        raise  # a hook says more than that the tag is wrong
    except (TypeError, ValueError, LookupError, OverflowError) as err:
        raise NotCanonical(f"a tag that holds what it should not: {err}") from err
    except RecursionError as err:
        raise NotCanonical("a value that is nested too deeply") from err


# ---- structures


_encode: Callable[[Json], str] = _ENCODER.encode


def _check(structure: object) -> None:
    kind = type(structure)
    if kind is dict:
        _check_object(structure)  # type: ignore[arg-type] # just seen
    elif kind is list:
        for item in structure:  # type: ignore[attr-defined] # just seen
            if type(item) is not str:
                _check(item)
    elif kind is int:
        if not -_LARGEST <= structure <= _LARGEST:  # type: ignore[operator] # just seen
            raise NotCanonical(f"the integer {structure} is too large for JSON")
    elif kind not in _AS_IT_IS:
        raise NotCanonical(f"a '{_type_name(structure)}' is no JSON")


def _check_object(structure: dict[object, object]) -> None:
    for key, item in structure.items():
        if type(key) is not str:
            raise NotCanonical(f"a '{_type_name(key)}' as key of a JSON object")
        if type(item) is not str:
            _check(item)


def _refuse(text: str) -> NoReturn:
    raise NotCanonical(f"the number {text} is not in canonical form")


_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
_DIGITS_TO_ZERO = bytes(ord("0") if byte in b"0123456789" else byte for byte in range(256))


def _may_hold_large_integer(data: bytes) -> bool:
    # 2^53 has 16 digits; so runs of 16 are looked for, which costs a tenth of looking at each number
    return b"0" * 16 in data.translate(_DIGITS_TO_ZERO)


# ---- values to structures


_AS_IT_IS: Final = frozenset({str, bool, type(None)})


def _tag(value: object, hook: TagHook | None) -> Json:
    kind = type(value)
    if kind in _AS_IT_IS:
        return value  # type: ignore[return-value] # a JSON type, just seen
    tagger = _TAGGERS.get(kind)
    if tagger is not None:
        return tagger(value, hook)
    if hook is not None and (structure := hook(value)) is not None:
        return structure
    return _tag_as_builtin(value, hook)


def _tag_as_builtin(value: object, hook: TagHook | None) -> Json:
    """Tag an instance of a subclass as what it derives from, a numpy scalar as what it holds."""
    if isinstance(value, PurePosixPath):
        return {"$path": str(value)}
    if _is_numpy_scalar(value):
        return _tag(_python_value(value), hook)
    if not isinstance(value, Enum):
        for base, plain in _BASES:
            if isinstance(value, base):
                return _tag(plain(value), hook)
    raise NotCanonical(f"a '{_type_name(value)}' cannot be stored as a value")


def _is_numpy_scalar(value: object) -> bool:
    return any(base.__name__ == "generic" and base.__module__ == "numpy" for base in type(value).__mro__)


def _python_value(scalar: Any) -> object:
    value: object = scalar.item()
    # datetime64 in nanoseconds gives an int and NaT gives None, which mean others; a longdouble gives itself
    if _is_numpy_scalar(value) or (scalar.dtype.kind in "mM" and type(value) not in _DATES):
        raise NotCanonical(f"a '{_type_name(scalar)}' that no Python value is equal to")
    return value


def _tag_int(value: int, _: TagHook | None) -> Json:
    return value if -_LARGEST <= value <= _LARGEST else {"$int": str(value)}


def _tag_list(value: Iterable[object], hook: TagHook | None) -> list[Json]:
    return [_tag(item, hook) for item in value]


def _tag_set(value: Iterable[object], hook: TagHook | None) -> list[Json]:
    return sorted(_tag_list(value, hook), key=_encode)


def _tag_dict(value: dict[object, object], hook: TagHook | None) -> Json:
    plain: dict[str, Json] = {}
    for key, item in value.items():
        if type(key) is not str or key[:1] == "$":
            return _tag_odd_dict(value, hook)
        # _tag(item, hook), but most options are small and plain, and a key is made of them for each job
        plain[key] = item if type(item) in _AS_IT_IS else _tag(item, hook)  # type: ignore[assignment] # just seen
    return plain


def _tag_odd_dict(value: dict[object, object], hook: TagHook | None) -> Json:
    """Tag a dict with a key that is no plain string, or that could be a tag."""
    pairs = [(_tag(key, hook), _tag(item, hook)) for key, item in value.items()]
    plain = {key: item for key, item in pairs if type(key) is str and key[:1] != "$"}
    if len(plain) == len(pairs):
        return plain
    # by key; the values decide only between keys that are nan
    return {
        "$dict": [[*pair] for pair in sorted(pairs, key=lambda pair: (_encode(pair[0]), _encode(pair[1])))]
    }


def _tag_moment(value: datetime.datetime | datetime.time) -> Json:
    zone = value.tzinfo
    if zone is None or type(zone) is datetime.timezone:
        return [value.isoformat(), 1] if value.fold else value.isoformat()
    # wall time and zone: the offset follows from these, and may be corrected by a later time zone database
    name = getattr(zone, "key", None)
    if type(zone).__module__ not in ("zoneinfo", "zoneinfo._zoneinfo") or name is None:
        raise NotCanonical(f"a time zone of type '{_type_name(zone)}' cannot be stored as a value")
    return [value.replace(tzinfo=None).isoformat(), value.fold, str(name)]


_TAGGERS: Final[dict[type, Callable[[Any, TagHook | None], Json]]] = {
    int: _tag_int,
    list: _tag_list,
    dict: _tag_dict,
    float: lambda value, _: {"$f": value.hex()},
    tuple: lambda value, hook: {"$tuple": _tag_list(value, hook)},
    set: lambda value, hook: {"$set": _tag_set(value, hook)},
    frozenset: lambda value, hook: {"$frozenset": _tag_set(value, hook)},
    bytes: lambda value, _: {"$bytes": binascii.b2a_base64(value, newline=False).decode()},
    complex: lambda value, _: {"$c": [value.real.hex(), value.imag.hex()]},
    datetime.date: lambda value, _: {"$date": value.isoformat()},
    datetime.datetime: lambda value, _: {"$datetime": _tag_moment(value)},
    datetime.time: lambda value, _: {"$time": _tag_moment(value)},
    datetime.timedelta: lambda value, _: {"$timedelta": [value.days, value.seconds, value.microseconds]},
    PosixPath: lambda value, _: {"$path": str(value)},
    OrderedDict: lambda value, hook: {
        "$odict": [[_tag(key, hook), _tag(item, hook)] for key, item in value.items()]
    },
}
# the plain methods: a subclass may print or count itself as something else
_BASES: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (bytes, bytes.__bytes__),
    (OrderedDict, OrderedDict),
    (dict, dict),
)
_DATES: Final = frozenset({datetime.date, datetime.datetime, datetime.timedelta})


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _find_culprit(value: object, hook: TagHook | None) -> tuple[str, str] | None:
    """Return place and reason of the innermost value that cannot be tagged."""
    for place, part in _parts(value):
        try:
            _tag(part, hook)
        except NotCanonical as err:
            inner = _find_culprit(part, hook)
            return (place + inner[0], inner[1]) if inner else (place, str(err))
    return None


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"key {key!r}", key
            yield f"[{key!r}]", item
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield f"[{number}]", item
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield f"{{{item!r}}}", item


# ---- structures to values


def _untag(structure: Json, hook: UntagHook | None) -> object:
    if isinstance(structure, list):
        return [_untag(item, hook) for item in structure]
    if isinstance(structure, dict):
        for key in structure:
            if key[:1] == "$":
                return _untag_tag(structure, hook)
        return {key: _untag(item, hook) for key, item in structure.items()}
    return structure


def _untag_tag(structure: dict[str, Json], hook: UntagHook | None) -> object:
    if len(structure) != 1:
        raise NotCanonical(f"a tag with other keys beside it: {', '.join(sorted(structure))}")
    ((name, content),) = structure.items()
    if name in _LEAF_UNTAGGERS:
        value = _LEAF_UNTAGGERS[name](content)
        if _tag(value, None) != structure:  # one value, one structure: else two keys could mean the same
            raise NotCanonical(f"a '{name}' that is not in canonical form: {content!r}")
        return value
    if name in _UNTAGGERS:
        return _UNTAGGERS[name](content, hook)
    if hook is None:
        raise NotCanonical(f"unknown tag '{name}'")
    return hook(name, content)


def _untag_moment(kind: type[datetime.datetime] | type[datetime.time], content: Any) -> object:
    text, fold, *name = content if isinstance(content, list) else (content, 0)
    moment = kind.fromisoformat(text).replace(fold=fold)
    if not name:
        return moment
    import zoneinfo

    return moment.replace(tzinfo=zoneinfo.ZoneInfo(*name))


def _untag_pairs(content: Any, hook: UntagHook | None) -> list[tuple[object, object]]:
    return [(_untag(key, hook), _untag(item, hook)) for key, item in content]


def _untag_items(content: Any, hook: UntagHook | None) -> list[object]:
    if not isinstance(content, list):
        raise NotCanonical(f"a list is wanted, not {content!r}")
    return [_untag(item, hook) for item in content]


_LEAF_UNTAGGERS: Final[dict[str, Callable[[Any], object]]] = {
    "$f": float.fromhex,
    "$int": int,
    "$bytes": binascii.a2b_base64,
    "$c": lambda content: complex(*map(float.fromhex, content)),
    "$date": datetime.date.fromisoformat,
    "$datetime": lambda content: _untag_moment(datetime.datetime, content),
    "$time": lambda content: _untag_moment(datetime.time, content),
    "$timedelta": lambda content: datetime.timedelta(*content),
    "$path": Path,
}
_UNTAGGERS: Final[dict[str, Callable[[Any, UntagHook | None], object]]] = {
    "$tuple": lambda content, hook: tuple(_untag_items(content, hook)),
    "$set": lambda content, hook: set(_untag_items(content, hook)),
    "$frozenset": lambda content, hook: frozenset(_untag_items(content, hook)),
    "$dict": lambda content, hook: dict(_untag_pairs(content, hook)),
    "$odict": lambda content, hook: OrderedDict(_untag_pairs(content, hook)),
}
