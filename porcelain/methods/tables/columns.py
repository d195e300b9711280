"""Rows in memory, column by column: read without loss, chosen, joined."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from jobs.column.kernel import Array, objects
from jobs.column.packed import PackedTexts, concatenate
from jobs.column.slice import SliceReader
from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.dataset import Dataset

# values of a column: a list, an array, a masked array, packed texts, or an array and which of it are None
Values: TypeAlias = Any
Columns: TypeAlias = Mapping[str, Values]

# arrays of these have neither time zone nor fold
_LOSSY = ("datetime", "time")
_TEXTS = ("ascii", "bytes", "unicode")


def read_slice(
    dataset: Dataset, sliceno: int, names: Sequence[str], spans: Iterable[range] | None = None
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
    dict of str to ndarray or PackedTexts
        As `Dataset.arrays` gives them, but datetimes and times are objects, for arrays have no time zone, and texts
        are packed.
    """
    if not names:
        return
    with opened(dataset, sliceno, names) as readers:
        cursors = [
            Cursor(reader, decoder(reader, dataset.columns[name].type))
            for name, reader in zip(names, readers, strict=True)
        ]
        for pieces in aligned(cursors, [range(dataset.lines[sliceno])] if spans is None else spans):
            yield dict(zip(names, pieces, strict=True))


def decoder(reader: SliceReader, column_type: str) -> Callable[[int], Values]:
    """Return a function that gives a batch of a column as `read_slice` yields it."""

    def decode(batch: int) -> Values:
        if column_type in _LOSSY:
            return objects(reader.values(batch))
        if column_type in _TEXTS:
            return reader.packed(batch)
        values, none = reader.array(batch)
        # arrays of objects hold None themselves
        return values if none is None or values.dtype == np.object_ else np.ma.MaskedArray(values, none)

    return decode


def split_none(values: Values) -> tuple[Any, Any]:
    """Return a list or an array, and which of it are None: no array when none is, or when it holds None itself."""
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


def count_rows(columns: Columns) -> int:
    """Return the number of rows."""
    return len(split_none(next(iter(columns.values())))[0])


def join(parts: Sequence[Any]) -> Any:
    """Return the values of several arrays, at least one, in this order; integers beside floats become objects."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], PackedTexts):
        return concatenate(list(parts))
    if len({part.dtype for part in parts}) > 1:
        parts = [_as_objects(part) for part in parts]
    if not any(map(_is_masked, parts)):
        return np.concatenate(parts)
    none = np.concatenate([np.ma.getmaskarray(part) for part in parts])
    return np.ma.MaskedArray(np.concatenate([np.asarray(part) for part in parts]), none)


def _as_objects(values: Array) -> Array:
    array, none = split_none(values)
    made: Array = array.astype(np.object_)
    if none is not None:
        made[none] = None
    return made
