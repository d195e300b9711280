"""Rows found by their key: those of one dataset that have the keys of another's rows."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

import numpy as np

from jobs.column.transform import Array, Ints, Mask
from porcelain.methods.tables.vectors import NUMBERS, Vector, as_key, find_nans, group_rows, unique

_INTEGERS: Final = frozenset({"bool", "int32", "int64"})
_FLOATS: Final = frozenset({"float32", "float64"})
_TEXTS: Final = frozenset({"ascii", "unicode"})


def common_type(one: str, other: str) -> str | None:
    """Return a type in which the values of both are equal when they are; None when no value of them ever is.

    >>> common_type("int32", "bool"), common_type("int32", "float64"), common_type("bytes", "ascii")
    ('int64', 'number', None)
    """
    both = {one, other}
    if len(both) == 1 and one not in NUMBERS:
        return one
    families = (
        (_INTEGERS, "int64"),
        (_FLOATS, "float64"),
        (frozenset(NUMBERS), "number"),
        (_TEXTS, "unicode"),
    )
    return next((wide for family, wide in families if both <= family), None)


def as_common_key(vector: Vector, column_type: str, common: str) -> Vector:
    """Return a column as a key of the common type."""
    values = vector.values
    if common in ("int64", "float64"):
        values = values.astype(common)
    elif common == "number":
        values = values.astype(object) if column_type == "number" else _as_numbers(values)
        column_type = "number"
    return as_key(Vector(values, vector.none), column_type)


def _as_numbers(values: Array) -> Array:
    numbers = values.astype(np.int64) if values.dtype.kind == "b" else values
    return np.fromiter(numbers.tolist(), object, len(numbers))


class KeyIndex:
    """Rows by their key. None equals nothing, nan equals nan.

    Parameters
    ----------
    keys
        The columns of the key, at least one.

    Attributes
    ----------
    rows : (n,) int64
        The rows that have a key, key by key; those of equal keys as they came.
    starts, counts : (m,) int64
        Where in `rows` those of each key begin, and how many they are.
    """

    def __init__(self, keys: Sequence[Vector]) -> None:
        there = np.flatnonzero(~any_none(keys))
        codes = np.zeros(len(there), np.int64)
        self._columns: list[tuple[_Lookup, Ints]] = []
        for key in keys:
            lookup = _Lookup(key[there])
            uniques, codes = unique(codes * lookup.size + lookup.find(key[there]))
            self._columns.append((lookup, uniques))
        groups = group_rows([Vector(codes, np.zeros(len(codes), np.bool_))], len(codes))
        self.rows: Ints = there[groups.order]
        self.starts = groups.starts
        self.counts: Ints = np.diff(groups.starts, append=len(codes))

    def find(self, keys: Sequence[Vector]) -> Ints:
        """Return for each row the number of its key, -1 when no row has it."""
        missing = any_none(keys)
        codes = np.zeros(len(missing), np.int64)
        for key, (lookup, uniques) in zip(keys, self._columns, strict=True):
            found = lookup.find(key)
            missing |= found < 0
            codes = _places(uniques, codes * lookup.size + found)
            missing |= codes < 0
        return np.where(missing, -1, codes)


class _Lookup:
    """Numbers the values of one column."""

    def __init__(self, key: Vector) -> None:
        values = key.values[~(key.none | find_nans(key))]
        self._uniques, _ = unique(values, ordered=values.dtype != object)
        self._ranks: dict[Any, int] | None = None
        if values.dtype == object:
            self._ranks = {value: number for number, value in enumerate(self._uniques.tolist())}
        self._nan = len(self._uniques) if find_nans(key).any() else -1
        self.size = len(self._uniques) + 1

    def find(self, key: Vector) -> Ints:
        """Return the number of each value, -1 when it is not there; of None it says nothing."""
        nans = find_nans(key)
        if self._ranks is None:
            found = _places(self._uniques, key.values)
        else:
            found = np.fromiter(map(self._ranks.get, key.values.tolist(), repeat(-1)), np.int64, len(key))
        return np.where(nans, self._nan, found)


def any_none(keys: Sequence[Vector]) -> Mask:
    """Return in which rows one of the keys is None."""
    missing: Mask = np.logical_or.reduce([key.none for key in keys])
    return missing


def _places(ordered: Array, values: Array) -> Ints:
    """Return where among `ordered` each value is, -1 when it is not there."""
    if not len(ordered):
        return np.full(len(values), -1)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.where(ordered[places] == values, places, -1)
