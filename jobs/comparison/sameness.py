"""Whether two values are the same, and where they differ first; pickles are read without running what they name."""

import io
import json
import math
import pickle
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator
from functools import cache
from itertools import zip_longest
from reprlib import Repr
from typing import Any, Final, NamedTuple, TypeAlias

_SHOWN_CHARACTERS: Final = 60
_BEFORE_CHARACTERS: Final = 20


class Difference(NamedTuple):
    """The first place where two values differ: `['rows'][3]`, "" for the whole, and what each has there."""

    place: str
    before: str
    after: str


class Unreadable(ValueError):
    """Bytes that are no pickle, or no JSON."""


# a place inside a value: the place that it is in, and the step from there
_Place: TypeAlias = "tuple[_Place, str] | None"
_Pairs: TypeAlias = Iterator[tuple[str, Any, Any]]


class _Missing:
    """What stands for a part that only the other value has."""

    def __repr__(self) -> str:
        return "nothing"


_MISSING: Final = _Missing()


def find_difference(before: object, after: object) -> Difference | None:
    """Return where two values differ first, or None when they are the same.

    Types count, so 1, 1.0 and True differ, and so do 0.0 and -0.0; nan is the same as nan. The order of dicts and sets
    does not count, but of an OrderedDict.

    >>> find_difference({"a": [1, 2]}, {"a": [1, 2.0]})
    Difference(place="['a'][1]", before='2', after='2.0')
    """
    met: set[tuple[int, int]] = set()
    # a stack of our own: values may be nested deeper than Python calls itself, or hold themselves
    stack: list[tuple[_Place, _Pairs]] = [(None, iter([("", before, after)]))]
    while stack:
        place, pairs = stack[-1]
        pair = next(pairs, None)
        if pair is None:
            stack.pop()
            continue
        step, one, other = pair
        if one is other or (type(one) is type(other) and type(one) in _PLAIN and one == other):
            continue
        inner = _inside(one, other)
        if inner is None:
            if not _same_leaf(one, other):
                return _difference((place, step), one, other)
        elif (id(one), id(other)) not in met:
            met.add((id(one), id(other)))
            stack.append(((place, step), inner))
    return None


def is_same(before: object, after: object) -> bool:
    """Return whether two values are the same (see `find_difference`)."""
    return find_difference(before, after) is None


# of these, what is equal is the same
_PLAIN: Final = frozenset({int, bool, str, bytes, type(None)})


def _same_leaf(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return _same_float(one, other)
    if isinstance(one, complex):
        return _same_float(one.real, other.real) and _same_float(one.imag, other.imag)
    if isinstance(one, (set, frozenset)):
        return {(type(each), each) for each in one} == {(type(each), each) for each in other}
    # times are equal whatever their fold; it shows
    return bool(one == other) and repr(one) == repr(other)


def _same_float(one: float, other: float) -> bool:
    if one != one or other != other:  # noqa: PLR0124 - nan
        return one != one and other != other  # noqa: PLR0124
    return one == other and math.copysign(1, one) == math.copysign(1, other)


def _inside(one: Any, other: Any) -> _Pairs | None:
    """Return the parts of two values side by side, or None when they are to be compared as they are."""
    if type(one) is not type(other):
        return None
    if isinstance(one, (list, tuple)):
        return _items(one, other)
    if isinstance(one, dict):
        return _by_key(one, other)
    return one.pairs_with(other) if isinstance(one, _StandIn) else None


def _items(one: Any, other: Any) -> _Pairs:
    for number, (mine, its) in enumerate(zip_longest(one, other, fillvalue=_MISSING)):
        yield f"[{number}]", mine, its


def _by_key(one: dict[Any, Any], other: dict[Any, Any]) -> _Pairs:
    for key, value in one.items():
        yield f"[{show(key)}]", value, other.get(key, _MISSING)
    for key, value in other.items():
        if key not in one:
            yield f"[{show(key)}]", _MISSING, value
    if isinstance(one, OrderedDict):
        yield ".keys()", [*one], [*other]


def _difference(place: _Place, one: Any, other: Any) -> Difference:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(step)
    path = "".join(reversed(steps))
    if type(one) is type(other) and isinstance(one, (str, bytes)) and len(one) > _SHOWN_CHARACTERS:
        at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        start = max(at - _BEFORE_CHARACTERS, 0)
        return Difference(f"{path}[{start}:]", show(one[start:]), show(other[start:]))
    return Difference(path, show(one), show(other))


# ---- to show


class _Show(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxother = self.maxstring = self.maxlong = _SHOWN_CHARACTERS

    def repr_str(self, x: str, _level: int, /) -> str:
        """Return the beginning of a text: where two differ is told by that."""
        return repr(x) if len(x) <= self.maxstring else repr(x[: self.maxstring]) + "..."

    def repr_bytes(self, x: bytes, _level: int, /) -> str:
        """Return the beginning of bytes."""
        return repr(x) if len(x) <= self.maxstring else repr(x[: self.maxstring]) + "..."


_SHOW: Final = _Show()


def show(value: object) -> str:
    """Return `value` for people, in one line; what is long is cut."""
    return _SHOW.repr(value)


# ---- pickles, read without running them


class _StandIn:
    """What a pickle makes by calling something that it names, in parts: what it gives it, sets and adds.

    Attributes
    ----------
    name : str
        What the pickle names.
    parts : mapping of str to object
        Arguments, keywords, state, items, items by key; of an OrderedDict the keys in their order.
    """

    name = ""
    parts: dict[str, Any]

    def __new__(cls, *args: Any, **keywords: Any) -> "_StandIn":
        """Note the arguments; a pickle makes things by their `__new__` as well as by calling them."""
        made = object.__new__(cls)
        made.parts = {
            "args": args,
            "keywords": keywords,
            "state": None,
            "items": [],
            "by key": {},
            "order": [],
        }
        return made

    def __setstate__(self, state: Any) -> None:
        """Note the state."""
        self.parts["state"] = state

    def append(self, item: Any) -> None:
        """Note an item."""
        self.parts["items"].append(item)

    def extend(self, items: Iterable[Any]) -> None:
        """Note several items."""
        self.parts["items"].extend(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Note an item under a key."""
        self.parts["by key"][key] = value
        if self.name == "collections.OrderedDict":
            self.parts["order"].append(key)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and find_difference(self, other) is None

    def __hash__(self) -> int:
        # by what it was made of: a state may come when it is a key already
        args = self.parts["args"]
        return hash((self.name, args if _is_hashable(args) else None))

    def __repr__(self) -> str:
        shown = [*map(show, self.parts["args"])]
        shown += [f"{key}={show(value)}" for key, value in self.parts["keywords"].items()]
        shown += [show(self.parts[part]) for part in ("state", "items", "by key") if self.parts[part]]
        return f"{self.name}({', '.join(shown)})"

    def pairs_with(self, other: "_StandIn") -> _Pairs:
        """Yield the parts of two of one name, side by side."""
        return (("", part, other.parts[name]) for name, part in self.parts.items())


def _is_hashable(args: tuple[Any, ...]) -> bool:
    return all(isinstance(arg, Hashable) and not isinstance(arg, tuple) for arg in args)


@cache
def _stand_in(module: str, name: str) -> type[_StandIn]:
    full = name if module == "builtins" else f"{module}.{name}"
    return type(name, (_StandIn,), {"name": full})


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a class or function; nothing is imported."""
        return _stand_in(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Return what stands for a job, dataset or file."""
        return _stand_in("acc", str(pid[0]))(*pid[1:])


def read_pickle(data: bytes) -> object:
    """Return what a pickle holds, with stand-ins for all that is not built into pickle: good for comparing.

    No class is imported and no code of the pickle runs.

    Raises
    ------
    Unreadable
        When it is no pickle.
    """
    try:
        return _Reader(io.BytesIO(data)).load()
    except Exception as err:
        raise Unreadable(f"no pickle: {err}") from err


def read_json(data: bytes) -> object:
    """Return what a JSON text holds; raise `Unreadable` when it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as err:
        raise Unreadable(f"no JSON: {err}") from err
