"""What one stage of a method leaves for the next on disk: too much for memory, gone when the job ends."""

import os
import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a value lies in a scratch file: its pickle, then each of the arrays that are no part of that."""

    offset: int
    sizes: tuple[int, ...]


class Scratch:
    """A file without a name, in the current folder, that a process and its forked children share.

    One of them at a time may write to it, all may read. Nothing of it is left, however they end.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile(dir=".") as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)

    def put(self, value: Any) -> Place:
        """Append a value."""
        arrays: list[pickle.PickleBuffer] = []
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL, buffer_callback=arrays.append)
        parts = [memoryview(data), *(array.raw() for array in arrays)]
        # asked of the file, as another process may have written the last of it
        begin = end = os.fstat(self._file).st_size
        for part in parts:
            end = self._write(part, end)
        return Place(begin, tuple(len(part) for part in parts))

    def _write(self, part: memoryview, end: int) -> int:
        while part:
            written = os.pwrite(self._file, part, end)
            end += written
            part = part[written:]
        return end

    def take(self, places: Iterable[Place]) -> Iterator[Any]:
        """Yield the values that lie at `places`."""
        for place in places:
            ends = accumulate(place.sizes, initial=place.offset)
            data, *arrays = map(self._read, ends, place.sizes)
            yield pickle.loads(data, buffers=arrays)

    def _read(self, offset: int, size: int) -> bytearray:
        part = bytearray(size)
        with memoryview(part) as room:
            at = 0
            # one call gives at most 2 GiB
            while at < size:
                read = os.preadv(self._file, [room[at:]], offset + at)
                assert read, "a scratch file is shorter than what was put into it"
                at += read
        return part
