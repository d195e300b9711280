"""How a spec is written: a base, steps from there, and maybe a file or dataset.

Bases: `dev-12`, `dev-LATEST`, a method name (its newest job), a short object id (`@abcd` forces one), `build-7`, and of
a build or an urd session a job, `build-7:parse`, `:import/2019-12:parse`. `@origin` behind a base says that it is what
that remote calls so. Steps: `~2` two earlier with that method, `^` the previous, `.source` an input. Then `:plot.png`
is a file, `/name` a dataset, and behind that `~2` the dataset twice before it in its chain, `^` the one that it
extends.
"""

import re
from typing import Final, Literal, NamedTuple

from porcelain.objects import SpecError

DEFAULT_DATASET: Final = "default"
REMOTE: Final = r"[A-Za-z_][\w-]*"

# of an urd session: `:` stands in a time too, but behind an hour; a list may hold a dot, a job's name may not
_SESSION = r":[^:~^]+(?:(?<=[T ]\d\d):\d\d(?::\d\d)?[^:~^]*)*(?:[~^]\d*)*(?::[^.~^:/]*)?"
_BUILD_ENTRY = r"build-(?:\d+|LATEST):[^.~^:/]+"
# of what may hold a `@` itself, the last one tells the remote
_AT_REMOTE = re.compile(rf"(?P<base>.*[^@])@(?P<remote>{REMOTE})", re.DOTALL)
_SPEC = re.compile(
    rf"(?P<base>{_SESSION}|{_BUILD_ENTRY}|@?\w[\w-]*)(?P<at>@{REMOTE})?(?P<steps>(?:[~^]\d*|\.[^.~^:/]+)*)(?:(?P<mark>[:/])(?P<rest>.*))?",
    re.DOTALL,
)
_STEP = re.compile(r"(?P<sign>[~^])(?P<count>\d*)|(?P<path>(?:\.[^.~^:/]+)+)")


class Step(NamedTuple):
    """One step from a job to another: `~` earlier, `^` previous (so many times), `.` the input at a path."""

    sign: Literal["~", "^", "."]
    times: int = 1
    path: str = ""


class Spec(NamedTuple):
    """A name in its parts; `file` and `dataset` are None unless the text has one, `remote` is "" then."""

    text: str
    base: str
    remote: str = ""
    forced: bool = False
    steps: tuple[Step, ...] = ()
    file: str | None = None
    dataset: str | None = None


def parse(text: str) -> Spec:
    """Return `text` as a spec; raise `SpecError` when it can name nothing.

    >>> parse("dev-12~2.source:plot.png").file
    'plot.png'
    """
    match = _SPEC.fullmatch(text)
    if match is None:
        raise SpecError(
            f"'{text}' names no job, file, dataset or object",
            hint="try dev-12, dev-12:FILE or dev-12/DATASET",
        )
    base, mark, rest = match["base"], match["mark"], match["rest"]
    base, remote = _split_remote(base, match["at"] or "")
    if mark == ":" and not rest:
        raise SpecError(f"'{text}' names no file", hint="a file name goes after the ':'")
    return Spec(
        text=text,
        base=base.removeprefix("@"),
        remote=remote,
        forced=base.startswith("@"),
        steps=tuple(map(_step, _STEP.finditer(match["steps"]))),
        file=rest if mark == ":" else None,
        dataset=(rest or DEFAULT_DATASET) if mark == "/" else None,
    )


def _split_remote(base: str, at: str) -> tuple[str, str]:
    """Return a base without the remote that it is of, and that remote, or ""."""
    found = None if at else _AT_REMOTE.fullmatch(base)
    return (found["base"], found["remote"]) if found else (base, at.removeprefix("@"))


def _step(match: re.Match[str]) -> Step:
    if match["path"]:
        return Step(".", path=match["path"][1:])
    return Step("~" if match["sign"] == "~" else "^", times=int(match["count"] or 1))
