"""Stored forms of objects from a remote: near ones in one request, several requests at a time, every byte verified."""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from cas.errors import CorruptRemote, ObjectNotFound
from cas.files import write_all
from cas.formats.pack import seal_of
from cas.formats.packindex import Entry
from cas.formats.seal import Seal
from cas.formats.stream import HeldForm, StoredForm, verify_object
from cas.local.loose import open_loose
from cas.oid import ObjectId
from cas.remote.filesystem.kinds import PART_BYTES
from cas.remote.keys import object_key, pack_key
from cas.remote.state import Remote
from cas.remote.transaction import LargeObject

# what lies so near is read too: it takes less time than a request (at 30 ms and 10 MB/s)
_GAP_BYTES: Final = 1 << 15
# one request brings at most so much, which is held until it is used: eight at once
_SPAN_BYTES: Final = 8 << 20
# before a node stand those that it links to: one request brings a few hundred of them
AHEAD_BYTES: Final = 1 << 20
_KEPT_BYTES: Final = 64 << 20
# to look through so many entries takes 50 ms
_MOST_ENTRIES: Final = 100_000
# what is longer lies in no pack, and all of it would be in memory
_MOST_BYTES: Final = 64 << 20


class Part(NamedTuple):
    """An object in its stored form, verified."""

    seal: Seal
    stored: bytes


class _Span(NamedTuple):
    """A range of a pack that is read in one request, and the objects wanted of it."""

    pack: str
    start: int
    end: int
    entries: tuple[Entry, ...]


class Reader:
    """Reads objects of a remote, as it was when it was last looked at.

    Parameters
    ----------
    ahead_bytes, behind_bytes
        So many bytes before and behind what is wanted are read with it, and kept for what is wanted next.
    """

    def __init__(self, remote: Remote, *, ahead_bytes: int = 0, behind_bytes: int = 0) -> None:
        self._remote = remote
        self._ahead = ahead_bytes
        self._behind = behind_bytes
        self._lengths: Mapping[str, int] = {}
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._told: set[tuple[str, int]] = set()

    def small(self, oids: Collection[ObjectId]) -> Iterator[Part]:
        """Yield those of `oids` that lie in packs, each once, in no order.

        Raises
        ------
        CorruptObject
            When what arrives is not what the id says.
        FileNotFoundError
            When a pack is gone: the remote has changed since it was looked at.
        """
        wanted: dict[str, list[Entry]] = defaultdict(list)
        for oid in set(oids):
            found = self._remote.mirror.find_packed(oid)
            if found is None:
                continue
            if found.entry.stored_bytes > _MOST_BYTES:
                raise CorruptRemote(
                    f"an index of remote '{self._remote.name}' says that '{oid}' is too long for a pack"
                )
            part = self._find_kept(found.pack, found.entry)
            if part is not None:
                yield part
            else:
                wanted[found.pack].append(found.entry)
        spans = [span for pack, entries in wanted.items() for span in self._spans(pack, entries)]
        for span, data in zip(spans, self._remote.bucket.each(self._read, spans), strict=True):
            if self._ahead or self._behind:
                self._keep(span, data)
            for entry in span.entries:
                yield self._part(span.pack, entry, data, span.start)

    def around(self) -> Iterator[Part]:
        """Yield all that lies in what is kept and was not yielded before, as it lies there."""
        for key, data in self._kept.items():
            pack, start = key
            if key not in self._told:
                self._told.add(key)
                for entry in self._entries(pack):
                    if start <= entry.offset and entry.end <= start + len(data):
                        yield self._part(pack, entry, data, start)

    def open(self, oid: ObjectId) -> StoredForm:
        """Return the stored form of an object, which the caller closes; a large one is put into a file meanwhile.

        Raises
        ------
        ObjectNotFound
            When the remote has no such object.
        """
        large = self._remote.mirror.find_large(oid)
        if large is not None:
            return self._open_large(oid, large)
        for part in self.small([oid]):
            return HeldForm(*part, self._remote.name)
        raise ObjectNotFound(oid, where=self._remote.name)

    def copy_large(self, oid: ObjectId, large: LargeObject, descriptor: int) -> None:
        """Make the file of a large object that of an open one, part by part; it is not verified yet."""
        ends = range(0, large.file_bytes, PART_BYTES)
        key = object_key(oid, large.file_bytes)

        def read(start: int) -> bytes:
            return self._remote.bucket.get_range(key, start, min(start + PART_BYTES, large.file_bytes))

        for data in self._remote.bucket.each(read, ends, ahead=4):
            write_all(descriptor, data)

    # -- small ones --------------------------------------------------------------------------------------------

    def _spans(self, pack: str, entries: Iterable[Entry]) -> Iterator[_Span]:
        """Yield the ranges to be read of a pack."""
        chosen: list[Entry] = []
        start = end = 0
        for entry in sorted(entries, key=lambda entry: entry.offset):
            if chosen and (entry.offset > end + self._gap() or entry.end - start > _SPAN_BYTES):
                yield _Span(pack, start, self._end(pack, end), tuple(chosen))
                chosen = []
            if not chosen:
                start = max(0, entry.offset - self._ahead)
            chosen.append(entry)
            end = max(end, entry.end) if len(chosen) > 1 else entry.end
        if chosen:
            yield _Span(pack, start, self._end(pack, end), tuple(chosen))

    def _end(self, pack: str, end: int) -> int:
        """Return where a range ends in which what is wanted ends at `end`."""
        if not self._behind:
            return end
        if pack not in self._lengths:
            self._lengths = self._remote.mirror.packs()
        return max(end, min(end + self._behind, self._lengths.get(pack, end)))

    def _gap(self) -> int:
        return max(self._ahead, _GAP_BYTES)

    def _read(self, span: _Span) -> bytes:
        return self._remote.bucket.get_range(pack_key(span.pack), span.start, span.end)

    def _part(self, pack: str, entry: Entry, data: bytes, start: int) -> Part:
        """Return an object of which the stored form lies in `data`, which begins at `start` of its pack."""
        where = f"{self._remote.name}/{pack_key(pack)}"
        seal = seal_of(entry, data[entry.offset - start : entry.start - start], where)
        stored = data[entry.start - start : entry.end - start]
        verify_object(HeldForm(seal, stored, where))
        return Part(seal, stored)

    def _keep(self, span: _Span, data: bytes) -> None:
        self._kept[span.pack, span.start] = data
        total = sum(map(len, self._kept.values()))
        while total > _KEPT_BYTES and len(self._kept) > 1:
            total -= len(self._kept.popitem(last=False)[1])

    def _entries(self, pack: str) -> list[Entry]:
        """Return what an index tells of a pack; nothing when it tells of so much that to look would take long."""
        for index in self._remote.mirror.opened().values():
            if pack in index.packs:
                return index.within(pack) if len(index) <= _MOST_ENTRIES else []
        return []

    def _find_kept(self, pack: str, entry: Entry) -> Part | None:
        for (name, start), data in self._kept.items():
            if name == pack and start <= entry.offset and entry.end <= start + len(data):
                return self._part(pack, entry, data, start)
        return None

    # -- large ones --------------------------------------------------------------------------------------------

    def _open_large(self, oid: ObjectId, large: LargeObject) -> StoredForm:
        with self._remote.mirror.scratch() as folder:
            path = folder / oid
            with open(path, "wb") as file:
                self.copy_large(oid, large, file.fileno())
            return open_loose(path, oid)  # which stays open when the folder goes
