"""Bring what this machine lacks from a remote: nodes with all nodes that they reach, and blobs when they are wanted."""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from cas.errors import CorruptObject, CorruptRemote, NotANode, ObjectNotFound
from cas.files import create_temporary
from cas.formats.canonical import is_dense
from cas.formats.node import Envelope, read_envelope
from cas.formats.pack import open_entry
from cas.formats.packindex import Entry
from cas.formats.seal import Seal
from cas.formats.segment import Segment
from cas.formats.stream import HeldForm, StoredForm, open_object, read_object, verify_object
from cas.local.loose import open_loose
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.state import Remote
from cas.remote.transaction import LargeObject
from cas.remote.transfer.reading import AHEAD_BYTES, Part, Reader

# nodes of so many stored bytes are stored together
_BATCH_BYTES: Final = 32 << 20
# and those of so many roots are asked for together: they lie near each other
_ROOTS_AT_ONCE: Final = 256
# a node that is longer is none of ours, and all of it would be in memory
_MOST_NODE_BYTES: Final = 1 << 28
# canonical JSON has no spaces, and blobs come before nodes: every node holds these bytes
_LINKS: Final = b'"links":{"blobs":['

Progress = Callable[[int, int], None]


def fetch_nodes(
    local: LocalStore,
    remote: Remote,
    roots: Iterable[ObjectId],
    *,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> int:
    """Bring the nodes `roots` and all nodes that they reach; return how many were not here.

    A node is stored only when all nodes that it links to are, so that what is here is whole, whenever this ends.

    Parameters
    ----------
    reader
        Reads them; one that is used again has kept what lay near those of before. With one, nodes that have come along
        are stored too: the next that are wanted are likely to be among them.

    Raises
    ------
    ObjectNotFound
        When the remote lacks one.
    CorruptRemote
        When one is no node.
    """
    told = progress or (lambda _objects, _bytes: None)
    fetching = _Nodes(local, remote, reader or Reader(remote, ahead_bytes=AHEAD_BYTES), told)
    try:
        for batch in _batches(roots):
            fetching.bring(batch)
        if reader is not None:
            fetching.take_along()
        fetching.store()
    finally:
        fetching.discard()
    return fetching.brought


def fetch_blobs(
    local: LocalStore, remote: Remote, oids: Collection[ObjectId], *, progress: Progress | None = None
) -> int:
    """Bring those of the objects `oids` that are not here and that the remote has; return how many.

    What turns out to be a node comes with all nodes that it reaches, as `fetch_nodes` brings it.
    """
    told = progress or (lambda _objects, _bytes: None)
    lacking = set(oids) - local.hold(oids)
    brought = total = 0
    nodes: list[Part] = []

    def parts() -> Iterator[tuple[Seal, bytes]]:
        nonlocal brought, total
        for part in Reader(remote).small(lacking):
            brought, total = brought + 1, total + len(part.stored)
            if _find_envelope(HeldForm(*part)) is None:
                yield part.seal, part.stored
            else:
                nodes.append(part)
            told(brought, total)

    local.publish(parts())
    for part in nodes:
        _bring_node(local, remote, part)
    for oid in lacking:
        large = remote.mirror.find_large(oid)
        if large is not None:
            fetch_large(local, remote, oid, large)
            brought, total = brought + 1, total + large.file_bytes
            told(brought, total)
    return brought


def _bring_node(local: LocalStore, remote: Remote, part: Part) -> None:
    """Bring a node that was asked for as a blob; a file may hold the bytes of one whose links nobody has."""
    try:
        fetch_nodes(local, remote, [part.seal.oid])
    except (ObjectNotFound, CorruptRemote):
        _tell_of(remote, HeldForm(*part))
        local.publish([(part.seal, part.stored)])


def _tell_of(remote: Remote, stored: StoredForm) -> None:
    """Tell of an object that comes from a remote as a blob, if it is a node."""
    envelope = _find_envelope(stored)
    if envelope is not None:
        remote.arriving({stored.seal.oid: envelope.kind})


def _find_envelope(stored: StoredForm) -> Envelope | None:
    """Return the envelope of a node, or None when the object is none; closes `stored`."""
    if stored.seal.raw_bytes > _MOST_NODE_BYTES:
        stored.close()
        return None
    with open_object(stored) as stream:
        if stream.read(1) != b"{":
            return None
        data = b"{" + stream.read()
    # users store JSON too, and to parse it costs a hundred times as much as to look
    if _LINKS not in data or is_dense(data):
        return None
    with suppress(NotANode):
        return read_envelope(data)
    return None


def fetch_large(local: LocalStore, remote: Remote, oid: ObjectId, large: LargeObject) -> None:
    """Bring a large object: it gets its name when every byte of it is verified."""
    path, descriptor = create_temporary(local.loose.folder, 0o444)
    try:
        Reader(remote).copy_large(oid, large, descriptor)
        with closing(open_loose(path, oid)) as stored:
            if stored.seal[1:3] != large[:2]:
                raise CorruptObject(oid, "it is not as long as the remote says", where=remote.name)
            verify_object(stored)
        _tell_of(remote, open_loose(path, oid))
        os.fsync(descriptor)
        local.loose.place(path, oid)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            path.unlink()


def _batches(roots: Iterable[ObjectId]) -> Iterator[list[ObjectId]]:
    waiting = iter(roots)
    while batch := list(islice(waiting, _ROOTS_AT_ONCE)):
        yield batch


class _Nodes:
    """Nodes on their way: they wait in a file until all that they reach is there too."""

    def __init__(self, local: LocalStore, remote: Remote, reader: Reader, progress: Progress) -> None:
        self.brought = 0
        self._bytes = 0
        self._local = local
        self._remote = remote
        self._reader = reader
        self._progress = progress
        self._here: set[ObjectId] = set()
        self._links: dict[ObjectId, tuple[ObjectId, ...]] = {}
        self._kinds: dict[ObjectId, str] = {}
        self._entries: dict[ObjectId, Entry] = {}
        self._waiting: Segment | None = None

    def bring(self, roots: Iterable[ObjectId]) -> None:
        """Bring `roots` and all that they reach into the file, one step of links after the other."""
        wanted = self._lacking(roots)
        while wanted:
            found = {oid for oid in map(self._take, self._read(wanted)) if oid}
            if lost := wanted - found:
                raise ObjectNotFound(
                    min(lost), where=self._remote.name, hint="'acc fsck --remote' names all that it lacks"
                )
            wanted = self._lacking(node for oid in found for node in self._links[oid])
        if self._waiting is not None and self._waiting.end >= _BATCH_BYTES:
            self.store()

    def take_along(self) -> None:
        """Add those nodes that have come beside what was wanted and of which all links are here."""
        came = [part for part in self._reader.around() if part.seal.oid not in self._links]
        envelopes = {part.seal.oid: _find_envelope(HeldForm(*part)) for part in came}
        linked = {oid for envelope in envelopes.values() if envelope for oid in envelope.nodes}
        lacking = self._lacking({*envelopes, *linked})
        for part in came:  # in a pack a node lies behind those that it links to
            envelope = envelopes[part.seal.oid]
            if envelope is not None and part.seal.oid in lacking and lacking.isdisjoint(envelope.nodes):
                lacking.discard(self._take(part))

    def store(self) -> None:
        """Store the nodes that wait, those that are linked to first."""
        if self._waiting is None:
            return
        self._local.pins.add(bytes.fromhex(oid) for oid in self._entries)
        self._remote.arriving(self._kinds)
        self._local.publish(self._parts(self._waiting.path))
        self._here.update(self._entries)
        self.discard()

    def discard(self) -> None:
        """Forget the nodes that wait."""
        if self._waiting is not None:
            self._waiting.close()
            shutil.rmtree(Path(self._waiting.path).parent, ignore_errors=True)
        self._links, self._kinds, self._entries, self._waiting = {}, {}, {}, None

    def _lacking(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        asked = {oid for oid in oids if oid not in self._here and oid not in self._links}
        held = self._local.hold(asked) if asked else set()
        self._here |= held
        return asked - held

    def _read(self, wanted: set[ObjectId]) -> Iterator[Part]:
        yield from self._reader.small(wanted)
        for oid in wanted:
            if self._remote.mirror.find_large(oid) is not None:
                with closing(self._reader.open(oid)) as stored:
                    yield Part(stored.seal, stored.read(0, stored.seal.stored_bytes))

    def _take(self, part: Part) -> ObjectId:
        oid = part.seal.oid
        envelope = self._envelope(part)
        if self._waiting is None:
            self._waiting = Segment(f"{self._remote.mirror.make_scratch()}/nodes")
        self._entries[oid] = self._waiting.add(part.seal, part.stored)
        self._links[oid], self._kinds[oid] = envelope.nodes, envelope.kind
        self.brought += 1
        self._bytes += len(part.stored)
        self._progress(self.brought, self._bytes)
        return oid

    def _envelope(self, part: Part) -> Envelope:
        oid = part.seal.oid
        try:
            if part.seal.raw_bytes > _MOST_NODE_BYTES:
                raise NotANode("it is too long")
            data = read_object(HeldForm(part.seal, part.stored, self._remote.name))
            if is_dense(data):
                raise NotANode("it holds too many lists")
            return read_envelope(data)
        except NotANode as err:
            raise CorruptRemote(f"object '{oid}' of remote '{self._remote.name}' is no node: {err}") from err

    def _parts(self, path: str) -> Iterator[tuple[Seal, bytes]]:
        for oid in self._in_order():
            with closing(open_entry(path, self._entries[oid])) as stored:
                yield stored.seal, stored.read(0, stored.seal.stored_bytes)

    def _in_order(self) -> Iterator[ObjectId]:
        """Yield the nodes that wait, each behind those that it links to."""
        done: set[ObjectId] = set()
        for root in self._links:
            below = [root]
            while below:
                oid = below[-1]
                lacking = [node for node in self._links[oid] if node in self._links and node not in done]
                if lacking and oid not in done:
                    below.extend(lacking)
                    continue
                below.pop()
                if oid not in done:
                    done.add(oid)
                    yield oid
