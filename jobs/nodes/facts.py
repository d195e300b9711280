"""Facts: what a run learns beyond its action key; a later hit is valid only while each of them holds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Self, TypeAlias, get_args

from cas.formats.canonical import Json
from jobs.nodes.fields import as_map, as_text

_NAMED_AT_MOST: Final = 3

FactKind: TypeAlias = Literal["subjob", "lookup", "aside", "read", "module", "debug"]


class Fact(NamedTuple):
    """One thing that a run asked, and the answer that it got.

    Attributes
    ----------
    kind : str
        - "subjob": `about` is the request of a subjob (method, inputs), `was` its outcome, or "" when it was refused.
        - "lookup": `about` is a text by which a job was looked up, `was` the outcome found, or "".
        - "aside": `about` is an outcome and what was read of a job with it that is no part of the outcome (its
          label, output, times ...), `was` the id of that.
        - "read": `about` is a file read, or an input folder listed, without being declared, `was` its content id
          (of a folder: of the names in it), or "" when it was missing.
        - "module": `about` is the path of a project module that the closure lacked, `was` its content id; or the
          path without a suffix at which a module was looked for in vain, and `was` is "".
        - "debug": somebody may have changed things by a debugger; both are empty, and it never holds.
    about : Json
        The question.
    was : str
        The answer.
    """

    kind: FactKind
    about: Json
    was: str

    def to_json(self) -> dict[str, Json]:
        """Return the fact as JSON."""
        return {"kind": self.kind, "about": self.about, "was": self.was}

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the fact that `to_json` gave."""
        fields: Mapping[str, Json] = as_map(body)
        kind = as_text(fields["kind"])
        if kind not in get_args(FactKind):
            raise ValueError(f"unknown kind of fact '{kind}'")
        return cls(kind=kind, about=fields["about"], was=as_text(fields["was"]))  # type: ignore[arg-type]  # just checked


# what is asked in a mapping, and of these what is a text
_ASKED: Final[Mapping[FactKind, tuple[str, ...]]] = {
    "subjob": ("method",),
    "lookup": ("name",),
    "aside": ("outcome", "of"),
}


def is_sound(fact: Fact) -> bool:
    """Return whether what a fact asks can be asked: one from elsewhere may hold anything.

    >>> is_sound(Fact("lookup", {"name": "import"}, "")), is_sound(Fact("lookup", 3, ""))
    (True, False)
    """
    if fact.kind in ("read", "module"):
        return isinstance(fact.about, str)
    if fact.kind == "debug":
        return True
    about = fact.about
    if not isinstance(about, dict) or not all(isinstance(about.get(name), str) for name in _ASKED[fact.kind]):
        return False
    return fact.kind != "subjob" or isinstance(about.get("arguments"), dict)


def undeclared(facts: Iterable[Fact]) -> tuple[str, ...]:
    """Return the files that a run read, and the folders that it listed, without declaring them; in order."""
    return tuple(str(fact.about) for fact in facts if fact.kind == "read")


def undeclared_in_words(who: str, names: Sequence[str]) -> str:
    """Return in one line what was read without being declared.

    >>> undeclared_in_words("it", ["input/a", "input/b", "input/c", "input/d"])
    "it reads 'input/a', 'input/b', 'input/c' and 1 more without declaring it"
    """
    shown = ", ".join(map(repr, names[:_NAMED_AT_MOST]))
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return f"{who} reads {shown}{more} without declaring it"
