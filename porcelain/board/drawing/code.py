"""Code as HTML: numbered lines with anchors, highlighted by Pygments; and what differs between two versions."""

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import pygments
from markupsafe import Markup, escape
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# by what a name ends in; of other files Pygments guesses, and some of its lexers take very long for odd texts
_LEXERS: Final = {
    ".bash": "bash",
    ".c": "c",
    ".cfg": "ini",
    ".cpp": "cpp",
    ".css": "css",
    ".diff": "diff",
    ".go": "go",
    ".h": "c",
    ".html": "html",
    ".ini": "ini",
    ".java": "java",
    ".js": "javascript",
    ".json": "json",
    ".md": "markdown",
    ".py": "python",
    ".pyi": "python",
    ".pyx": "cython",
    ".r": "r",
    ".rs": "rust",
    ".sh": "bash",
    ".sql": "sql",
    ".svg": "xml",
    ".toml": "toml",
    ".ts": "typescript",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_LIGHT, _DARK = "xcode", "github-dark"
# Pygments takes a second for a megabyte, browsers as long for 20,000 lines
_HIGHLIGHTED_CHARACTERS: Final = 200_000
# three times what the slowest takes for code
_SECONDS_A_CHARACTER: Final = 10e-6
_LEAST_SECONDS: Final = 0.1
_MOST_LINES: Final = 10_000
_MOST_COLUMNS: Final = 2_000
_SIGNS: Final = {"-": "gone", "+": "come", "@": "hunk"}
# they put text elsewhere on the screen than where it is in the file, so that code reads as what it is not
_BIDI: Final = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class Code(NamedTuple):
    """Code as HTML.

    Attributes
    ----------
    html : Markup
        A <pre>.
    lines : int
        How many lines there are in all.
    shown : int
        How many of them are in `html`.
    """

    html: Markup
    lines: int
    shown: int


def numbered(text: str, name: str, anchor: str = "L") -> Code:
    """Return code with the numbers of its lines, each of which has an anchor.

    Parameters
    ----------
    name
        Of the file, which tells the language.
    anchor
        What the ids of the lines begin with, before their numbers.
    """
    # as Pygments takes them: of other ends of lines it knows nothing
    lines = text.translate(_BIDI).replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    shown = [line[:_MOST_COLUMNS] for line in islice(lines, _MOST_LINES)]
    rows = Markup("\n").join(
        Markup('<span class="row" id="{0}{1}"><a href="#{0}{1}">{1}</a>{2}</span>').format(
            anchor, number, line
        )
        for number, line in enumerate(_highlighted(shown, name), 1)
    )
    return Code(Markup('<pre class="code numbered">{}</pre>').format(rows), len(lines), len(shown))


def differing(lines: Iterable[str]) -> Markup:
    """Return a unified diff as a <pre>, what goes and what comes in colours."""
    rows = [_changed_line(line, number) for number, line in enumerate(islice(lines, _MOST_LINES))]
    return Markup('<pre class="code diff">{}</pre>').format(Markup("\n").join(rows))


def stylesheet() -> str:
    """Return code.css, but for what is written in it by hand: the colours of Pygments, for light and for dark."""
    dark = _rules(_DARK)
    return "\n".join(
        (
            *_rules(_LIGHT),
            "@media (prefers-color-scheme: dark) {",
            *(f':root:not([data-theme="light"]) {rule}' for rule in dark),
            "}",
            *(f':root[data-theme="dark"] {rule}' for rule in dark),
            "",
        )
    )


def _rules(style: str) -> list[str]:
    """Return the rules of one style for tokens; what is behind them is the page's."""
    rules = _formatter(style).get_style_defs(".code").splitlines()
    return [rule.partition(" /*")[0] for rule in rules if rule.startswith(".code .k-")]


@cache
def _formatter(style: str = _LIGHT) -> Any:
    return HtmlFormatter(nowrap=True, style=style, classprefix="k-")


def _highlighted(lines: Sequence[str], name: str) -> Sequence[Markup]:
    """Return each line as HTML, with classes if the language is known."""
    path = PurePosixPath(name)
    language = _LEXERS.get(path.suffix.lower())
    text = "\n".join(lines)
    if language is None or len(text) > _HIGHLIGHTED_CHARACTERS:
        return [*map(escape, lines)]
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:  # an older Pygments knows fewer
        return [*map(escape, lines)]
    try:
        marked = pygments.format(_in_time(lexer.get_tokens(text), len(text)), _formatter())
    except _TooLong:
        return [*map(escape, lines)]
    # it ends each span with its line and begins it again on the next, and leaves out a last line that is empty
    rows = marked.removesuffix("\n").split("\n")
    rows += [""] * (len(lines) - len(rows))
    return [*map(Markup, rows)] if len(rows) == len(lines) else [*map(escape, lines)]


class _TooLong(Exception):
    """To find the colours of a text takes longer than it may."""


def _in_time(tokens: Iterator[tuple[Any, str]], characters: int) -> Iterator[tuple[Any, str]]:
    """Yield tokens; raise `_TooLong` when they take much longer than they do for code that anybody wrote.

    For each of thousands of empty lines, or of words below each other, some lexers look at all the lines below.
    """
    # what others do meanwhile does not count
    deadline = time.thread_time() + _LEAST_SECONDS + characters * _SECONDS_A_CHARACTER
    for token in tokens:
        if time.thread_time() > deadline:
            raise _TooLong
        yield token


def _changed_line(line: str, number: int) -> Markup:
    shown = line[:_MOST_COLUMNS].translate(_BIDI)
    # what is compared stands in the first two lines
    sign = "name" if number < 2 and line[:4] in ("--- ", "+++ ") else _SIGNS.get(line[:1])
    return Markup('<span class="{}">{}</span>').format(sign, shown) if sign else escape(shown)
