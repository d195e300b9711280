"""The session node: one finished urd session, with what it built and on which sessions it depends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_int, as_list, as_map, as_oid, as_text, oid_or_none


class ListedRun(NamedTuple):
    """A job of a session: what it is called there, and its run."""

    name: str
    run: ObjectId


class Dependency(NamedTuple):
    """What a session was given of another list: the timestamp there, and the node that it named then.

    That is a session, or of the list `__auto__` a build.
    """

    timestamp: str
    node: ObjectId


@dataclass(frozen=True, slots=True)
class Session:
    """One finished urd session.

    Attributes
    ----------
    user, name : str
        Whose list it is of, and which.
    timestamp, caption : str
        Where it is in the list; the user's words.
    jobs : sequence of ListedRun
        In the order in which they were asked for.
    deps : mapping of str to Dependency
        By list, as "anna/import".
    finished : int
        Microseconds since 1970 (UTC).
    build : str
        The build that it was part of, as "build-7".
    previous : ObjectId or None
        The session that was before it in the list when it was finished.
    """

    KIND: ClassVar[str] = "session"
    FORMAT: ClassVar[int] = 1

    user: str
    name: str
    timestamp: str
    jobs: Sequence[ListedRun]
    finished: int
    caption: str = ""
    deps: Mapping[str, Dependency] = field(default_factory=dict)
    build: str = ""
    previous: ObjectId | None = None

    def differences(self, other: "Session") -> list[str]:
        """Return in which ways two sessions of one place differ; when and by which build they came is no matter."""
        ours, theirs = ({path: dep.node for path, dep in each.deps.items()} for each in (self, other))
        unequal = {
            "jobs": [*self.jobs] != [*other.jobs],
            "a caption": self.caption != other.caption,
            "dependencies": ours != theirs,
        }
        return [what for what, differs in unequal.items() if differs]

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {
            "user": self.user,
            "list": self.name,
            "timestamp": self.timestamp,
            "caption": self.caption,
            "jobs": [[entry.name, entry.run] for entry in self.jobs],
            "deps": {path: [dep.timestamp, dep.node] for path, dep in self.deps.items()},
            "finished": self.finished,
            "build": self.build,
            "previous": self.previous,
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        deps = {path: as_list(dep) for path, dep in as_map(body["deps"]).items()}
        return cls(
            user=as_text(body["user"]),
            name=as_text(body["list"]),
            timestamp=as_text(body["timestamp"]),
            caption=as_text(body["caption"]),
            jobs=tuple(
                ListedRun(as_text(name), as_oid(run)) for name, run in map(as_list, as_list(body["jobs"]))
            ),
            deps={
                path: Dependency(as_text(timestamp), as_oid(node)) for path, (timestamp, node) in deps.items()
            },
            finished=as_int(body["finished"]),
            build=as_text(body["build"]),
            previous=oid_or_none(body["previous"]),
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return ()

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        yield from (entry.run for entry in self.jobs)
        yield from (dep.node for dep in self.deps.values())
        if self.previous is not None:
            yield self.previous
