"""The root of all errors that acc raises on purpose, and those of this floor."""

from collections.abc import Iterable, Mapping
from typing import Any


class AccError(Exception):
    """A fact that the user should know: one clear line, and often a hint.

    The message is lower case, without a full stop, what is wrong first, the subject in single quotes.

    Attributes
    ----------
    hint : str
        What to do about it, or "".
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # errors cross from a job to its builder, and their __init__ takes other arguments than `args` holds
        return (_revive, (type(self), self.args, self.__dict__))


def _revive(kind: type[AccError], args: tuple[Any, ...], state: Mapping[str, Any]) -> AccError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidId(AccError, ValueError):
    """A text that is no object id and no prefix of one."""


class UnsafeName(AccError, ValueError):
    """A file name that would leave its folder, or that some disk or shell cannot hold."""


class NotCanonical(AccError, ValueError):
    """A value that canonical JSON cannot hold, or bytes that are not canonical JSON."""


class NotANode(AccError, ValueError):
    """Bytes that are no node, or not one of the kind that was asked for."""


class ObjectNotFound(AccError, LookupError):
    """No object of that id in the store."""

    def __init__(self, oid: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(f"no object '{oid}'" + (f" in '{where}'" if where else ""), hint=hint)
        self.oid = oid
        self.where = where


class CorruptObject(AccError):
    """Stored bytes that are not those of their object id."""

    def __init__(self, oid: str, reason: str, *, where: str = "") -> None:
        super().__init__(
            f"object '{oid}' is corrupt: {reason}" + (f" (in '{where}')" if where else ""),
            hint="'acc fsck' names everything that is hurt",
        )
        self.oid = oid
        self.reason = reason
        self.where = where


class AmbiguousId(AccError, LookupError):
    """A prefix that more than one object id begins with.

    Parameters
    ----------
    candidates
        What it could be, each in a few words.
    more
        How many further ones there are.
    """

    def __init__(self, prefix: str, candidates: Iterable[str], *, more: int = 0) -> None:
        self.prefix = prefix
        self.candidates = tuple(candidates)
        rest = f" and {more} more" if more else ""
        super().__init__(
            f"id '{prefix}' is ambiguous", hint="it could be " + ", ".join(self.candidates) + rest
        )


class RefNotFound(AccError, LookupError):
    """No ref of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no ref '{name}'", hint="'acc show-ref' lists the refs")
        self.name = name


class RefConflict(AccError):
    """A ref that was not what its setter expected."""

    def __init__(self, name: str, expected: str | None, found: str | None) -> None:
        there = f"is at '{found}'" if found else "is not there"
        wanted = f", expected '{expected}'" if expected else ", expected none"
        super().__init__(f"ref '{name}' {there}{wanted}")
        self.name = name
        self.expected = expected
        self.found = found


class CorruptRefs(AccError):
    """A ref database that is damaged or gone, or a row of it whose checksum does not fit."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            hint="'acc update-ref --rebuild' makes them again from the store; with a dump, move the file away and"
            " 'acc update-ref --stdin < DUMP'",
        )


class StoreReadOnly(AccError):
    """A write to a store that only reads."""


class UnknownFormat(AccError):
    """A store, pack or node of a version that this acc does not know."""


class RemoteUnreachable(AccError):
    """A remote that does not answer, or not as it should."""


class RemoteDenied(AccError):
    """A remote that does not let one do what one wanted, or does not know who one is."""


class NotARemote(AccError):
    """A URL behind which no remote of acc can be, or is."""


class RemoteNotFound(NotARemote, LookupError):
    """No remote of acc is there yet, where one could be."""


class RemoteFileGone(AccError, FileNotFoundError):
    """A file of a remote that its log tells of, and that is not there: gc has moved things since, or it was lost."""

    def __init__(self, key: str, where: str) -> None:
        super().__init__(
            f"remote '{where}' has lost '{key}'",
            hint=f"'acc fsck --remote {where}' says what that hurts; 'acc push --repair' sends it again",
        )
        self.key = key


class CorruptRemote(AccError):
    """Files of a remote that are damaged, gone, or not what acc writes."""
