"""The values of a column as text, many at once, as csvexport writes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts, Spans
from jobs.column.slice import SliceReader
from jobs.column.transform import Array, Mask
from porcelain.methods.csvtext.clocks import dates, datetimes, times
from porcelain.methods.csvtext.digits import integers
from porcelain.methods.csvtext.floats import floats
from porcelain.methods.csvtext.quoting import encode
from porcelain.methods.valuetexts import format_of

# of these bytes are the texts of numbers, dates and times
ALPHABET: Final = b"0123456789+-.: einfaTrueFls"

_BOOLS: Final = np.frombuffer(b"FalseTrue ", np.uint8)  # a byte follows each, also the last


@dataclass(frozen=True, slots=True)
class Rows:
    """Values of a column.

    Attributes
    ----------
    values : PackedTexts, Moments, (n,) array or list
        Of texts, of datetimes and times, of numbers and dates, of other types.
    none : (n,) bool or None
        Which rows are None; what is in an array there says nothing.
    """

    values: Any
    none: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> "Rows":
        return Rows(self.values[rows], None if self.none is None else self.none[rows])


Read = Callable[[SliceReader, int], Rows]


def reader_of(column_type: str) -> Read:
    """Return the function that reads a batch of a column of that type."""
    return _READ.get(column_type, _read_list)


def texts_of(column_type: str, rows: Rows) -> PackedTexts | Spans:
    """Return the texts of values: packed, or spans of bytes of `ALPHABET`; what stands for None says nothing."""
    values = rows.values
    if isinstance(values, PackedTexts):
        return values
    if isinstance(values, Moments):
        write = datetimes if values.with_day else times
        return write(values.clock.view(np.int64), values.are_utc)
    if isinstance(values, list) or values.dtype == object:
        form = format_of(column_type)
        texts = [b"" if value is None else encode(form(value)) for value in values]
        return PackedTexts.of(texts, are_bytes=True)
    return _WRITE[values.dtype.kind](values)


def _bools(values: Array) -> Spans:
    starts = np.where(values, 5, 0)
    return Spans(_BOOLS, starts, np.where(values, 9, 5))


_WRITE: Final[Mapping[str, Callable[[Array], Spans]]] = {
    "b": _bools,
    "i": lambda values: integers(values.astype(np.int64, copy=False)),
    "f": lambda values: floats(values.astype(np.float64, copy=False)),
    "M": lambda values: dates(values.view(np.int64)),
}


# ---- reading


def _read_array(reader: SliceReader, batch: int) -> Rows:
    return Rows(*reader.array(batch))


def _read_packed(reader: SliceReader, batch: int) -> Rows:
    packed = reader.packed(batch)
    return Rows(packed, packed.none)


def _read_moments(reader: SliceReader, batch: int) -> Rows:
    moments = reader.moments(batch)
    return Rows(moments, moments.none)


def _read_list(reader: SliceReader, batch: int) -> Rows:
    values = reader.values(batch)
    none = np.fromiter((value is None for value in values), np.bool_, len(values))
    return Rows(values, none if none.any() else None)


_READ: Final[Mapping[str, Read]] = {
    **dict.fromkeys(("bytes", "ascii", "unicode"), _read_packed),
    **dict.fromkeys(("datetime", "time"), _read_moments),
    **dict.fromkeys(("number", "int64", "int32", "float64", "float32", "bool", "date"), _read_array),
}
