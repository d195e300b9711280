"""The outcome node: all of a job that a consumer can see, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_int, as_map, as_oid, as_oids, as_text, to_json
from jobs.nodes.references import linked_blobs, linked_nodes


class FileEntry(NamedTuple):
    """One file of a job: its blob and its raw size in bytes."""

    blob: ObjectId
    size: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job was given, in tagged structure with references (see `jobs.nodes.references`).

    Attributes
    ----------
    options, datasets, jobs : mapping of str to Json
        By parameter name, defaults filled in. An unset dataset or job is null, a list of them an array.
    """

    options: Mapping[str, Json] = field(default_factory=dict)
    datasets: Mapping[str, Json] = field(default_factory=dict)
    jobs: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Return the three groups as one JSON mapping."""
        return {"options": dict(self.options), "datasets": dict(self.datasets), "jobs": dict(self.jobs)}

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the inputs that `to_json` gave."""
        groups = as_map(body)
        return cls(as_map(groups["options"]), as_map(groups["datasets"]), as_map(groups["jobs"]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job is to those that use it: equal work has the same outcome id everywhere.

    Attributes
    ----------
    method : str
        Name of the method.
    slices : int
        Number of slices it ran with.
    inputs : Inputs
        Options, datasets and jobs, by content.
    files : mapping of str to FileEntry
        Registered files by name; a returned result is `result.pickle`.
    datasets : mapping of str to ObjectId
        Dataset heads by name, in the order in which they were finished.
    """

    KIND: ClassVar[str] = "outcome"
    FORMAT: ClassVar[int] = 1

    method: str
    slices: int
    inputs: Inputs
    files: Mapping[str, FileEntry]
    datasets: Mapping[str, ObjectId]

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {
            "method": self.method,
            "slices": self.slices,
            "inputs": self.inputs.to_json(),
            "files": {name: {"blob": entry.blob, "size": entry.size} for name, entry in self.files.items()},
            "datasets": to_json(self.datasets),
            "dataset_order": list(self.datasets),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        datasets = as_oids(body["datasets"])
        order = body["dataset_order"]
        if not isinstance(order, list) or sorted(map(as_text, order)) != sorted(datasets):
            raise ValueError("dataset_order names other datasets than datasets")
        return cls(
            method=as_text(body["method"]),
            slices=as_int(body["slices"]),
            inputs=Inputs.from_json(body["inputs"]),
            files={name: _file_entry(entry) for name, entry in as_map(body["files"]).items()},
            datasets={as_text(name): datasets[as_text(name)] for name in order},
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        yield from (entry.blob for entry in self.files.values())
        yield from linked_blobs(self.inputs.to_json())

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        yield from self.datasets.values()
        yield from linked_nodes(self.inputs.to_json())


def _file_entry(body: Json) -> FileEntry:
    entry = as_map(body)
    return FileEntry(blob=as_oid(entry["blob"]), size=as_int(entry["size"]))
