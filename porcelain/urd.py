"""What `main(urd)` of a build script gets: it builds jobs and keeps what was asked for and got."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from jobs.builder import Builder
from jobs.errors import UsageError
from jobs.job import Job
from jobs.method.arguments import Arguments
from jobs.wish import AS_USUAL, Force, Policy, Wish
from porcelain.buildlog import BuildRecord

if TYPE_CHECKING:
    from porcelain.explanations import WhyBuild

# what `Urd.build` takes that is not for the method, and counts in no action key
ABOUT_THE_JOB: Final = frozenset({"name", "caption", "workdir", "force_build", "why_build", "concurrency"})


class Urd:
    """The argument of `main(urd)`.

    Parameters
    ----------
    record
        Where each job is written down.
    policy
        What holds for all jobs of the build.
    force
        True: every job runs, whether there is one already or not; a text: those of that method.
    """

    def __init__(
        self, builder: Builder, record: BuildRecord, policy: Policy = AS_USUAL, *, force: Force = False
    ) -> None:
        self._builder = builder
        self._record = record
        self._policy = policy
        self._force = force

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
            workdir=workdir or "",
            concurrency=concurrency,
            force=force_build or self._force is True or self._force == method,
        )
        arguments = Arguments(*(_section(method, given) for given in (options, datasets, jobs)))
        if why_build:
            # what the peer gives, which is no job
            return self._why(method, arguments, keywords)  # type: ignore[return-value]
        got = self._builder.build(method, arguments, keywords, wish)
        self._record.add(name or method, got.job.row.run, got.how, got.ran)
        return got.job

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
