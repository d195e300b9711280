"""Names and values as they are shown: what a job calls its files may hold anything but a zero byte."""

import json
import unicodedata
from shlex import quote
from typing import Any, Final

_MOST: Final = 240
# controls, letters that turn the direction or are not seen, line ends of Unicode
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
# what has text read in another order than it stands
_TURNING: Final = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def in_order(text: str) -> str:
    """Return a text whose letters are seen in the order in which they stand, but for scripts that run to the left."""
    return text.translate(_TURNING)


def visible(name: str) -> str:
    r"""Return a name on one line, of bearable length, in which nothing is hidden or turned around.

    >>> visible("a\nb" + chr(0x202E) + "gnp.exe")
    'a\\nb\\u202egnp.exe'
    """
    shown = "".join(
        _escaped(letter) if unicodedata.category(letter) in _UNSEEN else letter for letter in name
    )
    return shown if len(shown) <= _MOST else f"{shown[: _MOST * 2 // 3]} … {shown[-_MOST // 3 :]}"


def value_text(value: Any) -> str:
    """Return an option's value, as views have it, on one line of bearable length.

    >>> value_text({"a": [1, None]})
    '{"a": [1, null]}'
    """
    return visible(json.dumps(value, ensure_ascii=False))


def typed(word: str) -> str:
    r"""Return a word as one types it in a shell, so that all of it is seen.

    >>> print(typed("a.png"), typed("my file"), typed("a\n'"))
    a.png 'my file' $'a\n\''
    """
    if word.isprintable():
        return quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{''.join(each if each.isprintable() else _escaped(each) for each in escaped)}'"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
