"""What a job has done so far: files, datasets, facts; kept by each of its processes and added up at the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cas.formats.seal import Seal
from cas.oid import ObjectId
from jobs.execution.events import FileRead, Finished
from jobs.nodes.facts import Fact
from jobs.nodes.outcome import FileEntry


@dataclass(slots=True)
class Ledger:
    """Files saved and registered, datasets finished, facts noted, subjobs built.

    Attributes
    ----------
    files : dict of str to FileEntry
        Saved files, whose bytes are in the job's staging.
    pending : dict of str to None
        Registered files in the job directory, in order.
    temporary : set of str
        Names among both that the job does not keep.
    removed : set of str
        Names of files that were there and are none of the job's any more.
    facts : dict of Fact to None
        In the order in which they were learned, each once.
    """

    files: dict[str, FileEntry] = field(default_factory=dict)
    pending: dict[str, None] = field(default_factory=dict)
    temporary: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    datasets: dict[str, ObjectId] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    subjobs: list[tuple[ObjectId, bool]] = field(default_factory=list)

    def save(self, name: str, entry: FileEntry, *, temporary: bool) -> None:
        """Take down a file whose bytes are stored."""
        self.pending.pop(name, None)
        self.files[name] = entry
        self._mark(name, temporary=temporary)

    def register(self, name: str, *, temporary: bool = False) -> None:
        """Take down a file that lies in the job directory."""
        self.files.pop(name, None)
        self.pending[name] = None
        self._mark(name, temporary=temporary)

    def remove(self, name: str) -> None:
        """Forget a file."""
        self.files.pop(name, None)
        self.pending.pop(name, None)
        self.temporary.discard(name)
        self.removed.add(name)

    def note(self, fact: Fact) -> None:
        """Take down a fact; the same once more counts once."""
        self.facts.setdefault(repr(fact), fact)

    def add(self, other: "Ledger") -> None:
        """Add what another process of the job did."""
        for name in other.removed - other.names():
            self.remove(name)
        for name, entry in other.files.items():
            self.save(name, entry, temporary=name in other.temporary)
        for name in other.pending:
            self.register(name, temporary=name in other.temporary)
        self.datasets.update(other.datasets)
        for key, fact in other.facts.items():
            self.facts.setdefault(key, fact)
        self.subjobs.extend(other.subjobs)

    def names(self) -> set[str]:
        """Return the names of all files, temporary ones too."""
        return {*self.files, *self.pending}

    def keeps(self) -> bool:
        """Return whether there is a file that the job keeps."""
        return bool(self.names() - self.temporary)

    def finished(self, reads: Iterable[FileRead], held: Sequence[tuple[Seal, bytes]]) -> Finished:
        """Return the last event of the job; `held` are the objects that it has staged in memory."""
        return Finished(
            files={name: entry for name, entry in self.files.items() if name not in self.temporary},
            pending=[name for name in self.pending if name not in self.temporary],
            datasets=self.datasets,
            facts=list(self.facts.values()),
            reads=list(reads),
            subjobs=self.subjobs,
            held=held,
        )

    def _mark(self, name: str, *, temporary: bool) -> None:
        (self.temporary.add if temporary else self.temporary.discard)(name)
