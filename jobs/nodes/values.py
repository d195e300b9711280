"""Users' values to bytes and back: pickle, where jobs and datasets stand by their content, and JSON."""

import io
import json
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from cas.errors import AccError
from cas.formats.canonical import dumps, tag, untag
from jobs.nodes.references import Dereference, Referable, Saveable, to_structure

# 4 reads in every Python that acc runs on, and its bytes do not depend on the newest one's default
PICKLE_PROTOCOL = 4


class Unpicklable(AccError, TypeError):
    """A value that pickle cannot hold."""


class DotDict(dict[str, Any]):
    """A dict whose items are attributes too; names that begin with an underscore only by item.

    >>> DotDict(colour="red").colour
    'red'
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self:
            raise AttributeError(
                f"no '{name}' here" + (f"; there is {', '.join(map(repr, self))}" if self else "")
            )
        return self[name]

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            raise AttributeError(f"'{name}' can be set as an item only")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]


def dotted(value: Any) -> Any:
    """Return `value` with every plain dict in it a `DotDict`."""
    if isinstance(value, Mapping):
        return DotDict((key, dotted(item)) for key, item in value.items())
    if isinstance(value, list):
        return [dotted(item) for item in value]
    return value


def as_held(value: Any) -> Any:
    """Return `value` as a node holds it, so that a method sees of an option what its key says and no more.

    Plain dicts and sets are in canonical order; numpy scalars and instances of subclasses are the values of
    built-in types that they count as. Jobs, datasets and files stay what they are.
    """
    kind = type(value)
    if kind in (list, tuple):
        return kind(map(as_held, value))
    if kind in (set, frozenset):
        return kind(as_held(item) for item in sorted(value, key=_canonical))
    if kind in _LEAVES or isinstance(value, Referable):
        return value
    if isinstance(value, OrderedDict):
        return OrderedDict((as_held(key), as_held(item)) for key, item in value.items())
    if isinstance(value, dict):
        ordered = ((as_held(key), as_held(value[key])) for key in sorted(value, key=_canonical))
        return DotDict(ordered) if kind is DotDict else dict(ordered)
    return untag(tag(value))


_LEAVES: Final = frozenset({type(None), bool, int, float, complex, str, bytes})


def _canonical(value: object) -> bytes:
    return dumps(to_structure(value))


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, Referable):
            return None
        reference = obj.to_saved_reference() if isinstance(obj, Saveable) else obj.to_reference()
        return next(iter(reference.items()))


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, dereference: Dereference, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._dereference = dereference

    def persistent_load(self, pid: Any) -> Any:
        return self._dereference(*pid)


def to_pickle(value: object) -> bytes:
    """Return `value` pickled; jobs, datasets and withfiles in it are references to their content."""
    stream = io.BytesIO()
    try:
        _Pickler(stream, PICKLE_PROTOCOL).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError) as err:
        raise Unpicklable(f"cannot save a '{type(value).__name__}': {err}") from err
    return stream.getvalue()


def from_pickle(data: bytes, dereference: Dereference, *, encoding: str = "bytes") -> Any:
    """Return the value that `to_pickle` was given; `dereference(tag, content)` gives what a reference stands for."""
    return _Unpickler(io.BytesIO(data), dereference, encoding).load()


def to_json_bytes(value: object, *, sort_keys: bool = True) -> bytes:
    """Return `value` as JSON for people: indented, UTF-8, with a newline at its end."""
    text = json.dumps(value, indent=2, sort_keys=sort_keys, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


def from_json_bytes(data: bytes) -> Any:
    """Return the value of a JSON text, its mappings as `DotDict`."""
    return json.loads(data, object_pairs_hook=DotDict)
