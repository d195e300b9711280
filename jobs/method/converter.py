"""Declarations of options, compiled: a converter checks and converts one option, and can be kept as JSON.

A converter says whether its option must be given, what it is when it is not, and what a given value becomes.
All that a method declares is in its converters, so whoever has them as JSON need not import the method.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from typing import ClassVar, Final, Protocol, TypeAlias

from cas.formats.canonical import Json, dumps, tag
from jobs.job import Job
from jobs.method.options import InputPath, ResolveInput, find_name
from jobs.method.scalar import Refused, Scalar, plain, words
from jobs.nodes.references import to_structure
from jobs.withfile import JobWithFile

Resolve: TypeAlias = ResolveInput | None


class Converter(Protocol):
    """What one declaration says, ready for use."""

    @property
    def mandatory(self) -> bool:
        """Whether the option must be given."""

    def default(self, resolve: Resolve, /) -> object:
        """Return what the option is when it is not given."""

    def convert(self, value: object, resolve: Resolve, /) -> object:
        """Return what a given value becomes; raise `Refused` when it cannot be."""

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON, under its `kind`."""


@dataclass(frozen=True, slots=True)
class Anything:
    """None as declaration: whatever a node can hold."""

    mandatory: ClassVar[bool] = False

    def default(self, _resolve: Resolve, /) -> object:
        """Return None."""
        return None

    def convert(self, value: object, _resolve: Resolve, /) -> object:
        """Return `value`."""
        return value

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "anything"}


class Coercion(Enum):
    """What is made a value of a type that it is not of."""

    NOTHING = "nothing"
    TEXTS = "texts"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Typed:
    """A type, or a value whose type is meant: `int`, `3`.

    Attributes
    ----------
    initial : object
        The value, or None.
    coercion : Coercion
        Nothing for a type; texts for a type inside a container, which may come from a comma separated text;
        texts and numbers for a value.
    """

    mandatory: ClassVar[bool] = False
    scalar: Scalar
    initial: object = None
    coercion: Coercion = Coercion.NOTHING

    def default(self, _resolve: Resolve, /) -> object:
        """Return the value of the declaration, or None."""
        return self.initial

    def convert(self, value: object, _resolve: Resolve, /) -> object:
        """Return `value` as one of the type; None stays None."""
        if value is None:
            return None
        try:
            if self.coercion is Coercion.ALL or (self.coercion is Coercion.TEXTS and type(value) is str):
                return self.scalar.coerce(plain(value))
            return self.scalar.accept(plain(value))
        except (TypeError, ValueError, OverflowError) as err:
            raise Refused(value, self.scalar.takes) from err

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        coercion = self.coercion.value
        return {"kind": "typed", "type": self.scalar.name, "initial": tag(self.initial), "coercion": coercion}


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


@dataclass(frozen=True, slots=True)
class Text:
    """`OptionString`: a text that is not empty."""

    mandatory: ClassVar[bool] = True
    example: str = ""

    def default(self, _resolve: Resolve, /) -> object:
        """Raise AssertionError: the option must be given."""
        raise AssertionError("a mandatory option has no default")

    def convert(self, value: object, _resolve: Resolve, /) -> object:
        """Return `value` as a text."""
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise Refused(value, "a text that is not empty" + (f", as {self.example!r}" if self.example else ""))

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "text", "example": self.example}


@dataclass(frozen=True, slots=True)
class Choice:
    """`OptionEnum`: one of some names.

    Attributes
    ----------
    initial : str or None
        The name when the option is not given.
    """

    names: tuple[str, ...]
    none_ok: bool = False
    initial: str | None = None

    @property
    def mandatory(self) -> bool:
        """Whether the option must be given."""
        return self.initial is None and not self.none_ok

    def default(self, _resolve: Resolve, /) -> object:
        """Return the name of the declaration, or None."""
        return self.initial

    def convert(self, value: object, _resolve: Resolve, /) -> object:
        """Return `value`, one of the names."""
        found = find_name(self.names, value) if isinstance(value, str) else None
        if found is not None:
            return found
        if self.none_ok and (value is None or value == ""):
            return None
        raise Refused(value, "one of " + ", ".join(self.names))

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "choice", "names": list(self.names), "none_ok": self.none_ok, "initial": self.initial}


@dataclass(frozen=True, slots=True)
class Required:
    """`RequiredOption`: something else that must be given."""

    mandatory: ClassVar[bool] = True
    inner: Converter
    none_ok: bool = False

    def default(self, _resolve: Resolve, /) -> object:
        """Raise AssertionError: the option must be given."""
        raise AssertionError("a mandatory option has no default")

    def convert(self, value: object, resolve: Resolve, /) -> object:
        """Return what `value` becomes by the inner declaration."""
        if value is not None:
            return self.inner.convert(value, resolve)
        if self.none_ok:
            return None
        raise Refused(value, "a value, for it is required")

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "required", "inner": self.inner.to_json(), "none_ok": self.none_ok}


@dataclass(frozen=True, slots=True)
class Defaulted:
    """`OptionDefault`: something else with a default of its own, which None stands for too."""

    mandatory: ClassVar[bool] = False
    inner: Converter
    initial: object = None

    def default(self, resolve: Resolve, /) -> object:
        """Return the default, converted by the inner declaration."""
        return None if self.initial is None else self.inner.convert(self.initial, resolve)

    def convert(self, value: object, resolve: Resolve, /) -> object:
        """Return what `value` becomes by the inner declaration; the default for None."""
        return self.default(resolve) if value is None else self.inner.convert(value, resolve)

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "defaulted", "inner": self.inner.to_json(), "initial": tag(self.initial)}


@dataclass(frozen=True, slots=True)
class FileOfJob:
    """`JobWithFile`: one file of one job."""

    mandatory: ClassVar[bool] = False

    def default(self, _resolve: Resolve, /) -> object:
        """Return None."""
        return None

    def convert(self, value: object, _resolve: Resolve, /) -> object:
        """Return `value`, a withfile, or the one that a tuple of job, name, sliced and extra says."""
        if value is None or (isinstance(value, JobWithFile) and value != JobWithFile()):
            return value
        if isinstance(value, tuple) and 2 <= len(value) <= 4 and isinstance(value[0], str):
            job, *rest = value
            return (job if isinstance(job, Job) else Job(job)).withfile(*rest)
        raise Refused(value, "a file of a job, as job.withfile('name') gives it")

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "withfile"}


@dataclass(frozen=True, slots=True)
class FromOutside:
    """`InputFile`: a file from outside, resolved to its name and content.

    Attributes
    ----------
    initial : str or None
        The file when none is given.
    several : bool
        Whether a list of files is taken too.
    """

    mandatory: ClassVar[bool] = False
    initial: str | None = None
    several: bool = False

    def default(self, resolve: Resolve, /) -> object:
        """Return the file of the declaration, or None."""
        return self.convert(self.initial, resolve)

    def convert(self, value: object, resolve: Resolve, /) -> object:
        """Return the file at the path `value` as an `InputPath`; a list of them for a list."""
        if self.several and isinstance(value, list | tuple):
            return [self._convert_one(each, resolve) for each in value]
        return self._convert_one(value, resolve)

    def _convert_one(self, value: object, resolve: Resolve) -> object:
        if value is None:
            return None
        if resolve is None:
            if isinstance(value, InputPath):
                return value
            raise AssertionError("an input file, and nobody to resolve it")
        if isinstance(value, InputPath):
            # under its name: a path does not tell the URL that a file is from
            found = resolve(value.filename())
            return InputPath(value, found.path, found.content)
        if not value or not (type(value) is str or isinstance(value, PurePath)):
            raise Refused(value, "a path of a file")
        return resolve(str(value))

    def to_json(self) -> dict[str, Json]:
        """Return the converter as JSON."""
        return {"kind": "input", "initial": self.initial, "several": self.several}


def bare(converter: Converter) -> Converter:
    """Return what a converter takes, without what it says of whether it must be given."""
    while isinstance(converter, Required | Defaulted):
        converter = converter.inner
    return converter
