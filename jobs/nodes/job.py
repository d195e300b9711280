"""The job node: source and outcome together; its id is the job id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_oid


@dataclass(frozen=True, slots=True)
class JobNode:
    """One piece of code and what came of it."""

    KIND: ClassVar[str] = "job"
    FORMAT: ClassVar[int] = 1

    source: ObjectId
    outcome: ObjectId

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {"source": self.source, "outcome": self.outcome}

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        return cls(source=as_oid(body["source"]), outcome=as_oid(body["outcome"]))

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return ()

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        return (self.source, self.outcome)
