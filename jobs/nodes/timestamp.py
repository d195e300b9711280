"""Timestamps of urd sessions: numbers, dates and times at any precision, and several of these in a row."""

import re
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, Self, TypeAlias

from cas.errors import AccError

Part: TypeAlias = tuple[int, int | str]

_NUMBER, _TIME = 0, 1
_NUMBER_DIGITS: Final = 18  # as many as fit a signed integer of 64 bits, whatever they are
# `#` stands before all digits, so a number is before every date; zeros, so that texts sort as numbers do. `+` stands
# before all that can go on a date, so what has more parts comes right behind what it goes on.
_NUMBER_MARK: Final = "#"
_BETWEEN: Final = "+"
_DATE: Final = re.compile(
    r"\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)?)?", re.ASCII
)
_DIGITS: Final = re.compile(r"\d+", re.ASCII)
_WHOLE_DATE: Final = "0001-01-01T00:00:00"
_FORMS: Final = "a number, or a date as 2019-12, 2019-12-09, 2019-12-09T12:19:04; or several with '+' between"


class InvalidTimestamp(AccError, ValueError):
    """What is no timestamp of an urd session."""


class Timestamp(NamedTuple):
    """A timestamp; numbers sort before dates, and what has more parts behind what it goes on.

    Attributes
    ----------
    parts : tuple
        Each a pair: 0 and a number, or 1 and the text of a date, at any precision.

    Examples
    --------
    >>> parse_timestamp("7") < parse_timestamp("2019-12") < parse_timestamp("2019-12+3")
    True
    """

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Return the timestamp whose parts are these; raise `InvalidTimestamp`."""
        return cls(tuple(map(_read_part, texts)))

    @classmethod
    def of_moment(cls, micros: int) -> Self:
        """Return the timestamp of a time in microseconds since 1970 (UTC)."""
        seconds, rest = divmod(micros, 1_000_000)
        return cls(((_TIME, f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:06}"),))

    @classmethod
    def from_ref(cls, name: str) -> Self:
        """Return the timestamp that `to_ref` made a part of the name of a ref of; of another text it may be none.

        A list of years has thousands, so nothing is checked: that takes ten times as long.
        """
        return cls(tuple(map(_part_of_ref, name.split(_BETWEEN))))

    def to_ref(self) -> str:
        """Return it as a part of the name of a ref, which sorts as timestamps do.

        >>> parse_timestamp("2019-12+3").to_ref()
        '2019-12+#000000000000000003'
        """
        return _BETWEEN.join(
            f"{_NUMBER_MARK}{value:0{_NUMBER_DIGITS}}" if kind == _NUMBER else str(value)
            for kind, value in self.parts
        )

    def covers(self, other: "Timestamp") -> bool:
        """Return whether `other` lies in the year, month, day ... that this one ends in.

        >>> parse_timestamp("2019-12").covers(parse_timestamp("2019-12-24T18"))
        True
        """
        *before, (kind, value) = self.parts
        if kind == _NUMBER or len(other.parts) < len(self.parts):
            return False
        return other.parts[: len(before)] == tuple(before) and str(other.parts[len(before)][1]).startswith(
            str(value)
        )

    def __str__(self) -> str:
        return _BETWEEN.join(str(value) for _, value in self.parts)


def parse_timestamp(text: str) -> Timestamp:
    """Return the timestamp that `text` is; raise `InvalidTimestamp`.

    >>> str(parse_timestamp("2019-12-09 12:19+007"))
    '2019-12-09T12:19+7'
    """
    return Timestamp.of(text.split(_BETWEEN))


def _part_of_ref(text: str) -> Part:
    return (_NUMBER, int(text[1:])) if text[:1] == _NUMBER_MARK and text[1:].isdigit() else (_TIME, text)


def _read_part(text: str) -> Part:
    if _DIGITS.fullmatch(text):
        digits = text.lstrip("0") or "0"
        if len(digits) > _NUMBER_DIGITS:
            raise InvalidTimestamp(
                f"'{text:.40}' is too large a number", hint=f"{_NUMBER_DIGITS} digits at most"
            )
        return _NUMBER, int(digits)
    if not _DATE.fullmatch(text) or not _is_a_time(text):
        raise InvalidTimestamp(f"'{text:.40}' is no timestamp", hint=f"it is {_FORMS}")
    return _TIME, text.replace(" ", "T")


def _is_a_time(text: str) -> bool:
    from datetime import datetime  # here, not above: most commands meet no timestamp

    whole = text.partition(".")[0]
    try:
        datetime.fromisoformat(whole + _WHOLE_DATE[len(whole) :])
    except ValueError:
        return False
    return True
