"""`build`: options, key, a hit whose facts hold, or a launch; also of the subjobs that a running job wants."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.context import Context
from jobs.errors import JobFailed, MethodError, NotTrusted, UndeclaredReads, UsageError
from jobs.execution.plan import Listener, Plan
from jobs.execution.turn import Turn
from jobs.facets.runs import gone
from jobs.job import Job
from jobs.method.arguments import Arguments, split_arguments
from jobs.method.definition import Method
from jobs.nodes.facts import undeclared_in_words
from jobs.nodes.listing import JobRow
from jobs.nodes.run import FORCED, ActionKey
from jobs.request import Got, Request
from jobs.reuse.hit import Asks, CheckedFact, Hit, check_facts, find_hit, holds_now
from jobs.reuse.index import JobIndex
from jobs.reuse.inputfiles import InputFiles
from jobs.reuse.inputs import Given, check_arguments
from jobs.reuse.key import KeyParts, action_key
from jobs.reuse.lease import Leases
from jobs.reuse.pathnames import PathNames
from jobs.reuse.presence import find_lost
from jobs.wish import ANY_WISH, Policy, Wish

if TYPE_CHECKING:
    from jobs.execution.events import SubjobWanted
    from jobs.execution.executors import Answer
    from jobs.execution.launcher import Launcher
    from jobs.remote.sharing import Sharing
    from jobs.reuse.difference import Side
    from jobs.reuse.why import Nearest

_NESTED_AT_MOST = 5
_COMPARED_AT_MOST = 500


class Methods(Protocol):
    """Finds methods by name, and the environment that counts for one; `jobs.method.catalog.Catalog` does."""

    def get(self, name: str) -> Method:
        """Return the method with that name; raise `MethodError` when there is none."""

    def environment(self, method: Method) -> Mapping[str, str]:
        """Return the versions that count in the keys of a method."""


class WouldRun(AccError):
    """A job would run, and the caller only wanted to look; the message says why it would.

    Attributes
    ----------
    request : Request
        What was asked for.
    """

    def __init__(self, message: str, request: Request) -> None:
        super().__init__(message)
        self.request = request


class Builder:
    """Gets jobs: reuses the one there is, or runs it. Several threads may ask.

    Parameters
    ----------
    turn
        Taken for each job, and left while it runs.
    launcher
        Gives what runs jobs; called when the first job is to run.
    cores
        How many slices run at a time when nobody says otherwise.
    sharing
        Gets jobs that others have built, and publishes those that are built here.
    """

    def __init__(  # noqa: PLR0913 - the engine, put together
        self,
        *,
        context: Context,
        index: JobIndex,
        methods: Methods,
        launcher: "Callable[[], Launcher]",
        listener: Listener,
        leases: Leases,
        turn: Turn,
        names: PathNames,
        inputs: InputFiles,
        default_workdir: str,
        cores: int,
        sharing: "Sharing | None" = None,
    ) -> None:
        self._context = context
        self._index = index
        self._methods = methods
        self._launcher = launcher
        self._listener = listener
        self._leases = leases
        self._turn = turn
        self._inputs = inputs
        self._default_workdir = default_workdir
        self._cores = cores
        self._sharing = sharing
        look = partial(self._build_for_fact, Wish(Policy(only_look=True)))
        self._look = Asks(look, look, inputs.file_id, names)
        self._warned: set[str] = set()
        self._compared: dict[str, dict[ObjectId, Side]] = defaultdict(dict)

    def build(self, name: str, arguments: Arguments, keywords: Mapping[str, Any], wish: Wish) -> Got:
        """Return the job of method `name` with these arguments: an earlier one, or one that is run now.

        Raises
        ------
        OptionError, MethodError
            Before anything runs.
        JobFailed
            When it was run and failed.
        """
        with self._turn:
            return self._get(self._request(name, arguments, keywords), wish)

    def find_now(self, request: Request, wish: Wish) -> Got | None:
        """Return the job that `get` would reuse, or None when something would have to run, be it to see that."""
        with self._turn:
            self._check_trust(request)
            hit = Hit(None) if wish.force else self.find(request, only_look=True)
            return None if hit.row is None else self._reused(request, hit, wish)

    def get(self, request: Request, wish: Wish) -> Got:
        """Return the job of a request: an earlier one, or one that is run now; raises what `build` does."""
        with self._turn:
            return self._get(request, wish)

    def _get(self, request: Request, wish: Wish) -> Got:
        self._check_trust(request)
        only_look = wish.policy.only_look
        hit = Hit(None, FORCED) if wish.force else self.find(request, only_look=only_look, wish=wish)
        if hit.row is not None:
            return self._reused(request, hit, wish)
        if only_look:
            raise self._would_run(request, hit)
        if request.key in wish.above:
            raise MethodError(f"job of method '{request.method.name}' wants itself as a subjob")
        with self._leases.hold(request.key, partial(self._waiting, request.method.name)) as waited:
            if not wish.force:
                hit = self._find_again(request, hit, wish, waited=waited)
                if hit.row is not None:
                    return self._reused(request, hit, wish)
            row = self._run(request, hit, wish)
        self._offer(row, is_new=True)
        return self._got(row)

    def _run(self, request: Request, hit: Hit, wish: Wish) -> JobRow:
        plan = self._plan(request, hit, wish)
        with self._sharing.running(request.key) if self._sharing else nullcontext():
            return self._launcher().launch(plan, lambda label: self._answer(label, request, wish))

    def _find_again(self, request: Request, hit: Hit, wish: Wish, *, waited: bool) -> Hit:
        """Return the job that has come meanwhile, or that somebody else has built; `hit` is what was there before."""
        if waited or self._has_come(request, hit):
            hit = self.find(request, only_look=False, wish=wish)
        if hit.row is not None or self._sharing is None:
            return hit
        asks = replace(self._look, build=partial(self._build_for_fact, wish))
        return self._sharing.find(
            request.alternatives(),
            hit,
            accept=lambda row: holds_now(self._context, self._index, row, request.given.sources(), asks),
            wish=wish,
            workdir=self.checked_workdir(wish.workdir or wish.policy.workdir),
        )

    def find_origin(self, request: Request) -> str:
        """Return the name of a remote that has a run with the key of `request`, or ""; nothing is taken from there."""
        with self._turn:
            return self._sharing.find_origin(request.alternatives()) if self._sharing else ""

    def _would_run(self, request: Request, hit: Hit) -> WouldRun:
        name = request.method.name
        if origin := self.find_origin(request):
            return WouldRun(f"'{name}' would be taken from remote '{origin}'", request)
        return WouldRun(f"'{name}' would run: {self.explain(request, hit)}", request)

    def _offer(self, row: JobRow | None, *, is_new: bool = False) -> None:
        if self._sharing is not None and row is not None:
            self._sharing.offer(row, is_new=is_new)

    def _reused(self, request: Request, hit: Hit, wish: Wish) -> Got:
        row = hit.row
        assert row is not None
        if wish.policy.strict and hit.undeclared:
            who = f"job '{row.label}' ({request.method.name})"
            raise UndeclaredReads(undeclared_in_words(who, hit.undeclared))
        self._listener.reused(row, wish.caption, hit.origin)
        if not wish.policy.only_look:
            self._offer(hit.ran)
        return Got(Job.of(row), "reused", origin=hit.origin)

    @contextmanager
    def _waiting(self, name: str) -> Iterator[None]:
        self._listener.awaits(name)
        with self._turn.left():
            yield

    def _has_come(self, request: Request, hit: Hit) -> bool:
        """Return whether somebody has published a job of that key since `hit` was looked for."""
        row = self._index.find_action(request.key)
        return row is not None and (hit.ran is None or row.run != hit.ran.run)

    def _plan(self, request: Request, hit: Hit, wish: Wish) -> Plan:
        method, given = request.method, request.given
        self._check_present(given)
        self._warn_of(method)
        concurrency = wish.concurrency_for(method.name, method.declarations.concurrency)
        return Plan(
            method=method,
            options=given.options,
            datasets=given.datasets,
            jobs=given.jobs,
            key=request.key,
            parts=request.parts,
            inputs=given.runs(),
            input_files=given.files,
            workdir=self.checked_workdir(wish.workdir or wish.policy.workdir),
            concurrency=concurrency or self._cores,
            shares_cores=concurrency is None,
            explain=lambda: self.explain(request, hit),
            caption=wish.caption,
            parent=wish.parent or wish.policy.build(),
            limits=wish.policy.limits.within(method.declarations.limits),
            forced=wish.force,
            strict=wish.policy.strict,
        )

    def request(self, name: str, arguments: Arguments, keywords: Mapping[str, Any]) -> Request:
        """Return what `build` would look for, given the same; raises `OptionError` and `MethodError` as it does."""
        with self._turn:
            return self._request(name, arguments, keywords)

    @property
    def runs_apart(self) -> bool:
        """Whether jobs run in other processes, so that several can run while this one goes on."""
        with self._turn:  # it may be put together now
            return self._launcher().runs_apart

    def stop(self) -> None:
        """Have every job that runs end as one that is interrupted, and none begin, or be waited for, any more."""
        with self._turn:
            self._launcher().stop()
        self._leases.stop()
        if self._sharing is not None:
            self._sharing.stop()

    def checked_workdir(self, workdir: str) -> str:
        """Return the name of a workdir, the project's own for ""; raise `UsageError` when there is none."""
        name = workdir or self._default_workdir
        if name not in self._context.workdirs:
            raise UsageError(f"no workdir '{name}'", hint="acc.toml has " + ", ".join(self._context.workdirs))
        return name

    def _request(self, name: str, arguments: Arguments, keywords: Mapping[str, Any]) -> Request:
        method = self._methods.get(name)
        split = split_arguments(method.declarations, arguments, keywords, method=name)
        given = check_arguments(method.declarations, split, method=name, resolve_input=self._inputs.get)
        parts = KeyParts(
            method=name,
            source=method.source,
            version=method.version,
            inputs=given.inputs,
            slices=self._context.slices,
            environment=self._methods.environment(method),
        )
        return Request(method, given, parts, action_key(parts))

    def find(self, request: Request, *, only_look: bool, wish: Wish = ANY_WISH) -> Hit:
        """Return the job of the method as it is, or of a source that it declares to do the same.

        Parameters
        ----------
        only_look
            Build no subjob to see whether a fact holds.
        wish
            How such subjobs are built.
        """

        def asks() -> Asks:
            return self._look if only_look else replace(self._look, build=partial(self._build_for_fact, wish))

        hit = self._find_key(request.key, request.given, asks, only_look=only_look)
        if hit.row is not None or not request.method.equivalents:
            return hit
        for parts in request.alternatives()[1:]:
            if hit.row is not None:
                break
            equivalent = self._find_key(action_key(parts), request.given, asks, only_look=only_look)
            hit = replace(equivalent, equivalent=True) if equivalent.row is not None else hit
        return hit

    def explain(self, request: Request, hit: Hit) -> str:
        """Return in one line why `hit` is none."""
        from jobs.reuse.why import why_new

        known = self._compared[request.method.name]
        return hit.why_not or why_new(self._context.store, self._index, request.side(), known)

    def find_nearest(self, request: Request) -> "Nearest | None":
        """Return the earlier job that differs least from `request`."""
        from jobs.reuse.why import find_nearest

        rows = self._index.of_method(request.method.name, limit=_COMPARED_AT_MOST)
        return find_nearest(self._context.store, self._index, rows, request.side())

    def check_facts(self, row: JobRow, request: Request) -> list[CheckedFact]:
        """Return what a run learned beyond the key of `request`, and whether it holds now; builds nothing."""
        return check_facts(self._context, self._index, row, request.given.sources(), self._look)

    def _find_key(self, key: ActionKey, given: Given, asks: Callable[[], Asks], *, only_look: bool) -> Hit:
        hit = find_hit(self._context, self._index, key, given.sources(), asks)
        if hit.row is not None and not self._is_here(hit.row, only_look=only_look):
            return Hit(None, f"job '{hit.row.label}' is gone from the store")
        try:
            if hit.row is not None:
                self._context.check_trust(hit.row, "be reused")
        except NotTrusted as err:
            return Hit(None, str(err))
        return hit

    def _is_here(self, row: JobRow, *, only_look: bool) -> bool:
        """Return whether a job is in the store, which keeps it for this process unless that only looks."""
        store = self._context.store
        is_here = store.has(row.run) if only_look else bool(store.hold([row.run]))
        # what ran here has left all that it made here
        return is_here and not (row.origin and row.outcome and find_lost(store, row.outcome))

    def _check_trust(self, request: Request) -> None:
        """Raise `NotTrusted` when an input came from a remote that is not trusted."""
        for row in request.given.sources():
            self._context.check_trust(row, f"be an input of '{request.method.name}'")

    def _check_present(self, given: Given) -> None:
        """Raise when an input is gone: a job that cannot read its input need not start."""
        rows = list(given.sources())
        held = self._context.store.hold(row.run for row in rows)
        for row in rows:
            if row.outcome is None or row.run not in held or not self._context.store.has(row.outcome):
                raise gone(row)
            if find_lost(self._context.store, row.outcome):
                raise gone(row)

    def _warn_of(self, method: Method) -> None:
        """Say what the user should know of a method, once."""
        if method.name not in self._warned:
            self._warned.add(method.name)
            for text in method.warnings():
                self._listener.warn(text)

    def _got(self, row: JobRow) -> Got:
        earlier = self._index.find_label(row.earlier) if row.earlier else None
        if earlier is None:
            return Got(Job.of(row), "built", row.run)
        return Got(Job.of(earlier), "cutoff", row.run)

    # -- subjobs -----------------------------------------------------------------------------------------------

    def _answer(self, parent: str, request: Request, above: Wish) -> "Answer":
        from jobs.execution.events import SubjobBuilt, SubjobRefused

        wish = Wish(above.policy, workdir=above.workdir, parent=parent, above=(*above.above, request.key))

        def answer(wanted: "SubjobWanted") -> SubjobBuilt | SubjobRefused:
            try:
                if len(wish.above) > _NESTED_AT_MOST:
                    raise MethodError(f"subjobs are nested at most {_NESTED_AT_MOST} deep")
                got = self._subjob(wanted.method, wanted.arguments, wish)
            except AccError as err:
                if isinstance(err, JobFailed) and not err.hint:
                    err.hint = f"'acc job {err.job}' says more"
                return SubjobRefused(err)
            return SubjobBuilt(got.job, got.how != "reused")

        return answer

    def _build_for_fact(self, wish: Wish, method: str, /, **arguments: Any) -> Job:
        return self._subjob(method, arguments, Wish(wish.policy, workdir=wish.workdir)).job

    def _subjob(self, name: str, arguments: Mapping[str, Any], wish: Wish) -> Got:
        about, keywords = wish.of_subjob(arguments)
        groups = Arguments(
            *(dict(keywords.pop(group, None) or {}) for group in ("options", "datasets", "jobs"))
        )
        return self.build(name, groups, keywords, about)
