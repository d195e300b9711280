"""What a user types into a search box, as a query of FTS5 that is always valid, and where its words are in a text."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

_MOST_WORDS: Final = 16
_LONGEST_WORD: Final = 80
# as the tokenizer of the tables has it: letters, numbers, pictures; marks stay with the letter before
_PLAIN_WORD: Final = re.compile(r"[0-9A-Za-z]+")
_NOTHING: Final = '"\ufffe"'


class Part(NamedTuple):
    """A part of a text, and whether it is what was searched."""

    text: str
    found: bool


def to_query(text: str, fields: Iterable[str] = ()) -> str:
    """Return the query for what has all words of a text, or words that begin so; what has no word finds nothing.

    >>> to_query("plot-del NOT", ["caption"])
    '{caption} : ("plot-del"* "NOT"*)'
    """
    quoted = " ".join('"' + chunk.replace('"', '""') + '"*' for chunk in _chunks(text)) or _NOTHING
    names = " ".join(fields)
    return f"{{{names}}} : ({quoted})" if names else f"({quoted})"


def words_of(text: str) -> list[str]:
    """Return the words that are searched, as they are compared."""
    return [folded(word) for chunk in _chunks(text) for _, word in _words(chunk)]


def parts_of(text: str, words: Sequence[str]) -> list[Part]:
    """Return a text in parts, those apart that begin words as `words` do.

    >>> parts_of("plot_delays.png", ["del"])
    [Part(text='plot_', found=False), Part(text='del', found=True), Part(text='ays.png', found=False)]
    """
    parts, done = [], 0
    for start, word in _words(text):
        begun = max((len(each) for each in words if folded(word).startswith(each)), default=0)
        if begun:
            parts += [Part(text[done:start], False), Part(text[start : start + begun], True)]  # noqa: FBT003
            done = start + begun
    parts.append(Part(text[done:], False))  # noqa: FBT003 - a field of a part
    return [part for part in parts if part.text]


def excerpt_of(text: str, words: Sequence[str], length: int) -> list[Part]:
    """Return the part of a text where what is searched first occurs, in parts; "…" stands for what is left out.

    >>> [part.text for part in excerpt_of("number of delays in each month", ["del"], 20)]
    ['… of ', 'del', 'ays in each…']
    """
    if len(text) <= length:
        return parts_of(text, words)
    place = 0
    for part in parts_of(text, words):
        if part.found:
            break
        place += len(part.text)
    else:
        place = 0
    start = min(max(0, place - length // 4), len(text) - length)
    before, behind = "…" if start else "", "…" if start + length < len(text) else ""
    return parts_of(f"{before}{text[start + len(before) : start + length - len(behind)]}{behind}", words)


def folded(word: str) -> str:
    """Return a word without case and marks, as words are compared.

    >>> folded("Größe")
    'große'
    """
    if word.isascii():
        return word.lower()
    bare = (letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
    return "".join(bare).lower()


def _chunks(text: str) -> list[str]:
    """Return what stands between spaces and has a word in it, cut to what anybody types."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[:2_000])
    chunks = (chunk[:_LONGEST_WORD].encode("utf-8", "replace").decode() for chunk in clean.split())
    return [chunk for chunk in chunks if any(_words(chunk))][:_MOST_WORDS]


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Yield the words of a text, and where each begins."""
    if text.isascii():
        for match in _PLAIN_WORD.finditer(text):
            yield match.start(), match.group()
        return
    start = 0
    for place, letter in enumerate(text + " "):
        kind = unicodedata.category(letter)
        if kind[0] in "LN" or kind in ("Co", "So") or (kind[0] == "M" and place > start):
            continue
        if place > start:
            yield start, text[start:place]
        start = place + 1
