"""The row that stands for a run in listings: its label, its ids and what a log shows of it."""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from cas.oid import ObjectId
from jobs.nodes.run import MICROSECONDS, ActionKey

State: TypeAlias = Literal["done", "failed"]

# between the workdir and the remote of a run that has its label there, and before the id of one that has none
AT: Final = "@"
_ID_DIGITS: Final = 12
# up to 18 digits: a number is kept in a signed integer of 64 bits
_LABEL = re.compile(r"(?P<workdir>.+)-(?P<number>0|[1-9][0-9]{0,17})", re.DOTALL)


class JobRow(NamedTuple):
    """One row of the listing of jobs: a run under its label.

    Attributes
    ----------
    workdir : str
        The workdir; "dev@origin" is the workdir "dev" of the remote "origin". "": the run has no label.
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
        """The label, as in "dev-12"; at a remote as in "dev-12@origin", and of a run without one its short id."""
        if self.workdir == "":
            return AT + self.run[:_ID_DIGITS]
        workdir, at, remote = self.workdir.partition(AT)
        return f"{workdir}-{self.number}{at}{remote}"

    @property
    def is_here(self) -> bool:
        """Whether the run has a label of this project."""
        return self.workdir != "" and AT not in self.workdir

    @property
    def folder(self) -> str:
        """The name of its folder in a workdir: the label, or for a run that has none here its short id."""
        return self.label if self.is_here else AT + self.run[:_ID_DIGITS]

    def without_label(self) -> "JobRow":
        """Return the row as one of a run that has no label: what its own node says may be another one's here."""
        return self._replace(workdir="", number=0)

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
