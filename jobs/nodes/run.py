"""The run node: how a job came to be; the only node that knows clock, host, user and labels."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, NewType, Self

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.nodes.facts import Fact
from jobs.nodes.fields import (
    as_bool,
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
from jobs.nodes.parts import part_order

ActionKey = NewType("ActionKey", str)

MICROSECONDS = 1_000_000
FORCED = "forced"


def now() -> int:
    """Return the time in microseconds since 1970 (UTC), as nodes hold times."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Times:
    """When a run was, all in microseconds; `start` and `end` since 1970 (UTC), the rest durations.

    Attributes
    ----------
    stages : mapping of str to int
        By stage that ran: "prepare", "analysis", "synthesis".
    slices : sequence of int
        Analysis of each slice, or empty.
    stages_begun, slices_begun
        How long after the start each of them began; empty in runs of before they were noted.
    """

    start: int
    end: int
    stages: Mapping[str, int] = field(default_factory=dict)
    slices: Sequence[int] = ()
    stages_begun: Mapping[str, int] = field(default_factory=dict)
    slices_begun: Sequence[int] = ()

    @property
    def seconds(self) -> float:
        """Seconds from start to end."""
        return (self.end - self.start) / MICROSECONDS

    def to_json(self) -> dict[str, Json]:
        """Return the times as JSON."""
        body: dict[str, Json] = {
            "start": self.start,
            "end": self.end,
            "stages": dict(self.stages),
            "slices": list(self.slices),
        }
        if self.stages_begun:  # runs that lack it keep their ids
            body["begun"] = {"stages": dict(self.stages_begun), "slices": list(self.slices_begun)}
        return body

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the times that `to_json` gave."""
        fields = as_map(body)
        begun = as_map(fields.get("begun", {}))
        return cls(
            start=as_int(fields["start"]),
            end=as_int(fields["end"]),
            stages=_by_stage(fields["stages"]),
            slices=_by_slice(fields["slices"]),
            stages_begun=_by_stage(begun.get("stages", {})),
            slices_begun=_by_slice(begun.get("slices", [])),
        )


def _by_stage(body: Json) -> dict[str, int]:
    return {name: as_int(value) for name, value in as_map(body).items()}


def _by_slice(body: Json) -> tuple[int, ...]:
    return tuple(map(as_int, as_list(body)))


class Failure(NamedTuple):
    """Why a run failed: the message, where it was, and the user's part of the traceback."""

    message: str
    stage: str
    sliceno: int | None
    traceback: str

    def to_json(self) -> dict[str, Json]:
        """Return the failure as JSON."""
        return {
            "message": self.message,
            "stage": self.stage,
            "sliceno": self.sliceno,
            "traceback": self.traceback,
        }

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the failure that `to_json` gave."""
        fields = as_map(body)
        sliceno = fields["sliceno"]
        return cls(
            message=as_text(fields["message"]),
            stage=as_text(fields["stage"]),
            sliceno=None if sliceno is None else as_int(sliceno),
            traceback=as_text(fields["traceback"]),
        )


class InputRun(NamedTuple):
    """The run that an input came from: `path` is "jobs.previous", "datasets.source.0", "options.thefile" ..."""

    path: str
    run: ObjectId


class Subjob(NamedTuple):
    """A job that the run built: its run, and whether it ran then (or was reused)."""

    run: ObjectId
    built: bool


@dataclass(frozen=True, slots=True)
class Run:
    """How a job came to be, or how it failed to.

    Attributes
    ----------
    job : ObjectId or None
        The job node; None when the run failed.
    source : ObjectId
        The source node that ran.
    key : ActionKey
        The action key under which it can be reused.
    label, parent : str
        Its own label; that of the job that built it as a subjob, or "".
    method, caption, why : str
        Name of the method; the user's caption; why it ran and was not reused ("forced": it was asked to).
    inputs : sequence of InputRun
        Where each input came from, in the order of the parameters.
    facts : sequence of Fact
        What it learned beyond its key, in order.
    environment, versions : mapping of str to str
        What counts in the key; what it ran on (python, acc), for people.
    host, user : str
        Where and for whom.
    output : mapping of str to ObjectId
        What each stage ("prepare", "0", "1" ..., "synthesis") printed.
    kept_inputs : mapping of str to ObjectId
        Declared input files whose bytes are stored, because the project wants that.
    subjobs : sequence of Subjob
        Jobs that it built.
    failure : Failure or None
        None when it succeeded.
    """

    KIND: ClassVar[str] = "run"
    FORMAT: ClassVar[int] = 1

    job: ObjectId | None
    source: ObjectId
    key: ActionKey
    label: str
    method: str
    times: Times
    caption: str = ""
    why: str = ""
    parent: str = ""
    inputs: Sequence[InputRun] = ()
    facts: Sequence[Fact] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    user: str = ""
    output: Mapping[str, ObjectId] = field(default_factory=dict)
    kept_inputs: Mapping[str, ObjectId] = field(default_factory=dict)
    subjobs: Sequence[Subjob] = ()
    failure: Failure | None = None

    def to_body(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return {
            "job": self.job,
            "source": self.source,
            "key": self.key,
            "label": self.label,
            "method": self.method,
            "times": self.times.to_json(),
            "caption": self.caption,
            "why": self.why,
            "parent": self.parent,
            "inputs": [[entry.path, entry.run] for entry in self.inputs],
            "facts": [fact.to_json() for fact in self.facts],
            "environment": to_json(self.environment),
            "versions": to_json(self.versions),
            "host": self.host,
            "user": self.user,
            "output": to_json(self.output),
            "kept_inputs": to_json(self.kept_inputs),
            "subjobs": [[subjob.run, subjob.built] for subjob in self.subjobs],
            "failure": self.failure.to_json() if self.failure else None,
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Json]) -> Self:
        """Return the node with the fields of `body`."""
        failure = body["failure"]
        return cls(
            job=oid_or_none(body["job"]),
            source=as_oid(body["source"]),
            key=ActionKey(as_text(body["key"])),
            label=as_text(body["label"]),
            method=as_text(body["method"]),
            times=Times.from_json(body["times"]),
            caption=as_text(body["caption"]),
            why=as_text(body["why"]),
            parent=as_text(body["parent"]),
            inputs=tuple(
                InputRun(as_text(path), as_oid(run)) for path, run in map(as_list, as_list(body["inputs"]))
            ),
            facts=tuple(map(Fact.from_json, as_list(body["facts"]))),
            environment=as_texts(body["environment"]),
            versions=as_texts(body["versions"]),
            host=as_text(body["host"]),
            user=as_text(body["user"]),
            output=as_oids(body["output"]),
            kept_inputs=as_oids(body["kept_inputs"]),
            subjobs=tuple(
                Subjob(as_oid(run), as_bool(built)) for run, built in map(as_list, as_list(body["subjobs"]))
            ),
            failure=None if failure is None else Failure.from_json(failure),
        )

    def blobs(self) -> Iterable[ObjectId]:
        """Return the blobs that the node links to."""
        yield from self.output.values()
        yield from self.kept_inputs.values()

    def nodes(self) -> Iterable[ObjectId]:
        """Return the nodes that the node links to."""
        yield self.source
        if self.job is not None:
            yield self.job
        yield from (entry.run for entry in self.inputs)
        yield from (subjob.run for subjob in self.subjobs)

    @property
    def previous(self) -> ObjectId | None:
        """The run before it in its chain: that of its input job `previous`."""
        return self.find_input("jobs.previous")

    def printed(self) -> dict[str, ObjectId]:
        """Return what each stage or slice printed, in the order in which they ran."""
        return {part: self.output[part] for part in sorted(self.output, key=part_order)}

    def find_input(self, path: str) -> ObjectId | None:
        """Return the run that the input at `path` came from, or None."""
        return next((entry.run for entry in self.inputs if entry.path == path), None)
