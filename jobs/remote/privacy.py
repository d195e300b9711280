"""Private runs: those that learned what only this machine can check, so that nobody else can reuse them."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from cas.oid import is_oid
from jobs.nodes.facts import Fact, FactKind, is_sound
from jobs.nodes.fields import as_map
from jobs.nodes.references import INPUT as INPUT_TAG
from jobs.nodes.references import walk_references
from jobs.reuse.hit import MISSING
from jobs.reuse.pathnames import INPUT, PROJECT

# labels, and steps from them, mean other jobs elsewhere; a method is looked up by its name wherever one is
_METHOD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def why_private(facts: Iterable[Fact]) -> str:
    """Return in words the first of some facts that only this machine can check, or "" when there is none.

    A file outside the project is such: a path there leads elsewhere for everybody, and often names somebody's home. So
    are labels and the directories of jobs, what a run tells of its clock and folders, and what a debugger has changed.

    >>> why_private([Fact("read", "input/a.csv", MISSING)])
    ''
    >>> why_private([Fact("read", "/home/ann/a.csv", MISSING)])
    "it reads '/home/ann/a.csv', which lies outside the project"
    """
    return next(filter(None, map(_why_one_is, facts)), "")


def _why_one_is(fact: Fact) -> str:
    if not is_sound(fact):
        return f"it learned something of the kind '{fact.kind}' that cannot be looked at"
    return _PRIVATE[fact.kind](fact)


def _of_file(fact: Fact) -> str:
    if fact.was != MISSING and not is_oid(fact.was):
        return f"'{fact.about}' changed while it was read"
    return "" if _is_ours(fact.about) else f"it reads '{fact.about}', which lies outside the project"


def _of_lookup(fact: Fact) -> str:
    name = str(as_map(fact.about)["name"])
    return "" if _METHOD.fullmatch(name) else f"it looks up '{name}', which may be another job elsewhere"


def _of_aside(fact: Fact) -> str:
    what = as_map(fact.about)["of"]
    if what == "output":
        return ""
    return (
        "it looks at the " + ("label or directory" if what == "label" else "times or folders") + " of a job"
    )


def _of_subjob(fact: Fact) -> str:
    for found in walk_references(as_map(fact.about)["arguments"]):
        is_file = found.tag == INPUT_TAG and isinstance(found.content, dict)
        where = as_map(found.content).get("path") if is_file else None
        if where is not None and not _is_ours(where):
            return f"it gives a subjob '{where}', which lies outside the project"
    return ""


def _of_debugging(_: Fact) -> str:
    return "it ran under a debugger"


def _is_ours(name: object) -> bool:
    return str(name).partition("/")[0] in (INPUT, PROJECT)


_PRIVATE: Final[Mapping[FactKind, Callable[[Fact], str]]] = {
    "subjob": _of_subjob,
    "lookup": _of_lookup,
    "aside": _of_aside,
    "read": _of_file,
    "module": _of_file,
    "debug": _of_debugging,
}
