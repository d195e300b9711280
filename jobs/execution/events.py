"""What a running job tells its launcher, and what it is given: records, as they go through a channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from cas.formats.canonical import Json
from cas.formats.seal import Seal
from cas.local.store import Durability
from cas.oid import ObjectId
from cas.remote.place import Place
from jobs.execution.scratch import Scratch
from jobs.execution.slots import Tokens
from jobs.execution.territory import NOWHERE, Territory
from jobs.method.closure import Closure
from jobs.method.modules import Module
from jobs.nodes.facts import Fact
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import FileEntry


@dataclass(frozen=True, slots=True)
class StageBegan:
    """A stage begins; analysis says so for each slice."""

    stage: str
    sliceno: int | None = None


@dataclass(frozen=True, slots=True)
class StageEnded:
    """A stage, or analysis of one slice, is done.

    Attributes
    ----------
    micros : int
        How long it took.
    begun : int
        When it began, in microseconds since 1970.
    """

    stage: str
    sliceno: int | None
    micros: int
    begun: int = 0


@dataclass(frozen=True, slots=True)
class StatusBegan:
    """A stage or slice says what it does, until it ends: in the file at `path` (see `jobs.status.read_stack`)."""

    stage: str
    sliceno: int | None
    path: Path


@dataclass(frozen=True, slots=True)
class Failed:
    """The job is over: it raised, or a process of it died.

    Attributes
    ----------
    traceback : str
        The user's part of it, or "" when nothing was raised.
    is_ours : bool
        Whether the error is one of acc's own, whose message and hint say it all.
    """

    stage: str
    sliceno: int | None
    message: str
    traceback: str = ""
    is_ours: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SubjobWanted:
    """The job wants another one built; the answer is a `SubjobBuilt` or a `SubjobRefused`."""

    method: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubjobBuilt:
    """The subjob, as a `Job`, and whether it ran now."""

    job: Any
    built: bool


@dataclass(frozen=True, slots=True)
class SubjobRefused:
    """The subjob could not be built; `error` is what the method gets to see."""

    error: Exception


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file read, or a folder listed, without being declared, and its stat then (None: it was missing)."""

    path: str
    stat: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The job is done; what it leaves.

    Attributes
    ----------
    files : mapping of str to FileEntry
        Saved files, in the job's staging already.
    pending : sequence of str
        Registered files that still lie in the job directory.
    datasets : mapping of str to ObjectId
        Dataset heads, in the order in which they were finished.
    facts, reads
        What it learned beyond its key.
    subjobs : sequence of (str, bool)
        Run id of each subjob, and whether it was built then.
    held : sequence of (Seal, bytes)
        Staged objects that are in no segment.
    """

    files: Mapping[str, FileEntry] = field(default_factory=dict)
    pending: Sequence[str] = ()
    datasets: Mapping[str, ObjectId] = field(default_factory=dict)
    facts: Sequence[Fact] = ()
    reads: Sequence[FileRead] = ()
    subjobs: Sequence[tuple[ObjectId, bool]] = ()
    held: Sequence[tuple[Seal, bytes]] = ()


Event: TypeAlias = StageBegan | StageEnded | StatusBegan | Failed | SubjobWanted | Finished


@dataclass(frozen=True, slots=True)
class JobRequest:
    """All that a job process needs to run one job.

    Attributes
    ----------
    module : str
        Dotted name of the method's module.
    code : mapping of str to Module
        Project modules by dotted name; empty for an installed method, which is imported as it is.
    packages : mapping of str to Path
        Folders of the project's packages: where a module that the closure lacked is looked for.
    options, datasets, jobs
        The values that the method gets.
    concurrency : int
        At most so many slices run at a time.
    shares_cores : bool
        Its slices share the cores with other jobs of the build.
    tokens : Tokens or None
        When given, by the executor, each slice but one needs a token to run.
    load_part : str
        Where that goes which the method prints while it is imported: with the first stage's output.
    preload : sequence of str
        Modules that the zygote imports before it forks.
    territory : Territory
        Whose files are noted when read without being declared.
    declared : frozenset of str
        Paths of declared input files, as they are written and real.
    lookups : mapping of str to (JobRow or None)
        What texts name to the job, whatever they name by now: a job that is run again finds what it found.
    order : sequence of int
        In which order its slices start; by number when it is empty.
    remotes : sequence of Place
        Where objects are found that are not in the store.
    """

    label: str
    method: str
    module: str
    code: Mapping[str, Module]
    packages: Mapping[str, Path]
    options: Mapping[str, Any]
    datasets: Mapping[str, Any]
    jobs: Mapping[str, Any]
    slices: int
    concurrency: int
    seed: int
    caption: str
    params: Mapping[str, Any]
    root: Path
    directory: Path
    staging: Path
    pins: Path
    scratch: Scratch
    load_part: str
    store_root: Path
    refs_path: Path
    durability: Durability
    workdirs: Mapping[str, Path]
    input_directory: Path
    result_directory: Path
    shares_cores: bool = False
    tokens: Tokens | None = None
    preload: Sequence[str] = ()
    territory: Territory = NOWHERE
    declared: frozenset[str] = frozenset()
    lookups: Mapping[str, JobRow | None] = field(default_factory=dict)
    order: Sequence[int] = ()
    remotes: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """The wish to know what a method declares; the answer is a `Described` or an `AccError`."""

    closure: Closure
    packages: Mapping[str, Path]
    territory: Territory
    preload: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """What a method declares, as JSON."""

    declarations: Json
