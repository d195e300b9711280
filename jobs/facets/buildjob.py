"""A build as its jobs see it: what `job.build_job` is."""

from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from cas.formats.node import get_node
from jobs import context
from jobs.errors import NoSuchJob
from jobs.nodes.listing import split_label

if TYPE_CHECKING:
    from jobs.nodes.build import Build

_BUILD: Final = "build"


class BuildJob(str):
    """One run of a build script, a text like "build-7"; what is stored of it is there once it has ended."""

    is_build = True

    def __new__(cls, name: str) -> Self:
        """Return the build that `name` names; raise `NoSuchJob` when it can name none."""
        if not is_build_label(name):
            raise NoSuchJob(f"'{name}' names no build", hint="one is named as build-7")
        return str.__new__(cls, name)

    @property
    def label(self) -> str:
        """The label, as "build-7"."""
        return str(self)

    @property
    def number(self) -> int:
        """The number, as 7 of "build-7"."""
        parts = split_label(self)
        assert parts is not None
        return parts[1]

    @property
    def method(self) -> str:
        """The name of the script's file without its suffix, as "build_walk"."""
        return f"{_BUILD}_{self.node.script}" if self.node.script != _BUILD else _BUILD

    @cached_property
    def node(self) -> "Build":
        """The build node; raises `NoSuchJob` while the build runs, and when it is not here."""
        from jobs.nodes.build import Build  # here, not above: all jobs load this room, and few ask for it

        now = context.current()
        oid = now.labels.find_build(self.number)
        if oid is None:
            raise NoSuchJob(
                f"nothing is stored of build '{self}'", hint="it runs yet, it was killed, or gc took it"
            )
        return get_node(now.store, oid, Build)

    @property
    def status(self) -> str:
        """How it ended: "done", or the line that says why it failed."""
        return self.node.status

    def output(self) -> str:
        """Return what the script printed."""
        blob = self.node.output
        return "" if blob is None else context.current().store.get(blob).decode("utf-8", "replace")


def is_build_label(name: str) -> bool:
    """Return whether `name` is what a build is called.

    >>> is_build_label("build-7")
    True
    """
    parts = split_label(name)
    return parts is not None and parts[0] == _BUILD
