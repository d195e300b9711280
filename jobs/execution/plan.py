"""A job that is to run: what the builder has decided before anything is launched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cas.local.store import Durability
from cas.remote.place import Place
from jobs.execution.territory import Territory
from jobs.limits import NO_LIMITS, Limits
from jobs.method.definition import Method
from jobs.method.options import InputPath
from jobs.nodes.facts import Fact
from jobs.nodes.listing import JobRow
from jobs.nodes.run import ActionKey, InputRun
from jobs.reuse.key import KeyParts

if TYPE_CHECKING:
    from jobs.execution.events import Event


@dataclass(frozen=True, slots=True)
class Plan:
    """One job to run.

    Attributes
    ----------
    options, datasets, jobs : mapping
        The values that the method gets.
    parts : KeyParts
        What its key is made of.
    inputs : sequence of InputRun
        The runs that its inputs come from.
    input_files : sequence of InputPath
        Declared input files, which must not change while it runs.
    workdir, parent : str
        Where its label comes from; the label of the job that wants it, or "".
    caption : str
        The user's words.
    explain : callable
        Gives why it is not reused; asked while the job is on its way, since it takes a while.
    concurrency : int
        At most so many slices run at a time.
    shares_cores : bool
        Nobody said how many: its slices share the cores of the machine with other jobs of the build.
    limits : Limits
        What it may take.
    forced : bool
        It was asked to run although there may be such a job already.
    packages : mapping of str to Path, or None
        Where modules are that its closure lacks; None for the packages of the project.
    lookups : mapping of str to (JobRow or None)
        What texts name to it, in the place of what they name by now.
    order : sequence of int
        In which order its slices start; by number when it is empty.
    learned : sequence of Fact
        What is known beforehand that it learns.
    strict : bool
        It fails when it reads what it does not declare.
    """

    method: Method
    options: Mapping[str, Any]
    datasets: Mapping[str, Any]
    jobs: Mapping[str, Any]
    key: ActionKey
    parts: KeyParts
    inputs: Sequence[InputRun]
    input_files: Sequence[InputPath]
    workdir: str
    concurrency: int
    shares_cores: bool
    explain: Callable[[], str]
    caption: str = ""
    parent: str = ""
    limits: Limits = NO_LIMITS
    forced: bool = False
    packages: Mapping[str, Path] | None = None
    lookups: Mapping[str, JobRow | None] = field(default_factory=dict)
    order: Sequence[int] = ()
    learned: Sequence[Fact] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Where jobs run: the folders of a project, and the machine.

    Attributes
    ----------
    keep_inputs : bool
        Whether the bytes of declared input files are stored.
    preload : sequence of str
        Modules that every job gets imported, beside those of its method.
    territory : Territory
        Whose files a job may read without a word.
    host, user : str
        Noted in each run.
    versions : mapping of str to str
        Versions of python and acc, for people.
    remotes : sequence of Place
        Where objects are found that are not here.
    """

    root: Path
    acc_folder: Path
    refs_path: Path
    workdirs: Mapping[str, Path]
    input_directory: Path
    result_directory: Path
    packages: Mapping[str, Path]
    durability: Durability
    keep_inputs: bool
    preload: Sequence[str]
    territory: Territory
    host: str
    user: str
    versions: Mapping[str, str]
    remotes: Sequence[Place] = ()


class Listener(Protocol):
    """Who is told how a build goes."""

    def began(self, plan: Plan, label: str) -> None:
        """Hear that a job is about to run."""

    def event(self, label: str, event: "Event") -> None:
        """Hear what a running job tells."""

    def said(self, label: str, part: str, text: str) -> None:
        """Hear what a stage or slice printed."""

    def idle(self) -> None:
        """Hear that a tenth of a second has passed."""

    def ended(self, row: JobRow) -> None:
        """Hear that a run is over and published, done or failed."""

    def reused(self, row: JobRow, caption: str, origin: str) -> None:
        """Hear that a job was asked for and was there, or was just taken from the remote `origin`."""

    def awaits(self, method: str, holder: str = "") -> None:
        """Hear that another build, or another thread of it, runs a job that is wanted; elsewhere `holder` does."""

    def warn(self, text: str) -> None:
        """Hear what the user should know."""


class Silent:
    """A listener that listens to nothing."""

    def began(self, plan: Plan, label: str) -> None:
        """Say nothing."""

    def event(self, label: str, event: "Event") -> None:
        """Say nothing."""

    def said(self, label: str, part: str, text: str) -> None:
        """Say nothing."""

    def idle(self) -> None:
        """Say nothing."""

    def ended(self, row: JobRow) -> None:
        """Say nothing."""

    def reused(self, row: JobRow, caption: str, origin: str) -> None:
        """Say nothing."""

    def awaits(self, method: str, holder: str = "") -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""
