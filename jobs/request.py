"""A job that is asked for: what it is given, checked, and what its key is made of; and a job that was got."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cas.oid import ObjectId, oid_of
from jobs.job import Job
from jobs.method.definition import Method
from jobs.nodes.build import How
from jobs.nodes.run import ActionKey
from jobs.reuse.inputs import Given
from jobs.reuse.key import KeyParts

if TYPE_CHECKING:
    from jobs.reuse.difference import Side


@dataclass(frozen=True, slots=True)
class Request:
    """A job that is asked for: what it is given, checked, and the action key that follows from it."""

    method: Method
    given: Given
    parts: KeyParts
    key: ActionKey

    def alternatives(self) -> list[KeyParts]:
        """Return its parts, and those with the sources that the method declares to do the same."""
        equivalents = map(ObjectId, self.method.equivalents)
        return [self.parts, *(replace(self.parts, source=source) for source in equivalents)]

    def side(self) -> "Side":
        """Return the request as one side of a comparison."""
        # here, not above, as all that explains: what is reused is not compared
        from jobs.reuse.difference import Side

        files = self.method.closure.files.values()
        return Side(
            self.parts,
            self.key,
            read_source=lambda: self.method.source_node,
            read=lambda blob: next(data for data in files if oid_of(data) == blob),
            find_origin=self.given.find_origin,
        )


@dataclass(frozen=True, slots=True)
class Got:
    """A job, how it was got, the run made for it, if any, and the remote it was just taken from, or ""."""

    job: Job
    how: How
    ran: ObjectId | None = None
    origin: str = ""
