"""What `main(urd)` of a build script gets: it builds jobs and keeps what was asked for and got."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jobs.builder import Builder
from jobs.errors import UsageError
from jobs.job import Job
from jobs.method.arguments import Arguments
from jobs.nodes.build import BuiltJob
from jobs.nodes.values import DotDict
from jobs.wish import AS_USUAL, Force, Policy, Wish
from porcelain.buildlog import BuildRecord
from porcelain.urdpath import When
from porcelain.urdsession import Sessions

if TYPE_CHECKING:
    from porcelain.urdlog import UrdLog

if TYPE_CHECKING:
    from porcelain.explanations import WhyBuild

# what `Urd.build` takes that is not for the method, and counts in no action key
ABOUT_THE_JOB: Final = frozenset({"name", "caption", "workdir", "force_build", "why_build", "concurrency"})


class Surroundings(NamedTuple):
    """What a build script sees beside its jobs.

    Attributes
    ----------
    log : callable or None
        Gives the urd lists.
    info : mapping
        Of the project: slices, folders.
    flags : frozenset of str
        What `--flags` says.
    horizon : When or None
        How far `latest` looks.
    """

    log: "Callable[[], UrdLog] | None" = None
    info: Mapping[str, Any] = MappingProxyType({})
    flags: frozenset[str] = frozenset()
    horizon: When | None = None


NOTHING: Final = Surroundings()


class Urd(Sessions):
    """The argument of `main(urd)`: it builds jobs, and keeps them as urd sessions.

    Parameters
    ----------
    record
        Where each job is written down.
    policy
        What holds for all jobs of the build.
    force
        True: every job runs, whether there is one already or not; a text: those of that method.
    around
        Urd lists, flags and the like.

    Attributes
    ----------
    info : DotDict
        Of the project: `slices`, `input_directory`, `result_directory`, `project_directory`; whose urd lists: `urd`.
    flags : set of str
        What `acc build --flags a,b` says.
    """

    def __init__(
        self,
        builder: Builder,
        record: BuildRecord,
        policy: Policy = AS_USUAL,
        *,
        force: Force = False,
        around: Surroundings = NOTHING,
    ) -> None:
        super().__init__(record, around.log, around.horizon)
        self._builder = builder
        self._policy = replace(policy, build=record.label)
        self._force = force
        self._workdir = ""
        self.info = DotDict(around.info)
        self.flags = set(around.flags)

    def build(  # noqa: PLR0913 - the peer's arguments
        self,
        method: str,
        options: Mapping[str, Any] | None = None,
        datasets: Mapping[str, Any] | None = None,
        jobs: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        caption: str | None = None,
        workdir: str | None = None,
        force_build: bool = False,
        why_build: bool = False,
        concurrency: int | None = None,
        **keywords: Any,
    ) -> Job:
        """Return the job of a method with these arguments: the one that there is, or one that runs now.

        Parameters
        ----------
        options, datasets, jobs
            Arguments by section.
        name
            What the job is called in this build; by default its method.
        caption
            A word about it for people; no part of what makes it the same job.
        workdir
            Where a new job gets its label.
        force_build
            Run it although there is such a job.
        why_build
            Build nothing, and return what differs: `{method: {label: {section: {name: earlier value}}}}`, with the
            nearest earlier job; or the job that would be reused, in which nothing differs.
        concurrency
            At most so many slices at a time.
        keywords
            Arguments that find their section by their names.

        Examples
        --------
        >>> job = urd.build("csvimport", filename="january.csv")  # doctest: +SKIP
        """
        wish = Wish(
            policy=self._policy,
            caption=caption or "",
            workdir=workdir or self._workdir,
            concurrency=concurrency,
            force=force_build or self._force is True or self._force == method,
        )
        arguments = Arguments(*(_section(method, given) for given in (options, datasets, jobs)))
        if why_build:
            # what the peer gives, which is no job
            return self._why(method, arguments, keywords)  # type: ignore[return-value]
        place = self._record.ask()
        got = self._builder.build(method, arguments, keywords, wish)
        row = got.job.row
        self._record.add(BuiltJob(name or method, row.run, got.how, got.ran, row.method, wish.caption), place)
        return self._list(place, name or method, got.job)

    def build_chained(
        self,
        method: str,
        options: Mapping[str, Any] | None = None,
        datasets: Mapping[str, Any] | None = None,
        jobs: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        **keywords: Any,
    ) -> Job:
        """Return the job of a method whose `previous` is the job called `name` in the session that was last asked for.

        That is by `get`, `latest` or `first`; where it has none, `previous` stays unset. All else is as for `build`.
        """
        if "previous" in {**(datasets or {}), **(jobs or {}), **keywords}:
            raise UsageError("build_chained finds 'previous' itself", hint="urd.build takes what you give it")
        if not name:
            raise UsageError(
                "build_chained wants a name", hint=f"write urd.build_chained('{method}', name=...)"
            )
        previous = self._get_previous(name)
        return self.build(method, options, datasets, jobs, name=name, previous=previous, **keywords)

    def set_workdir(self, workdir: str | None) -> None:
        """Give the jobs that are built from here on labels of a workdir; None: of the one that they would have had."""
        self._workdir = workdir or ""

    def warn(self, line: str = "") -> None:
        """Say something that the user should know; it is shown when the build has ended."""
        self._record.said.extend(text.rstrip() for text in line.expandtabs().split("\n"))

    def _why(self, method: str, arguments: Arguments, keywords: Mapping[str, Any]) -> "WhyBuild":
        # here, not above: few scripts ask
        from jobs.explain import explain
        from porcelain.explanations import why_build

        return why_build(explain(self._builder, self._builder.request(method, arguments, keywords)))


def _section(method: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(
            f"an argument of method '{method}' has no name: {given!r}",
            hint=f"write urd.build('{method}', NAME=...)",
        )
    return dict(given or {})
