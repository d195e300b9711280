"""What names stand for: one resolver of specs for every command. A path into a workdir is a spec too."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from cas.errors import ObjectNotFound
from cas.formats.node import Envelope, get_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.dataset.naming import DatasetStep, split_walk
from jobs.errors import NoSuchDataset, NoSuchFile, NoSuchJob
from jobs.facets.runs import row_without_label
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import DATASET, walk_references
from jobs.nodes.run import Run
from jobs.reuse.index import JobIndex
from porcelain.config import Config, urd_user
from porcelain.objects import SpecError, find_envelope, get_whole_id
from porcelain.specgrammar import DEFAULT_DATASET, Spec, parse
from porcelain.storage import open_refs, open_remote, open_store

TargetKind: TypeAlias = Literal["job", "file", "dataset", "build", "object"]

_INPUT_GROUPS = ("", "jobs.", "datasets.", "options.")


class Target(NamedTuple):
    """What a spec names.

    Attributes
    ----------
    kind : str
        "job", "file" (of a job), "dataset", "build" or "object" (any other object).
    oid : ObjectId or None
        The file's blob, the dataset head, the build, or the object; of a job the job node (None when it failed),
        or the run node when it was named by that.
    row : JobRow or None
        The job, where there is one.
    name : str
        Name of the file, dataset or build.
    """

    kind: TargetKind
    oid: ObjectId | None
    row: JobRow | None = None
    name: str = ""


def get_oid(target: Target) -> ObjectId:
    """Return the object of a target; raise `NoSuchJob` when it is a failed job, which has none."""
    if target.oid is None:
        raise NoSuchJob(f"'{target.name or (target.row and target.row.label)}' failed and has no object")
    return target.oid


def open_resolver(config: Config) -> "Resolver":
    """Return the resolver of a project."""
    return Resolver(JobIndex(open_refs(config)), open_store(config), config)


class Resolver:
    """Finds what specs name, in one project.

    Parameters
    ----------
    remote
        Labels, methods and the rest are those of that remote, of which `index` is.
    """

    def __init__(self, index: JobIndex, store: LocalStore, config: Config, remote: str = "") -> None:
        self.index = index
        self.store = store
        self.config = config
        self._at = remote and f"@{remote}"
        self._remotes: dict[str, Resolver] = {}

    def at(self, remote: str) -> "Resolver":
        """Return what finds names at a remote, as it was when it was last looked at."""
        if remote not in self._remotes:
            # here, not above: what is here is found without
            from porcelain.sharing.listing import RemoteIndex

            index = RemoteIndex(open_remote(self.config, remote), self.store, self.index)
            self._remotes[remote] = Resolver(index, self.store, self.config, remote)
        return self._remotes[remote]

    def resolve(self, text: str) -> Target:
        """Return what `text` names; raise when there is no such thing."""
        spec = parse(self._without_path(text))
        if not spec.remote:
            return self.resolve_spec(spec)
        there = self.at(spec.remote).resolve_spec(spec)
        # a run that has a label here as well goes by that: one job, one label, one directory
        here = there.row and self.index.of_run(there.row.run)
        return there._replace(row=here) if here else there

    def resolve_spec(self, spec: Spec) -> Target:
        """Return what a spec names here, or at the remote that this resolver is of."""
        target = self._base(spec)
        if not spec.steps and spec.file is None and spec.dataset is None:
            return target
        if target.row is None:
            raise NoSuchJob(f"'{spec.base}' is no job, so '{spec.text}' names nothing")
        row = self._walk(target.row, spec)
        if spec.file is not None:
            return self._file(row, spec.file)
        return Target("job", row.job, row) if spec.dataset is None else self._dataset(row, spec.dataset)

    def job(self, text: str) -> JobRow:
        """Return the run that `text` names; a file or dataset stands for its job."""
        target = self.resolve(text)
        row = target.row
        if row is None:
            hint = f"'acc show {text}' lists its jobs" if target.kind == "build" else ""
            raise NoSuchJob(f"'{text}' is no job", hint=hint)
        return row

    def find_job(self, text: str) -> JobRow | None:
        """Return the run that `text` names, or None."""
        try:
            return self.job(text)
        except (NoSuchJob, SpecError):
            return None

    def dataset(self, text: str) -> Target:
        """Return the dataset that `text` names; a job stands for its default, an input for what was given."""
        target = self.resolve(text)
        if target.kind == "job" and target.row is not None:
            return self._dataset(target.row, self._given_dataset(text) or DEFAULT_DATASET)
        if target.kind != "dataset":
            raise NoSuchDataset(f"'{text}' is no dataset", hint="try dev-12 or dev-12/NAME")
        return target

    def outcome(self, row: JobRow) -> Outcome:
        """Return the outcome of a run; raise `NoSuchJob` when it failed."""
        if row.outcome is None:
            raise NoSuchJob(f"job '{row.label}' failed", hint=f"'acc job {row.label}' says why")
        return get_node(self.store, row.outcome, Outcome)

    def folder(self, row: JobRow) -> Path:
        """Return the job directory of a run; one without a label here has a folder for copies of its files."""
        workdirs = self.config.workdirs
        if row.is_here and row.workdir not in workdirs:
            raise NoSuchJob(f"job '{row.label}' is of workdir '{row.workdir}', which acc.toml does not have")
        return workdirs.get(row.workdir, workdirs[self.config.workdir]) / row.folder

    def run(self, row: JobRow) -> Run:
        """Return the run node of a row."""
        return get_node(self.store, row.run, Run)

    def envelope(self, oid: ObjectId) -> Envelope | None:
        """Return the envelope of a node, or None when the object is a blob."""
        with self.store.open(oid) as stream:
            return find_envelope(stream)

    # -- the base --------------------------------------------------------------------------------------------

    def _base(self, spec: Spec) -> Target:
        if spec.forced:
            return self._object(spec.base)
        if ":" in spec.base:
            return self._entry(spec.base)
        row = self._labelled(spec.base)
        if row is not None:
            return Target("job", row.job, row)
        build = self._find_build(spec.base)
        if build is not None:
            return build
        newest = self.index.of_method(spec.base, limit=1)
        if newest:
            return Target("job", newest[0].job, newest[0])
        try:
            return self._object(spec.base)
        except (SpecError, ObjectNotFound):
            raise self._no_job(spec.base) from None

    def _labelled(self, base: str) -> JobRow | None:
        if base.endswith("-LATEST"):
            return self.index.find_latest(base.removesuffix("-LATEST"))
        return self.index.find_label(base)

    def _entry(self, base: str) -> Target:
        """Return a job by its name in an urd session or in a build."""
        # here, not above: few commands are given such a name, and all would load what it takes
        from jobs.nodes.build import Build
        from jobs.nodes.session import ListedRun
        from porcelain.sessions import urdspec
        from porcelain.sessions.urdlog import UrdLog

        if base.startswith(":"):
            row = self.row_of_run(urdspec.get_run(UrdLog(self.store, self.index.refs), base, urd_user()))
        else:
            name, _, entry = base.partition(":")
            build = get_node(self.store, get_oid(self._get_build(name)), Build)
            jobs = [ListedRun(job.name, job.run) for job in build.jobs]
            row = self.row_of_run(urdspec.get_entry(jobs, entry, f"build '{name}'"))
        return Target("job", row.job, row)

    def _get_build(self, base: str) -> Target:
        build = self._find_build(base)
        assert build is not None, "it is written as a build is"
        return build

    def _find_build(self, base: str) -> Target | None:
        if base == "build-LATEST":
            numbers = (int(name.removeprefix("builds/")) for name, _ in self.index.refs.names("builds/"))
            base = f"build-{max(numbers, default=0)}"
        parts = split_label(base)
        if parts is None or parts[0] != "build":
            return None
        oid = self.index.refs.find(f"builds/{parts[1]}")
        if oid is None:
            raise NoSuchJob(
                f"no build '{base}{self._at}'", hint=f"'acc log --builds{self._option}' lists them"
            )
        return Target("build", oid, name=f"{base}{self._at}")

    def _object(self, prefix: str) -> Target:
        oid = get_whole_id(self.store, prefix)
        envelope = self.envelope(oid)
        if envelope is not None and envelope.kind in ("job", "run"):
            row = self._row_of(oid, envelope.kind)
            if row is not None:
                return Target("job", oid, row)
        if envelope is not None and envelope.kind == "dataset":
            owner = self.index.find_dataset_owner(oid)
            if owner is not None:
                return Target("dataset", oid, *owner)
        return Target("object", oid)

    def _row_of(self, oid: ObjectId, kind: str) -> JobRow | None:
        if kind == "run":
            return self.row_of_run(oid)
        rows = self.index.of_outcome(get_node(self.store, oid, JobNode).outcome)
        return next((row for row in rows if row.job == oid), None)

    def _no_job(self, base: str) -> NoSuchJob:
        parts = split_label(base)
        if self._at:
            hint = f"'acc log{self._option}' lists those that there are; 'acc fetch' looks again"
            return NoSuchJob(f"no job '{base}{self._at}'", hint=hint)
        workdir = parts[0] if parts else base.removesuffix("-LATEST")
        if workdir != base and workdir not in self.config.workdirs:
            return NoSuchJob(f"no job '{base}'", hint="the workdirs here: " + ", ".join(self.config.workdirs))
        rows = self.index.rows(workdir=workdir if parts else None)
        return NoSuchJob(f"no job '{base}'", hint=_nearest(base, rows))

    @property
    def _option(self) -> str:
        return self._at and f" --remote {self._at[1:]}"

    def _without_path(self, text: str) -> str:
        """Return a path into a job directory as a spec; a result link leads there."""
        if not text.startswith(("/", "./", "../", ".acc/", "~/")):
            return text
        path = Path(text).expanduser().resolve()
        for folder in self.config.workdirs.values():
            if path.is_relative_to(folder.resolve()):
                label, *rest = path.relative_to(folder.resolve()).parts or ("",)
                return ":".join([label, "/".join(rest)]) if rest else label
        raise NoSuchJob(f"'{text}' lies in no workdir", hint="'acc workdir' lists them")

    # -- steps -----------------------------------------------------------------------------------------------

    def _walk(self, row: JobRow, spec: Spec) -> JobRow:
        for step in spec.steps:
            if step.sign == "~":
                row = self._earlier(row, step.times)
            elif step.sign == ".":
                row = self._input(row, step.path.split("."))
            else:
                for _ in range(step.times):
                    row = self.previous(row)
        return row

    def _earlier(self, row: JobRow, count: int) -> JobRow:
        if count == 0:
            return row
        rows = [other for other in self.index.of_method(row.method) if other.ended < row.ended]
        if count > len(rows):
            raise NoSuchJob(
                f"no job '{row.label}~{count}'",
                hint=f"jobs of '{row.method}' before '{row.label}': {len(rows)}",
            )
        return rows[count - 1]

    def previous(self, row: JobRow) -> JobRow:
        """Return the job before `row` in its chain; raise `NoSuchJob` when it is the first."""
        row_before = self.find_previous(row)
        if row_before is None:
            raise NoSuchJob(f"job '{row.label}' has no previous")
        return row_before

    def find_previous(self, row: JobRow) -> JobRow | None:
        """Return the job before `row` in its chain, or None at the first."""
        run = self.run(row)
        before = run.previous or run.find_input("datasets.previous")
        return None if before is None else self.row_of_run(before)

    def row_of_run(self, run: ObjectId) -> JobRow:
        """Return the row of a run that another one names, whether it has a label or not."""
        return self.find_row(run) or row_without_label(self.store, run)

    def find_row(self, run: ObjectId) -> JobRow | None:
        """Return the row of a run that has a label here, or at a remote that was asked already; else None."""
        rows = (resolver.index.of_run(run) for resolver in (self, *self._remotes.values()))
        return next(filter(None, rows), None)

    def find_rows(self, runs: Collection[ObjectId]) -> dict[ObjectId, JobRow]:
        """Return the rows that `find_row` finds for some runs, in a few queries for all of them."""
        resolvers = (*self._remotes.values(), self)
        return {run: row for each in resolvers for run, row in each.index.of_runs(runs).items()}

    def _input(self, row: JobRow, names: list[str]) -> JobRow:
        inputs = {entry.path: entry.run for entry in self.run(row).inputs}
        # the longest first: an option may have dots in its name
        for length in range(len(names), 0, -1):
            path = ".".join(names[:length])
            found = next((inputs[group + path] for group in _INPUT_GROUPS if group + path in inputs), None)
            if found is not None:
                there = self.row_of_run(found)
                return self._input(there, names[length:]) if names[length:] else there
        known = ", ".join(path.partition(".")[2] for path in inputs)
        raise NoSuchJob(
            f"job '{row.label}' has no input '{'.'.join(names)}'",
            hint=f"it has {known}" if known else "it has none",
        )

    # -- files and datasets ----------------------------------------------------------------------------------

    def _file(self, row: JobRow, name: str) -> Target:
        files = self.outcome(row).files
        if name not in files:
            raise NoSuchFile(f"job '{row.label}' has no file '{name}'", hint=_known(files))
        return Target("file", files[name].blob, row, name)

    def _dataset(self, row: JobRow, name: str) -> Target:
        datasets = self.outcome(row).datasets
        if name in datasets:
            return Target("dataset", datasets[name], row, name)
        start, steps = split_walk(name)
        start = start or DEFAULT_DATASET
        if not steps or start not in datasets:
            raise NoSuchDataset(f"job '{row.label}' has no dataset '{name}'", hint=_known(datasets))
        return self._walk_datasets(datasets[start], f"{row.label}/{name}", steps)

    def _walk_datasets(self, oid: ObjectId, text: str, steps: Sequence[DatasetStep]) -> Target:
        # here, not above: few specs lead from dataset to dataset
        from jobs.dataset.head import DatasetHead

        name = ""
        for sign in (step.sign for step in steps for _ in range(step.times)):
            head = get_node(self.store, oid, DatasetHead)
            # what is merged has several parents: the first one goes on
            there = head.previous if sign == "~" else next(iter(head.parents), None)
            if there is None:
                lacks = "previous" if sign == "~" else "parent"
                raise NoSuchDataset(f"no dataset '{text}': one on the way has no {lacks}")
            oid, name = there
        owner = self.index.find_dataset_owner(oid, name)
        if owner is None:
            raise NoSuchDataset(f"no dataset '{text}': no job here has '{oid[:12]}'")
        return Target("dataset", oid, *owner)

    def _given_dataset(self, text: str) -> str | None:
        """Return the name of the dataset that was given as the input that `text` ends in, if it does."""
        spec = parse(self._without_path(text))
        if not spec.steps or spec.steps[-1].sign != ".":
            return None
        path = spec.steps[-1].path.removeprefix("datasets.")
        holder = self.job(spec.text.removesuffix("." + spec.steps[-1].path))
        for found in walk_references(dict(self.outcome(holder).inputs.datasets)):
            if found.path == path and found.tag == DATASET and isinstance(found.content, dict):
                return str(found.content["name"])
        return None


def _nearest(base: str, rows: list[JobRow]) -> str:
    """Return a hint for a text that names none of `rows`, newest first."""
    # here, not above: only who mistypes pays for it
    from difflib import get_close_matches

    if not rows:
        return "nothing was built here yet"
    failed = next((row.label for row in rows if row.method == base), None)
    if failed:
        return f"every job of this method failed; the newest is '{failed}'"
    close = get_close_matches(base, sorted({row.method for row in rows}), n=1)
    return f"did you mean '{close[0]}'?" if close else f"the newest is '{rows[0].label}'; 'acc log' lists all"


def _known(names: object) -> str:
    listed = list(names) if isinstance(names, dict) else []
    return (
        "it has " + ", ".join(listed[:8]) + (" ..." if len(listed) > 8 else "") if listed else "it has none"
    )
