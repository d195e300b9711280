"""One value of `acc.toml`: where it stands, and what it has to be."""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from cas.errors import AccError


class ConfigError(AccError):
    """An `acc.toml` that cannot be read, or says something that acc does not know."""


class Place(NamedTuple):
    """Where a value stands.

    Attributes
    ----------
    path
        The `acc.toml`; paths are relative to its folder.
    key
        The name of the value, with the tables that it is in.
    secretive
        What stands there may be a secret: no error repeats it.
    typed
        It was typed, and is not in the file yet: no error names the file.
    """

    path: Path
    key: str
    secretive: bool = False
    typed: bool = False

    def within(self, name: str) -> "Place":
        """Return the place of the value `name` of the table that stands here."""
        return self._replace(key=f"{self.key}.{name}" if self.key else name)

    def error(self, wanted: str, value: object) -> ConfigError:
        """Return the error that what stands here is not what is wanted."""
        found = "" if self.secretive else f", not {value!r}"
        return self.refusal(f"must be {wanted}{found}")

    def refusal(self, reason: str, *, hint: str = "") -> ConfigError:
        """Return the error that what stands here is not to be."""
        return self.remark(f"'{self.key}' {reason}", hint=hint)

    def remark(self, text: str, *, hint: str = "") -> ConfigError:
        """Return an error about something in the file."""
        return ConfigError(text if self.typed else f"{self.path}: {text}", hint=hint)

    def resolve(self, text: str) -> Path:
        """Return `text` as an absolute path: relative to acc.toml, `~` being the home folder."""
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            raise self.refusal(f"is in the home folder of nobody: '{text}'") from None
        return Path(os.path.normpath(self.path.parent / path))


Reader: TypeAlias = Callable[[Place, object], object]


def folder(place: Place, value: object) -> Path:
    """Return a value that is the path of a folder."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise place.error("a folder", value)
    return place.resolve(value)


def flag(place: Place, value: object) -> bool:
    """Return a value that is true or false."""
    if not isinstance(value, bool):
        raise place.error("true or false", value)
    return value


def one_of(*words: str) -> Reader:
    """Return what reads a value that is one of `words`."""

    def read(place: Place, value: object) -> str:
        if value not in words:
            raise place.error("one of " + ", ".join(f'"{word}"' for word in words), value)
        return str(value)

    return read


def table(place: Place, value: object) -> dict[str, object]:
    """Return a value that is a table."""
    if not isinstance(value, dict):
        raise place.error(f"a table, [{place.key}]", value)
    return value


def check_known(place: Place, names: Iterable[str], known: Collection[str], *, hint: str = "") -> None:
    """Raise `ConfigError` when the table that stands at `place` has a name that is not known."""
    for name in names:
        if name not in known:
            raise place.remark(
                f"unknown key '{place.within(name).key}'", hint="known here: " + ", ".join(known) + hint
            )
