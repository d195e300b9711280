"""What holds a blob: the jobs that made it or were given it, result links, and the sources that it is in.

Nothing leads from a blob to what holds it: an index of that would cost every build something, for a question that is
asked seldom. Nodes are read instead, many together, and only those that have the id in them are taken apart.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from cas.errors import AccError
from cas.formats.node import Node, decode
from cas.oid import ObjectId
from cas.store import Store
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import INPUT, walk_references
from jobs.nodes.result import Result
from jobs.nodes.source import Source
from jobs.reuse.refnames import RESULTS
from porcelain.spec import Resolver
from porcelain.views.plain import View, moment

How: TypeAlias = Literal["made", "given", "code", "held"]
Progress: TypeAlias = Callable[[int, int], None]
N = TypeVar("N", bound=Node)

_TOGETHER: Final = 1_000
_ID: Final = re.compile(rb"[0-9a-f]{64}")
_SOURCE: Final = re.compile(rb'"source":"([0-9a-f]{64})"')


class Holder(NamedTuple):
    """A job that has a blob.

    Attributes
    ----------
    how : str
        "made": as a file of its own; "given": as an input file; "code": in its source; "held": in
        another way, as what it printed or a column of a dataset.
    name : str
        What it is called there; "" when it is only held.
    """

    how: How
    row: JobRow
    name: str

    def to_view(self) -> View:
        """Return what JSON says of it."""
        return {
            "how": self.how,
            "job": self.row.label,
            "method": self.row.method,
            "ended": moment(self.row.ended),
            "name": self.name,
        }


def find_jobs(
    resolver: Resolver,
    rows: Sequence[JobRow],
    blobs: Collection[ObjectId],
    progress: Progress | None = None,
) -> dict[ObjectId, list[Holder]]:
    """Return for each of `blobs` which of some jobs made it or were given it, oldest first: the first one made it.

    Parameters
    ----------
    rows
        The jobs: usually all.
    progress
        Told how many outcomes are read, and of how many.
    """
    by_outcome = _by(rows, lambda row: row.outcome)
    found: dict[ObjectId, list[Holder]] = {blob: [] for blob in blobs}
    for oid, node in _naming(resolver.store, by_outcome, blobs, Outcome, progress):
        for blob, how, name in _in_outcome(node, found):
            found[blob] += [Holder(how, row, name) for row in by_outcome[oid]]
    return {blob: sorted(holders, key=lambda each: each.row.ended) for blob, holders in found.items()}


def find_code(
    resolver: Resolver,
    rows: Sequence[JobRow],
    blobs: Collection[ObjectId],
    progress: Progress | None = None,
) -> dict[ObjectId, list[Holder]]:
    """Return for each of `blobs` in the source of which of some jobs it is, oldest first."""
    by_job = _by(rows, lambda row: row.job)
    sources: dict[ObjectId, list[JobRow]] = {}
    for oid, data in _read(resolver.store, by_job, progress):
        if match := _SOURCE.search(data):
            sources.setdefault(ObjectId(match[1].decode()), []).extend(by_job[oid])
    found: dict[ObjectId, list[Holder]] = {blob: [] for blob in blobs}
    for oid, node in _naming(resolver.store, sources, blobs, Source):
        for name, blob in node.files.items():
            if blob in found:
                found[blob] += [Holder("code", row, name) for row in sources[oid]]
    return {blob: sorted(holders, key=lambda each: each.row.ended) for blob, holders in found.items()}


def find_results(resolver: Resolver, blobs: Collection[ObjectId]) -> dict[ObjectId, list[str]]:
    """Return for each of `blobs` the names of the result links that lead to it."""
    names = {name.removeprefix(RESULTS): oid for name, oid in resolver.index.refs.names(RESULTS)}
    blob_of = {oid: node.blob for oid, node in _naming(resolver.store, {*names.values()}, blobs, Result)}
    return {blob: [name for name, oid in names.items() if blob_of.get(oid) == blob] for blob in blobs}


def _in_outcome(outcome: Outcome, blobs: Mapping[ObjectId, object]) -> Iterator[tuple[ObjectId, How, str]]:
    for name, entry in outcome.files.items():
        if entry.blob in blobs:
            yield entry.blob, "made", name
    for reference in walk_references(outcome.inputs.to_json()):
        if reference.tag == INPUT and isinstance(reference.content, dict):
            content = reference.content.get("content")
            if isinstance(content, str) and content in blobs:
                yield ObjectId(content), "given", str(reference.content.get("name", ""))


def _by(rows: Sequence[JobRow], node_of: Callable[[JobRow], ObjectId | None]) -> dict[ObjectId, list[JobRow]]:
    """Return rows by a node of theirs, newest first; those that have none are left out."""
    found: dict[ObjectId, list[JobRow]] = {}
    for row in rows:
        if (oid := node_of(row)) is not None:
            found.setdefault(oid, []).append(row)
    return found


def _naming(
    store: Store,
    nodes: Collection[ObjectId],
    blobs: Collection[ObjectId],
    cls: type[N],
    progress: Progress | None = None,
) -> Iterator[tuple[ObjectId, N]]:
    """Yield those of `nodes` in which one of `blobs` is named, by their ids."""
    sought = {blob.encode() for blob in blobs}
    for oid, data in _read(store, nodes, progress):
        if not sought.isdisjoint(_ID.findall(data)):
            yield oid, decode(data, cls)


def _read(
    store: Store, nodes: Collection[ObjectId], progress: Progress | None = None
) -> Iterator[tuple[ObjectId, bytes]]:
    """Yield nodes with their ids; those that are gone or damaged, which fsck tells of, hold nothing."""
    waiting, done = iter(nodes), 0
    while part := [*islice(waiting, _TOGETHER)]:
        try:
            yield from store.get_many(part).items()
        except AccError:
            yield from _one_by_one(store, part)
        done += len(part)
        if progress is not None:
            progress(done, len(nodes))


def _one_by_one(store: Store, nodes: Iterable[ObjectId]) -> Iterator[tuple[ObjectId, bytes]]:
    for oid in nodes:
        try:
            data = store.get(oid)
        except AccError:
            continue
        yield oid, data
