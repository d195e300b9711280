"""What jobs cost: the objects that each holds of its own, and how many other jobs hold them too.

A job's own objects are its run, job, source and outcome nodes, the files of its source, its files, what it printed,
the input files that it kept, and its datasets with all their columns. What it was given is not its own but another
job's, and costs there: the runs of its inputs and subjobs, their outcomes, datasets and files, the datasets before
its own in a chain, and those that it extends. Columns that a dataset has from the one that it extends are columns
of both, so both jobs hold them.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from cas.errors import CorruptObject, NotANode, ObjectNotFound
from cas.formats.node import Envelope, read_envelope
from cas.oid import ObjectId
from cas.store import Sizes, Store
from jobs.dataset.head import DatasetHead
from jobs.nodes.fields import as_list, as_map, as_oid, as_oids, oid_or_none
from jobs.nodes.outcome import Outcome
from jobs.nodes.run import Run

_DAMAGE = (CorruptObject, NotANode, ObjectNotFound)


def own_objects(store: Store, run: ObjectId) -> Iterator[ObjectId]:
    """Yield the objects that a run holds of its own; a blob that it holds twice comes twice.

    Raises
    ------
    CorruptObject, NotANode, ObjectNotFound
        For a node that cannot be read, after what was found up to there.
    """
    # the envelope, not the node of its kind: to check all that such a node says takes longer than to read it
    return walk_own(lambda oid: read_envelope(store.get(oid)), run)


def walk_own(read: Callable[[ObjectId], Envelope], run: ObjectId) -> Iterator[ObjectId]:
    """Yield what `own_objects` does; `read` gives the envelope of each node, and may keep it."""
    waiting, seen = [run], {run}
    for oid in waiting:
        envelope = read(oid)
        try:
            nodes, blobs = _own_links(envelope)
        except (LookupError, TypeError, ValueError) as err:
            raise NotANode(f"object '{oid}' is a '{envelope.kind}' node with a wrong body") from err
        yield oid
        yield from blobs
        fresh = set(nodes) - seen
        seen |= fresh
        waiting.extend(fresh)


def _own_links(envelope: Envelope) -> tuple[Iterable[ObjectId], Iterable[ObjectId]]:
    """Return those nodes and blobs that a node links to and that are of the same job."""
    body = envelope.body
    if envelope.kind == Run.KIND:
        job = oid_or_none(body["job"])
        return [as_oid(body["source"]), *([job] if job else [])], envelope.blobs
    if envelope.kind == Outcome.KIND:
        files = map(as_map, as_map(body["files"]).values())
        return as_oids(body["datasets"]).values(), [as_oid(file["blob"]) for file in files]
    if envelope.kind == DatasetHead.KIND:
        return [as_oid(as_map(column)["node"]) for column in as_list(body["columns"])], ()
    # a job, a source, a column link to nothing but what is theirs
    return envelope.nodes, envelope.blobs


class Cost(NamedTuple):
    """What objects take: those that no other job holds, and those that others hold too."""

    alone: Sizes
    shared: Sizes


class Costs:
    """What the jobs of a store cost; all of them are added before one is asked for.

    In memory are some 200 bytes for each object, and 4 for each time that a job holds it.

    Attributes
    ----------
    damaged : set of ObjectId
        Runs of which not all can be read: what is missing or corrupt costs nothing here.
    """

    def __init__(self, store: Store) -> None:
        self.damaged: set[ObjectId] = set()
        self._store = store
        # each object has a number, by which the arrays are read
        self._numbers: dict[bytes, int] = {}
        self._holders = array("I")
        self._raw_bytes = array("Q")
        self._stored_bytes = array("Q")
        self._held: dict[ObjectId, array[int]] = {}

    def add(self, run: ObjectId) -> None:
        """Count what a run holds of its own."""
        held = self._held[run] = array("I", self._number_all(run))
        for number in held:
            self._holders[number] += 1

    def of(self, runs: Iterable[ObjectId]) -> Cost:
        """Return what some runs cost together, each object once; alone is what no run but these holds."""
        alone, shared = [0, 0], [0, 0]
        for number, times in Counter(chain.from_iterable(self._held[run] for run in runs)).items():
            place = alone if times == self._holders[number] else shared
            place[0] += self._raw_bytes[number]
            place[1] += self._stored_bytes[number]
        return Cost(Sizes(*alone), Sizes(*shared))

    def _number_all(self, run: ObjectId) -> Iterator[int]:
        """Yield the number of each object that a run holds of its own, each once."""
        seen: set[ObjectId] = set()
        try:
            for oid in own_objects(self._store, run):
                seen.add(oid)
        except _DAMAGE:
            self.damaged.add(run)
        for oid in seen:
            digest = bytes.fromhex(oid)
            number = self._numbers.get(digest)
            if number is None:
                try:
                    sizes = self._sizes_of(oid)
                except _DAMAGE:
                    self.damaged.add(run)
                    continue
                number = self._numbers[digest] = len(self._numbers)
                self._holders.append(0)
                self._raw_bytes.append(sizes.raw_bytes)
                self._stored_bytes.append(sizes.stored_bytes)
            yield number

    def _sizes_of(self, oid: ObjectId) -> Sizes:
        """Return how long an object is; what is only at a remote is stored in nothing here."""
        sizes = self._store.sizes_of(oid)
        return sizes if self._store.has(oid) else Sizes(sizes.raw_bytes, 0)
