"""The slices of a dataset on their way into the store: opened, written column by column, closed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from cas.store import ObjectWriter, Store
from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.slice import SliceSummary, SliceWriter
from jobs.column.spread import slices_of
from jobs.dataset.declaration import NO_DEFAULT, Declaration, DeclaredColumn, Schema
from jobs.errors import ColumnError, DatasetError

# what became of each column in one slice
Parts: TypeAlias = tuple[SliceSummary, ...]


@dataclass(frozen=True, slots=True)
class ManyRows:
    """Rows given column by column.

    Attributes
    ----------
    values : sequence of ndarray, list, PackedTexts or Moments
        One for each column, of equal length.
    masks : sequence of ndarray or None
        True where a row is None; None beside a list, packed texts and moments, which hold None themselves.
    """

    columns: Sequence[DeclaredColumn]
    values: Sequence[Any]
    masks: Sequence[Any]

    @classmethod
    def of(cls, columns: Sequence[DeclaredColumn], given: Mapping[str, Any]) -> Self:
        """Return the rows that are given by column name: arrays, masked arrays, pairs of array and mask, or lists."""
        names = [column.name for column in columns]
        if given.keys() != set(names):
            differing = ", ".join(f"'{name}'" for name in sorted(given.keys() ^ set(names)))
            raise DatasetError(f"arrays for other columns than are written: {differing}")
        pairs = [_values_and_mask(column, given[column.name]) for column in columns]
        lengths = {name: len(values) for name, (values, _) in zip(names, pairs, strict=True)}
        if len(set(lengths.values())) > 1:
            raise DatasetError("arrays of unequal length: " + _counted(lengths))
        return cls(columns, [values for values, _ in pairs], [mask for _, mask in pairs])

    def __len__(self) -> int:
        return len(self.values[0])

    def slices_by(self, place: int, slices: int) -> npt.NDArray[np.int64]:
        """Return the slice of each row, as the value in the column with number `place` decides."""
        column, values, mask = self.columns[place], self.values[place], self.masks[place]
        if isinstance(values, list):
            values = list(map(column.converter(), values))
        try:
            found = slices_of(values, column.column_type.base, slices)
        except ColumnError as err:
            raise column.named(err) from err
        return found if mask is None else np.where(mask, 0, found)

    def where(self, keep: npt.NDArray[np.bool_]) -> Self:
        """Return the rows for which `keep` is true."""
        if keep.all():
            return self
        values = [
            list(compress(part, keep)) if isinstance(part, list) else part[keep] for part in self.values
        ]
        return type(self)(self.columns, values, [None if mask is None else mask[keep] for mask in self.masks])


def _values_and_mask(column: DeclaredColumn, given: Any) -> tuple[Any, Any]:
    """Return values as `SliceWriter` takes them, and which are None; no mask beside lists, which hold None."""
    values, mask = _taken_apart(given)
    if not isinstance(values, np.ndarray | list | PackedTexts | Moments):
        raise DatasetError(
            f"column '{column.name}' is given as a '{type(values).__name__}'",
            hint="columns are arrays, masked arrays, pairs of array and mask, or lists",
        )
    is_flat = not isinstance(values, np.ndarray) or values.ndim == 1
    if not is_flat or (mask is not None and mask.shape != (len(values),)):
        raise DatasetError(
            f"column '{column.name}': values and mask are no arrays of one dimension and equal length"
        )
    if isinstance(values, np.ndarray) and values.dtype.kind not in "mM" and _is_converted(column):
        values = values.tolist()
    if mask is None or not (isinstance(values, list) or values.dtype == np.object_):
        return values, mask
    # what is behind the mask may be no value of the column
    rows = [None if none else value for value, none in zip(values, mask.tolist(), strict=True)]
    return rows, None


def _taken_apart(given: Any) -> tuple[Any, Any]:
    values, mask = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    mask = None if mask is None else np.asarray(mask, np.bool_)
    # asked of what it has: numpy.ma takes each slice's process 40 ms to import
    if isinstance(values, np.ndarray) and hasattr(values, "mask"):
        own = np.ma.getmaskarray(values)
        values, mask = values.data, own if mask is None else own | mask
    return values, mask


def _is_converted(column: DeclaredColumn) -> bool:
    """Return whether values that are not of the column's type are written, as what they say or as the default."""
    return column.column_type.parsed or column.default is not NO_DEFAULT


def _counted(lines: Mapping[str, int]) -> str:
    return ", ".join(f"'{name}' {count}" for name, count in lines.items())


class SliceColumns:
    """All columns of one slice that is being written."""

    def __init__(self, columns: Sequence[DeclaredColumn], store: Store) -> None:
        self._columns = columns
        self._sinks: list[ObjectWriter] = [store.writer() for _ in columns]
        self._writers = [
            SliceWriter(column.type, sink, none_support=column.none_support)
            for column, sink in zip(columns, self._sinks, strict=True)
        ]

    @property
    def lines(self) -> int:
        """The number of rows written so far."""
        return self._writers[0].lines

    def extend_kept(self, pending: Sequence[list[Any]]) -> None:
        """Write rows whose values were converted before; the lists may be used again."""
        for writer, values in zip(self._writers, pending, strict=True):
            writer.extend_kept(values.copy())

    def extend(self, rows: ManyRows) -> None:
        """Write many rows; raise `ColumnError` naming the column that refuses one."""
        for column, writer, values, mask in zip(
            self._columns, self._writers, rows.values, rows.masks, strict=True
        ):
            try:
                if not isinstance(values, list):
                    writer.extend_array(values, mask)
                elif column.default is NO_DEFAULT:
                    writer.extend(values)
                else:
                    writer.extend_kept(list(map(column.converter(), values)))
            except ColumnError as err:
                raise column.named(err) from err

    def finish(self) -> Parts:
        """Return what became of each column; raise `DatasetError` when they are of unequal length."""
        parts = tuple(writer.finish() for writer in self._writers)
        if len({part.lines for part in parts}) > 1:  # write_arrays was refused halfway, and that was caught
            lines = {column.name: part.lines for column, part in zip(self._columns, parts, strict=True)}
            raise DatasetError("columns of unequal length: " + _counted(lines))
        return parts

    def abort(self) -> None:
        """Forget the slice."""
        for sink in self._sinks:
            sink.abort()


class WrittenSlices:
    """The slices of one dataset, as far as they are written: by this process, and by those of analysis.

    Parameters
    ----------
    schema
        Its columns, complete when the first slice is opened.
    store
        Where to.
    count
        Number of slices.
    """

    def __init__(self, schema: Schema, store: Store, count: int) -> None:
        self._schema = schema
        self._store = store
        self._count = count
        self._open: dict[int, SliceColumns] = {}
        self._closed: dict[int, Parts] = {}
        self._idle: set[int] = set()

    @property
    def any_open(self) -> bool:
        """Whether this process is writing one."""
        return bool(self._open)

    @property
    def any_closed(self) -> bool:
        """Whether analysis wrote one."""
        return bool(self._closed)

    @property
    def lines_here(self) -> int:
        """Rows in the slices that this process is writing."""
        return sum(part.lines for part in self._open.values())

    def get(self, number: int) -> SliceColumns:
        """Return the columns of a slice to be written, opened now when they are not yet."""
        if number in self._closed:
            raise self._schema.error(f"has slice {number} already, and it is closed")
        if number not in self._open:
            self._open[number] = SliceColumns(self._schema.columns, self._store)
        return self._open[number]

    def close(self) -> dict[int, Parts]:
        """Close what this process opened, and return it."""
        closed = {number: part.finish() for number, part in self._open.items()}
        self._open = {}
        return closed

    def take(self, sliceno: int, closed: Mapping[int, Parts]) -> None:
        """Take over what slice `sliceno` of analysis closed."""
        assert not self._closed.keys() & closed.keys(), "one slice, written by two"
        self._closed.update(closed)
        if not closed:
            self._idle.add(sliceno)

    def complete(self, *, allow_missing: bool) -> list[Parts]:
        """Close all and return the parts by slice; raise `DatasetError` for slices that nobody chose."""
        here = self.close()
        self._closed.update(here)
        # analysis may leave a slice empty, but if all was written elsewhere it did not mean to write any
        chosen = self._closed.keys() | (set() if here else self._idle)
        missing = [number for number in range(self._count) if number not in chosen]
        if missing and not allow_missing:
            raise self._schema.error(
                f"lacks slices that nobody wrote: {_ranges(missing)}",
                hint="set_slice(n) each of them, or allow_missing_slices=True",
            )
        empty: Parts | None = None
        for number in range(self._count):
            if number not in self._closed:
                empty = empty or SliceColumns(self._schema.columns, self._store).finish()
                self._closed[number] = empty
        return [self._closed[number] for number in range(self._count)]

    def abort(self) -> None:
        """Forget what this process opened."""
        for part in self._open.values():
            part.abort()
        self._open = {}


def _ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers as text, "0, 3-7" for one."""

    def runs() -> Iterator[str]:
        first = last = numbers[0]
        for number in [*numbers[1:], -1]:
            if number != last + 1:
                yield f"{first}-{last}" if last > first else str(first)
                first = number
            last = number

    return ", ".join(runs())


@dataclass(frozen=True, slots=True)
class ClosedSlices:
    """What one slice of analysis wrote of a dataset, on its way to the job's process.

    Attributes
    ----------
    parts : mapping of int to Parts
        By slice number; empty when nothing was written.
    lines_before : int
        Rows written before analysis, which the job's process still holds; more than it has are an error.
    """

    declaration: Declaration
    columns: tuple[DeclaredColumn, ...]
    parts: Mapping[int, Parts]
    lines_before: int = 0
    discarded: bool = False
