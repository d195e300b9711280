"""How a dataset is named in a text: its job, its name there, and steps to a dataset from that one."""

import re
from typing import Final, NamedTuple

# an urd list and a time have `/` and `:` of their own: what names a job of a session ends with its last `:`, but
# for those behind an hour, and the job's name
_OF_SESSION: Final = re.compile(r"(?P<job>:.*?(?<![T ]\d\d):[^/:]*)(?:/(?P<name>.*))?", re.DOTALL)
_WALK: Final = re.compile(r"(?P<name>.*?)(?P<steps>(?:[~^]\d*)+)", re.DOTALL)
_STEP: Final = re.compile(r"(?P<sign>[~^])(?P<count>\d*)")


class DatasetStep(NamedTuple):
    """So many times `~` to the dataset before one in its chain, or `^` to the one that it extends."""

    sign: str
    times: int


def split_text(text: str) -> tuple[str, str]:
    """Return what names the job, and the name of the dataset, "" when the text has none.

    >>> split_text(":import/2019-12:sales/bad")
    (':import/2019-12:sales', 'bad')
    """
    if not text.startswith(":"):
        job, _, name = text.partition("/")
        return job, name
    match = _OF_SESSION.fullmatch(text)
    return (text, "") if match is None else (match["job"], match["name"] or "")


def split_walk(name: str) -> tuple[str, tuple[DatasetStep, ...]]:
    """Return the name at which a way to a dataset begins, and its steps; none when `name` is no such way.

    >>> split_walk("movies~2")
    ('movies', (DatasetStep(sign='~', times=2),))
    """
    match = _WALK.fullmatch(name)
    if match is None:
        return name, ()
    steps = _STEP.finditer(match["steps"])
    return match["name"], tuple(DatasetStep(step["sign"], int(step["count"] or 1)) for step in steps)
