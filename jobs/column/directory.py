"""The directory at the end of a column slice: where each batch lies, and between which values its own are.

Notes
-----
Source: docs/reference/formats/column.md.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

from cas.errors import NotCanonical, UnknownFormat
from cas.formats import canonical
from jobs.column.bounds import checked_bounds
from jobs.errors import DatasetError

_TAIL: Final = struct.Struct("<I4x8s")  # size of the directory, magic
_MAGIC: Final = b"acc col\x01"


class BatchInfo(NamedTuple):
    """Where a batch lies, how many rows it has, and its smallest and largest value as in `SliceSummary`."""

    offset: int
    bytes: int
    rows: int
    min: Any
    max: Any


def encode_directory(base: str, infos: Sequence[BatchInfo]) -> bytes:
    """Return what stands behind the batches of a column slice of a type."""
    batches: list[canonical.Json] = [
        [info.bytes, info.rows, canonical.tag(info.min), canonical.tag(info.max)] for info in infos
    ]
    directory = canonical.dumps({"batches": batches, "type": base})
    return directory + _TAIL.pack(len(directory), _MAGIC)


def read_directory(stream: BinaryIO, base: str) -> Iterator[BatchInfo]:
    """Yield where each batch of a column slice lies.

    Raises
    ------
    UnknownFormat
        When the stream is no column slice.
    DatasetError
        When it is of another type than `base`, or says what cannot be.
    """
    try:
        directory: Any = canonical.loads(_find_directory(stream))
        stored, batches = directory["type"], directory["batches"]
    except (NotCanonical, LookupError, TypeError) as err:
        raise UnknownFormat("an object that is no column slice, or one of a later format") from err
    if stored != base:
        raise DatasetError(f"a column slice of type '{stored}' where '{base}' is wanted")
    offset = 0
    try:
        for size, rows, low, high in batches:
            if type(size) is not int or type(rows) is not int or size < 0 or rows < 0:
                raise ValueError("a batch of an impossible size")
            yield BatchInfo(
                offset, size, rows, *checked_bounds(base, canonical.untag(low), canonical.untag(high))
            )
            offset += size
    except (TypeError, ValueError) as err:
        raise DatasetError(f"the directory of a '{base}' column is damaged: {err}") from err


def _find_directory(stream: BinaryIO) -> bytes:
    end = stream.seek(0, 2)
    stream.seek(max(end - _TAIL.size, 0))
    size, magic = _TAIL.unpack(stream.read().rjust(_TAIL.size, b"\0"))
    if magic != _MAGIC or size + _TAIL.size > end:
        raise LookupError("no magic at the end, or no room for the directory")
    # not a byte before it, which may lie in another frame
    stream.seek(end - _TAIL.size - size)
    return stream.read(size)
