"""The order of rows by some of their columns, the same as Python's `sorted` finds.

Every column becomes one or two arrays of numbers that are in the order of its values. None is as the smallest number
or the empty text, or as the latest date or time there can be; nan is as infinity. Naive and UTC values compare by the
clock.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from jobs.column.kernel import objects
from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.transform import Array, Mask
from jobs.dataset.dataset import Dataset
from jobs.errors import ColumnError, DatasetError
from porcelain.methods.tables.columns import Columns, Values, split_none
from porcelain.methods.tables.textorder import first_words, rank_texts

# types whose values have no order
_UNORDERED: Final = ("complex32", "complex64")
_LATEST_DATE: Final = np.datetime64(datetime.date.max)
# microseconds since 1970, and since midnight
_LATEST_DATETIME: Final = int(np.datetime64(datetime.datetime.max).astype(np.int64))
_LATEST_TIME: Final = 24 * 60 * 60 * 1_000_000 - 1
_SMALLEST_INT: Final = np.iinfo(np.int64).min
_RADIX_BYTES: Final = 2
_WORD_BITS: Final = 64


def check_sortable(dataset: Dataset, columns: Sequence[str]) -> None:
    """Raise `DatasetError` when a dataset lacks one of the columns, or its values have no order."""
    for name in columns:
        dataset.get_column_node(name)
        column_type = dataset.columns[name].type
        if column_type in _UNORDERED:
            raise DatasetError(
                f"column '{name}' of '{dataset.spec}' is {column_type}, and complex numbers have no order"
            )


class Ordering:
    """Orders rows by columns, the first of which counts most.

    Parameters
    ----------
    types
        The type of each column, at least one.
    descending
        Whether the largest comes first; equal rows stay in the order in which they are all the same.
    """

    def __init__(self, types: Mapping[str, str], *, descending: bool = False) -> None:
        self._types = dict(types)
        self._descending = descending

    @property
    def names(self) -> list[str]:
        """The columns that are compared."""
        return [*self._types]

    def sort(self, columns: Columns) -> Array:
        """Return the numbers of the rows in their order."""
        return _lexsort(self._keys(columns))

    def rank(self, columns: Columns) -> Array:
        """Return numbers that are in the order of the rows; equal rows have equal ones."""
        keys = self._keys(columns)
        if len(keys) == 1:
            return keys[0]
        order = _lexsort(keys)
        ranks = np.empty(len(order), np.int64)
        ranks[order] = _group_numbers([key[order] for key in keys])
        return ranks

    def outline(self, columns: Columns) -> Array:
        """Return numbers that are never less for a later row, in whatever columns it is; equal rows have equal ones."""
        name, column_type = next(iter(self._types.items()))
        array, none = split_none(columns[name])
        if isinstance(array, PackedTexts):
            outline = first_words(array)
        elif column_type == "number":
            outline = _nearest_floats(array, none)
        elif isinstance(array, np.ndarray) and array.dtype == np.object_:
            outline = np.zeros(len(array), np.int64)  # they have numbers only among each other
        else:
            *are_there, outline = _keys_of(name, column_type, columns[name])
            if are_there:  # integers, of which the smallest is as None
                outline = np.where(none, _SMALLEST_INT, outline)
        return _reversed(outline) if self._descending else outline

    def _keys(self, columns: Columns) -> list[Array]:
        keys = chain.from_iterable(
            _keys_of(name, column_type, columns[name]) for name, column_type in self._types.items()
        )
        return [_reversed(key) for key in keys] if self._descending else list(keys)


def _lexsort(keys: Sequence[Array]) -> Array:
    """Return the order by keys, of which the first counts most; equal rows stay in their order."""
    order = _argsort(keys[-1])
    for key in keys[-2::-1]:
        order = order[_argsort(key[order])]
    return order


def _argsort(key: Array) -> Array:
    """Return the order by one key; equal rows stay in their order."""
    # numpy's stable sort takes 3 to 10 times as long as its others, but that of small integers, by radix
    if key.dtype.itemsize <= _RADIX_BYTES or not len(key):
        return np.argsort(key, kind="stable")
    row_bits = len(key).bit_length()
    if key.dtype.kind == "i" and (int(key.max()) - int(key.min())).bit_length() + row_bits < _WORD_BITS:
        return _sort_with_rows(key - key.min(), np.arange(len(key)), row_bits)
    order = np.argsort(key)
    in_order = key[order]
    changes = in_order[1:] != in_order[:-1]
    if changes.all():
        return order
    return _sort_with_rows(np.append(0, np.cumsum(changes)), order, row_bits)


def _sort_with_rows(numbers: Array, rows: Array, row_bits: int) -> Array:
    """Return the rows in the order of their numbers, and of themselves where these are equal."""
    together = (numbers << row_bits) | rows
    together.sort()
    together &= (1 << row_bits) - 1
    return together


def _group_numbers(keys: Sequence[Array]) -> Array:
    """Return for each row of sorted keys how many times they changed before."""
    changes = np.zeros(len(keys[0]), np.bool_)
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return np.cumsum(changes)


def _reversed(key: Array) -> Array:
    return -key if key.dtype.kind == "f" else ~key


# ---- keys of one column


def _keys_of(name: str, column_type: str, values: Values) -> list[Array]:
    array, none = split_none(values)
    try:
        return _KEYS[column_type](array, none)
    except TypeError as err:
        raise ColumnError(f"values of column '{name}' have no order: {err}") from err


def _int_keys(array: Array, none: Mask | None) -> list[Array]:
    keys = array.astype(np.int64)
    return [keys] if none is None else [~none, np.where(none, 0, keys)]


def _float_keys(array: Array, none: Mask | None) -> list[Array]:
    keys = np.where(np.isnan(array), np.inf, array)
    return [keys if none is None else np.where(none, -np.inf, keys)]


def _date_keys(array: Array, none: Mask | None) -> list[Array]:
    days = array if none is None else np.where(none, _LATEST_DATE, array)
    return [days.view(np.int64)]


def _number_keys(array: Array, none: Mask | None) -> list[Array]:
    if array.dtype.kind == "f":
        return _float_keys(array, none)
    if array.dtype.kind == "i":
        return _int_keys(array, none)
    return [_rank_objects([_number_key(value) for value in array.tolist()])]


def _nearest_floats(array: Array, none: Mask | None) -> Array:
    """Return a float for each number, the same for equal ones whether they are integers, floats or objects."""
    if array.dtype.kind == "O":
        array = np.fromiter(map(_nearest_float, array.tolist()), np.float64, len(array))
    return _float_keys(array.astype(np.float64, copy=False), none)[0]


def _nearest_float(value: Any) -> float:
    try:
        return float(_number_key(value))
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _number_key(value: Any) -> Any:
    if value is None:
        return -np.inf
    return value if value == value else np.inf  # noqa: PLR0124 - only nan is not equal to itself


def _moment_keys(moments: Moments, _none: Mask | None) -> list[Array]:
    clock = moments.clock.view(np.int64)
    if moments.none is None:
        return [clock]
    return [np.where(moments.none, _LATEST_DATETIME if moments.with_day else _LATEST_TIME, clock)]


def _text_keys(texts: PackedTexts, _none: Mask | None) -> list[Array]:
    return [rank_texts(texts)]


def _object_keys(array: Array, _none: Mask | None) -> list[Array]:
    return [_rank_objects(array.tolist())]


def _rank_objects(values: list[Any]) -> Array:
    """Return ranks of values that Python can compare."""
    order = np.array(sorted(range(len(values)), key=values.__getitem__), np.int64)
    ranks = np.empty(len(values), np.int64)
    ranks[order] = _group_numbers([objects([values[row] for row in order.tolist()])]) if values else 0
    return ranks


_KEYS: Final[Mapping[str, Callable[[Any, Mask | None], list[Array]]]] = {
    "number": _number_keys,
    "int64": _int_keys,
    "int32": _int_keys,
    "bool": _int_keys,
    "float64": _float_keys,
    "float32": _float_keys,
    "date": _date_keys,
    "datetime": _moment_keys,
    "time": _moment_keys,
    "bytes": _text_keys,
    "ascii": _text_keys,
    "unicode": _text_keys,
    "json": _object_keys,
    "pickle": _object_keys,
}
