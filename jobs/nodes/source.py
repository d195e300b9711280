"""The source node: the code of a method, each file by its path and blob."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_oids, as_text, to_json


@dataclass(frozen=True, slots=True)
class Source:
    """All files of a method's source, relative to the folder that holds its package.

    Attributes
    ----------
    main : str
        Path of the method file itself.
    files : mapping of str to ObjectId
        Path and blob of each file, the method file among them.
    """

    KIND: ClassVar[str] = "source"
    FORMAT: ClassVar[int] = 1

    main: str
    files: Mapping[str, ObjectId]

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {"main": self.main, "files": to_json(self.files)}

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        return cls(main=as_text(body["main"]), files=as_oids(body["files"]))

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return self.files.values()

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        return ()
