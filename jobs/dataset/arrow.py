"""Datasets as Arrow: which type each column has there, and its rows as record batches.

Numbers share their memory with what was decoded, and texts are never Python objects.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jobs.dataset.arrays import (
    Cursor,
    Readable,
    aligned,
    check_column,
    chosen_columns,
    chosen_slices,
    opened,
)
from jobs.errors import DatasetError

if TYPE_CHECKING:
    from jobs.column.packed import PackedTexts
    from jobs.column.slice import SliceReader
    from jobs.column.transform import Array, Mask

# what pyarrow has no types for, as far as mypy can see
Schema: TypeAlias = Any
RecordBatch: TypeAlias = Any
RecordBatchReader: TypeAlias = Any
Table: TypeAlias = Any
ArrowArray: TypeAlias = Any
ArrowType: TypeAlias = Any

# of a column type, as pyarrow spells it; of datetime, number and complex it depends or is made
_NAMES: Final = {
    "int64": "int64",
    "int32": "int32",
    "float64": "float64",
    "float32": "float32",
    "bool": "bool",
    "date": "date32",
    "time": "time64[us]",
    "bytes": "large_binary",
    "ascii": "large_string",
    "unicode": "large_string",
    "json": "large_string",
}
_TEXTS: Final = frozenset({"bytes", "ascii", "unicode", "json"})
_COMPLEX_PARTS: Final = {"complex64": "float64", "complex32": "float32"}
_INT64_START, _INT64_END = -(1 << 63), 1 << 63
# up to here a float64 holds every integer
_EXACT_INT: Final = 1 << 53
_LEAVE_OUT: Final = "name the other columns to leave it out"


def load_arrow() -> Any:
    """Return pyarrow; raise `DatasetError` when it is not installed."""
    try:
        import pyarrow
    except ImportError as err:
        raise DatasetError(
            "pyarrow is not installed", hint="pip install 'acc[arrow]' brings what Arrow and Parquet need"
        ) from err
    return pyarrow


def arrow_reader(
    dataset: Readable, sliceno: int | None = None, columns: str | Iterable[str] | None = None
) -> RecordBatchReader:
    """Return the rows of a dataset as a `pyarrow.RecordBatchReader`, to be read once.

    Parameters
    ----------
    dataset
        What to read.
    sliceno
        Which slice; None for all, one after another.
    columns
        Which columns; None for all.
    """
    pa = load_arrow()
    names = list(dict.fromkeys(chosen_columns(dataset, columns)))
    slices = chosen_slices(dataset, sliceno)
    schema = arrow_schema([dataset], slices, names)
    return pa.RecordBatchReader.from_batches(schema, arrow_batches([dataset], slices, schema))


def arrow_batches(
    datasets: Iterable[Readable], slices: Sequence[int], schema: Schema
) -> Iterator[RecordBatch]:
    """Yield the columns of `schema`, at most 65,536 rows at a time, slice by slice, in each dataset by dataset."""
    datasets = list(datasets)
    for number in slices:
        for dataset in datasets:
            yield from _batches_of_slice(dataset, number, schema)


def _batches_of_slice(dataset: Readable, sliceno: int, schema: Schema) -> Iterator[RecordBatch]:
    if not len(schema):
        return
    pa = load_arrow()
    with opened(dataset, sliceno, schema.names) as readers:
        cursors = [
            Cursor(reader, _decoder(dataset, field.name, reader, field.type))
            for field, reader in zip(schema, readers, strict=True)
        ]
        for pieces in aligned(cursors, [range(dataset.head.lines[sliceno])]):
            yield pa.RecordBatch.from_arrays(pieces, schema=schema)


# ---- types


def arrow_schema(datasets: Sequence[Readable], slices: Sequence[int], names: Iterable[str]) -> Schema:
    """Return the Arrow schema that columns of all `datasets` have in common.

    A column of type number is read for it: the values decide between int64 and float64.

    Raises
    ------
    DatasetError
        When a column cannot be had in Arrow, or has other types in other datasets.
    """
    pa = load_arrow()
    fields = []
    for name in names:
        base = _common_type(datasets, name)
        # json holds None as a value, the text "null"
        nullable = base != "json" and any(each.head.columns[name].none_support for each in datasets)
        fields.append(pa.field(name, _arrow_type(datasets, slices, name, base), nullable=nullable))
    return pa.schema(fields)


def _common_type(datasets: Sequence[Readable], name: str) -> str:
    for each in datasets:
        check_column(each, name)
    found = {each.head.columns[name].type: each for each in datasets}
    if len(found) > 1:
        (one, there), (other, here) = list(found.items())[:2]
        raise DatasetError(f"column '{name}' is {one} in '{there.spec}' and {other} in '{here.spec}'")
    return next(iter(found))


def _arrow_type(datasets: Sequence[Readable], slices: Sequence[int], name: str, base: str) -> ArrowType:
    pa = load_arrow()
    if base == "number":
        return _number_type(datasets, slices, name)
    if base == "datetime":
        return _datetime_type(datasets, name)
    if base in _COMPLEX_PARTS:
        part = pa.type_for_alias(_COMPLEX_PARTS[base])
        return pa.struct([pa.field(each, part, nullable=False) for each in ("real", "imag")])
    if base not in _NAMES:
        raise _no_type(datasets[0], name, f"is {base}, which Arrow has no type for")
    return pa.type_for_alias(_NAMES[base])


def _datetime_type(datasets: Sequence[Readable], name: str) -> ArrowType:
    """Return the type that smallest and largest value suggest; each batch is checked when it is read."""
    columns = [each.head.columns[name] for each in datasets]
    bounds = [bound for each in columns for bound in (each.min, each.max) if bound is not None]
    zones = {bound.tzinfo is not None for bound in bounds}
    if len(zones) > 1:
        raise _mixed_zones(datasets[0], name)
    return load_arrow().timestamp("us", "UTC" if zones == {True} else None)


def _mixed_zones(dataset: Readable, name: str) -> DatasetError:
    return _no_type(
        dataset, name, "has naive datetimes and such in UTC, and an Arrow column is the one or the other"
    )


def _no_type(dataset: Readable, name: str, fact: str) -> DatasetError:
    return DatasetError(f"column '{name}' of dataset '{dataset.spec}' {fact}", hint=_LEAVE_OUT)


def _number_type(datasets: Sequence[Readable], slices: Sequence[int], name: str) -> ArrowType:
    seen = _Numbers()
    for dataset in datasets:
        for sliceno in slices:
            with opened(dataset, sliceno, [name]) as (reader,):
                for batch in range(len(reader.batches)):
                    seen.look_at(reader.array(batch)[0])
    if not seen.any_float and not seen.any_large:
        return load_arrow().int64()
    if seen.inexact is not None:
        fact = f"has floats, or integers beyond int64, beside {seen.inexact}, which float64 does not hold exactly"
        raise _no_type(datasets[0], name, fact)
    return load_arrow().float64()


class _Numbers:
    """What kinds of numbers were seen.

    Attributes
    ----------
    any_float, any_large : bool
        Whether a float was, and an integer beyond int64.
    inexact : int or None
        The first integer that is no float64.
    """

    def __init__(self) -> None:
        self.any_float = self.any_large = False
        self.inexact: int | None = None

    def look_at(self, values: "Array") -> None:
        """Take note of the values of a batch."""
        if values.dtype.kind == "f":
            self.any_float = True
        elif values.dtype.kind == "i":
            self._look_at_ints(values[(values > _EXACT_INT) | (values < -_EXACT_INT)].tolist())
        else:
            self.any_float |= any(type(value) is float for value in values)
            self._look_at_ints([value for value in values if type(value) is int])

    def _look_at_ints(self, values: list[int]) -> None:
        if not values:
            return
        self.any_large |= min(values) < _INT64_START or max(values) >= _INT64_END
        if self.inexact is None:
            self.inexact = next((value for value in values if not _is_float(value)), None)


def _is_float(value: int) -> bool:
    try:
        return float(value) == value
    except OverflowError:
        return False


# ---- values


def _decoder(
    dataset: Readable, name: str, reader: "SliceReader", wanted: ArrowType
) -> Callable[[int], ArrowArray]:
    """Return a function that gives a batch of a column as an Arrow array."""
    base = dataset.head.columns[name].type

    def decode_texts(batch: int) -> ArrowArray:
        array = _text_array(reader.packed(batch), wanted)
        if base == "unicode":
            _check_text(dataset, name, array)
        return array

    def decode_datetimes(batch: int) -> ArrowArray:
        moments = reader.moments(batch)
        if (moments.present().are_utc != (wanted.tz is not None)).any():
            raise _mixed_zones(dataset, name)
        return _fixed_array(moments.clock, moments.none, wanted)

    if base in _TEXTS:
        return decode_texts
    if base == "datetime":
        return decode_datetimes
    if base in _COMPLEX_PARTS:
        return lambda batch: _complex_array(*reader.array(batch), wanted)
    return lambda batch: _fixed_array(*reader.array(batch), wanted)


def _fixed_array(values: "Array", mask: "Mask | None", wanted: ArrowType) -> ArrowArray:
    import numpy as np

    pa = load_arrow()
    rows = len(values)
    if values.dtype == object and mask is not None:
        values = np.where(mask, 0, values)  # numbers of several kinds
    if values.dtype.kind in "mM":
        values = values.view(np.int64).astype(f"i{wanted.bit_width // 8}", copy=False)
    elif values.dtype.kind == "b":
        values = np.packbits(values, bitorder="little")
    else:
        values = values.astype(wanted.to_pandas_dtype(), copy=False)
    return pa.Array.from_buffers(wanted, rows, [_validity(mask), pa.py_buffer(values)])


def _complex_array(values: "Array", mask: "Mask | None", wanted: ArrowType) -> ArrowArray:
    pa = load_arrow()
    part = wanted.field("real").type
    parts = [_fixed_array(each.copy(), None, part) for each in (values.real, values.imag)]
    return pa.Array.from_buffers(wanted, len(values), [_validity(mask)], children=parts)


def _text_array(texts: "PackedTexts", wanted: ArrowType) -> ArrowArray:
    import numpy as np

    pa = load_arrow()
    # Arrow has nothing between texts
    offsets = texts.offsets - np.arange(len(texts.offsets))
    if texts.are_lines:
        data = texts.data.tobytes().translate(None, b"\n")
    else:
        kept = np.ones(len(texts.data), np.bool_)
        kept[texts.offsets[1:] - 1] = False
        data = texts.data[kept].tobytes()
    buffers = [_validity(texts.none), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(wanted, len(texts), buffers)


def _check_text(dataset: Readable, name: str, array: ArrowArray) -> None:
    """Raise `DatasetError` unless texts are UTF-8: those who read Arrow rely on it."""
    try:
        array.validate(full=True)
    except load_arrow().ArrowInvalid as err:
        raise DatasetError(f"column '{name}' of dataset '{dataset.spec}' is damaged: {err}") from err


def _validity(mask: "Mask | None") -> Any:
    """Return the buffer that says which rows are not None, or None when all are."""
    import numpy as np

    if mask is None:
        return None
    return load_arrow().py_buffer(np.packbits(~mask, bitorder="little"))
