"""Objects on their way to a remote: small ones gathered into packs, large ones by themselves."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Self

from blake3 import blake3

from cas.formats.encoder import encode
from cas.formats.frame import FRAME_BYTES
from cas.formats.pack import SUFFIX, Pack, PackSeries, fits_in_pack
from cas.formats.records import Records
from cas.formats.seal import Seal
from cas.formats.stream import StoredForm, verify_stored
from cas.local.loose import LooseObjects, LooseWriter, open_loose
from cas.local.store import LocalStore
from cas.oid import Buffer, ObjectId
from cas.remote.filesystem.kinds import nonce
from cas.remote.indexes import send_index
from cas.remote.keys import object_key, pack_key
from cas.remote.state import Remote
from cas.remote.transaction import Change, LargeObject

# so many packs are sent at a time, each up to 64 MiB, some of it in memory
_PACKS_AT_ONCE: Final = 2
# an object whose stored form is as long has a file of its own
LARGE_BYTES: Final = 16 << 20

Finished = Callable[[int], None]


class Sending:
    """Objects on their way; nobody sees any of them before `change` is committed. Use it in a `with` block.

    Parameters
    ----------
    sent
        Called with the length in bytes of each file that has been sent.
    """

    def __init__(self, remote: Remote, sent: Finished | None = None) -> None:
        self._remote = remote
        self._sent = sent or (lambda _: None)
        self._folder = remote.mirror.make_scratch()
        self._series = PackSeries(self._folder, durable=False)
        # nodes lie by themselves: whoever wants those of many jobs need not read what lies between
        self._nodes = PackSeries(self._folder, durable=False)
        self._loose = LooseObjects(self._folder, durable=False)
        self._large: dict[str, LargeObject] = {}
        self._added: set[ObjectId] = set()
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget what has not been sent."""
        self._series.abort()
        self._nodes.abort()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, seal: Seal, stored: bytes, *, is_node: bool = False) -> None:
        """Add an object to a pack; each id once."""
        (self._nodes if is_node else self._series).add(seal, stored)
        self.bytes += len(stored)

    def put(self, data: Buffer) -> ObjectId:
        """Add what `data` is, unless it is there or on its way, and return its id."""
        digest = blake3(data).digest()
        oid = ObjectId(digest.hex())
        if oid in self._added or self._remote.mirror.has(oid):
            return oid
        if len(data) <= FRAME_BYTES:
            self.add(*encode(data, digest))
            self._added.add(oid)
            return oid
        writer = self.writer()
        writer.write(data)
        return self.take(writer.commit())

    def writer(self) -> LooseWriter:
        """Return a writer for an object that comes piece by piece; `take` is given what its `commit` returns."""
        return self._loose.writer()

    def take(self, oid: ObjectId) -> ObjectId:
        """Add an object that a `writer` has made, unless it is there or on its way."""
        path = Path(self._loose.path_of(oid))
        if oid not in self._added and not self._remote.mirror.has(oid):
            with closing(open_loose(path, oid)) as stored:
                self.add_loose(stored, path)
        path.unlink(missing_ok=True)
        return oid

    def add_stored(self, local: LocalStore, oid: ObjectId, *, is_node: bool = False) -> None:
        """Add an object of a local store, unless its stored bytes have changed: what is damaged there is not spread."""
        with closing(local.open_stored(oid)) as stored:
            verify_stored(stored)
            path = Path(local.loose.path_of(oid))
            if stored.where == str(path):
                self.add_loose(stored, path, is_node=is_node)
            else:
                self.add(stored.seal, stored.read(0, stored.seal.stored_bytes), is_node=is_node)

    def add_loose(self, stored: StoredForm, path: Path, *, is_node: bool = False) -> None:
        """Add a loose object in the file `path`, verified already: to a pack, or as it is when it is large."""
        seal = stored.seal
        if seal.stored_bytes < LARGE_BYTES and fits_in_pack(seal):
            self.add(seal, stored.read(0, seal.stored_bytes), is_node=is_node)
        else:
            self.add_large(
                seal.oid, path, LargeObject(seal.raw_bytes, seal.stored_bytes, path.stat().st_size)
            )
        self._added.add(seal.oid)

    def add_large(self, oid: ObjectId, path: Path, large: LargeObject) -> None:
        """Send the file of a large object, as local loose objects are."""
        self._remote.uploads.send_file(object_key(oid, large.file_bytes), path)
        self._large[oid] = large
        self.bytes += large.file_bytes
        self._sent(large.file_bytes)

    def send(self, why: str) -> Change:
        """Send the packs and an index over them; return what tells of all that was sent since the last time."""
        packs = self._nodes.publish() + self._series.publish()
        for length in self._remote.bucket.each(self._send_pack, packs, ahead=_PACKS_AT_ONCE):
            self._sent(length)
        indexes = {}
        if packs:
            name = send_index(self._remote, [(_name(pack), _records(pack)) for pack in packs])
            indexes[name] = {_name(pack): Path(pack.path).stat().st_size for pack in packs}
        for pack in packs:
            Path(pack.path).unlink()
        large, self._large, self.bytes = self._large, {}, 0
        return Change(nonce(), why, indexes=indexes, objects=large)

    def _send_pack(self, pack: Pack) -> int:
        path = Path(pack.path)
        self._remote.uploads.send_file(pack_key(_name(pack)), path)
        return path.stat().st_size


def _name(pack: Pack) -> str:
    return pack.name.removesuffix(SUFFIX)


def _records(pack: Pack) -> Records:
    records = pack.records
    assert records is not None, "a pack that was just written"
    return records
