"""Objects to stored forms: small ones one or many at once, large ones piece by piece.

Notes
-----
Source: docs/reference/formats/object.md.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from zlib import crc32

from blake3 import blake3

from cas.formats.frame import (
    FRAME_BYTES,
    FrameTable,
    check_of,
    compress_frame,
    compress_frames,
    encode_table,
)
from cas.formats.seal import Seal
from cas.oid import Buffer
from cas.threads import Lane

# a cut hint that would make a shorter frame is not followed: small frames compress worse
_LEAST_CUT_BYTES = 1 << 20
# what stands at the end behind a cut, and is no longer, is a frame of its own: a directory, which is read first, and
# would have megabytes decompressed before it
_END_BYTES = 1 << 16


def encode(data: Buffer, digest: bytes) -> tuple[Seal, bytes]:
    """Return seal and stored form of an object of at most 4 MiB, whose id is `digest`."""
    stored = compress_frame(data)
    return Seal(digest, len(data), len(stored), crc32(stored)), stored


def encode_many(items: Sequence[tuple[bytes, Buffer]]) -> list[tuple[Seal, bytes]]:
    """Return seal and stored form of objects of at most 4 MiB each, given as id and raw bytes."""
    frames = compress_frames([data for _, data in items])
    return [
        (Seal(digest, len(data), len(stored), crc32(stored)), stored)
        for (digest, data), stored in zip(items, frames, strict=True)
    ]


class _Coded(NamedTuple):
    """A frame that was made of `raw_bytes` bytes with this BLAKE3-128."""

    raw_bytes: int
    check: bytes
    frame: bytes


def _code(raw: Buffer) -> _Coded:
    return _Coded(len(raw), check_of(raw), compress_frame(raw))


class Encoder:
    """Turn an object that comes piece by piece into its stored form, in bounded memory.

    Frames of a large object are compressed on several threads. Whoever does not `finish` must `close`.

    Parameters
    ----------
    take
        Called with each part of the stored form, in order, in the thread that writes.
    """

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.table: FrameTable | None = None
        self._take = take
        self._pending = bytearray()
        self._cut = 0
        self._hasher = blake3()
        self._crc = 0
        self._stored_bytes = 0
        self._raw_ends: list[int] = [0]
        self._stored_ends: list[int] = []
        self._checks: list[bytes] = []
        self._lane: Lane[_Coded] | None = None

    def write(self, data: Buffer) -> None:
        """Append `data`; whatever fills a frame is compressed before long."""
        if not len(data):
            return
        piece = memoryview(data).cast("B")
        while len(self._pending) + len(piece) > FRAME_BYTES:
            end = self._cut if self._cut >= _LEAST_CUT_BYTES else FRAME_BYTES
            if self._pending:
                lacking = max(0, end - len(self._pending))
                self._pending += piece[:lacking]
                piece = piece[lacking:]
                frame, self._pending = self._pending, self._pending[end:]
                del frame[end:]
                self._submit(frame)
            else:
                # the caller may use its buffer again before a thread has read it
                self._submit(piece[:end] if type(data) is bytes else bytes(piece[:end]))
                piece = piece[end:]
        self._pending += piece

    def cut(self) -> None:
        """Say that a frame may well end here."""
        self._cut = len(self._pending)

    def finish(self) -> Seal:
        """Hand out the rest of the stored form and return its seal.

        `table` is set from then on if there is more than one frame.
        """
        if self._lane is None:
            self._hasher.update(self._pending)
            self._take_frame(_code(self._pending))
        else:
            for frame in self._last_frames():
                self._submit(frame)
            self._lane.drain()
        self._pending = bytearray()
        self.close()
        digest = self._hasher.digest()
        if len(self._checks) > 1:
            self.table = FrameTable(tuple(self._raw_ends[1:]), tuple(self._stored_ends), tuple(self._checks))
            self._give(encode_table(digest, self.table))
        return Seal(digest, self._raw_ends[-1], self._stored_bytes, self._crc)

    def close(self) -> None:
        """End the threads."""
        if self._lane is not None:
            self._lane.close()
            self._lane = None

    def _last_frames(self) -> list[bytearray]:
        cut = self._cut if len(self._pending) - self._cut <= _END_BYTES else 0
        return [frame for frame in (self._pending[:cut], self._pending[cut:]) if frame]

    def _submit(self, raw: Buffer) -> None:
        self._cut = 0
        if self._lane is None:
            self._lane = Lane(self._take_frame)
        self._lane.submit(_code, raw)
        self._hasher.update(raw)

    def _take_frame(self, coded: _Coded) -> None:
        self._checks.append(coded.check)
        self._raw_ends.append(self._raw_ends[-1] + coded.raw_bytes)
        self._give(coded.frame)
        self._stored_ends.append(self._stored_bytes)

    def _give(self, part: bytes) -> None:
        self._crc = crc32(part, self._crc)
        self._stored_bytes += len(part)
        self._take(part)
