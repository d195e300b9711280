"""Rows in memory, column by column: read without loss, chosen, joined."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from jobs.column import moments, packed
from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.slice import SliceReader
from jobs.column.transform import Array
from jobs.column.types import get_type
from jobs.dataset.arrays import Cursor, Readable, aligned, opened

# values of a column: a list, an array, a masked array, packed texts, moments, or an array and which of it are None
Values: TypeAlias = Any
Columns: TypeAlias = Mapping[str, Values]

_MOMENTS: Final = ("datetime", "time")
_TEXTS: Final = ("ascii", "bytes", "unicode")


def read_slice(
    dataset: Readable, sliceno: int, names: Sequence[str], spans: Iterable[range] | None = None
) -> Iterator[dict[str, Values]]:
    """Yield columns of a slice, at most a batch of rows at a time.

    Parameters
    ----------
    dataset
        What to read.
    sliceno
        Which slice.
    names
        Which columns.
    spans
        Which rows, in rising order; all when None.

    Yields
    ------
    dict of str to ndarray, PackedTexts or Moments
        As `Dataset.arrays` gives them, but texts are packed, and datetimes and times are moments, for arrays have no
        time zone.
    """
    if not names:
        return
    with opened(dataset, sliceno, names) as readers:
        cursors = [
            Cursor(reader, decoder(reader, dataset.get_column_node(name).type))
            for name, reader in zip(names, readers, strict=True)
        ]
        for pieces in aligned(cursors, [range(dataset.head.lines[sliceno])] if spans is None else spans):
            yield dict(zip(names, pieces, strict=True))


def decoder(reader: SliceReader, column_type: str) -> Callable[[int], Values]:
    """Return a function that gives a batch of a column as `read_slice` yields it."""

    def decode(batch: int) -> Values:
        if column_type in _MOMENTS:
            return reader.moments(batch)
        if column_type in _TEXTS:
            return reader.packed(batch)
        values, none = reader.array(batch)
        # arrays of objects hold None themselves
        return values if none is None or values.dtype == np.object_ else np.ma.MaskedArray(values, none)

    return decode


def split_none(values: Values) -> tuple[Any, Any]:
    """Return a list or an array, and which of it are None: no array when none is, or when it knows None itself."""
    if isinstance(values, tuple):
        return values
    if _is_masked(values):
        none = np.ma.getmaskarray(values)
        return values.data, none if none.any() else None
    return values, None


def _is_masked(values: Values) -> bool:
    # without asking for numpy.ma, which takes long to be imported
    return hasattr(values, "mask")


def to_list(values: Values) -> list[Any]:
    """Return values as Python has them, None among them."""
    array, none = split_none(values)
    if isinstance(array, list) or none is None:
        return array if isinstance(array, list) else list(array.tolist())
    return list(_as_objects(values).tolist())


def select(values: Values, rows: Array | slice) -> Values:
    """Return the values of the rows with these numbers."""
    if isinstance(values, list):
        return values[rows] if isinstance(rows, slice) else [values[row] for row in rows.tolist()]
    if isinstance(values, tuple):
        array, none = values
        return array[rows], None if none is None else none[rows]
    return values[rows]


def take_rows(columns: Columns, rows: Array) -> dict[str, Values]:
    """Return the rows with these numbers."""
    return {name: select(values, rows) for name, values in columns.items()}


def count_rows(columns: Columns) -> int:
    """Return the number of rows."""
    return len(split_none(next(iter(columns.values())))[0])


def join(parts: Sequence[Any]) -> Any:
    """Return the values of several arrays, at least one, in this order; integers beside floats become objects."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], PackedTexts):
        return packed.concatenate(list(parts))
    if isinstance(parts[0], Moments):
        return moments.concatenate(parts)
    if len({part.dtype for part in parts}) > 1:
        parts = [_as_objects(part) for part in parts]
    if not any(map(_is_masked, parts)):
        return np.concatenate(parts)
    none = np.concatenate([np.ma.getmaskarray(part) for part in parts])
    return np.ma.MaskedArray(np.concatenate([np.asarray(part) for part in parts]), none)


def none_values(column_type: str, rows: int) -> Values:
    """Return so many rows that are None, as a column of that type holds them."""
    none = np.ones(rows, np.bool_)
    if column_type in _MOMENTS:
        return Moments(np.zeros(rows, np.int64), none, column_type == "datetime")
    if column_type in _TEXTS:
        return PackedTexts.of([None] * rows, are_bytes=column_type == "bytes")
    dtype = get_type(column_type).dtype
    return np.full(rows, None) if dtype is None else np.ma.MaskedArray(np.zeros(rows, dtype), none)


def _as_objects(values: Array) -> Array:
    array, none = split_none(values)
    made: Array = array.astype(np.object_)
    if none is not None:
        made[none] = None
    return made
