"""What a method writes into its `options`: declarations beyond plain types and values, and `InputPath`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, Self, TypeAlias

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.errors import MethodError
from jobs.nodes.references import INPUT


class RequiredOption:
    """An option that must be given, and that cannot be None unless `none_ok`.

    Parameters
    ----------
    spec : object
        What the option takes, declared as any other: a type, a value, `[int]`, `OptionEnum(...)` ...
    none_ok : bool
        Whether None counts as given.
    """

    __slots__ = ("none_ok", "spec")

    def __init__(self, spec: object, none_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - the peer's order
        self.spec = spec
        self.none_ok = none_ok


class OptionDefault:
    """An option with a default that its declaration could not say, such as one for `OptionString`.

    Parameters
    ----------
    spec : object
        What the option takes.
    default : object
        What the method sees when the option is not given, or is None.
    """

    __slots__ = ("default", "spec")

    def __init__(self, spec: object, default: object = None) -> None:
        self.spec = spec
        self.default = default


class OptionString:
    """A text that must be given and not be empty; the class itself declares the same.

    Parameters
    ----------
    example : str
        Shown to people, never used.
    """

    __slots__ = ("example",)

    def __init__(self, example: str = "") -> None:
        self.example = example


class OptionEnum:
    """One of some names; a name that ends in "*" stands for all that begin so.

    An attribute declares the same with that name as default: `OptionEnum("csv json").csv`.

    Parameters
    ----------
    names : str or iterable of str
        The names, as words of a text or one by one.
    none_ok : bool
        Whether None is one of them; then the option need not be given.

    Examples
    --------
    >>> formats = OptionEnum("csv json x-*")
    >>> formats.find("x-parquet"), formats.find("xml")
    ('x-parquet', None)
    """

    __slots__ = ("names", "none_ok")

    def __init__(self, names: str | Iterable[str], none_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - the peer's order
        self.names = tuple(names.split() if isinstance(names, str) else names)
        self.none_ok = none_ok
        if not self.names or not all(self.names):
            raise MethodError(f"OptionEnum needs names, not {names!r}")

    def find(self, value: str) -> str | None:
        """Return `value` as a plain text when it is one of the names, else None."""
        return find_name(self.names, value)

    def __getattr__(self, name: str) -> "OptionEnumValue":
        if name.startswith("_") or self.find(name) is None:
            raise AttributeError(f"'{name}' is none of {', '.join(self.names)}")
        return OptionEnumValue(name, self)

    def __repr__(self) -> str:
        return f"OptionEnum({' '.join(self.names)!r}{', none_ok=True' if self.none_ok else ''})"


def find_name(names: Iterable[str], value: str) -> str | None:
    """Return `value` as a plain text when it is one of `names`, or begins as one that ends in "*"."""
    for name in names:
        if value == name or (name.endswith("*") and value.startswith(name[:-1])):
            return str.__str__(value)
    return None


class OptionEnumValue(str):
    """One name of an `OptionEnum`, which in a declaration is its default."""

    __slots__ = ("enum",)
    enum: OptionEnum

    def __new__(cls, name: str, enum: OptionEnum) -> Self:
        """Return `name` as a name of `enum`."""
        self = str.__new__(cls, name)
        self.enum = enum
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (_enum_value, (str.__str__(self), self.enum.names, self.enum.none_ok))


def _enum_value(name: str, names: tuple[str, ...], none_ok: bool) -> OptionEnumValue:  # noqa: FBT001 - called by pickle
    return OptionEnumValue(name, OptionEnum(names, none_ok))


class InputFile:
    """A file from outside, known by its content: a changed file is a changed option.

    It is given as a path, relative to the input directory or absolute; the method sees an `InputPath`.

    Parameters
    ----------
    default : str, optional
        The file when none is given; without it the option is None then.
    several : bool
        Whether a list of files is taken too; the method sees a list then.
    """

    __slots__ = ("default", "several")

    def __init__(self, default: str | None = None, *, several: bool = False) -> None:
        self.default = default
        self.several = several


class InputPath(str):
    """An input file as the method sees it: a text, its name relative to the input directory or a base name.

    Attributes
    ----------
    path : Path
        Where the file is, absolute.
    content : ObjectId
        Id of its bytes when the job was asked for.
    """

    __slots__ = ("content", "path")
    path: Path
    content: ObjectId

    def __new__(cls, name: str, path: Path, content: ObjectId) -> Self:
        """Return the input file `path` under the name `name`."""
        self = str.__new__(cls, name)
        self.path = path
        self.content = content
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str.__str__(self), self.path, self.content))

    def filename(self) -> str:
        """Return the absolute path as a text."""
        return str(self.path)

    def open(self, mode: str = "rb", encoding: str | None = None) -> IO[Any]:
        """Return a stream of the file, to be closed by the caller; as bytes unless `mode` says otherwise."""
        return open(self.path, mode, encoding=encoding)

    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form that stands for the file in a node: name and content, never the path."""
        return {INPUT: {"content": self.content, "name": str.__str__(self)}}


ResolveInput: TypeAlias = Callable[[str], InputPath]
