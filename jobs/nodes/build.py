"""The build node: one run of a build script, the jobs that it asked for and got, its result links."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, NamedTuple, Self, TypeAlias, get_args

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.fields import (
    as_int,
    as_list,
    as_map,
    as_oid,
    as_oids,
    as_text,
    as_texts,
    oid_or_none,
    to_json,
)

DONE: Final = "done"

How: TypeAlias = Literal["built", "reused", "cutoff"]


class BuiltJob(NamedTuple):
    """One job of a build: its name there, its run, and how it was got.

    Attributes
    ----------
    name, method, caption : str
        What was asked for; a build of before they were kept has no method and no caption.
    how : str
        "built", "reused", or "cutoff": it ran again, and as its outcome was that of an earlier job, that one was
        returned.
    ran : ObjectId or None
        The run that this build made of it, if it did; after a cutoff another one than `run`.
    origin : str
        The remote that it was taken from when it was reused, or "".
    """

    name: str
    run: ObjectId
    how: How
    ran: ObjectId | None = None
    method: str = ""
    caption: str = ""
    origin: str = ""

    def to_json(self) -> list[Json]:
        """Return the entry as JSON."""
        asked = [self.method, self.caption] if self.method else []
        whence = [self.origin] if self.origin else []
        return [self.name, self.run, self.how, self.ran, *asked, *whence]

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the entry that `to_json` gave."""
        name, run, how, ran, *asked = as_list(body)
        if how not in get_args(How):
            raise ValueError(f"unknown way to get a job '{how}'")
        method, caption, origin = map(as_text, [*asked, *["", "", ""][len(asked) :]])
        return cls(as_text(name), as_oid(run), how, oid_or_none(ran), method, caption, origin)  # type: ignore[arg-type]  # just checked


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
    user : str
        In whose urd lists it is.
    asked : mapping of str to str
        The options of the command that the script can see: "flags", "horizon".
    warnings : sequence of str
        Lines of `urd.warn`, and what the engine warned of.
    output : ObjectId or None
        What the script printed.
    """

    KIND: ClassVar[str] = "build"
    FORMAT: ClassVar[int] = 1

    script: str
    status: str
    start: int
    end: int
    jobs: Sequence[BuiltJob] = ()
    results: Mapping[str, ObjectId] = field(default_factory=dict)
    user: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    output: ObjectId | None = None

    @property
    def is_done(self) -> bool:
        """Whether the script came to its end."""
        return self.status == DONE

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON; of those that came later, the ones that say something."""
        later: dict[str, Json] = {
            "user": self.user,
            "asked": to_json(self.asked),
            "warnings": [*self.warnings],
            "output": self.output,
        }
        return {
            "script": self.script,
            "status": self.status,
            "start": self.start,
            "end": self.end,
            "jobs": [entry.to_json() for entry in self.jobs],
            "results": to_json(self.results),
            **{name: value for name, value in later.items() if value},
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
            user=as_text(body.get("user", "")),
            asked=as_texts(body.get("asked", {})),
            warnings=tuple(map(as_text, as_list(body.get("warnings", [])))),
            output=oid_or_none(body.get("output")),
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        return () if self.output is None else (self.output,)

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        for entry in self.jobs:
            yield entry.run
            if entry.ran is not None:
                yield entry.ran
        yield from self.results.values()
