"""The result node: what a result link points to, one file of one run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_oid, as_text


@dataclass(frozen=True, slots=True)
class Result:
    """A file that a build script linked into the result directory."""

    KIND: ClassVar[str] = "result"
    FORMAT: ClassVar[int] = 1

    run: ObjectId
    name: str
    blob: ObjectId

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {"run": self.run, "name": self.name, "blob": self.blob}

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        return cls(run=as_oid(body["run"]), name=as_text(body["name"]), blob=as_oid(body["blob"]))

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return (self.blob,)

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        return (self.run,)
