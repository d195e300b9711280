"""What one job has written and nobody else sees yet: segments, which become one pack at its end."""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from cas.errors import ObjectNotFound
from cas.formats.encoder import Encoder, encode
from cas.formats.frame import FRAME_BYTES
from cas.formats.pack import fits_in_pack, open_entry, read_entries
from cas.formats.packindex import Entry
from cas.formats.seal import NAMED_SEAL_BYTES, Seal
from cas.formats.segment import Segment, scan_segment
from cas.formats.stream import HeldForm, StoredForm, export_object, open_object, read_object, read_pieces
from cas.local.bulk import LOOSE_BYTES
from cas.local.loose import Draft, LooseObjects
from cas.local.store import LocalStore
from cas.oid import Buffer, ObjectId
from cas.store import Sizes

_SUFFIX = ".segment"


class Staging:
    """A `Store` over a `LocalStore`: what is put into it stays in `folder` until `publish`.

    Every process of the job appends to a segment of its own and reads those of the others, so a `Staging`
    may be made before a fork and used on both sides. Large objects (1 MiB stored) go to the local store at
    once.

    Parameters
    ----------
    local
        Where all goes in the end, and where objects are read that are not in `folder`.
    folder
        Of this job alone; made when something is written, gone after `publish` or `discard`.
    hold_bytes
        Keep up to so many stored bytes in memory, out of the sight of other processes: for the process that
        calls `publish`, or hands what is `held` to that one. Segment and folder cost some 0.3 ms, which a
        small job need not pay. A forked child sees what its parent holds, and holds nothing itself.
    """

    def __init__(self, local: LocalStore, folder: Path, *, hold_bytes: int = 0) -> None:
        self.name = str(folder)
        self.folder = folder
        self._local = local
        self._room = hold_bytes
        self._held: dict[bytes, tuple[Seal, bytes]] = {}
        self._segment: Segment | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        # digest -> the segment that it is in ("": held), and where
        self._staged: dict[bytes, tuple[str, Entry]] = {}
        # segment -> how far it has been read
        self._seen: dict[str, int] = {}
        self._dropped: set[bytes] = set()

    def has(self, oid: ObjectId) -> bool:
        """Return whether the object is staged, or in the local store."""
        return self._find(bytes.fromhex(oid)) is not None or self._local.has(oid)

    def has_many(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are staged, or in the local store."""
        return {oid for oid in oids if self.has(oid)}

    def hold(self, oids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of `oids` that are staged, or in the local store, which keeps them."""
        asked = set(oids)
        staged = {oid for oid in asked if self._find(bytes.fromhex(oid))}
        return staged | self._local.hold(asked)

    def get(self, oid: ObjectId) -> bytes:
        """Return the whole object, verified."""
        stored = self._find_open(bytes.fromhex(oid))
        if stored is None:
            return self._local.get(oid)
        try:
            return read_object(stored)
        finally:
            stored.close()

    def get_many(self, oids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the objects by id; raise `ObjectNotFound` for the first that is missing."""
        self.bring(oids)
        return {oid: self.get(oid) for oid in oids}

    def bring(self, oids: Iterable[ObjectId]) -> None:
        """Have those of `oids` in the local store that are neither staged nor there, as far as its source has them."""
        self._local.bring(oid for oid in oids if self._find(bytes.fromhex(oid)) is None)

    def promises(self, oid: ObjectId) -> bool:
        """Return whether an object that is not here can be had from the source of the local store."""
        return self._local.promises(oid)

    def promised_ids(self, prefix: str) -> Iterator[ObjectId]:
        """Yield the ids that begin with `prefix` of what can be had from the source of the local store."""
        return self._local.promised_ids(prefix)

    def find_lost(self, oids: Iterable[ObjectId]) -> ObjectId | None:
        """Return the first of `oids` that is neither staged, nor in the local store, nor known to its source."""
        return self._local.find_lost(oid for oid in oids if self._find(bytes.fromhex(oid)) is None)

    def open(self, oid: ObjectId) -> BinaryIO:
        """Return a seekable, verified, read-only stream of the object, with one frame in memory."""
        stored = self._find_open(bytes.fromhex(oid))
        return self._local.open(oid) if stored is None else open_object(stored)

    def put(self, data: Buffer) -> ObjectId:
        """Store `data`, unless it is known to be here, and return its id."""
        digest = blake3(data).digest()
        oid = ObjectId(digest.hex())
        self._local.pins.add([digest])
        if self._is_here(digest):
            return oid
        piece = memoryview(data).cast("B")
        if len(piece) >= LOOSE_BYTES and self._local.loose.has_durably(oid):
            return oid
        if len(piece) > FRAME_BYTES:
            writer = self.writer()
            writer.write(piece)
            return writer.commit()
        seal, stored = encode(piece, digest)
        if len(stored) >= LOOSE_BYTES:
            self._local.loose.add(seal, stored)
        else:
            self._append(seal, stored)
        return oid

    def pieces(self, oid: ObjectId) -> Iterator[bytes]:
        """Yield the object piece by piece, each verified; a large one is decompressed on several threads."""
        stored = self._find_open(bytes.fromhex(oid))
        return self._local.pieces(oid) if stored is None else read_pieces(stored)

    def export(self, oid: ObjectId, descriptor: int) -> None:
        """Make the object all that is in a file open for writing, which nobody may use before this returns."""
        stored = self._find_open(bytes.fromhex(oid))
        if stored is None:
            self._local.export(oid, descriptor)
        else:
            export_object(stored, descriptor)

    def put_many(self, items: Iterable[Buffer]) -> list[ObjectId]:
        """Store each of `items`, in order."""
        return [self.put(item) for item in items]

    def writer(self) -> "StagingWriter":
        """Return a writer for an object that comes piece by piece."""
        return StagingWriter(self._local.loose, self._take)

    def size_of(self, oid: ObjectId) -> int:
        """Return the number of raw bytes of the object."""
        return self.sizes_of(oid).raw_bytes

    def sizes_of(self, oid: ObjectId) -> Sizes:
        """Return the number of raw bytes of the object, and of bytes that it is stored in."""
        found = self._find(bytes.fromhex(oid))
        return Sizes(found[1].raw_bytes, found[1].stored_bytes) if found else self._local.sizes_of(oid)

    def ids(self, prefix: str = "") -> Iterator[ObjectId]:
        """Yield the ids of all objects staged or in the local store that begin with `prefix`, each once."""
        self._look()
        staged = {entry.oid for _, entry in self._staged.values()}
        yield from (oid for oid in staged if oid.startswith(prefix))
        yield from (oid for oid in self._local.ids(prefix) if oid not in staged)

    def delete(self, oid: ObjectId) -> None:
        """Remove the object here and in the local store; raise `ObjectNotFound` when it is in neither."""
        digest = bytes.fromhex(oid)
        staged = self._find(digest) is not None
        if staged:
            del self._staged[digest]
            self._dropped.add(digest)
        try:
            self._local.delete(oid)
        except ObjectNotFound:
            if not staged:
                raise

    def publish(self) -> list[ObjectId]:
        """Join all segments of `folder` into one pack of the local store; return the ids of what is in it.

        To be called when no process of the job writes any more. What a killed process wrote only in part is
        left out, and so is what the local store has. When this raises, nothing is published and nothing lost.
        """
        paths = self._segments()
        published = self._local.publish(self._parts(paths)) if paths or self._held else []
        self.discard()
        return published

    def held(self) -> list[tuple[Seal, bytes]]:
        """Return what this process holds, as seals and stored forms that `adopt` takes in another process."""
        return list(self._held.values())

    def adopt(self, parts: Iterable[tuple[Seal, bytes]]) -> None:
        """Hold what another process has held."""
        for seal, stored in parts:
            if seal.digest not in self._staged:
                self._hold(seal, stored)

    def discard(self) -> None:
        """Forget all that is staged and remove `folder`; what went to the local store at once stays there."""
        self._close()
        self._room += sum(len(stored) for _, stored in self._held.values())
        self._held = {}
        self._staged, self._seen, self._dropped = {}, {}, set()
        for path in self._segments():
            Path(path).unlink(missing_ok=True)
        # all that matters is done: a folder that something else lies in is no reason to fail
        with suppress(OSError):
            self.folder.rmdir()

    def _parts(self, paths: Iterable[str]) -> Iterator[tuple[Seal, bytes]]:
        segments = (read_entries(path, scan_segment(path, 0)) for path in paths)
        for parts in (self._held.values(), *segments):
            for seal, stored in parts:
                if seal.digest not in self._dropped:
                    yield seal, stored

    def _take(self, seal: Seal, stored: bytes) -> None:
        self._local.pins.add([seal.digest])
        if not self._is_here(seal.digest):
            self._append(seal, stored)

    def _is_here(self, digest: bytes) -> bool:
        """Return whether a pinned object is staged or in a pack, and stays."""
        if digest in self._staged:
            return True
        packs = self._local.packs
        # what was in a pack may be in the trash by now, but not after a second look: it has been pinned before
        return packs.knows(digest) and packs.has_now(digest)

    def _append(self, seal: Seal, stored: bytes) -> None:
        if self._pid != os.getpid():
            # a forked child has its own lock, since its parent's may be taken, and a segment of its own
            self._pid, self._lock, self._room = os.getpid(), threading.Lock(), 0
            self._close()
        with self._lock:
            self._dropped.discard(seal.digest)
            if len(stored) <= self._room:
                self._hold(seal, stored)
                return
            segment = self._segment or self._begin_segment()
            try:
                entry = segment.add(seal, stored)
                if self._local.durability == "each":
                    segment.sync()
            except BaseException:
                # it may end in half an entry now, behind which nobody would look
                self._close()
                raise
            self._staged[seal.digest] = (segment.path, entry)
            self._seen[segment.path] = segment.end

    def _hold(self, seal: Seal, stored: bytes) -> None:
        self._room -= len(stored)
        self._held[seal.digest] = (seal, stored)
        entry = Entry(seal.digest, 0, seal.stored_bytes, seal.raw_bytes, NAMED_SEAL_BYTES)
        self._staged[seal.digest] = ("", entry)

    def _begin_segment(self) -> Segment:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._segment = Segment(f"{self.name}/{self._pid}-{os.urandom(4).hex()}{_SUFFIX}")
        return self._segment

    def _close(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _find_open(self, digest: bytes) -> StoredForm | None:
        found = self._find(digest)
        if found is None:
            return None
        if digest in self._held:
            return HeldForm(*self._held[digest])
        try:
            return open_entry(*found)
        except FileNotFoundError:
            # the process that builds the job has published it since
            return None

    def _find(self, digest: bytes) -> tuple[str, Entry] | None:
        """Return segment and entry of a staged object, or None; on a miss, others' segments are read."""
        found = self._staged.get(digest)
        if found is None and not self._local.packs.knows(digest):
            self._look()
            found = self._staged.get(digest)
        return found

    def _look(self) -> None:
        for path in self._segments():
            for entry in scan_segment(path, self._seen.get(path, 0)):
                self._seen[path] = entry.end
                if entry.digest not in self._dropped:
                    self._staged.setdefault(entry.digest, (path, entry))

    def _segments(self) -> list[str]:
        try:
            names = os.listdir(self.name)  # noqa: PTH208 - names, not a Path each
        except FileNotFoundError:
            return []
        return [f"{self.name}/{name}" for name in sorted(names) if name.endswith(_SUFFIX)]


class StagingWriter:
    """An object that comes piece by piece: kept in memory while it is small, else written to a loose file."""

    def __init__(self, loose: LooseObjects, keep: Callable[[Seal, bytes], None]) -> None:
        self._encoder = Encoder(self._take)
        self._loose = loose
        self._keep = keep
        self._parts: list[bytes] = []
        self._bytes = 0
        self._draft: Draft | None = None

    def write(self, data: Buffer) -> None:
        """Append `data`."""
        self._encoder.write(data)

    def cut(self) -> None:
        """Say that a frame may well end here."""
        self._encoder.cut()

    def commit(self) -> ObjectId:
        """Store the object and return its id."""
        seal = self._encoder.finish()
        if self._draft is None and fits_in_pack(seal):
            self._keep(seal, b"".join(self._parts))
        else:
            self._begin_draft().commit(seal, self._encoder.table)
        return seal.oid

    def abort(self) -> None:
        """Forget the object; does nothing after `commit`."""
        self._encoder.close()
        if self._draft is not None:
            self._draft.abort()

    def _take(self, part: bytes) -> None:
        if self._draft is not None:
            self._draft.take(part)
            return
        self._parts.append(part)
        self._bytes += len(part)
        if self._bytes >= LOOSE_BYTES:
            self._begin_draft()

    def _begin_draft(self) -> Draft:
        if self._draft is None:
            self._draft = Draft(self._loose)
            for kept in self._parts:
                self._draft.take(kept)
            self._parts.clear()
        return self._draft
