"""What `main(urd)` of a build script gets: it builds jobs and keeps what was asked for and got."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from cas.threads import usable_cores
from jobs.builder import Builder
from jobs.errors import UsageError
from jobs.job import Job
from jobs.method.arguments import Arguments
from jobs.nodes.build import BuiltJob
from jobs.nodes.values import DotDict
from jobs.request import Got
from jobs.wish import ABOUT_THE_JOB, AS_USUAL, Force, Policy, Wish
from porcelain.buildlog import BuildRecord
from porcelain.sessions.urdpath import When
from porcelain.sessions.urdsession import Sessions

if TYPE_CHECKING:
    from porcelain.sessions.urdlog import UrdLog
    from porcelain.submitted import Submissions, Submitted
    from porcelain.views.explanations import WhyBuild

_TEXTS: Final = ("name", "caption", "workdir")


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
        self._submissions: Submissions | None = None
        self._submits = False  # whether the script has ever submitted a job, be it one that was there
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
        about = {
            "name": name,
            "caption": caption,
            "workdir": workdir,
            "force_build": force_build,
            "concurrency": concurrency,
        }
        call = self._asked(method, (options, datasets, jobs), keywords, about)
        if self._submits:
            call = call.awaited()
        if why_build:
            # what the peer gives, which is no job
            return self._why(call)  # type: ignore[return-value]
        call.place = self._record.ask()
        return self._build(call)

    def _build(self, call: "_Call") -> Job:
        return self._got(call, self._builder.build(call.method, call.arguments, call.keywords, call.wish))

    def submit(
        self,
        method: str,
        options: Mapping[str, Any] | None = None,
        datasets: Mapping[str, Any] | None = None,
        jobs: Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> "Submitted":
        """Have the job of a method built while the script goes on; everything is as for `build`.

        Returns
        -------
        Submitted
            Stands for the job as an input of others, which then wait for it: itself, `dataset(name)` and
            `withfile(name)` of it. `result()` gives the job, and so does asking for anything that a job has. The
            build ends when all are there.

        Raises
        ------
        OptionError, MethodError
            As `build`, unless it has to wait for others first.
        JobFailed
            When a job that was submitted earlier has failed, and nobody has heard of it.

        Examples
        --------
        >>> months = [urd.submit("csvimport", filename=name) for name in names]  # doctest: +SKIP
        >>> table = urd.submit("dataset_concat", source=months[-1])  # doctest: +SKIP
        """
        # here, not above: few scripts submit
        from porcelain.submitted import Submitted, needed

        self._submits = True
        about = {key: keywords.pop(key) for key in ABOUT_THE_JOB & keywords.keys()}
        call = self._asked(method, (options, datasets, jobs), keywords, about)
        call.place = self._record.ask()
        needs = list(needed([options, datasets, jobs, keywords]))
        if needs and self._builder.runs_apart:
            return self._submitted(call, lambda: self._build(call.awaited()), needs)
        call = call.awaited()
        request = self._builder.request(call.method, call.arguments, call.keywords)
        got = self._builder.find_now(request, call.wish)
        if got is None and self._builder.runs_apart and not self._policy.only_look:
            return self._submitted(call, lambda: self._got(call, self._builder.get(request, call.wish)))
        return Submitted.of(call.name, self._got(call, got or self._builder.get(request, call.wish)))

    def _asked(
        self,
        method: str,
        sections: Sequence[Mapping[str, Any] | None],
        keywords: Mapping[str, Any],
        about: Mapping[str, Any],
    ) -> "_Call":
        """Return what is asked for; `about` are arguments of `build` by name."""
        for what, text in (("method", method), *((what, about.get(what)) for what in _TEXTS)):
            if text is not None and not isinstance(text, str):
                raise UsageError(f"the {what} of a job is a text, not {text!r}")
        # here, not where a job runs: one that is reused would hide a name that is wrong
        workdir = self._checked_workdir(about.get("workdir"))
        wish = Wish(
            policy=self._policy,
            caption=about.get("caption") or "",
            workdir=workdir or self._workdir,
            concurrency=about.get("concurrency"),
            force=about.get("force_build") or self._force is True or self._force == method,
        )
        arguments = Arguments(*(_section(method, given) for given in sections))
        return _Call(method, about.get("name") or method, arguments, keywords, wish)

    def _got(self, call: "_Call", got: Got) -> Job:
        """Write down what was got for a call."""
        row = got.job.row
        entry = BuiltJob(call.name, row.run, got.how, got.ran, row.method, call.wish.caption, got.origin)
        self._record.add(entry, call.place)
        return self._list(call.place, call.name, got.job)

    def _submitted(
        self, call: "_Call", build: Callable[[], Job], needs: "Sequence[Submitted]" = ()
    ) -> "Submitted":
        from porcelain.submitted import Submissions

        if self._submissions is None:
            # more threads than jobs can run, as one may wait for what another build runs
            self._submissions = Submissions(2 * usable_cores() + 2)
        return self._submissions.submit(call.name, build, needs)

    def wait(self) -> None:
        """Return when all jobs that were submitted are there; raise what went wrong first, once what runs has ended."""
        if self._submissions is not None:
            self._submissions.finish()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Wait at the end of a block for what was submitted in it; when it raises, begin no more of that."""
        try:
            yield
            self.wait()
        except KeyboardInterrupt:
            self._builder.stop()
            raise
        finally:
            if self._submissions is not None:
                self._submissions.close()

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
        self._workdir = self._checked_workdir(workdir)

    def _checked_workdir(self, workdir: str | None) -> str:
        return self._builder.checked_workdir(workdir) if workdir else ""

    def warn(self, line: str = "") -> None:
        """Say something that the user should know; it is shown when the build has ended."""
        self._record.said.extend(text.rstrip() for text in str(line).expandtabs().split("\n"))

    def _why(self, call: "_Call") -> "WhyBuild":
        # here, not above: few scripts ask
        from jobs.explain import explain
        from porcelain.views.explanations import why_build

        request = self._builder.request(call.method, call.arguments, call.keywords)
        return why_build(explain(self._builder, request))


@dataclass(slots=True)
class _Call:
    """A job that the script asks for, and its place in the record once it has one."""

    method: str
    name: str
    arguments: Arguments
    keywords: Mapping[str, Any]
    wish: Wish
    place: int = -1

    def awaited(self) -> Self:
        """Return it with jobs in the place of submitted ones, once they are there."""
        from porcelain.submitted import awaited

        sections = (self.arguments.options, self.arguments.datasets, self.arguments.jobs)
        return replace(self, arguments=Arguments(*map(awaited, sections)), keywords=awaited(self.keywords))


def _section(method: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(
            f"an argument of method '{method}' has no name: {given!r}",
            hint=f"write urd.build('{method}', NAME=...)",
        )
    return dict(given or {})
