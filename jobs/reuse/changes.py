"""What changed between two values, place by place, and values in few words."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

_DEEPEST: Final = 20
# of two long texts that begin alike, so much is shown before they part
_SHOWN_BEFORE: Final = 12


class _Absent:
    """Stands for what is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()


class Change(NamedTuple):
    """One place where two values differ, as ".a[0]" ("" is all of the value), and what stands there in each."""

    place: str
    before: object
    after: object


def changes(before: object, after: object, place: str = "", depth: int = 0) -> Iterator[Change]:
    """Yield where two values differ: the innermost places of dicts, lists and sets.

    >>> [str(change.place) for change in changes({"a": [1, 2], "b": 3}, {"a": [1, 5], "b": 3})]
    ['.a[1]']
    """
    if type(before) is type(after) and depth < _DEEPEST:
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _in_mappings(before, after, place, depth)
            return
        if isinstance(before, list | tuple) and isinstance(after, list | tuple):
            yield from _in_sequences(before, after, place, depth)
            return
        if isinstance(before, set | frozenset) and isinstance(after, set | frozenset):
            yield from (Change(f"{place}{{}}", item, ABSENT) for item in sorted(before - after, key=repr))
            yield from (Change(f"{place}{{}}", ABSENT, item) for item in sorted(after - before, key=repr))
            return
    if not _is_same(before, after):
        yield Change(place, before, after)


def _in_mappings(
    before: Mapping[object, object], after: Mapping[object, object], place: str, depth: int
) -> Iterator[Change]:
    found = False
    for key in (*before, *(key for key in after if key not in before)):
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        for change in changes(old, new, place + _step(key), depth + 1):
            found = True
            yield change
    if not found and list(before) != list(after) and before != after:
        # an ordered one whose order counts
        yield Change(place, list(before), list(after))


def _in_sequences(
    before: list[object] | tuple[object, ...],
    after: list[object] | tuple[object, ...],
    place: str,
    depth: int,
) -> Iterator[Change]:
    if len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, f"{place}[{number}]", depth + 1)
        return
    # here, not above: few lists differ
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, list(map(repr, before)), list(map(repr, after)), autojunk=False)
    for what, first, last, new_first, new_last in matcher.get_opcodes():
        if what != "equal":
            old, new = before[first:last], after[new_first:new_last]
            yield Change(f"{place}[{first}:{last}]", old or ABSENT, new or ABSENT)


def _step(key: object) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _is_same(before: object, after: object) -> bool:
    if type(before) is not type(after) or repr(before) != repr(after):
        return False
    if isinstance(before, float | complex):
        return True  # nan is nan here
    try:
        return bool(before == after)
    except ValueError:  # an array has no truth
        return True


def in_words(value: object, room: int) -> str:
    """Return `value` as a user would write it, in at most `room` characters.

    >>> in_words([1, 2, 3, 4], 8)
    '[1, 2...'
    """
    text = repr(value)
    return text if len(text) <= room else text[: room - 3] + "..."


def pair_in_words(before: object, after: object, room: int) -> tuple[str, str]:
    """Return two values in words, each in at most `room` characters, so that one sees where they differ.

    >>> pair_in_words("a" * 50 + "b", "a" * 50 + "c", 20)
    ("...aaaaaaaaaaab'", "...aaaaaaaaaaac'")
    """
    texts = repr(before), repr(after)
    alike = next((i for i, (old, new) in enumerate(zip(*texts, strict=False)) if old != new), 0)
    if max(map(len, texts)) > room and alike > room - _SHOWN_BEFORE:
        start = alike - _SHOWN_BEFORE + 1
        texts = "..." + texts[0][start:], "..." + texts[1][start:]
    short = [text if len(text) <= room else text[: room - 3] + "..." for text in texts]
    return short[0], short[1]
