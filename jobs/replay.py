"""A job as it was, ready to run once more: its stored source, what it was given, and the answers that it got."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from cas.formats.canonical import Json, dumps
from cas.formats.node import get_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.context import Context
from jobs.errors import CannotRunAgain, JobFailed, NoSuchFile, OptionError
from jobs.execution.events import SubjobBuilt, SubjobRefused, SubjobWanted
from jobs.facets.runs import get_run, row_of_run
from jobs.job import Job, dereference
from jobs.method.arguments import Arguments
from jobs.method.definition import Method
from jobs.method.options import InputPath
from jobs.method.stored import stored_method
from jobs.nodes.facts import Fact
from jobs.nodes.fields import as_map, as_oid, as_text
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import INPUT, from_structure, to_structure, walk_references
from jobs.nodes.run import Run
from jobs.nodes.source import Source
from jobs.reuse.hit import MISSING
from jobs.reuse.inputfiles import InputFiles
from jobs.reuse.inputs import Given, check_arguments
from jobs.reuse.pathnames import PROJECT, PathNames, content_of

_KEEP: Final = "'keep_inputs = true' in acc.toml has acc store input files from then on"


class Methods(Protocol):
    """Finds methods, and what they declare; `jobs.method.catalog.Catalog` does."""

    packages: Mapping[str, Path]

    def get(self, name: str) -> Method:
        """Return the method with that name; raise `MethodError` when there is none."""

    def is_standard(self, source: Source) -> bool:
        """Return whether a source is that of one of acc's own methods."""

    def declare(self, method: Method, packages: Mapping[str, Path]) -> Method:
        """Return `method` with its declarations."""

    def environment(self, method: Method) -> Mapping[str, str]:
        """Return the versions that count in the keys of a method."""


@dataclass(frozen=True, slots=True)
class Replay:
    """One job as it was.

    Attributes
    ----------
    run : Run
        How it came to be.
    outcome : Outcome
        What came of it.
    packages : mapping of str to Path
        Where modules are that its method imports and its closure lacks.
    given : Given
        What it gets, from the very runs that it was given.
    lookups : mapping of str to (JobRow or None)
        What it looked up by text, and found.
    learned : sequence of Fact
        What it read without declaring it; all of that is still as it was.
    """

    run: Run
    outcome: Outcome
    method: Method
    packages: Mapping[str, Path]
    given: Given
    lookups: Mapping[str, JobRow | None]
    learned: tuple[Fact, ...]
    subjobs: Mapping[bytes, JobRow | None]

    def answer(self, wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        """Return the subjob that the job got when it wanted the same."""
        about: dict[str, Json] = {"method": wanted.method, "arguments": to_structure(wanted.arguments)}
        key = dumps(about)
        if key not in self.subjobs:
            return SubjobRefused(
                CannotRunAgain(
                    f"it wants a subjob '{wanted.method}' with arguments that it did not give then"
                )
            )
        row = self.subjobs[key]
        return (
            SubjobRefused(_refused(wanted.method)) if row is None else SubjobBuilt(Job.of(row), built=False)
        )


def _refused(method: str) -> JobFailed:
    message = f"subjob '{method}' could not be had then"
    return JobFailed(message, job="", method=method, stage="", sliceno=None, traceback="")


class Replays:
    """Finds again what jobs were made of.

    Parameters
    ----------
    check_source
        Raises `NotTrusted` when the source of a run may not be run; its second argument says what for.
    """

    def __init__(
        self,
        *,
        context: Context,
        store: LocalStore,
        methods: Methods,
        names: PathNames,
        inputs: InputFiles,
        check_source: Callable[[JobRow, str], None],
    ) -> None:
        self._context = context
        self._store = store
        self._methods = methods
        self._names = names
        self._inputs = inputs
        self._check_source = check_source

    def get(self, row: JobRow, folder: Path) -> Replay:
        """Return the job of a row as it was.

        Parameters
        ----------
        folder
            Where its source and its stored input files are put.

        Raises
        ------
        CannotRunAgain
            When something that it needs is not there any more as it was.
        NotTrusted
            When it came from a remote that is not trusted.
        """
        if row.job is None:
            raise CannotRunAgain(f"'{row.label}' failed", hint=f"'acc job {row.label}' says why")
        self._check_source(row, "be run again")
        self._store.hold([row.run])
        run = get_run(self._store, row.run)
        outcome = get_node(self._store, get_node(self._store, row.job, JobNode).outcome, Outcome)
        learned = tuple(fact for fact in run.facts if fact.kind in ("read", "module"))
        for fact in learned:
            self._check_content(fact)
        method, packages = self._method(run, folder / "source")
        return Replay(
            run=run,
            outcome=outcome,
            method=method,
            packages=packages,
            given=self._given(method, run, outcome, folder / "input"),
            lookups=dict(self._lookups(run)),
            learned=learned,
            subjobs=dict(self._subjobs(run)),
        )

    # -- its method --------------------------------------------------------------------------------------------

    def _method(self, run: Run, folder: Path) -> tuple[Method, Mapping[str, Path]]:
        node = get_node(self._store, run.source, Source)
        if self._methods.is_standard(node):
            return self._standard(run, node), {}
        modules: dict[str, bytes] = {}
        for fact in run.facts:
            if fact.kind in ("read", "module"):
                self._put_beside(fact, folder, modules)
        method = stored_method(self._store, run.source, run.method, folder, modules)
        packages = {method.package: method.path.parent}
        return self._methods.declare(method, packages), packages

    def _standard(self, run: Run, node: Source) -> Method:
        """Return a method of acc's own, as it is installed."""
        method = self._methods.get(run.method)
        if not method.installed:
            raise CannotRunAgain(f"the project has a method '{run.method}' in the place of acc's")
        if method.source != run.source:
            then = _version(self._store.get(node.files[node.main]))
            if then != method.version:
                raise CannotRunAgain(
                    f"it is of version {then} of '{run.method}', and version {method.version} is installed"
                )
        return method

    def _put_beside(self, fact: Fact, folder: Path, modules: dict[str, bytes]) -> None:
        """Put what a method read of the project where it finds it from its restored file."""
        live = self._names.path_of(str(fact.about))
        place = self._place(live) if fact.was != MISSING else None
        if place is None or live.is_dir():
            return
        if fact.kind == "module":
            modules[place] = live.read_bytes()
        else:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).symlink_to(live)

    def _place(self, live: Path) -> str | None:
        """Return the path of a file of the project as a source would have it."""
        for package, folder in self._methods.packages.items():
            if live.is_relative_to(folder):
                return "/".join([*package.split("."), *live.relative_to(folder).parts])
        root = self._names.path_of(PROJECT)
        return live.relative_to(root).as_posix() if live.is_relative_to(root) else None

    # -- what it was given -------------------------------------------------------------------------------------

    def _given(self, method: Method, run: Run, outcome: Outcome, folder: Path) -> Given:
        owners = {
            dumps({found.tag: found.content}): row_of_run(self._context, owner)
            for found in walk_references(outcome.inputs.to_json())
            if (owner := run.find_input(found.path)) is not None
        }
        files: dict[str, InputPath] = {}

        def value_of(tag: str, content: Json) -> object:
            if tag == INPUT:
                file = self._input(as_map(content), folder)
                files[file.filename()] = file
                return file
            row = owners.get(dumps({tag: content}))
            return dereference(tag, content, None if row is None else Job.of(row))

        options, datasets, jobs = (
            {name: from_structure(value, value_of) for name, value in group.items()}
            for group in (outcome.inputs.options, outcome.inputs.datasets, outcome.inputs.jobs)
        )
        try:
            given = check_arguments(
                method.declarations,
                Arguments(options, datasets, jobs),
                method=method.name,
                resolve_input=files.__getitem__,
            )
        except OptionError as err:
            raise CannotRunAgain(str(err), hint=err.hint) from err
        if dumps(given.inputs.to_json()) != dumps(outcome.inputs.to_json()):
            raise CannotRunAgain(f"'{method.name}' takes other options now")
        return given

    def _input(self, content: Mapping[str, Json], folder: Path) -> InputPath:
        """Return an input file with the content that it had: where it was, or out of the store."""
        name, wanted = as_text(content["name"]), as_oid(content["content"])
        found = self._inputs.find(name)
        if found is not None and found.content == wanted:
            return InputPath(name, found.path, wanted)
        if not self._store.has(wanted):
            what = "is gone" if found is None else "has changed"
            raise CannotRunAgain(f"input file '{name}' {what}", hint=_KEEP)
        path = folder / wanted[:12] / Path(name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as stream:
            self._store.export(wanted, stream.fileno())
        return InputPath(name, path, wanted)

    # -- what it learned ---------------------------------------------------------------------------------------

    def _check_content(self, fact: Fact) -> None:
        try:
            now = content_of(self._names.path_of(str(fact.about)), self._inputs.file_id)
        except (OSError, NoSuchFile):
            now = ObjectId(MISSING)
        if now != fact.was:
            what = "is gone" if now == MISSING else "has changed"
            how = "imported" if fact.kind == "module" else "read without declaring it"
            raise CannotRunAgain(f"'{fact.about}', which it {how}, {what}")

    def _lookups(self, run: Run) -> Iterator[tuple[str, JobRow | None]]:
        for fact in run.facts:
            if fact.kind == "lookup":
                name = as_text(as_map(fact.about)["name"])
                yield name, None if fact.was == MISSING else self._row_of_outcome(name, ObjectId(fact.was))

    def _row_of_outcome(self, name: str, outcome: ObjectId) -> JobRow:
        row = self._context.resolve(name)
        if row is not None and row.outcome == outcome:
            return row
        rows = self._context.labels.of_outcome(outcome)
        if not rows:
            raise CannotRunAgain(f"'{name}', which it looked up, is gone")
        return rows[-1]

    def _subjobs(self, run: Run) -> Iterator[tuple[bytes, JobRow | None]]:
        rows = {row.outcome: row for row in (row_of_run(self._context, each.run) for each in run.subjobs)}
        for fact in run.facts:
            if fact.kind == "subjob":
                yield dumps(fact.about), None if fact.was == MISSING else rows[ObjectId(fact.was)]


def _version(code: bytes) -> Any:
    """Return what the text of a standard method assigns to `version`."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "version":
            return ast.literal_eval(node.value)
    return None
