"""Many objects on their way into the store together: small ones into packs, compressed on a second core.

Nobody sees any of the packs before all are whole, and whatever the number of objects, little more than two fsyncs a
64 MiB pack are paid.
"""

from collections.abc import Sequence

from blake3 import blake3

from cas.formats.encoder import encode_many
from cas.formats.frame import FRAME_BYTES
from cas.formats.pack import PackSeries, fits_in_pack
from cas.formats.seal import Seal
from cas.local.loose import LooseObjects
from cas.local.packs import PackFolder
from cas.local.pins import Pinner
from cas.oid import Buffer, ObjectId
from cas.threads import Lane

# an object stored in at least this many bytes gets a file of its own: its fsync is small beside its writing
LOOSE_BYTES = 1 << 20
# objects are handed to a thread by the megabyte: changing threads for each costs more than it compresses in
_GROUP_BYTES = 1 << 20
_GROUP_COUNT = 512


class Bulk:
    """Objects that become visible and durable together, by `publish`; whoever does not publish must `abort`.

    Each object is pinned, then looked for, then compressed unless it is there.
    """

    def __init__(self, loose: LooseObjects, packs: PackFolder, pins: Pinner) -> None:
        self._loose = loose
        self._packs = packs
        self._pins = pins
        self._series = PackSeries(packs.folder, durable=packs.durable)
        self._lane: Lane[list[tuple[Seal, bytes]]] = Lane(self._take)
        self._seen: set[bytes] = set()
        self._group: list[tuple[bytes, Buffer]] = []
        self._group_bytes = 0
        self._found = False

    def add(self, data: Buffer) -> ObjectId:
        """Add an object and return its id; `data` must not change before `publish`."""
        digest = blake3(data).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            self._group.append((digest, data))
            self._group_bytes += len(data)
            if self._group_bytes >= _GROUP_BYTES or len(self._group) >= _GROUP_COUNT:
                self._end_group()
        return ObjectId(digest.hex())

    def publish(self) -> None:
        """Return when all that was added is stored, and lasts if the store is durable."""
        self._end_group()
        self._lane.drain()
        self._lane.close()
        self._packs.take_in(self._series.publish())
        if self._found:
            # whoever stored them may not have come so far yet
            self._packs.sync()

    def abort(self) -> None:
        """Forget what has not been published, and end the threads."""
        self._lane.close()
        self._series.abort()

    def _end_group(self) -> None:
        self._pins.add([digest for digest, _ in self._group])
        self._packs.rescan()
        lacking = [(digest, data) for digest, data in self._group if not self._has(digest)]
        small = [(digest, data) for digest, data in lacking if len(data) <= FRAME_BYTES]
        if small:
            self._lane.submit(encode_many, small)
        for _, data in lacking:
            if len(data) > FRAME_BYTES:
                self._store_alone(data)
        self._group, self._group_bytes = [], 0

    def _has(self, digest: bytes) -> bool:
        if self._packs.knows(digest):
            self._found = True
            return True
        return self._loose.has_durably(ObjectId(digest.hex()))

    def _store_alone(self, data: Buffer) -> None:
        writer = self._loose.writer()
        try:
            writer.write(data)
            writer.commit()
        finally:
            writer.abort()

    def _take(self, coded: Sequence[tuple[Seal, bytes]]) -> None:
        for seal, stored in coded:
            if len(stored) >= LOOSE_BYTES or not fits_in_pack(seal):
                self._loose.add(seal, stored)
            else:
                self._series.add(seal, stored)
