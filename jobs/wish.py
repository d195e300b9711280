"""What a caller wants built, and how: beyond a method and its arguments, and no part of what makes a job the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from jobs.errors import UsageError
from jobs.limits import NO_LIMITS, Limits
from jobs.nodes.run import ActionKey

Force: TypeAlias = bool | str

# of what a method says when it wants a subjob: where and how it runs, which is no part of what it learns
ABOUT_RUNNING: Final = ("workdir", "concurrency")
_NOT_FOR_SUBJOBS: Final = ("force_build", "why_build")
# what a call names that is not for the method, and counts in no action key
ABOUT_THE_JOB: Final = frozenset({"name", "caption", *ABOUT_RUNNING, *_NOT_FOR_SUBJOBS})


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
    build : callable
        Gives the label of the build, or "": the parent of jobs that are no subjobs. Asked when one runs.
    limits : Limits
        What a job may take; of a method that declares limits the smaller ones count.
    only_look : bool
        Do not run anything: a miss raises `jobs.builder.WouldRun`.
    strict : bool
        A job that reads what it does not declare fails; one that did so is not reused but refused.
    """

    workdir: str = ""
    concurrency: int | None = None
    concurrency_of: Mapping[str, int] = field(default_factory=dict)
    build: Callable[[], str] = str
    limits: Limits = NO_LIMITS
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
    above : sequence of ActionKey
        The keys of the jobs that wait for it, each a subjob of the one before.
    """

    policy: Policy = AS_USUAL
    caption: str = ""
    workdir: str = ""
    concurrency: int | None = None
    force: bool = False
    parent: str = ""
    above: Sequence[ActionKey] = ()

    def __post_init__(self) -> None:
        """Refuse a number of slices that is none."""
        slices = self.concurrency
        if slices is not None and not (type(slices) is int and slices >= 1):
            raise UsageError(f"concurrency is a number of slices, at least 1, not {slices!r}")

    def concurrency_for(self, method: str, declared: int | None) -> int | None:
        """Return how many slices of a job may run at a time, or None when nobody says.

        What is said of this job or its method counts; what is said of all jobs does not make more of it than the
        method declares.
        """
        said = self.concurrency or self.policy.concurrency_of.get(method)
        return said or min(filter(None, (self.policy.concurrency, declared)), default=None)

    def of_subjob(self, arguments: Mapping[str, Any]) -> tuple["Wish", dict[str, Any]]:
        """Return this wish with what a method says about a subjob, and the arguments that are for the subjob itself.

        Raises
        ------
        UsageError
            When it says what only a build script can.
        """
        given = dict(arguments)
        for name in _NOT_FOR_SUBJOBS:
            if name in given:
                raise UsageError(f"a subjob takes no '{name}'", hint="only urd.build in a build script does")
        given.pop("name", None)
        wish = replace(
            self,
            caption=str(given.pop("caption", None) or ""),
            workdir=str(given.pop("workdir", None) or self.workdir),
            concurrency=given.pop("concurrency", None),
        )
        return wish, given


ANY_WISH: Final = Wish()
