"""The row that stands for a run in listings: its label, its ids and what a log shows of it."""

import re
from typing import Literal, NamedTuple, TypeAlias

from cas.oid import ObjectId
from jobs.nodes.run import MICROSECONDS, ActionKey

State: TypeAlias = Literal["done", "failed"]

# up to 18 digits: a number is kept in a signed integer of 64 bits
_LABEL = re.compile(r"(?P<workdir>.+)-(?P<number>0|[1-9][0-9]{0,17})", re.DOTALL)


class JobRow(NamedTuple):
    """One row of the listing of jobs: a run under its label.

    Attributes
    ----------
    ended, micros : int
        End in microseconds since 1970 (UTC), and how many microseconds it took.
    facts : int
        How many facts its run holds; with none, a hit need not read the run.
    earlier : str
        Label of the earlier job that had this outcome, when the run was cut off early; else "".
    previous : str or None
        The run of the job before it in its chain, "" when it is the first; None: its node tells.
    job, outcome : ObjectId or None
        None when the run failed.
    origin : str or None
        The remote that it came from, "" when it ran here; None in rows of before that was noted: it ran here.
    """

    workdir: str
    number: int
    run: ObjectId
    job: ObjectId | None
    outcome: ObjectId | None
    method: str
    key: ActionKey
    state: State
    ended: int
    micros: int
    caption: str = ""
    why: str = ""
    facts: int = 0
    earlier: str = ""
    previous: str | None = None
    origin: str | None = ""

    @property
    def label(self) -> str:
        """The label, as in "dev-12"."""
        return f"{self.workdir}-{self.number}"

    @property
    def seconds(self) -> float:
        """Seconds that the run took."""
        return self.micros / MICROSECONDS

    @property
    def time(self) -> float:
        """End of the run in seconds since 1970 (UTC)."""
        return self.ended / MICROSECONDS


def split_label(text: str) -> tuple[str, int] | None:
    """Return workdir and number of a label, or None when `text` is none.

    >>> split_label("dev-12")
    ('dev', 12)
    """
    match = _LABEL.fullmatch(text)
    return (match["workdir"], int(match["number"])) if match else None
