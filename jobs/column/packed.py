"""Texts of many rows in one array of bytes, without a Python object for each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from jobs.column.kernel import Array, Mask

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

NEWLINE: Final = ord("\n")
# texts are copied so many bytes at a time: most in one step, and 3 to 6 times as fast as byte by byte
_BLOCK_BYTES: Final = 16
# up to this size, for each block costs a pass over the texts that are so long
_MOST_BYTES: Final = 1024


class Spans(NamedTuple):
    """Byte strings that lie anywhere in a piece of memory.

    Attributes
    ----------
    data : (bytes,) uint8
        What they lie in.
    starts, ends : (n,) int64
        Where each begins and ends; they do not overlap, and a byte of `data` follows each of them.
    """

    data: Bytes
    starts: Ints
    ends: Ints

    @property
    def lengths(self) -> Ints:
        """The length of each in bytes."""
        return self.ends - self.starts

    def where(self, rows: Any) -> "Spans":
        """Return those that a mask, a slice or row numbers choose."""
        return Spans(self.data, self.starts[rows], self.ends[rows])

    def pack(self, *, are_bytes: bool = True) -> "PackedTexts":
        """Return them packed, as byte strings or, if they are UTF-8, as text."""
        sizes = self.lengths + 1
        offsets = np.append(0, np.cumsum(sizes))
        data = _gather(self.data, self.starts, sizes, offsets)
        data[offsets[1:] - 1] = NEWLINE
        are_lines = int(np.count_nonzero(data == NEWLINE)) == len(sizes)
        return PackedTexts(data, offsets, None, are_bytes, are_lines)

    def tolist(self) -> list[bytes]:
        """Return them as bytes."""
        values: list[bytes] = self.pack().tolist()
        return values


@dataclass(frozen=True, slots=True)
class PackedTexts:
    """Text or byte strings as an immutable array.

    Attributes
    ----------
    data : (bytes,) uint8
        The texts in UTF-8, a newline behind each.
    offsets : (n + 1,) int64
        Where each begins, and the end.
    none : (n,) bool or None
        Which of them are None, empty in `data`; None when none is.
    are_bytes, are_lines : bool
        Whether they are byte strings, and whether none of them holds a newline.
    """

    data: Bytes
    offsets: Ints
    none: Mask | None
    are_bytes: bool
    are_lines: bool

    @classmethod
    def of(cls, values: list[Any], *, are_bytes: bool) -> Self:
        """Return the texts of a list, in which None may be."""
        none = None
        if None in values:
            none = np.fromiter((value is None for value in values), np.bool_, len(values))
            empty: Any = b"" if are_bytes else ""
            values = [empty if value is None else value for value in values]
        joined = b"\n".join([*values, b""]) if are_bytes else "\n".join([*values, ""]).encode()
        data = np.frombuffer(joined, np.uint8)
        ends = np.flatnonzero(data == NEWLINE) + 1
        are_lines = len(ends) == len(values)
        if not are_lines:
            sizes = map(len, values if are_bytes else map(str.encode, values))
            ends = np.cumsum(np.fromiter(sizes, np.int64, len(values)) + 1)
        return cls(data, np.append(0, ends), none, are_bytes, are_lines)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: slice | Array) -> "PackedTexts":
        none = None if self.none is None else self.none[rows]
        starts, ends = self.offsets[:-1][rows], self.offsets[1:][rows]
        sizes = ends - starts
        offsets = np.append(0, np.cumsum(sizes))
        if isinstance(rows, slice) and rows.step in (None, 1) and len(starts):
            data = self.data[starts[0] : ends[-1]]
        else:
            data = _gather(self.data, starts, sizes, offsets)
        return PackedTexts(data, offsets, none, self.are_bytes, self.are_lines)

    @property
    def lengths(self) -> Ints:
        """The length of each in bytes."""
        return np.diff(self.offsets) - 1

    @property
    def spans(self) -> Spans:
        """The byte strings, None among them as empty ones."""
        return Spans(self.data, self.offsets[:-1], self.offsets[1:] - 1)

    def present(self) -> "PackedTexts":
        """Return those that are not None."""
        if self.none is None:
            return self
        gaps = self.offsets[:-1][self.none]  # the newlines that stand for None
        kept = np.ones(len(self.data), np.bool_)
        kept[gaps] = False
        sizes = np.diff(self.offsets)[~self.none]
        return PackedTexts(
            self.data[kept], np.append(0, np.cumsum(sizes)), None, self.are_bytes, self.are_lines
        )

    def spread(self, none: Mask | None) -> "PackedTexts":
        """Return these, none of which is None, as those rows of more where `none` is false."""
        if none is None:
            return self
        sizes = np.ones(len(none), np.int64)
        sizes[~none] = np.diff(self.offsets)
        offsets = np.append(0, np.cumsum(sizes))
        data = np.empty(offsets[-1], np.uint8)
        kept = np.ones(len(data), np.bool_)
        kept[offsets[:-1][none]] = False
        data[kept] = self.data
        data[~kept] = NEWLINE
        return PackedTexts(data, offsets, none, self.are_bytes, self.are_lines)

    def tolist(self) -> list[Any]:
        """Return them as str or bytes, and None."""
        joined = self.data.tobytes()
        values: list[Any] = []
        if self.are_lines:
            values += joined.split(b"\n") if self.are_bytes else joined.decode().split("\n")
            values.pop()
        else:
            ends = (self.offsets[1:] - 1).tolist()
            rows = [joined[start:end] for start, end in zip(self.offsets[:-1].tolist(), ends, strict=True)]
            values += rows if self.are_bytes else map(bytes.decode, rows)
        for row in () if self.none is None else np.flatnonzero(self.none).tolist():
            values[row] = None
        return values


def concatenate(parts: list[PackedTexts]) -> PackedTexts:
    """Return the texts of several arrays, at least one, in this order."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return PackedTexts(
        np.concatenate([part.data for part in parts]),
        np.append(0, np.cumsum(sizes)),
        concatenate_masks([part.none for part in parts], map(len, parts)),
        parts[0].are_bytes,
        all(part.are_lines for part in parts),
    )


def concatenate_masks(masks: Sequence[Mask | None], lengths: Iterable[int]) -> Mask | None:
    """Return the masks of arrays of these lengths, in this order; None when there are none."""
    if all(mask is None for mask in masks):
        return None
    parts = zip(masks, lengths, strict=True)
    return np.concatenate([np.zeros(rows, np.bool_) if mask is None else mask for mask, rows in parts])


def _gather(data: Bytes, starts: Ints, sizes: Ints, offsets: Ints) -> Bytes:
    """Return the texts that begin at `starts`, each of at least one byte, side by side; `offsets` is where."""
    gathered = np.empty(offsets[-1] + _BLOCK_BYTES, np.uint8)
    # a block that begins within a text may go on as far as this beyond it
    in_blocks = (sizes <= _MOST_BYTES) & (starts + sizes <= len(data) - _BLOCK_BYTES + 1)
    froms, tos, sizes_left = starts, offsets[:-1], sizes
    others = np.flatnonzero(~in_blocks)
    if len(others):
        froms, tos, sizes_left = froms[in_blocks], tos[in_blocks], sizes[in_blocks]
    rounds = []
    while len(froms):
        rounds.append((froms, tos))
        more = np.flatnonzero(sizes_left > _BLOCK_BYTES)
        froms, tos = froms[more] + _BLOCK_BYTES, tos[more] + _BLOCK_BYTES
        sizes_left = sizes_left[more] - _BLOCK_BYTES
    from_block, to_block = _every_block(data), _every_block(gathered)
    # what a last block has too much lies over the first bytes of texts that follow, which are copied later
    for froms, tos in reversed(rounds):
        to_block[tos] = from_block[froms]
    if len(others):
        ends = np.append(0, np.cumsum(sizes[others]))
        froms, tos = (_every_byte(begins[others], sizes[others], ends) for begins in (starts, offsets))
        gathered[tos] = data[froms]
    return gathered[: offsets[-1]]


def _every_block(data: Bytes) -> Array:
    """Return the block that begins at each byte, of those that are whole; they overlap."""
    count = max(len(data) - _BLOCK_BYTES + 1, 0)
    return np.ndarray(count, f"V{_BLOCK_BYTES}", data, strides=(1,))


def _every_byte(starts: Ints, sizes: Ints, offsets: Ints) -> Ints:
    """Return where each byte of the texts lies that begin at `starts`; `offsets` is where they will lie."""
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], sizes)
