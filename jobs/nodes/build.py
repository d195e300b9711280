"""The build node: one run of a build script, the jobs that it asked for and got, its result links."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple, Self, TypeAlias, get_args

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import as_int, as_list, as_map, as_oid, as_oids, as_text, oid_or_none, to_json

How: TypeAlias = Literal["built", "reused", "cutoff"]


class BuiltJob(NamedTuple):
    """One job of a build: its name there, its run, and how it was got.

    Attributes
    ----------
    how : str
        "built", "reused", or "cutoff": it ran again, and as its outcome was that of an earlier job, that one was
        returned.
    ran : ObjectId or None
        The run that this build made of it, if it did; after a cutoff another one than `run`.
    """

    name: str
    run: ObjectId
    how: How
    ran: ObjectId | None = None

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the entry that `to_body` of the build wrote."""
        name, run, how, ran = as_list(body)
        if how not in get_args(How):
            raise ValueError(f"unknown way to get a job '{how}'")
        return cls(as_text(name), as_oid(run), how, oid_or_none(ran))  # type: ignore[arg-type]  # just checked


@dataclass(frozen=True, slots=True)
class Build:
    """One run of a build script.

    Attributes
    ----------
    script : str
        Name of the script, without folder and suffix.
    status : str
        "done", or the line that says why it failed.
    start, end : int
        Microseconds since 1970 (UTC).
    jobs : sequence of BuiltJob
        In the order in which they were asked for.
    results : mapping of str to ObjectId
        Result nodes by link name.
    """

    KIND: ClassVar[str] = "build"
    FORMAT: ClassVar[int] = 1

    script: str
    status: str
    start: int
    end: int
    jobs: Sequence[BuiltJob] = ()
    results: Mapping[str, ObjectId] = field(default_factory=dict)

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {
            "script": self.script,
            "status": self.status,
            "start": self.start,
            "end": self.end,
            "jobs": [[entry.name, entry.run, entry.how, entry.ran] for entry in self.jobs],
            "results": to_json(self.results),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        return cls(
            script=as_text(body["script"]),
            status=as_text(body["status"]),
            start=as_int(body["start"]),
            end=as_int(body["end"]),
            jobs=tuple(map(BuiltJob.from_json, as_list(body["jobs"]))),
            results=as_oids(as_map(body["results"])),
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return ()

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        for entry in self.jobs:
            yield entry.run
            if entry.ran is not None:
                yield entry.ran
        yield from self.results.values()
