"""Columns of rows in memory: read, cut, put together, ordered, written.

A vector is made for computing. Dates are days since 1970, datetimes and times are what `MomentCodec` makes of them, so
that time zone and fold are kept; texts and other values are objects.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jobs.column.codec import join_bodies
from jobs.column.fixed import MomentCodec
from jobs.column.kernel import Array, Mask
from jobs.column.slice import SliceReader
from jobs.column.spread import slices_of
from jobs.column.types import get_type
from jobs.dataset.arrays import Cursor, Readable, aligned, check_column, opened
from jobs.errors import DatasetError

Ints: TypeAlias = npt.NDArray[np.int64]

NUMBERS: Final = ("int32", "int64", "float32", "float64", "bool", "number")
# types whose values can be told apart and ordered
KEY_TYPES: Final = (*NUMBERS, "date", "datetime", "time", "ascii", "unicode", "bytes")

_MOMENTS: Final = {"datetime": MomentCodec(with_day=True), "time": MomentCodec(with_day=False)}
_FOLD: Final = 2
_FEW_CODES: Final = 1 << 16
_MANY_CODES: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Vector:
    """Values of one column.

    Attributes
    ----------
    values : (n,) array
        What it holds where a row is None says nothing.
    none : (n,) bool
        Which rows are None.
    """

    values: Array
    none: Mask

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> "Vector":
        return Vector(self.values[rows], self.none[rows])


def join_vectors(vectors: Sequence[Vector]) -> Vector:
    """Return the rows of all `vectors`, which are of one column."""
    if len(vectors) == 1:
        return vectors[0]
    values = join_bodies([each.values for each in vectors])
    assert isinstance(values, np.ndarray)
    return Vector(values, np.concatenate([each.none for each in vectors]))


def make_nones(column_type: str, rows: int) -> Vector:
    """Return so many rows that are None, as a column of that type holds them."""
    dtype = get_type(column_type).dtype
    if dtype is None:
        return Vector(np.full(rows, None, object), np.ones(rows, np.bool_))
    return Vector(np.zeros(rows, "<i8" if dtype[1] in "mM" else dtype), np.ones(rows, np.bool_))


# ---- read and written


def read_vectors(dataset: Readable, sliceno: int, names: Sequence[str]) -> Iterator[dict[str, Vector]]:
    """Yield columns of a slice by name, a batch of at most 65,536 rows at a time; without names nothing."""
    if not names:
        return
    with opened(dataset, sliceno, names) as readers:
        cursors = [
            Cursor(reader, _Decoder(reader, get_type(dataset.head.columns[name].type).base))
            for name, reader in zip(names, readers, strict=True)
        ]
        for pieces in aligned(cursors, [range(dataset.head.lines[sliceno])]):
            yield dict(zip(names, pieces, strict=True))


class _Decoder:
    """Gives a batch of a column slice as a vector."""

    def __init__(self, reader: SliceReader, column_type: str) -> None:
        self._reader, self._type = reader, column_type

    def __call__(self, batch: int) -> Vector:
        if self._type in _MOMENTS:
            return self._read_moments(batch)
        values, none = self._reader.array(batch)
        if self._type == "date":
            values = values.view(np.int64)
        return Vector(values, np.zeros(len(values), np.bool_) if none is None else none)

    def _read_moments(self, batch: int) -> Vector:
        # arrays of a reader have neither time zone nor fold
        values = self._reader.values(batch)
        none = np.fromiter((value is None for value in values), np.bool_, len(values))
        moments = np.zeros(len(values), np.int64)
        moments[~none] = _MOMENTS[self._type].gather([value for value in values if value is not None])
        return Vector(moments, none)


def to_columns(vectors: Mapping[str, Vector], types: Mapping[str, str]) -> dict[str, Any]:
    """Return vectors in a form that `DatasetWriter.write_arrays` takes."""
    return {name: _to_column(vector, types[name]) for name, vector in vectors.items()}


def _to_column(vector: Vector, column_type: str) -> Any:
    values, none = vector.values, vector.none
    if column_type in ("json", "pickle"):  # None is one of their values
        rows = values.copy()
        rows[none] = None
        return rows
    if column_type in _MOMENTS and (values[~none] & 3).any():
        rows = np.full(len(values), None, object)
        rows[~none] = _MOMENTS[column_type].values(values[~none])
        return rows.tolist()
    return _to_array(values, column_type), none if none.any() else None


def _to_array(values: Array, column_type: str) -> Array:
    """Return the values of a vector in the dtype that a column of that type takes."""
    if column_type == "date":
        return values.view("M8[D]")
    return _MOMENTS[column_type].array(values) if column_type in _MOMENTS else values


def to_values(vector: Vector, column_type: str) -> list[Any]:
    """Return the rows as Python values."""
    if column_type in _MOMENTS:
        values = _MOMENTS[column_type].values(vector.values)
    else:
        values = _to_array(vector.values, column_type).tolist()
    return [None if none else value for value, none in zip(values, vector.none.tolist(), strict=True)]


def to_slices(vector: Vector, column_type: str, slices: int) -> Ints:
    """Return the slice of each row, when a column of that type is the hashlabel."""
    values = _to_array(vector.values, column_type)
    if values.dtype != object:
        return np.where(vector.none, 0, slices_of(values, column_type, slices))
    found = np.zeros(len(vector), np.int64)
    found[~vector.none] = slices_of(values[~vector.none].tolist(), column_type, slices)
    return found


# ---- equal and ordered


def check_key(dataset: Readable, name: str) -> None:
    """Raise `DatasetError` when the dataset has no column of that name, or one whose values cannot be told apart."""
    check_column(dataset, name)
    column_type = dataset.head.columns[name].type
    if column_type not in KEY_TYPES:
        raise DatasetError(
            f"column '{name}' of '{dataset.spec}' is {column_type}, which is no key",
            hint="keys are " + ", ".join(KEY_TYPES),
        )


def as_key(vector: Vector, column_type: str) -> Vector:
    """Return a vector in which one value stands for all that are equal: 0.0 for -0.0, 1 for 1.0 among numbers.

    Datetimes and times that differ in their fold are equal, those that differ in their time zone are not.
    """
    values = vector.values
    if column_type in _MOMENTS:
        values = values & ~_FOLD
    elif column_type == "number":
        values = _plain_numbers(values)
    elif values.dtype.kind == "f":
        values = values + 0.0  # makes one zero of the two
    return Vector(values, vector.none)


def _plain_numbers(values: Array) -> Array:
    if values.dtype.kind == "i":
        return values
    plain = (int(each) if type(each) is float and each.is_integer() else each for each in values.tolist())
    return np.fromiter(plain, object, len(values))


def find_nans(vector: Vector) -> Mask:
    """Return which rows are nan."""
    if vector.values.dtype.kind not in "fO":
        return np.zeros(len(vector), np.bool_)
    nans: Mask = (vector.values != vector.values) & ~vector.none
    return nans


def unique(values: Array, *, ordered: bool = True) -> tuple[Array, Ints]:
    """Return the different values, in rising order if asked, and which of these each value is.

    None and nan must not be among them. To order texts takes more time than all else.
    """
    if values.dtype == object:
        return _unique_objects(values.tolist(), ordered=ordered)
    if values.dtype.kind == "i" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < 4 * len(values):
            places = values.astype(np.int64) - low
            present = np.zeros(high - low + 1, np.bool_)
            present[places] = True
            ranks_by_place = np.cumsum(present) - 1
            return (np.flatnonzero(present) + low).astype(values.dtype), ranks_by_place[places]
    uniques, inverse = np.unique(values, return_inverse=True)
    return uniques, inverse.astype(np.int64, copy=False)


def _unique_objects(values: list[Any], *, ordered: bool) -> tuple[Array, Ints]:
    different: Iterable[Any] = dict.fromkeys(values)
    if ordered:
        different = sorted(different)  # parts that are in order already take less time
    ranks = {value: number for number, value in enumerate(different)}
    found = np.fromiter(map(ranks.__getitem__, values), np.int64, len(values))
    return np.fromiter(ranks, object, len(ranks)), found


def rank(vector: Vector, *, ordered: bool = True) -> tuple[Ints, int]:
    """Return numbers that are equal when the values are, and how many there may be.

    They are ordered as the values are, if asked: None first, nan last.
    """
    nans = find_nans(vector)
    present = ~(vector.none | nans)
    uniques, found = unique(vector.values[present], ordered=ordered)
    ranks = np.zeros(len(vector), np.int64)
    ranks[present] = found + 1
    ranks[nans] = len(uniques) + 1
    return ranks, len(uniques) + 2


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows of equal keys side by side.

    Attributes
    ----------
    order : (n,) int64
        The rows, group by group; those of equal keys as they came.
    starts : (m,) int64
        Where in `order` each group of equal keys begins.
    """

    order: Ints
    starts: Ints

    @property
    def first(self) -> Ints:
        """A row of each group: the first."""
        return self.order[self.starts]


def group_rows(keys: Sequence[Vector], rows: int, *, ordered: bool = True) -> Groups:
    """Return the groups of rows whose keys are equal, in rising order if asked; without keys all are one group."""
    codes, count = np.zeros(rows, np.int64), 1
    for key in keys:
        ranks, more = rank(key, ordered=ordered)
        codes, count = codes * more + ranks, count * more
        if count > _MANY_CODES:
            uniques, codes = unique(codes)
            count = len(uniques)
    # numpy sorts small integers by radix
    order = np.argsort(codes.astype(np.uint16) if count <= _FEW_CODES else codes, kind="stable")
    side_by_side = codes[order]
    changes = np.flatnonzero(side_by_side[1:] != side_by_side[:-1]) + 1
    starts = np.concatenate([[0], changes]) if rows else np.zeros(0, np.int64)
    return Groups(order, starts.astype(np.int64))
