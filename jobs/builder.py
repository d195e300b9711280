"""`build`: options, key, a hit whose facts hold, or a launch; also of the subjobs that a running job wants."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.context import Context
from jobs.errors import JobFailed, MethodError, NoSuchFile, UndeclaredReads, UsageError
from jobs.execution.events import SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.execution.executors import Answer
from jobs.execution.launcher import Launcher
from jobs.execution.plan import Listener, Plan
from jobs.job import Job
from jobs.method.arguments import Arguments, split_arguments
from jobs.method.definition import Method
from jobs.method.options import InputPath
from jobs.nodes.build import How
from jobs.nodes.facts import undeclared_in_words
from jobs.nodes.listing import JobRow
from jobs.nodes.run import FORCED, ActionKey
from jobs.records import gone
from jobs.reuse.hit import Asks, Hit, find_hit
from jobs.reuse.index import JobIndex
from jobs.reuse.inputs import Given, check_arguments
from jobs.reuse.key import KeyParts, action_key
from jobs.reuse.pathnames import PathNames
from jobs.reuse.why import why_new
from jobs.wish import Policy, Wish

_NESTED_AT_MOST = 5


class Methods(Protocol):
    """Finds methods by name, and the environment that counts for one; `jobs.method.catalog.Catalog` does."""

    def get(self, name: str) -> Method:
        """Return the method with that name; raise `MethodError` when there is none."""

    def environment(self, method: Method) -> Mapping[str, str]:
        """Return the versions that count in the keys of a method."""


@dataclass(frozen=True, slots=True)
class Request:
    """A job that is asked for: what it is given, checked, and the action key that follows from it."""

    method: Method
    given: Given
    parts: KeyParts
    key: ActionKey


@dataclass(frozen=True, slots=True)
class Got:
    """A job, how it was got, and the run that was made for it, if any."""

    job: Job
    how: How
    ran: ObjectId | None = None


class WouldRun(AccError):
    """A job would run, and the caller only wanted to look; the message says why it would."""


class Builder:
    """Gets jobs: reuses the one there is, or runs it.

    Parameters
    ----------
    file_id
        Gives the content id of a file, as it is now.
    fetch
        Gives the file at a URL, as it is now.
    cores
        How many slices run at a time when nobody says otherwise.
    """

    def __init__(  # noqa: PLR0913 - the engine, put together
        self,
        *,
        context: Context,
        index: JobIndex,
        methods: Methods,
        launcher: Launcher,
        listener: Listener,
        names: PathNames,
        file_id: Callable[[Path], ObjectId],
        fetch: Callable[[str], InputPath],
        default_workdir: str,
        cores: int,
    ) -> None:
        self._context = context
        self._index = index
        self._methods = methods
        self._launcher = launcher
        self._listener = listener
        self._file_id = file_id
        self._fetch = fetch
        self._default_workdir = default_workdir
        self._cores = cores
        self._names = names
        self._warned: set[str] = set()

    def build(self, name: str, arguments: Arguments, keywords: Mapping[str, Any], wish: Wish) -> Got:
        """Return the job of method `name` with these arguments: an earlier one, or one that is run now.

        Raises
        ------
        OptionError, MethodError
            Before anything runs.
        JobFailed
            When it was run and failed.
        """
        only_look = wish.policy.only_look
        request = self.request(name, arguments, keywords)
        hit = Hit(None, FORCED) if wish.force else self.find(request, wish.policy)
        if hit.row is not None:
            if wish.policy.strict and hit.undeclared:
                who = f"job '{hit.row.label}' ({name})"
                raise UndeclaredReads(undeclared_in_words(who, hit.undeclared))
            self._listener.reused(hit.row, wish.caption)
            return Got(Job.of(hit.row), "reused")
        if only_look:
            raise WouldRun(f"'{name}' would run: {self.explain(request, hit)}")
        method, given = request.method, request.given
        self._check_present(given)
        self._warn_of(method)
        plan = Plan(
            method=method,
            options=given.options,
            datasets=given.datasets,
            jobs=given.jobs,
            key=request.key,
            parts=request.parts,
            inputs=given.runs(),
            input_files=given.files,
            workdir=self._checked_workdir(wish.workdir or wish.policy.workdir),
            concurrency=wish.concurrency_for(name) or method.declarations.concurrency or self._cores,
            explain=lambda: self.explain(request, hit),
            caption=wish.caption,
            parent=wish.parent,
            forced=wish.force,
            strict=wish.policy.strict,
        )
        row = self._launcher.launch(plan, lambda label: self._answer(label, wish))
        return self._got(row)

    def request(self, name: str, arguments: Arguments, keywords: Mapping[str, Any]) -> Request:
        """Return what `build` would look for, given the same; raises `OptionError` and `MethodError` as it does."""
        method = self._methods.get(name)
        split = split_arguments(method.declarations, arguments, keywords, method=name)
        given = check_arguments(method.declarations, split, method=name, resolve_input=self._resolve_input)
        parts = KeyParts(
            method=name,
            source=method.source,
            version=method.version,
            inputs=given.inputs,
            slices=self._context.slices,
            environment=self._methods.environment(method),
        )
        return Request(method, given, parts, action_key(parts))

    def find(self, request: Request, policy: Policy) -> Hit:
        """Return the job of the method as it is, or of a source that it declares to do the same.

        Parameters
        ----------
        policy
            That of subjobs that are built to see whether a fact holds; none is when it says only to look.
        """
        asks = self._asks(policy)
        hit = self._find_key(request.key, request.given, asks)
        for source in request.method.equivalents:
            if hit.row is not None:
                break
            key = action_key(replace(request.parts, source=ObjectId(source)))
            equivalent = self._find_key(key, request.given, asks)
            hit = equivalent if equivalent.row is not None else hit
        return hit

    def explain(self, request: Request, hit: Hit) -> str:
        """Return in one line why `hit` is none."""
        source = request.method.source_node
        return hit.why_not or why_new(self._context.store, self._index, request.parts, source)

    def _find_key(self, key: ActionKey, given: Given, asks: Asks) -> Hit:
        hit = find_hit(self._context, self._index, key, given.sources(), asks)
        if hit.row is not None and not self._context.store.hold([hit.row.run]):
            return Hit(None, f"job '{hit.row.label}' is gone from the store")
        return hit

    def _check_present(self, given: Given) -> None:
        """Raise when an input is gone: a job that cannot read its input need not start."""
        rows = list(given.sources())
        held = self._context.store.hold(row.run for row in rows)
        for row in rows:
            if row.outcome is None or row.run not in held or not self._context.store.has(row.outcome):
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

    def _checked_workdir(self, workdir: str) -> str:
        name = workdir or self._default_workdir
        if name not in self._context.workdirs:
            raise UsageError(f"no workdir '{name}'", hint="acc.toml has " + ", ".join(self._context.workdirs))
        return name

    def _resolve_input(self, text: str) -> InputPath:
        if "://" in text:
            return self._fetch(text)
        path = Path(os.path.abspath(self._context.input_directory / text))
        try:
            content = self._file_id(path)
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchFile(f"no input file '{text}'", hint=f"looked for '{path}'") from None
        except IsADirectoryError:
            raise NoSuchFile(f"input file '{text}' is a folder") from None
        folder = self._context.input_directory
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        return InputPath(name, path, content)

    # -- subjobs -----------------------------------------------------------------------------------------------

    def _answer(self, parent: str, above: Wish) -> Answer:
        wish = Wish(above.policy, parent=parent, depth=above.depth + 1)

        def answer(wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
            try:
                if wish.depth > _NESTED_AT_MOST:
                    raise MethodError(f"subjobs are nested at most {_NESTED_AT_MOST} deep")
                got = self._subjob(wanted.method, wanted.arguments, wish)
            except AccError as err:
                if isinstance(err, JobFailed) and not err.hint:
                    err.hint = f"'acc job {err.job}' says more"
                return SubjobRefused(err)
            return SubjobBuilt(got.job, got.how != "reused")

        return answer

    def _asks(self, policy: Policy) -> Asks:
        look = partial(self._build_for_fact, replace(policy, only_look=True))
        return Asks(partial(self._build_for_fact, policy), look, self._file_id, self._names)

    def _build_for_fact(self, policy: Policy, method: str, /, **arguments: Any) -> Job:
        return self._subjob(method, arguments, Wish(policy, depth=1)).job

    def _subjob(self, name: str, arguments: Mapping[str, Any], wish: Wish) -> Got:
        keywords = dict(arguments)
        caption = str(keywords.pop("caption", None) or "")
        keywords.pop("name", None)
        groups = Arguments(
            *(dict(keywords.pop(group, None) or {}) for group in ("options", "datasets", "jobs"))
        )
        return self.build(name, groups, keywords, replace(wish, caption=caption))
