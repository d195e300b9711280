"""Texts of many rows in one array of bytes: small, and gathered in any order without touching a Python object."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from jobs.column.kernel import Array, Mask

_NEWLINE = ord("\n")


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

    data: Array
    offsets: Array
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
        ends = np.flatnonzero(data == _NEWLINE) + 1
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
        offsets = np.append(0, np.cumsum(ends - starts))
        if isinstance(rows, slice) and rows.step in (None, 1) and len(starts):
            data = self.data[starts[0] : ends[-1]]
        else:
            data = self.data[np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], ends - starts)]
        return PackedTexts(data, offsets, none, self.are_bytes, self.are_lines)

    @property
    def lengths(self) -> Array:
        """The length of each in bytes."""
        return np.diff(self.offsets) - 1

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
    none = None
    if any(part.none is not None for part in parts):
        none = np.concatenate(
            [np.zeros(len(part), np.bool_) if part.none is None else part.none for part in parts]
        )
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return PackedTexts(
        np.concatenate([part.data for part in parts]),
        np.append(0, np.cumsum(sizes)),
        none,
        parts[0].are_bytes,
        all(part.are_lines for part in parts),
    )
