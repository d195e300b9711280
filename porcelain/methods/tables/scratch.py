"""What one stage of a method leaves for the next on disk: too much for memory, gone when the job ends."""

import os
import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a value lies in a scratch file."""

    offset: int
    bytes: int


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
        data = memoryview(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        # asked of the file, as another process may have written the last of it
        end = os.fstat(self._file).st_size
        place = Place(end, len(data))
        while data:
            written = os.pwrite(self._file, data, end)
            end += written
            data = data[written:]
        return place

    def take(self, places: Iterable[Place]) -> Iterator[Any]:
        """Yield the values that lie at `places`."""
        for place in places:
            yield pickle.loads(b"".join(self._pieces(place)))

    def _pieces(self, place: Place) -> Iterator[bytes]:
        # one call gives at most 2 GiB
        offset, end = place.offset, place.offset + place.bytes
        while offset < end:
            piece = os.pread(self._file, end - offset, offset)
            assert piece, "a scratch file is shorter than what was put into it"
            yield piece
            offset += len(piece)
