"""The parts of a time format, and what each of them matches.

Notes
-----
%Y year, %y year in the century (69 to 99 are of the 20th, others of the 21st), %C century, %m month, %b month
as jan, feb ..., %d day, %e days since 1899-12-30 as spreadsheets count them, with a fraction; %H hour, %I
hour of 1 to 12, %p am or pm, %M minute, %S second, %f fraction of a second; %s seconds, %J milliseconds since 1970;
"%." a character but white space, "% " one of white space, "%%" a %. A number after the % is the largest width.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from jobs.errors import ColumnError

CODES: Final = "YyCmbdeHIpMSfsJ. %"
MONTHS: Final = tuple(b"jan feb mar apr may jun jul aug sep oct nov dec".split())
# the digits of fields that have a fixed number of them
DIGITS: Final = MappingProxyType({"Y": 4, "y": 2, "C": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2})
PIVOT: Final = 69  # of years in two digits: what POSIX says of %y
_DIRECTIVE: Final = re.compile(r"%(\d*)(.)|(\s+)|([^%\s]+)|%", re.DOTALL)
_LARGEST_WIDTH: Final = 64


class Step(NamedTuple):
    """A part of a format: a code with its width (0: not given), literal text ("x"), or white space ("~")."""

    code: str
    width: int
    text: bytes = b""

    def pattern(self) -> bytes:
        """Return what the part matches, as a regular expression with one group if it is a field."""
        if self.code in DIGITS:
            return b"(" + _number(self.width or DIGITS[self.code]) + b")"
        if self.code == "f":
            # more digits than a microsecond has are only skipped when a width asks for them
            return b"(\\d{1,%d}+)" % (self.width or 6)
        times = b"{%d}" % (self.width or 1)
        fixed = {
            "x": re.escape(self.text),
            "~": rb"\s*+",
            ".": rb"\S" + times,
            " ": rb"\s" + times,
            "%": b"%" + times,
        }
        return fixed.get(self.code) or _OTHER_FIELDS[self.code]


def _number(width: int) -> bytes:
    """Match digits with blanks before them, together no more than `width`, and never give one back."""
    padded = [rb"\s{%d}\d{1,%d}+" % (blanks, width - blanks) for blanks in range(1, width)]
    return b"(?>" + b"|".join([b"\\d{1,%d}+" % width, *padded]) + b")"


_OTHER_FIELDS: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "b": b"((?i:" + b"|".join(MONTHS) + b"))",
        "p": b"((?i:am|pm))",
        "s": rb"([+-]?\d++)",
        "J": rb"([+-]?\d++)",
        "e": rb"([+-]?\d++(?:\.\d++)?+)",
    }
)


def read_steps(text: str) -> Iterator[Step]:
    """Yield the parts of a format; raise `ColumnError` for a code that is none."""
    for match in _DIRECTIVE.finditer(text):
        width, code, blank, literal = match.groups()
        if code is not None and code in CODES:
            if int(width or 0) > _LARGEST_WIDTH:
                raise ColumnError(f"'%{width}{code}' in a time format is wider than {_LARGEST_WIDTH}")
            yield Step(code, int(width or 0))
        elif blank:
            yield Step("~", 0)
        elif literal:
            yield Step("x", 0, literal.encode())
        else:
            raise ColumnError(
                f"no code '{match[0]}' in a time format",
                hint="there are %" + " %".join(CODES),
            )
