"""What changed between two values, every place of it, and pairs of values in few words."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from jobs.comparison.sameness import is_same

_DEEPEST: Final = 20
# a set that is shorter is shown whole, of a longer one only what differs
_WHOLE_SET: Final = 4
# of two long texts that begin alike, so much is shown before they part
_SHOWN_BEFORE: Final = 12


class _Absent:
    """Stands for what is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()


class Change(NamedTuple):
    """One place where two values differ, as "['a'][0]" ("" is all of the value), and what stands there in each."""

    place: str
    before: Any
    after: Any


def changes(before: object, after: object) -> Iterator[Change]:
    """Yield where two values differ: the innermost places of dicts, lists and sets.

    >>> list(changes({"a": [1, 2], "b": 3}, {"a": [1, 5], "b": 3}))
    [Change(place="['a'][1]", before=2, after=5)]
    """
    yield from _walk(before, after, "", 0)


def _walk(before: Any, after: Any, place: str, depth: int) -> Iterator[Change]:
    # most parts of large values are the same, and one that holds itself is never walked through
    if is_same(before, after):
        return
    if type(before) is type(after) and depth < _DEEPEST:
        if isinstance(before, Mapping):
            yield from _in_mappings(before, after, place, depth)
            return
        if isinstance(before, list | tuple):
            yield from _in_sequences(before, after, place, depth)
            return
        if isinstance(before, set | frozenset) and max(len(before), len(after)) > _WHOLE_SET:
            yield Change(f"{place}{{...}}", before - after or ABSENT, after - before or ABSENT)
            return
    yield Change(place, before, after)


def _in_mappings(before: Any, after: Any, place: str, depth: int) -> Iterator[Change]:
    found = False
    for key in (*before, *(key for key in after if key not in before)):
        inner = _walk(before.get(key, ABSENT), after.get(key, ABSENT), f"{place}[{key!r}]", depth + 1)
        for change in inner:
            found = True
            yield change
    if not found:  # they differ by the order of an ordered one
        yield Change(place, list(before), list(after))


def _in_sequences(before: Any, after: Any, place: str, depth: int) -> Iterator[Change]:
    if len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk(old, new, f"{place}[{number}]", depth + 1)
        return
    # here, not above: few lists differ
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, list(map(repr, before)), list(map(repr, after)), autojunk=False)
    for what, first, last, new_first, new_last in matcher.get_opcodes():
        if what != "equal":
            old, new = before[first:last], after[new_first:new_last]
            yield Change(f"{place}[{first}:{last}]", old or ABSENT, new or ABSENT)


def pair_in_words(before: object, after: object, room: int) -> tuple[str, str]:
    """Return two values as a user would write them, each in at most `room` characters that show where they differ.

    >>> pair_in_words("a" * 50 + "b", "a" * 50 + "c", 20)
    ("...aaaaaaaaaaab'", "...aaaaaaaaaaac'")
    """
    old, new = _text(before), _text(after)
    alike = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    if max(len(old), len(new)) > room and alike > room - _SHOWN_BEFORE:
        start = alike - _SHOWN_BEFORE + 1
        old, new = "..." + old[start:], "..." + new[start:]
    return _cut(old, room), _cut(new, room)


def _text(value: object) -> str:
    if isinstance(value, set | frozenset) and value:
        # by itself a set has another order in each process
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    return repr(value)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 3] + "..."
