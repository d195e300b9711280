"""Which of two is newer, what a ref names here or what it names at a remote: who has had the other's is."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.refs import Refs
from cas.remote.state import Remote
from cas.store import Store
from jobs.nodes.result import Result
from jobs.nodes.session import Session
from jobs.reuse.refnames import LABELS, RESULTS, URD
from porcelain.sharing.wings import is_auto, seen, tracking

# "same": nothing is to be done; "both": each has changed what neither has had of the other
Newer: TypeAlias = Literal["same", "here", "there", "both"]


class Bases:
    """What refs named before, here and at a remote, as the ref log tells: it is forgotten after a year.

    Parameters
    ----------
    refs
        Those of the project.
    remote
        What is known of one that was there before it was made anew does not count.
    """

    def __init__(self, refs: Refs, remote: Remote) -> None:
        self._refs = refs
        self._remote = remote

    def compare(self, name: str, here: ObjectId | None, there: ObjectId | None) -> Newer:
        """Return where a ref is newer; what was taken away at one place is not to come back from the other."""
        if here == there:
            return "same"
        had_here = there is not None and self._had(name, there)
        had_there = here is not None and self._had(tracking(self._remote.name, name), here, self._seen)
        if there is None:
            return "same" if had_there else "here"
        if here is None:
            return "same" if had_here else "there"
        if had_here == had_there:
            return "both"
        return "here" if had_here else "there"

    @property
    def _seen(self) -> str:
        return seen(self._remote.mirror.uuid)

    def runs_had_here(self) -> set[ObjectId]:
        """Return the runs that have, or had, a label here."""
        return {entry.new for entry in self._refs.log() if entry.new and entry.name.startswith(LABELS)}

    def runs_had_there(self) -> set[ObjectId]:
        """Return the runs of which is known that they have, or had, a label at the remote."""
        return {oid for name, oid in self._had_there() if name.startswith(LABELS)}

    def names_had_there(self) -> set[str]:
        """Return the names of refs that the remote has, or had, as far as is known."""
        return {name for name, _ in self._had_there()}

    def _had_there(self) -> Iterator[tuple[str, ObjectId]]:
        start, why = tracking(self._remote.name), self._seen
        for entry in self._refs.log():
            if entry.new and entry.why == why and entry.name.startswith(start):
                yield entry.name.removeprefix(start), entry.new

    def _had(self, name: str, oid: ObjectId, why: str = "") -> bool:
        return any(entry.new == oid and why in ("", entry.why) for entry in self._refs.log(name))


def mean_the_same(store: Store, name: str, one: ObjectId, other: ObjectId) -> bool:
    """Return whether two nodes that a ref names say the same, but for when, by which build or run they came."""
    if name.startswith(URD) and not is_auto(name):
        return not get_node(store, one, Session).differences(get_node(store, other, Session))
    if name.startswith(RESULTS):
        ours, theirs = get_node(store, one, Result), get_node(store, other, Result)
        return (ours.name, ours.blob) == (theirs.name, theirs.blob)
    return False
