"""Columns of rows in memory, made for computing: put together, told apart, ordered, grouped.

Dates are days since 1970, datetimes and times the codes of `Moments`, so that time zone and fold are kept; texts and
other values are objects.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from jobs.column.codec import join_bodies
from jobs.column.kernel import objects
from jobs.column.moments import FOLD_FLAG, Moments
from jobs.column.packed import PackedTexts
from jobs.column.spread import slices_of
from jobs.column.transform import Array, Ints, Mask
from jobs.dataset.arrays import Readable, check_column
from jobs.errors import DatasetError
from porcelain.methods.tables.columns import Values, none_values, split_none, to_list
from porcelain.methods.tables.moving import targets_of

NUMBERS: Final = ("int32", "int64", "float32", "float64", "bool", "number")
# types whose values can be told apart and ordered
KEY_TYPES: Final = (*NUMBERS, "date", "datetime", "time", "ascii", "unicode", "bytes")

_MOMENTS: Final = frozenset({"datetime", "time"})
_NONE_IS_A_VALUE: Final = frozenset({"json", "pickle"})
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


# ---- from and to the values of columns


def as_vector(values: Values, column_type: str) -> Vector:
    """Return values of a column of that type, as `read_slice` gives them, for computing."""
    array, none = split_none(values)
    if isinstance(values, (Moments, PackedTexts)):
        array, none = values.codes if isinstance(values, Moments) else objects(values.tolist()), values.none
    elif column_type == "date":
        array = array.view(np.int64)
    elif array.dtype == np.object_ and column_type not in _NONE_IS_A_VALUE:
        none = np.fromiter((value is None for value in array), np.bool_, len(array))
    return Vector(array, np.zeros(len(array), np.bool_) if none is None else none)


def make_nones(column_type: str, rows: int) -> Vector:
    """Return so many rows that are None, as a column of that type holds them."""
    return Vector(as_vector(none_values(column_type, rows), column_type).values, np.ones(rows, np.bool_))


def to_columns(vectors: Mapping[str, Vector], types: Mapping[str, str]) -> dict[str, Values]:
    """Return vectors in a form that `DatasetWriter.write_arrays` takes."""
    return {name: to_column(vector, types[name]) for name, vector in vectors.items()}


def to_column(vector: Vector, column_type: str) -> Values:
    """Return a vector as values of a column of that type."""
    values, none = vector.values, vector.none
    if column_type in _MOMENTS:
        return Moments(values, none, column_type == "datetime")
    if column_type in _NONE_IS_A_VALUE:
        rows = values.copy()
        rows[none] = None
        return rows
    return values.view("M8[D]") if column_type == "date" else values, none if none.any() else None


def to_values(vector: Vector, column_type: str) -> list[Any]:
    """Return the rows as Python values."""
    return to_list(to_column(vector, column_type))


def to_slices(vector: Vector, column_type: str, slices: int) -> Ints:
    """Return the slice of each row, when a column of that type is the hashlabel."""
    if vector.values.dtype != object:
        return targets_of(to_column(vector, column_type), column_type, slices)
    found = np.zeros(len(vector), np.int64)
    found[~vector.none] = slices_of(vector.values[~vector.none].tolist(), column_type, slices)
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
        values = values & ~FOLD_FLAG
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
