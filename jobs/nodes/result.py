"""The result node: what a result link points to, one file of one run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_oid, as_text


@dataclass(frozen=True, slots=True)
class Result:
    """A file that a build script linked into the result directory.

    Attributes
    ----------
    header, description : str
        What the script says of it, for people; "" when it says nothing.
    """

    KIND: ClassVar[str] = "result"
    FORMAT: ClassVar[int] = 1

    run: ObjectId
    name: str
    blob: ObjectId
    header: str = ""
    description: str = ""

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        body: dict[str, Json] = {"run": self.run, "name": self.name, "blob": self.blob}
        said = {"header": self.header, "description": self.description}
        # what is empty stays away: most links say nothing, and those of old are as they were
        return body | {name: text for name, text in said.items() if text}

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        return cls(
            run=as_oid(body["run"]),
            name=as_text(body["name"]),
            blob=as_oid(body["blob"]),
            header=as_text(body.get("header", "")),
            description=as_text(body.get("description", "")),
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return (self.blob,)

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        return (self.run,)
