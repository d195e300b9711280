"""Declarations of options, compiled: a converter checks and converts one option, and can be kept as JSON.

A converter says whether its option must be given, what it is when it is not, and what a given value becomes.
All that a method declares is in its converters, so whoever has them as JSON need not import the method.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import ClassVar, Protocol, TypeAlias

from cas.formats.canonical import Json, tag
from jobs.job import Job
from jobs.method.options import InputPath, ResolveInput, find_name
from jobs.method.scalar import Refused, Scalar, plain
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
