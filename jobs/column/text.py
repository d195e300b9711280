"""Codecs of the types whose values are byte strings: bytes and text, and the texts and pickles of other values.

Their bodies are `Texts`.
"""

import json
import pickle
import struct
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from jobs.column.packed import NEWLINE, PackedTexts, Spans
from jobs.column.transform import Array, Cursor, Ints, decode_ints, encode_ints

_HEAD: Final = struct.Struct("<BBHI")  # layout, separator, 0, count
_JOINED, _LENGTHS = 0, 1
_NEWLINE: Final = b"\n"
_SEPARATORS: Final = (_NEWLINE, *(bytes([code]) for code in range(32) if code != 10))
# what a text costs a batch beyond its bytes: a separator, or a length of up to 4 bytes
TEXT_OVERHEAD_BYTES: Final = 4
# what `Lines` splits at a time: of 4 to 64 KiB all take two thirds of the time of a whole batch
_PIECE_LENGTH: Final = 1 << 14


class Texts:
    """Byte strings, kept joined by newlines as long as none of them holds one: a third of the memory of a list.

    Attributes
    ----------
    joined : bytes
        All of them with a newline between each two.
    """

    __slots__ = ("_count", "_ends", "_rows", "joined")

    def __init__(self, joined: bytes, count: int, rows: list[bytes] | None = None) -> None:
        self.joined, self._count, self._rows = joined, count, rows
        self._ends: Ints | None = None

    @classmethod
    def from_rows(cls, rows: list[bytes]) -> "Texts":
        """Return the texts of a list; the list is kept."""
        joined = _NEWLINE.join(rows)
        return cls(joined, len(rows), rows if _has_newlines(joined, len(rows)) else None)

    @classmethod
    def from_packed(cls, packed: PackedTexts) -> "Texts":
        """Return packed texts, none of which is None."""
        joined = packed.data[:-1].tobytes()
        if packed.are_lines:
            return cls(joined, len(packed))
        spans = zip(packed.offsets[:-1].tolist(), (packed.offsets[1:] - 1).tolist(), strict=True)
        return cls.from_rows([joined[start:end] for start, end in spans])

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: slice) -> "Texts":
        if self._rows is not None:
            return Texts.from_rows(self._rows[part])
        start, stop, _ = part.indices(self._count)
        ends = self._line_ends()
        begin = int(ends[start - 1]) + 1 if start else 0
        return (
            Texts(self.joined[begin : int(ends[stop - 1])], stop - start) if stop > start else Texts(b"", 0)
        )

    @property
    def are_lines(self) -> bool:
        """Whether none of them holds a newline."""
        return self._rows is None

    def rows(self) -> list[bytes]:
        """Return the byte strings."""
        if self._rows is not None:
            return self._rows
        return self.joined.split(_NEWLINE) if self._count else []

    @property
    def weight(self) -> int:
        """What these texts add to the payload of a batch: the sum of `weights`."""
        return len(self.joined) - max(self._count - 1, 0) + self._count * TEXT_OVERHEAD_BYTES

    def weights(self) -> Ints:
        """Return what each text adds to the payload of a batch."""
        if self._rows is not None:
            lengths = np.fromiter(map(len, self._rows), np.int64, self._count)
        else:
            lengths = np.diff(self._line_ends(), prepend=-1) - 1
        return lengths + TEXT_OVERHEAD_BYTES

    def _line_ends(self) -> Ints:
        """Return where each ends, of lines."""
        if self._ends is None:
            places = np.flatnonzero(np.frombuffer(self.joined, np.uint8) == NEWLINE)
            self._ends = np.append(places, len(self.joined)) if self._count else places
        return self._ends

    def encode(self) -> bytes:
        """Return the part that holds these texts; it extends to the end of its batch."""
        if self._rows is None:
            return _HEAD.pack(_JOINED, _NEWLINE[0], 0, self._count) + self.joined
        for separator in _SEPARATORS[1:]:
            if separator not in self.joined:
                return _HEAD.pack(_JOINED, separator[0], 0, self._count) + separator.join(self._rows)
        lengths = np.fromiter(map(len, self._rows), np.int64, self._count)
        return _HEAD.pack(_LENGTHS, 0, 0, self._count) + encode_ints(lengths) + b"".join(self._rows)


def concatenate(pieces: Sequence[Texts]) -> Texts:
    """Return the texts of all `pieces`."""
    pieces = [piece for piece in pieces if len(piece)]
    if all(piece.are_lines for piece in pieces):
        return Texts(_NEWLINE.join([piece.joined for piece in pieces]), sum(map(len, pieces)))
    return Texts.from_rows([row for piece in pieces for row in piece.rows()])


def _has_newlines(joined: bytes, count: int) -> bool:
    """Return whether there are more newlines than those between `count` texts."""
    # `count` of bytes takes eight times as long for words
    newlines = np.count_nonzero(np.frombuffer(joined, np.uint8) == _NEWLINE[0])
    return bool(newlines > max(count - 1, 0))


class Lines(Sequence[Any]):
    """Texts or byte strings in one piece, split a few at a time by who reads them through.

    So those that were read are dropped before the next are made, all in the processor's cache.

    Parameters
    ----------
    joined : str or bytes
        All of them.
    separator
        What stands between each two.
    count
        How many there are, at least one.
    """

    __slots__ = ("_count", "_joined", "_rows", "_separator")

    def __init__(self, joined: Any, separator: Any, count: int) -> None:
        self._joined, self._separator, self._count = joined, separator, count
        self._rows: list[Any] | None = None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._pieces()) if self._rows is None else iter(self._rows)

    def __getitem__(self, place: Any) -> Any:
        if self._rows is None:
            self._rows = self._joined.split(self._separator)
        return self._rows[place]

    def _pieces(self) -> Iterator[list[Any]]:
        joined, separator = self._joined, self._separator
        start = 0
        while (end := joined.find(separator, start + _PIECE_LENGTH)) >= 0:
            yield joined[start:end].split(separator)
            start = end + 1
        yield joined[start:].split(separator)


def decode_texts(data: Cursor, encoding: str | None = None) -> Sequence[Any]:
    """Return the byte strings, or with an encoding the texts, of the part that extends to the end."""
    layout, separator, _, count = _HEAD.unpack(data.take(_HEAD.size))
    if count == 0:
        return []
    if layout == _JOINED:
        joined = data.take(len(data.data))
        _check_texts(1 + int(np.count_nonzero(np.frombuffer(joined, np.uint8) == separator)), count)
        if encoding:
            return Lines(str(joined, encoding), chr(separator), count)
        return Lines(bytes(joined), bytes([separator]), count)
    ends = np.cumsum(decode_ints(data)).tolist()
    _check_texts(len(ends), count)
    joined = data.take(ends[-1])
    pieces = [joined[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return [str(piece, encoding) for piece in pieces] if encoding else [bytes(piece) for piece in pieces]


def _check_texts(found: int, wanted: int) -> None:
    if found != wanted:
        raise ValueError(f"{found} texts where {wanted} are wanted")


def decode_packed(data: Cursor, *, are_bytes: bool) -> PackedTexts:
    """Return the byte strings of the part that extends to the end, packed."""
    layout, separator, _, count = _HEAD.unpack(data.take(_HEAD.size))
    if count == 0:
        return PackedTexts.of([], are_bytes=are_bytes)
    if layout != _JOINED:
        lengths = decode_ints(data)
        if len(lengths) != count or lengths.min() < 0:
            raise ValueError(f"lengths of {len(lengths)} texts where {count} are wanted, or one below 0")
        ends = np.cumsum(lengths)
        texts = np.frombuffer(data.take(int(ends[-1])), np.uint8)
        return Spans(np.append(texts, np.uint8(0)), ends - lengths, ends).pack(are_bytes=are_bytes)
    joined = np.append(np.frombuffer(data.take(len(data.data)), np.uint8), np.uint8(separator))
    offsets = np.append(0, np.flatnonzero(joined == separator) + 1)
    if len(offsets) != count + 1:
        raise ValueError(f"{len(offsets) - 1} texts where {count} are wanted")
    if separator != NEWLINE:
        joined[offsets[1:] - 1] = NEWLINE
    # another separator is only taken when a text holds a newline
    return PackedTexts(joined, offsets, None, are_bytes, are_lines=separator == NEWLINE)


def object_array(values: Sequence[Any]) -> Array:
    """Return `values` as they are in an array; lists among them stay lists."""
    return np.fromiter(values, object, len(values))


class BytesCodec:
    """bytes; decoded bodies are sequences."""

    kind = "S"

    def gather(self, values: list[Any]) -> Texts:
        """Return the body of byte strings."""
        return Texts.from_rows(values)

    def take(self, values: Array) -> Texts:
        """Return the body of an array of byte strings (S; numpy drops zeros at their ends)."""
        if values.dtype.kind != self.kind:
            raise TypeError
        return self.gather(values.tolist())

    def take_packed(self, values: PackedTexts) -> Texts:
        """Return the body of packed byte strings, none of them None; raise as `take`."""
        if not values.are_bytes:
            raise TypeError
        return Texts.from_packed(values)

    def encode(self, body: Texts) -> bytes:
        """Return the bytes of a body."""
        return body.encode()

    def decode(self, data: Cursor) -> Sequence[Any]:
        """Return the byte strings that are encoded there."""
        return decode_texts(data)

    def values(self, body: Sequence[Any]) -> Sequence[Any]:
        """Return the values of decoded byte strings."""
        return body

    def array(self, body: Sequence[Any]) -> Array:
        """Return the values as objects."""
        return object_array(self.values(body))

    def bounds(self, body: Texts) -> tuple[Any, Any]:  # noqa: ARG002 - not noted for this type
        """Return None twice."""
        return None, None


class TextCodec(BytesCodec):
    """ascii and unicode."""

    kind = "U"

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def gather(self, values: list[Any]) -> Texts:
        """Return the body of texts."""
        joined = "\n".join(values).encode(self._encoding)
        if _has_newlines(joined, len(values)):
            return Texts.from_rows([each.encode(self._encoding) for each in values])
        return Texts(joined, len(values))

    def take_packed(self, values: PackedTexts) -> Texts:
        """Return the body of packed texts, none of them None; raise as `take`."""
        if values.are_bytes:
            raise TypeError
        texts = Texts.from_packed(values)
        if self._encoding == "ascii" and not texts.joined.isascii():
            raise ValueError
        return texts

    def decode(self, data: Cursor) -> Sequence[Any]:
        """Return the texts that are encoded there."""
        return decode_texts(data, self._encoding)


class PackedCodec(BytesCodec):
    """bytes, text and json texts, to be read only; decoded bodies are `PackedTexts`."""

    def __init__(self, *, are_bytes: bool = False, only_ascii: bool = False) -> None:
        self._are_bytes = are_bytes
        self._only_ascii = only_ascii

    def decode(self, data: Cursor) -> Any:
        """Return the byte strings that are encoded there; that they are UTF-8 is not checked."""
        packed = decode_packed(data, are_bytes=self._are_bytes)
        if self._only_ascii and not packed.data.tobytes().isascii():
            raise ValueError("text that is no ASCII")
        return packed


class JsonCodec(TextCodec):
    """json: one line of ASCII a value."""

    kind = ""

    def __init__(self) -> None:
        super().__init__("ascii")

    def values(self, body: Sequence[Any]) -> list[Any]:
        """Return the values of json texts."""
        values: list[Any] = json.loads("[" + ",".join(body) + "]")
        return values


class PickleCodec(BytesCodec):
    """pickle, one a value."""

    kind = ""

    def values(self, body: Sequence[Any]) -> list[Any]:
        """Return what the pickles hold."""
        return [pickle.loads(each) for each in body]
