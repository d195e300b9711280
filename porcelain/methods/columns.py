"""Columns of a slice as batches that lose nothing: arrays where a type is all in its array, else lists."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from jobs.column.kernel import Mask
from jobs.column.slice import SliceReader
from jobs.column.transform import Array
from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.dataset import Dataset

# a list with None in it, or an array and which of it are None
Values: TypeAlias = list[Any] | tuple[Array, Mask | None]

# an array of moments has neither time zone nor fold; the others are arrays of objects
_AS_LISTS: Final = frozenset({"datetime", "time", "number", "bytes", "ascii", "unicode", "json", "pickle"})


def read_columns(dataset: Dataset, sliceno: int, names: Iterable[str]) -> Iterator[dict[str, Values]]:
    """Yield the named columns of a slice, at most 65,536 rows at a time, as `write_arrays` takes them."""
    names = list(names)
    with opened(dataset, sliceno, names) as readers:
        cursors = [
            Cursor(
                reader, reader.values if dataset.columns[name].type in _AS_LISTS else _Pair.decoder(reader)
            )
            for name, reader in zip(names, readers, strict=True)
        ]
        for pieces in aligned(cursors, [range(dataset.lines[sliceno])]):
            yield {
                name: piece.pair() if isinstance(piece, _Pair) else piece
                for name, piece in zip(names, pieces, strict=True)
            }


class _Pair:
    """An array and its mask, cut together."""

    def __init__(self, values: Array, mask: Mask | None) -> None:
        self._values = values
        self._mask = mask

    @classmethod
    def decoder(cls, reader: SliceReader) -> Any:
        return lambda batch: cls(*reader.array(batch))

    def __getitem__(self, part: slice) -> "_Pair":
        return _Pair(self._values[part], None if self._mask is None else self._mask[part])

    def pair(self) -> tuple[Array, Mask | None]:
        return self._values, self._mask


def row_count(columns: Mapping[str, Values]) -> int:
    """Return the number of rows of columns, of which there is at least one."""
    values = next(iter(columns.values()))
    return len(values if isinstance(values, list) else values[0])


def select(values: Values, rows: Any) -> Values:
    """Return the rows with these numbers."""
    if isinstance(values, list):
        return [values[row] for row in rows.tolist()]
    array, mask = values
    return array[rows], None if mask is None else mask[rows]


def cut(values: Values, start: int, stop: int) -> Values:
    """Return the rows from `start` to `stop`."""
    if isinstance(values, list):
        return values[start:stop]
    array, mask = values
    return array[start:stop], None if mask is None else mask[start:stop]


def as_texts(values: Values, column_type: str) -> tuple[list[str], Array]:
    """Return the different texts that the values are written as (by `str`), and which of them each value is.

    Parameters
    ----------
    values
        As `read_columns` gives them.
    column_type
        Name of their type.

    Returns
    -------
    texts : list of str
        Each once.
    codes : (n,) int64
        For each value its place in `texts`.
    """
    if isinstance(values, tuple) and values[0].dtype.kind != "c":
        return _texts_of_array(*values)
    if isinstance(values, tuple):
        values = _as_list(*values)
    if column_type not in ("bytes", "ascii", "unicode"):
        values = list(map(str, values))  # equal numbers are written differently: 1, 1.0
    places: dict[Any, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values]
    return list(map(str, places)), np.array(codes, np.int64)


def _texts_of_array(values: Array, mask: Mask | None) -> tuple[list[str], Array]:
    # by the bits: 0.0 and -0.0 are equal, and written differently
    bits = values.view(f"i{values.dtype.itemsize}")
    _, firsts, codes = np.unique(bits, return_index=True, return_inverse=True)
    texts = list(map(str, values[firsts].tolist()))
    codes = codes.astype(np.int64)
    if mask is not None:
        codes[mask] = len(texts)
        texts.append(str(None))
    return texts, codes


def _as_list(values: Array, mask: Mask | None) -> list[Any]:
    rows = values.astype(object)
    if mask is not None:
        rows[mask] = None
    return rows.tolist()  # type: ignore[no-any-return] # a list, as the array has one dimension
