"""Clones of one remote, for tests: a local store each, and nodes that link to each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cas.formats.node import put_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.bucket import Bucket
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transfer.fetch import fetch_blobs, fetch_nodes
from cas.remote.transfer.push import push


@dataclass(frozen=True, slots=True)
class Leaf:
    """A node of a test: a name, blobs and nodes."""

    KIND: ClassVar[str] = "leaf"
    FORMAT: ClassVar[int] = 1

    name: str
    files: tuple[ObjectId, ...] = ()
    below: tuple[ObjectId, ...] = ()

    def to_body(self):
        return {"name": self.name, "files": [*self.files], "below": [*self.below]}

    def blobs(self):
        return self.files

    def nodes(self):
        return self.below

    @classmethod
    def from_body(cls, body):
        return cls(body["name"], tuple(body["files"]), tuple(body["below"]))


class Clone:
    """A local store, and what it knows of one remote."""

    def __init__(self, folder: Path, url: str, options=None) -> None:
        self.store = LocalStore.create(folder / ".acc")
        self.remote = Remote(Bucket(url, options), Mirror(folder / ".acc" / "cache" / "mirror"))

    def node(self, name: str, blobs=(), below=()) -> ObjectId:
        """Store a node with these blobs, given as bytes, and nodes."""
        return put_node(self.store, Leaf(name, tuple(map(self.store.put, blobs)), tuple(below)))

    def push(self, **refs: ObjectId):
        """Push nodes, and point refs at them."""
        self.remote.make()
        self.remote.look()
        return push(self.store, self.remote, [*refs.values()], lambda _: refs)

    def fetch(self, *, blobs: bool = False) -> dict[str, ObjectId]:
        """Fetch what the refs of the remote reach, and return the refs."""
        self.remote.look()
        refs = dict(self.remote.mirror.refs.names())
        fetch_nodes(self.store, self.remote, refs.values())
        if blobs:
            fetch_blobs(self.store, self.remote, [ObjectId(d.hex()) for d in self.remote.mirror.digests()])
        return refs
