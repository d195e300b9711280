"""What the columns of a dataset hold, in numbers."""

import datetime
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jobs.dataset.arrays import chosen_columns
from jobs.dataset.dataset import Dataset
from jobs.dataset.lists import DatasetChain
from jobs.errors import DatasetError, OptionError
from porcelain.methods.tables.aggregates import make_aggregate
from porcelain.methods.tables.chains import check_given, check_slices
from porcelain.methods.tables.columns import read_slice
from porcelain.methods.tables.sketches import Counts, Distinct, Quantiles, Running
from porcelain.methods.tables.vectors import (
    KEY_TYPES,
    NUMBERS,
    Vector,
    as_key,
    as_vector,
    find_nans,
    make_nones,
    to_values,
)

version = 1

description = """What the columns of a dataset, or of a chain, hold: a file describe.json, which is the result too.

Of each column: its type, how many rows are None or nan, how many different values there are, the smallest and the
largest; of numbers the mean; of numbers, dates and times quantiles; the values that come most often.

Up to 65,536 different values all is exact but quantiles, which are so up to 4,095 rows. Beyond, the number of values
is estimated ("distinct_exact" is false; the standard error is 0.8%), a top value may come "top_error" times more than
is told, and the rank of a quantile is wrong by at most log2(rows / 4096) / 8192 of all rows.
"""

options = {
    "columns": [str],  # only these; none: all
    "length": 1,  # so many datasets of the chain, back from source; -1: all of them
    "quantiles": [0.25, 0.5, 0.75],  # fractions between 0 and 1
    "top": 10,  # so many of the values that come most often
}
datasets = ("source",)

_WITH_QUANTILES = (*NUMBERS, "date", "datetime", "time")


class Description:
    """What is known of one column."""

    def __init__(self, column_type: str) -> None:
        self._type = column_type
        self.rows = self.nones = self.nans = 0
        self._is_key = column_type in KEY_TYPES
        functions = ["min", "max"] if self._is_key else []
        functions += ["mean"] if column_type in NUMBERS else []
        self.running = {each: Running(make_aggregate(each, column_type, "a column")) for each in functions}
        self.counts, self.distinct, self.quantiles = Counts(), Distinct(column_type), Quantiles()

    def add(self, vector: Vector) -> None:
        """Take some rows, at least one."""
        nans = find_nans(vector) if self._is_key else np.zeros(len(vector), np.bool_)
        self.rows += len(vector)
        self.nones += _count_nones(vector, self._type)
        self.nans += int(np.count_nonzero(nans))
        if not self._is_key:
            return
        for each in self.running.values():
            each.add(vector)
        key = as_key(vector, self._type)
        there = key[~key.none]
        self.counts.add(there)
        self.distinct.add(there)
        if self._type in _WITH_QUANTILES:
            self.quantiles.add(key.values[~(key.none | nans)])

    def merge(self, other: "Description") -> None:
        """Take all rows that another has taken."""
        self.rows += other.rows
        self.nones += other.nones
        self.nans += other.nans
        for name, each in self.running.items():
            each.merge(other.running[name])
        self.counts.merge(other.counts)
        self.distinct.merge(other.distinct)
        self.quantiles.merge(other.quantiles)

    def result(self, quantiles: Sequence[float], top: int) -> dict[str, Any]:
        """Return what is known, in values that JSON has."""
        told: dict[str, Any] = {"type": self._type, "rows": self.rows, "none": self.nones}
        if self._type in ("float32", "float64", "number"):
            told["nan"] = self.nans
        if not self._is_key:
            return told
        exact = self.counts.error == 0
        told["distinct"] = self.counts.different if exact else self.distinct.estimate()
        told["distinct_exact"] = exact
        for name, each in self.running.items():
            kind = "float64" if name == "mean" else self._type
            told[name] = self._show(each.result(), kind)[0]
        if self._type in _WITH_QUANTILES:
            told["quantiles"] = self._find_quantiles(quantiles)
        found = self.counts.top(top)
        values = [] if found is None else zip(self._show(found[0], self._type), found[1], strict=True)
        told["top"] = [list(pair) for pair in values]
        told["top_error"] = self.counts.error
        return told

    def _find_quantiles(self, fractions: Sequence[float]) -> dict[str, Any]:
        found = self.quantiles.find(list(fractions))
        vector = None if found is None else Vector(found, np.zeros(len(found), np.bool_))
        values = self._show(vector, self._type) if vector else [None] * len(fractions)
        return {str(fraction): value for fraction, value in zip(fractions, values, strict=True)}

    def _show(self, vector: Vector | None, column_type: str) -> list[Any]:
        rows = make_nones(column_type, 1) if vector is None else vector
        return [_to_json(value) for value in to_values(rows, column_type)]


def prepare(options: Any, datasets: Any, slices: int) -> "tuple[DatasetChain[Dataset], dict[str, str]]":
    """Return what is described: the datasets, and the types of the columns."""
    for each in options.quantiles:
        if not 0 <= each <= 1:
            raise OptionError(f"quantile {each} is not between 0 and 1")
    source = check_given(datasets.source)
    types = {name: source.columns[name].type for name in chosen_columns(source, options.columns)}
    chain = source.chain(options.length)
    for each in chain:
        check_slices(each, slices)
        for name in chosen_columns(each, list(types)):
            if each.columns[name].type != types[name]:
                raise DatasetError(
                    f"column '{name}' is {each.columns[name].type} in '{each.spec}' and {types[name]} in "
                    f"'{source.spec}'"
                )
    return chain, types


def analysis(sliceno: int, prepare_res: Any) -> dict[str, Description]:
    """Describe this slice."""
    chain, types = prepare_res
    found = {name: Description(column_type) for name, column_type in types.items()}
    for dataset in chain:
        for name, description in found.items():
            for values in read_slice(dataset, sliceno, [name]):
                description.add(as_vector(values[name], types[name]))
    return found


def synthesis(job: Any, options: Any, prepare_res: Any, analysis_res: Any) -> dict[str, Any]:
    """Merge what is known of the slices, and save it."""
    chain, types = prepare_res
    columns = {name: Description(column_type) for name, column_type in types.items()}
    for found in analysis_res:
        for name, description in columns.items():
            description.merge(found[name])
    told = {
        "rows": sum(sum(each.lines) for each in chain),
        "datasets": len(chain),
        "columns": {name: each.result(options.quantiles, options.top) for name, each in columns.items()},
    }
    job.json_save(told, "describe.json")
    return told


def _count_nones(vector: Vector, column_type: str) -> int:
    if column_type in ("json", "pickle"):  # None is one of their values
        return sum(value is None for value in vector.values)
    return int(np.count_nonzero(vector.none))


def _to_json(value: Any) -> Any:
    """Return a value as JSON has it: dates and times in ISO format, bytes as text, nan and infinities too."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
