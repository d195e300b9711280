"""What `acc grep` looks for: regular expressions, fixed texts or numbers; which rows hold it, and where."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

Texts: TypeAlias = Sequence[str]
Test: TypeAlias = Callable[[Any], bool]


class Patterns(Protocol):
    """One or more patterns; a row matches when any of them does."""

    def rows(self, values: Sequence[Any], texts: Callable[[], Texts]) -> Iterable[int]:
        """Return the rows that match, in rising order, of values and of what they are as text."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the parts of a text that match, in rising order and apart from each other."""


# ---- texts


class TextPatterns:
    """Regular expressions, searched in texts; `.` is any character, also a newline.

    Parameters
    ----------
    patterns
        At least one.
    fixed
        They stand for themselves.
    ignore_case
        Upper and lower case are one.

    Raises
    ------
    re.error
        For what is no regular expression.
    """

    def __init__(self, patterns: Sequence[str], *, fixed: bool, ignore_case: bool) -> None:
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        sources = list(map(re.escape, patterns)) if fixed else patterns
        self._regexes = [re.compile(source, flags) for source in sources]
        needed = [needed_texts(source) for source in sources]
        # any of these is in a text that matches; nothing is known when there are none
        self._needed = [text for texts in needed for text in texts] if all(needed) else []
        self._ignore_case = ignore_case
        if ignore_case:
            # other characters have cases that lower() does not see
            known = all(text.isascii() for text in self._needed)
            self._needed = [text.lower() for text in self._needed] if known else []

    def rows(self, values: Sequence[Any], texts: Callable[[], Texts]) -> Iterable[int]:  # noqa: ARG002
        """Return the rows whose text matches; all of them are first looked at as one."""
        found = texts()
        if self._needed and not self._may_match("\n".join(found)):
            return ()
        return [row for row, text in enumerate(found) if any(regex.search(text) for regex in self._regexes)]

    def _may_match(self, joined: str) -> bool:
        if self._ignore_case:
            if not joined.isascii():
                return True
            joined = joined.lower()
        return any(text in joined for text in self._needed)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the parts of a text that match; none of them is empty."""
        return _united(match.span() for regex in self._regexes for match in regex.finditer(text))


def _united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans without those that are empty, and with those that touch each other as one."""
    united: list[tuple[int, int]] = []
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(stop, united[-1][1]))
        else:
            united.append((start, stop))
    return united


# ---- texts without which nothing matches

_TOKEN: Final = re.compile(
    r"""(?P<quantifier>[*+?]|\{\d*,?\d*\})
    | (?P<open>\((?:\?:)?(?!\?))
    | (?P<close>\))
    | (?P<other>\[\^?\]?(?:\\.|[^]\\])*\]|\\[dDwWsSbBAZ]|[.^$])
    | (?P<or>\|)
    | (?P<literal>[^\\()\[\]{}*+?.^$|]|\\\W)""",
    re.VERBOSE | re.DOTALL,
)


def needed_texts(pattern: str) -> list[str]:
    r"""Return texts of which at least one is in whatever a regular expression matches; none when nothing is known.

    >>> needed_texts(r"err(or)?: \d+|^warnings?"), needed_texts("a*")
    (['err', 'warning'], [])
    """
    needed = []
    for alternative in _alternatives(pattern):
        longest = max(alternative, key=len, default="")
        if not longest:
            return []
        needed.append(longest)
    return needed


def _alternatives(pattern: str) -> Iterator[list[str]]:
    """Yield for each alternative the texts that it needs, and none for what is not understood here."""
    runs: list[str] = []
    run, depth, at = "", 0, 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            yield []
            return
        at, kind = token.end(), token.lastgroup
        if kind == "literal" and depth == 0:
            run += token[0][-1]
            continue
        # a quantifier is of the last character, which may be there not at all
        runs.append(run[:-1] if kind == "quantifier" else run)
        run = ""
        depth += (kind == "open") - (kind == "close")
        if kind == "or" and depth == 0:
            yield runs
            runs = []
    yield [*runs, run]


# ---- numbers

_NUMBERS: Final = frozenset({int, float})


class NumberPatterns:
    """Numbers, comparisons and ranges.

    Parameters
    ----------
    patterns
        As "3", "=3", "<3", "<=3", ">3", ">=3", "3:5" (without 5), "3:=5" (with it), "3<:5" (without 3), or "" for
        any number.

    Raises
    ------
    ValueError
        For one that is none.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._tests = list(map(_number_test, patterns))

    def rows(self, values: Sequence[Any], texts: Callable[[], Texts]) -> Iterable[int]:  # noqa: ARG002
        """Return the rows whose value is such a number, or a text of one."""
        numbers = (value if type(value) in _NUMBERS else number_of(value) for value in values)
        if len(self._tests) == 1:
            test = self._tests[0]
            return [row for row, number in enumerate(numbers) if number is not None and test(number)]
        return [row for row, number in enumerate(numbers) if self._matches(number)]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the whole text without the spaces around it if it is such a number."""
        if not self._matches(number_of(text)):
            return []
        return [(len(text) - len(text.lstrip()), len(text.rstrip()))]

    def _matches(self, number: float | None) -> bool:
        return number is not None and any(test(number) for test in self._tests)


def number_of(value: object) -> int | float | None:
    """Return a number, or what is one as text (also hexadecimal, with 0x), or None.

    >>> number_of("0x10"), number_of(b" 1e3 "), number_of("ten")
    (16, 1000.0, None)
    """
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str | bytes):
        return None
    for convert in (int, float, _hexadecimal):
        try:
            return convert(value)
        except ValueError:
            pass
    return None


def _hexadecimal(text: str | bytes) -> int:
    if not ("0x" in text if isinstance(text, str) else b"0x" in text):
        raise ValueError
    return int(text, 16)


_COMPARISONS: Final = {
    "<=": operator.ge,
    "<": operator.gt,
    ">=": operator.le,
    ">": operator.lt,
    "=": operator.eq,
    "": operator.eq,
}


def _number_test(pattern: str) -> Test:
    if pattern == "":
        return lambda _: True
    start, colon, stop = pattern.partition(":")
    if colon:
        above = _compared(start.removesuffix("<"), operator.lt if start.endswith("<") else operator.le)
        below = _compared(stop.removeprefix("="), operator.ge if stop.startswith("=") else operator.gt)
        return lambda number: above(number) and below(number)
    sign = next(sign for sign in _COMPARISONS if pattern.startswith(sign))
    return _compared(pattern.removeprefix(sign), _COMPARISONS[sign])


def _compared(text: str, compare: Callable[[Any, Any], bool]) -> Test:
    """Return the test whether `compare(number of text, value)` holds."""
    number = number_of(text)
    if number is None:
        raise ValueError(f"'{text}' is no number")
    return partial(compare, number)
