"""Texts of many rows in one array of bytes, without a Python object for each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

import numpy as np

from jobs.column.transform import Array, Ints, Mask
from jobs.column.words import WORD_BYTES, Bytes, join_texts, take_words, words_of

NEWLINE: Final = ord("\n")
_IS_BLANK: Final = np.isin(np.arange(256), np.frombuffer(b" \t\n\v\f\r", np.uint8))
# texts with more around them are stripped one by one
_MOST_BLANKS: Final = 16


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
        if self._are_packed():
            begin, end = self.starts[0], self.ends[-1] + 1
            data, offsets = self.data[begin:end], np.append(self.starts, end) - begin
        else:
            sizes = self.lengths + 1
            offsets = np.append(0, np.cumsum(sizes))
            data = join_texts(self.data, self.starts, sizes, offsets)
            data[offsets[1:] - 1] = NEWLINE
        are_lines = int(np.count_nonzero(data == NEWLINE)) == len(self.starts)
        return PackedTexts(data, offsets, None, are_bytes, are_lines)

    def _are_packed(self) -> bool:
        return (
            len(self.starts) > 0
            and bool((self.starts[1:] == self.ends[:-1] + 1).all())
            and bool((self.data[self.ends] == NEWLINE).all())
        )

    def equal(self, text: bytes) -> Mask:
        """Return which of them are `text`."""
        found: Mask = self.lengths == len(text)
        rows = np.flatnonzero(found)
        if text and len(rows):
            count = -(-len(text) // WORD_BYTES)
            words = take_words(self.data, self.ends[rows] - count * WORD_BYTES, count)
            used = words_of(b"\xff" * len(text), count)
            for word, mask, wanted in zip(words, used, words_of(text, count), strict=True):
                found[rows] &= (word & np.uint64(mask)) == np.uint64(wanted)
        return found

    def strip(self) -> "Spans":
        """Return them without the white space around them."""
        starts, ends = self.starts.copy(), self.ends.copy()
        for edges, step, inside in ((starts, 1, 0), (ends, -1, -1)):
            rows = np.flatnonzero(starts < ends)
            for _ in range(_MOST_BLANKS):
                rows = rows[_IS_BLANK[self.data[edges[rows] + inside]] & (starts[rows] < ends[rows])]
                if not len(rows):
                    break
                edges[rows] += step
            for row in rows.tolist():
                text = self.data[starts[row] : ends[row]].tobytes()
                blanks = len(text) - len(text.lstrip() if step > 0 else text.rstrip())
                edges[row] += step * blanks
        return Spans(self.data, starts, ends)

    def replaced(self, rows: Any, texts: list[bytes]) -> "Spans":
        """Return them with other texts in the rows that a mask or row numbers choose."""
        joined = np.frombuffer(b"\n".join([*texts, b""]), np.uint8)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        starts, ends = self.starts.copy(), self.ends.copy()
        ends[rows] = np.cumsum(lengths + 1) - 1 + len(self.data)
        starts[rows] = ends[rows] - lengths
        return Spans(np.concatenate([self.data, joined]), starts, ends)

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
        offsets = np.append(0, np.cumsum(ends - starts))
        if isinstance(rows, slice) and rows.step in (None, 1) and len(starts):
            data = self.data[starts[0] : ends[-1]]
        else:
            data = join_texts(self.data, starts, ends - starts, offsets)
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

    def filled(self, rows: Mask, value: Any) -> "PackedTexts":
        """Return them with `value`, a text, bytes or None, in the rows of a mask, all of them empty until now."""
        if value is None:
            return replace(self, none=rows if self.none is None else self.none | rows)
        text = value if self.are_bytes else value.encode()
        spans = self.spans.replaced(rows, [text] * int(np.count_nonzero(rows)))
        return replace(spans.pack(are_bytes=self.are_bytes), none=self.none)

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
