"""One column slice as a blob: its batches, and a directory of them at the end.

Notes
-----
Source: docs/reference/formats/column.md.
"""

import itertools
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

from cas.oid import ObjectId
from cas.store import ObjectWriter
from jobs.column.append import CHUNK_ROWS, LARGE_BYTES, Append, Pending, make_append
from jobs.column.batches import Batcher, Piece
from jobs.column.codec import (
    CODECS,
    Codec,
    batch_array,
    batch_values,
    decode_batch,
    encode_batch,
    merge_bounds,
)
from jobs.column.directory import BatchInfo, encode_directory, read_directory
from jobs.column.fixed import MomentCodec
from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.text import BytesCodec, PackedCodec, Texts
from jobs.column.transform import Array, Mask
from jobs.column.types import get_type
from jobs.errors import ColumnError, DatasetError

# below these a list costs more as a piece of its own than value by value
_FEW_VALUES: Final = 128
_NONE_IS_A_VALUE: Final = frozenset({"json", "pickle"})
_PACKED: Final = {
    "bytes": PackedCodec(are_bytes=True),
    "ascii": PackedCodec(only_ascii=True),
    "unicode": PackedCodec(),
    "json": PackedCodec(only_ascii=True),
    "pickle": PackedCodec(are_bytes=True),
}


class SliceSummary(NamedTuple):
    """What is known of a column slice when it has been written.

    Attributes
    ----------
    blob : ObjectId
        Where it is.
    lines : int
        The number of rows.
    bytes : int
        Raw size of the blob.
    min, max : object
        Smallest and largest value; None where the type has none or there are no values, nan for want of others.
    """

    blob: ObjectId
    lines: int
    bytes: int
    min: Any
    max: Any


class SliceWriter:
    """Write one column of one slice, a value or many at a time.

    Equal values give equal ids, in whatever calls they come.

    Attributes
    ----------
    append : callable
        Write one value; raises `ColumnError` at once for a value that the column does not take.

    Examples
    --------
    >>> from cas.memory import MemoryStore
    >>> store = MemoryStore()
    >>> writer = SliceWriter("int64", store.writer())
    >>> writer.append(3)
    >>> writer.extend([1, 2])
    >>> summary = writer.finish()
    >>> summary.lines, summary.min, summary.max
    (3, 1, 3)
    >>> list(SliceReader(store.open(summary.blob), "int64", none_support=False))
    [3, 1, 2]
    """

    append: Append

    def __init__(self, column_type: str, sink: ObjectWriter, *, none_support: bool = False) -> None:
        self._type = get_type(column_type)
        self._codec = CODECS[self._type.base]
        self._sink = sink
        self._takes_none = none_support and self._type.base not in _NONE_IS_A_VALUE
        self._refuses_none = not (none_support or self._type.base in _NONE_IS_A_VALUE)
        self._exact = {*self._type.exact, type(None)} if self._takes_none else {*self._type.exact}
        self._batcher = Batcher()
        self._infos: list[BatchInfo] = []
        self._offset = 0
        self._pending = Pending(self._type.base, self._append_slowly, self._absorb)
        self.append = (
            self._append_slowly if self._type.parsed else make_append(self._type.base, self._pending)
        )

    @property
    def lines(self) -> int:
        """The number of rows written so far."""
        return self._batcher.lines + len(self._pending)

    def extend(self, values: Iterable[Any]) -> None:
        """Write many values; at a value that is refused, some of those before it are written and none after it."""
        remaining = iter(values)
        while chunk := list(itertools.islice(remaining, self._batcher.rows_left)):
            if len(chunk) < _FEW_VALUES:
                for value in chunk:
                    self.append(value)
            else:
                self._absorb()
                self._write(self._make_piece(chunk))

    def extend_kept(self, values: list[Any]) -> None:
        """Write values that `ColumnType.keep` has returned, or would return as they are, and None; nothing is checked.

        The list must not be changed afterwards.
        """
        self._absorb()
        if values:
            self._write(self._gather(values))

    def extend_array(self, values: Array | PackedTexts | Moments, mask: Mask | None = None) -> None:
        """Write the values of an array.

        Parameters
        ----------
        values : (n,) array, PackedTexts or Moments
            For the types of numbers integers, bools and floats; for date and datetime datetime64, where NaT is None;
            for datetime and time moments; for texts U, for bytes S, for both packed; for any type objects, which are
            taken as the Python values they are.
        mask : (n,) bool, optional
            True where the row is None, whatever `values` holds there. Not for packed texts and moments, which know it
            themselves.
        """
        if isinstance(values, (PackedTexts, Moments)):
            assert mask is None, "values that know what is None, with a mask beside that"
        elif values.ndim != 1 or (mask is not None and mask.shape != values.shape):
            raise ColumnError("values and mask are no arrays of one dimension and equal length")
        self._absorb()
        start = 0
        while start < len(values):
            stop = start + self._batcher.rows_left
            self._write(self._take_piece(values[start:stop], None if mask is None else mask[start:stop]))
            start = stop

    def finish(self) -> SliceSummary:
        """Write what is left and the directory, and commit the object."""
        self._absorb()
        for batch in self._batcher.flush():
            self._write_batch(batch)
        directory = encode_directory(self._type.base, self._infos)
        self._sink.write(directory)
        low, high = merge_bounds((info.min, info.max) for info in self._infos)
        return SliceSummary(
            self._sink.commit(), self._batcher.lines, self._offset + len(directory), low, high
        )

    def _append_slowly(self, value: Any) -> None:
        pending, kept = self._pending, self._keep(value)
        if kept is None:
            pending.nones.append(len(pending))
        else:
            pending.values.append(kept)
        if len(pending) >= CHUNK_ROWS or (type(kept) in (str, bytes) and len(kept) >= LARGE_BYTES):
            self._absorb()

    def _keep(self, value: Any) -> Any:
        if value is None:
            if self._takes_none:
                return None
            if self._refuses_none:
                raise ColumnError("refusing to write None without none_support=True")
        return self._type.keep(value)

    def _absorb(self) -> None:
        nones, rows = self._pending.nones, len(self._pending)
        if rows:
            mask = None
            if nones:
                mask = np.zeros(rows, np.bool_)
                mask[nones] = True
            body = self._pending_body(self._pending.values)
            self._pending.clear()
            self._write(Piece(rows, body, mask))

    def _pending_body(self, values: "list[Any] | array[Any]") -> Any:
        if isinstance(values, array):
            return self._codec.take(np.array(values))
        return self._codec.gather(values.copy())

    def _make_piece(self, values: list[Any]) -> Piece:
        if self._exact.issuperset(set(map(type, values))):
            try:
                return self._gather(values)
            except (OverflowError, ValueError):
                pass  # one by one, so that the error names the value
        return self._gather([self._keep(value) for value in values])

    def _take_piece(self, values: Array | PackedTexts | Moments, mask: Mask | None) -> Piece:
        if isinstance(values, (PackedTexts, Moments)):
            return self._take_packed(values)
        if mask is not None:
            mask = mask.astype(np.bool_)  # a copy, as of the values
        if values.dtype.kind in "mM":
            mask = np.isnat(values) if mask is None else mask | np.isnat(values)
        if mask is not None and not mask.any():
            mask = None
        if mask is None or self._takes_none:
            try:
                return self._take(values, mask)
            except (TypeError, OverflowError, ValueError):
                pass  # one by one: what an array holds may still be right, and the error names the value
        rows = values.astype(object)
        if mask is not None:
            rows[mask] = None
        return self._make_piece(rows.tolist())

    def _take_packed(self, values: PackedTexts | Moments) -> Piece:
        none = values.none if values.none is not None and values.none.any() else None
        if not self._type.parsed and (none is None or self._takes_none):
            try:
                return Piece(len(values), self._packed_body(values.present()), none)
            except (TypeError, ValueError, OverflowError):
                pass  # one by one, so that the error names the value
        return self._make_piece(values.tolist())

    def _packed_body(self, values: PackedTexts | Moments) -> Any:
        codec = self._codec
        if isinstance(codec, BytesCodec) and isinstance(values, PackedTexts):
            return codec.take_packed(values)
        if isinstance(codec, MomentCodec) and isinstance(values, Moments):
            return codec.take_moments(values)
        raise TypeError

    def _take(self, values: Array, mask: Mask | None) -> Piece:
        if self._type.parsed:
            raise TypeError
        dense = values if mask is None else values[~mask]
        body = self._codec.take(dense)
        if not isinstance(body, Texts) and np.may_share_memory(body, values):
            body = body.copy()  # the caller may write into his array before the batch is full
        return Piece(len(values), body, mask)

    def _gather(self, kept: list[Any]) -> Piece:
        if self._takes_none and None in kept:
            mask = np.fromiter((value is None for value in kept), np.bool_, len(kept))
            return Piece(len(kept), self._codec.gather([each for each in kept if each is not None]), mask)
        return Piece(len(kept), self._codec.gather(kept), None)

    def _write(self, piece: Piece) -> None:
        for batch in self._batcher.add(piece):
            self._write_batch(batch)

    def _write_batch(self, batch: Piece) -> None:
        data = encode_batch(self._codec, batch.body, batch.mask)
        self._sink.write(data)
        self._sink.cut()
        low, high = self._codec.bounds(batch.body) if len(batch.body) else (None, None)
        self._infos.append(BatchInfo(self._offset, len(data), batch.rows, low, high))
        self._offset += len(data)


class SliceReader:
    """Read a column slice, a batch at a time; only the directory is read when it is opened.

    Attributes
    ----------
    batches : tuple of BatchInfo
        What each batch holds, in order.
    lines : int
        The number of rows.
    """

    def __init__(self, stream: BinaryIO, column_type: str, *, none_support: bool) -> None:
        self._stream = stream
        self._base = get_type(column_type).base
        self._codec = CODECS[self._base]
        self._none_support = none_support
        self.batches = tuple(read_directory(stream, self._base))
        self.lines = sum(batch.rows for batch in self.batches)

    def values(self, number: int) -> list[Any]:
        """Return the values of batch `number`, counted from 0."""
        values = self.sequence(number)
        return values if isinstance(values, list) else list(values)

    def sequence(self, number: int) -> Sequence[Any]:
        """Return the values of batch `number`: for who reads them through, in a half to two thirds of the time."""
        return batch_values(self._codec, *self._read(number))

    def array(self, number: int) -> tuple[Array, Mask | None]:
        """Return the values of batch `number` as an array, and which of them are None (no array when none is).

        Texts, json values and pickles are objects. A time is a timedelta64[us] since midnight; time zone and fold of
        times and datetimes are left out. A batch of numbers is int64, float64, or objects when they are mixed. An array
        may be read-only.
        """
        body, mask = self._read(number)
        return batch_array(self._codec, body, mask), mask

    def packed(self, number: int) -> PackedTexts:
        """Return the texts of batch `number` of a bytes, text or json column, or the pickles of one, packed."""
        packed, mask = self._read(number, _PACKED[self._base])
        texts: PackedTexts = packed.spread(mask)
        return texts

    def moments(self, number: int) -> Moments:
        """Return the values of batch `number` of a datetime or time column, with their time zones and folds."""
        assert isinstance(self._codec, MomentCodec)
        return self._codec.moments(*self._read(number))

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(map(self.sequence, range(len(self.batches))))

    def _read(self, number: int, codec: Codec | None = None) -> tuple[Any, Mask | None]:
        batch = self.batches[number]
        self._stream.seek(batch.offset)
        try:
            body, mask = decode_batch(codec or self._codec, self._stream.read(batch.bytes))
        except (ArithmeticError, LookupError, ValueError, struct.error) as err:
            raise DatasetError(f"batch {number} of a '{self._base}' column is damaged: {err}") from err
        rows = len(body) if mask is None else len(mask)
        if rows != batch.rows:
            raise DatasetError(
                f"batch {number} of a '{self._base}' column has {rows} rows, and its directory says {batch.rows}"
            )
        if mask is not None and not self._none_support:
            raise DatasetError(f"batch {number} of a '{self._base}' column without none_support holds None")
        return body, mask
