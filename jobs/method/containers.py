"""Converters of options that hold others: lists, tuples and sets of them, and dicts with free keys."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cas.formats.canonical import Json, dumps, tag
from jobs.method.converter import Converter, Resolve
from jobs.method.scalar import Refused, words
from jobs.nodes.references import to_structure

_CONTAINERS: Final[Mapping[str, Callable[[Iterable[object]], object]]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}


@dataclass(frozen=True, slots=True)
class Items:
    """A list, tuple or set, declared with what it holds: `[int]`, `{1, 2}`, `()`.

    Attributes
    ----------
    container : str
        "list", "tuple", "set" or "frozenset".
    initial : tuple
        The items when the option is not given.
    """

    container: str
    item: Converter
    initial: tuple[object, ...] = ()

    @property
    def mandatory(self) -> bool:
        """Whether the option must be given: when what it holds must be."""
        return self.item.mandatory

    def default(self, resolve: Resolve, /) -> object:
        """Return the items of the declaration."""
        return self.convert(self.initial, resolve)

    def convert(self, value: object, resolve: Resolve, /) -> object:
        """Return `value`, a collection or a comma separated text, as the container; each item converted."""
        if value is None:
            return None
        converted = []
        for number, item in enumerate(_items_of(value, self.container)):
            try:
                converted.append(self.item.convert(item, resolve))
            except Refused as refused:
                raise refused.inside(number) from refused
        try:
            return _CONTAINERS[self.container](converted)
        except TypeError as err:
            raise Refused(value, "a set of things that can be hashed") from err

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        initial = tag(list(self.initial))
        return {"kind": "items", "container": self.container, "item": self.item.to_json(), "initial": initial}


def _items_of(value: object, container: str) -> Iterable[object]:
    if isinstance(value, str):
        # what is a str but no mere text (a job, a dataset) is one item
        return words(value) if type(value) is str else [value]
    if isinstance(value, Mapping | bytes | bytearray) or not isinstance(value, Collection):
        raise Refused(value, f"a {container}")
    return _ordered(value) if isinstance(value, set | frozenset) else value


def _ordered(values: Collection[object]) -> list[object]:
    # a set has no order of its own, and the same set must always make the same list
    try:
        return sorted(values)  # type: ignore[type-var] # that is the question
    except TypeError:
        return sorted(values, key=lambda value: dumps(to_structure(value)))


@dataclass(frozen=True, slots=True)
class Table:
    """A dict with free keys, declared with what its values are: `{"key": float}`, `{}`.

    Attributes
    ----------
    initial : mapping
        What it is when the option is not given.
    """

    item: Converter
    initial: Mapping[object, object] = field(default_factory=dict)

    @property
    def mandatory(self) -> bool:
        """Whether the option must be given: when what it holds must be."""
        return self.item.mandatory

    def default(self, resolve: Resolve, /) -> object:
        """Return the dict of the declaration."""
        return self.convert(self.initial, resolve)

    def convert(self, value: object, resolve: Resolve, /) -> object:
        """Return `value`, a mapping, with each of its values converted; an `OrderedDict` stays one."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise Refused(value, "a dict")
        converted: dict[object, object] = OrderedDict() if isinstance(value, OrderedDict) else {}
        for key, item in value.items():
            try:
                converted[key] = self.item.convert(item, resolve)
            except Refused as refused:
                raise refused.inside(key) from refused
        return converted

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "table", "item": self.item.to_json(), "initial": tag(self.initial)}
