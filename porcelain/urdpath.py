"""How urd lists and what is in them are named: `anna/import`, and a timestamp, `<=2019-12`, `latest`, `first`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from cas.errors import AccError
from cas.files import check_name
from jobs.nodes.timestamp import InvalidTimestamp, Timestamp, parse_timestamp
from jobs.reuse.refnames import AUTO, URD
from jobs.reuse.urdrefs import SessionPlace

LATEST: Final = "latest"
FIRST: Final = "first"
SINCE: Final = "since"
# the longer ones first, since the shorter ones begin them
_RELATIONS: Final = ("<=", ">=", "<", ">")


class UrdError(AccError):
    """Something of urd that cannot be done."""


class UrdConflict(UrdError):
    """A session that would take the place of another one, or that another build has overtaken."""


class UrdPath(NamedTuple):
    """One list: whose it is, and its name."""

    user: str
    name: str

    def at(self, timestamp: Timestamp) -> SessionPlace:
        """Return the place of a session in it."""
        return SessionPlace(self.user, self.name, timestamp)

    @property
    def prefix(self) -> str:
        """What the names of the refs of its sessions begin with."""
        return f"{URD}{self.user}/{self.name}/"

    def __str__(self) -> str:
        return f"{self.user}/{self.name}"


class When(NamedTuple):
    """Which session of a list is meant.

    Attributes
    ----------
    relation : str
        "=", "<", "<=", ">" or ">=" and a timestamp; or "latest" or "first" without one.
    """

    relation: str
    timestamp: Timestamp = Timestamp(())

    def pick(self, timestamps: Sequence[Timestamp]) -> Timestamp | None:
        """Return the one of `timestamps`, which are sorted, that is meant, or None.

        That is the nearest one that fits. `<=2019-12` is the last one of December 2019, or of before.
        """
        fitting = [timestamp for timestamp in timestamps if self._fits(timestamp)]
        if not fitting:
            return None
        return fitting[-1] if self.relation in ("<", "<=", LATEST) else fitting[0]

    def _fits(self, other: Timestamp) -> bool:
        mine = self.timestamp
        match self.relation:
            case "=":
                return other == mine
            case "<":
                return other < mine
            case "<=":
                return other <= mine or mine.covers(other)
            case ">":
                return other > mine
            case ">=":
                return other >= mine
        return True

    def __str__(self) -> str:
        return ("" if self.relation == "=" else self.relation) + str(self.timestamp)


def parse_path(text: object, user: str) -> UrdPath:
    """Return the list that `text` names: one of `user`, or of somebody else as "USER/LIST".

    >>> str(parse_path("import", "anna"))
    'anna/import'
    """
    owner, _, name = text.rpartition("/") if isinstance(text, str) else ("", "", "")
    if not name or "/" in owner or not name.isprintable():
        raise UrdError(f"{text!r} names no urd list", hint="a list is named as 'import', or 'anna/import'")
    path = UrdPath(owner or user, name)
    check_name(path.prefix[:-1])
    return path


def check_may_write(path: UrdPath, user: str) -> None:
    """Raise `UrdError` when a list is not for `user` to change."""
    if path.name == AUTO:
        raise UrdError(f"list '{path}' is written by 'acc build' alone", hint="it holds the builds")
    if path.user != user:
        raise UrdError(
            f"list '{path}' is for '{path.user}' to write, and you are '{user}'",
            hint="URD_AUTH=USER: in the environment makes you another user",
        )


def to_timestamp(value: Any) -> Timestamp:
    """Return a timestamp that is given as text, number, date, datetime, or several of them in a tuple or list.

    A datetime with a time zone is taken in UTC.
    """
    if isinstance(value, Timestamp):
        return value
    given = value if isinstance(value, tuple | list) else (value,)
    if not given:
        raise InvalidTimestamp("a timestamp without parts")
    return parse_timestamp("+".join(map(_to_text, given)))


def to_when(value: Any) -> When:
    """Return which session `value` means: a timestamp, one behind "<", "<=", ">" or ">=", "latest" or "first"."""
    if isinstance(value, When):
        return value
    if value in (LATEST, FIRST):
        return When(value)
    if isinstance(value, tuple | list) and value and value[0] in _RELATIONS:
        return When(value[0], to_timestamp(value[1:]))
    if isinstance(value, str):
        relation = next((relation for relation in _RELATIONS if value.startswith(relation)), "")
        return When(relation or "=", parse_timestamp(value.removeprefix(relation)))
    return When("=", to_timestamp(value))


def _to_text(part: Any) -> str:
    if isinstance(part, datetime) and part.tzinfo is not None:
        part = part.astimezone(UTC).replace(tzinfo=None)
    if isinstance(part, bool) or not isinstance(part, str | int | date):
        raise InvalidTimestamp(
            f"{part!r:.40} is no timestamp", hint="give texts, numbers, dates, or a tuple of these"
        )
    return str(part)
