"""What a caller wants built, and how: beyond a method and its arguments, and no part of what makes a job the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Force: TypeAlias = bool | str


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for every job of a build, subjobs too.

    Attributes
    ----------
    workdir : str
        Where new jobs get their labels; "" for the project's own.
    concurrency : int or None
        At most so many slices of a job run at a time.
    concurrency_of : mapping of str to int
        The same for single methods, by name.
    only_look : bool
        Do not run anything: a miss raises `jobs.builder.WouldRun`.
    strict : bool
        A job that reads what it does not declare fails; one that did so is not reused but refused.
    """

    workdir: str = ""
    concurrency: int | None = None
    concurrency_of: Mapping[str, int] = field(default_factory=dict)
    only_look: bool = False
    strict: bool = False


AS_USUAL: Final = Policy()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one job.

    Attributes
    ----------
    caption : str
        The user's words about it.
    workdir, concurrency
        In place of what the policy says.
    force : bool
        Run although there is such a job.
    parent : str
        The label of the job that wants it as a subjob, or "".
    depth : int
        How many jobs stand above it.
    """

    policy: Policy = AS_USUAL
    caption: str = ""
    workdir: str = ""
    concurrency: int | None = None
    force: bool = False
    parent: str = ""
    depth: int = 0

    def concurrency_for(self, method: str) -> int | None:
        """Return how many slices may run at a time as the caller says, or None when he does not."""
        policy = self.policy
        return self.concurrency or policy.concurrency_of.get(method) or policy.concurrency
