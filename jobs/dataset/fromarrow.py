"""Arrow data as columns to be written: arrays where numpy has the type, lists of Python values elsewhere."""

import datetime
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from jobs.column.batches import BATCH_ROWS
from jobs.column.transform import Array, Mask
from jobs.dataset.arrow import ArrowArray, ArrowType, RecordBatchReader, load_arrow
from jobs.dataset.declaration import DeclaredColumn
from jobs.errors import ColumnError, DatasetError, OutOfRange

# a list, or an array and which rows are None
Values: TypeAlias = Any

_NOT_A_TIME: Final = -(1 << 63)
_EPOCH_UTC: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TEXT_NAMES: Final = frozenset({"string", "large_string", "string_view"})
_BYTES_NAMES: Final = frozenset({"binary", "large_binary", "binary_view"})
_NUMBERS: Final = frozenset({"bool", "int", "float", "decimal"})
# kinds of Arrow types that a column of each type takes; "null" all do
_TAKES: Final[Mapping[str, frozenset[str]]] = {
    "number": _NUMBERS,
    "int64": frozenset({"bool", "int"}),
    "int32": frozenset({"bool", "int"}),
    "float64": _NUMBERS,
    "float32": _NUMBERS,
    "complex64": _NUMBERS | {"complex"},
    "complex32": _NUMBERS | {"complex"},
    "bool": frozenset({"bool", "int"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "datetime": frozenset({"datetime"}),
    "bytes": frozenset({"bytes"}),
    "ascii": frozenset({"text", "bytes"}),
    "unicode": frozenset({"text"}),
    "json": frozenset({"bool", "int", "float", "text", "complex", "nested"}),
    "pickle": frozenset(),
}


def kind_of(arrow_type: ArrowType) -> str:
    """Return what the values of an Arrow type are, whatever their width.

    One of bool, int, float, decimal, complex, date, time, datetime, text, bytes, nested, null, and other. A decimal
    without places is an int, a struct of the floats `real` and `imag` is complex.
    """
    types, stored = load_arrow().types, stored_type(arrow_type)
    tests: Mapping[str, Callable[[ArrowType], bool]] = {
        "bool": types.is_boolean,
        "int": types.is_integer,
        "float": types.is_floating,
        "decimal": types.is_decimal,
        "date": types.is_date,
        "time": types.is_time,
        "datetime": types.is_timestamp,
        "text": lambda each: str(each) in _TEXT_NAMES,
        "bytes": lambda each: str(each) in _BYTES_NAMES or types.is_fixed_size_binary(each),
        "complex": _is_complex,
        "nested": types.is_nested,
        "null": types.is_null,
    }
    kind = next((kind for kind, test in tests.items() if test(stored)), "other")
    return "int" if kind == "decimal" and stored.scale == 0 else kind


def stored_type(arrow_type: ArrowType) -> ArrowType:
    """Return the type of the values of a dictionary, and what an extension type is stored as."""
    pa = load_arrow()
    if isinstance(arrow_type, pa.BaseExtensionType):
        return stored_type(arrow_type.storage_type)
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _is_complex(arrow_type: ArrowType) -> bool:
    types = load_arrow().types
    if not types.is_struct(arrow_type):
        return False
    fields = [arrow_type.field(place) for place in range(arrow_type.num_fields)]
    return sorted(field.name for field in fields) == ["imag", "real"] and all(
        types.is_floating(field.type) for field in fields
    )


def columns_of(given: Any, columns: Sequence[DeclaredColumn]) -> Iterator[dict[str, Values]]:
    """Yield Arrow data as columns by name, at most 65,536 rows at a time, as `DatasetWriter.write_arrays` takes them.

    Parameters
    ----------
    given
        Has `__arrow_c_stream__` or `__arrow_c_array__`.
    columns
        The columns that are to be written; `given` has them all, in any order, and no others.

    Raises
    ------
    DatasetError
        Before the first row, when a column is missing, unknown or of a type that cannot be written.
    """
    reader = _reader_of(given)
    _check_names(reader.schema.names, [column.name for column in columns])
    for column in columns:
        _check_type(column, reader.schema.field(column.name).type)
    for batch in reader:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            yield {column.name: _named(column, part.column(column.name)) for column in columns}


def _reader_of(given: Any) -> RecordBatchReader:
    pa = load_arrow()
    if hasattr(given, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(given)
    if hasattr(given, "__arrow_c_array__"):
        batch = pa.record_batch(given)
        return pa.RecordBatchReader.from_batches(batch.schema, [batch])
    raise DatasetError(
        f"a '{type(given).__name__}' is no Arrow data",
        hint="tables and batches of pyarrow, polars, duckdb and pandas are",
    )


def _check_names(given: Sequence[str], wanted: Sequence[str]) -> None:
    for name, times in Counter(given).items():
        if times > 1:
            raise DatasetError(f"Arrow data with {times} columns '{name}'")
    differing = {*given} ^ {*wanted}
    if differing:
        told = ", ".join(
            f"'{name}' ({'missing' if name in wanted else 'unknown'})" for name in sorted(differing)
        )
        raise DatasetError(f"Arrow data with other columns than are written: {told}")


def _check_type(column: DeclaredColumn, arrow_type: ArrowType) -> None:
    takes = _TAKES[column.column_type.base]
    if column.column_type.parsed:
        takes |= {"text", "bytes"}
    if kind_of(arrow_type) not in takes | ({"null"} if takes else set()):
        raise ColumnError(
            f"column '{column.name}' is {column.type}, which takes no Arrow {arrow_type}",
            hint="cast the Arrow column, or declare another type",
        )


def _named(column: DeclaredColumn, array: ArrowArray) -> Values:
    try:
        return _values(column, array)
    except ColumnError as err:
        raise column.named(err) from err


def _values(column: DeclaredColumn, array: ArrowArray) -> Values:
    pa = load_arrow()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = _decoded(array)
    kind = kind_of(array.type)
    if column.column_type.base == "json" and kind != "text":
        return array.to_pylist()
    if kind in ("text", "bytes"):
        texts = array.to_numpy(zero_copy_only=False).tolist()
        return [_parse_json(text) for text in texts] if column.type == "json" else texts
    if pa.types.is_decimal(array.type):
        return [_whole(value) if kind == "int" else value for value in array.to_pylist()]
    if kind == "null":
        return [None] * len(array)
    mask = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if kind == "datetime" and array.type.tz is not None:
        return _utc_datetimes(array, mask)
    return _ARRAYS[kind](array), mask


def _decoded(array: ArrowArray) -> ArrowArray:
    """Return the values of a dictionary-encoded array."""
    values = array.dictionary
    if str(values.type) == "string_view":  # from these pyarrow takes nothing
        values = values.cast("large_string")
    return values.take(array.indices)


def _parse_json(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError as err:
        shown = text if text is None or len(text) <= 60 else text[:57] + "..."
        raise ColumnError(f"no json: '{shown}'", hint=f"Arrow text is read as JSON: {err}") from err


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


# ---- arrays


def _plain(array: ArrowArray) -> Array:
    """Return numbers as numpy holds them, 0 where a row is None."""
    if load_arrow().types.is_float16(array.type):
        array = array.cast("float32")  # older pyarrow puts no 0 into half floats
    values: Array = array.fill_null(0).to_numpy(zero_copy_only=False)
    return values


def _bools(array: ArrowArray) -> Array:
    values: Array = array.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003 - a value, no flag
    return values


def _cast(array: ArrowArray, name: str) -> ArrowArray:
    """Return moments in another unit; raise `ColumnError` when that would cut something off."""
    pa = load_arrow()
    try:
        return array.cast(pa.type_for_alias(name))
    except pa.ArrowInvalid as err:
        raise ColumnError(f"no {name}: {err}", hint="cast the Arrow column to cut off what is finer") from err


def _dates(array: ArrowArray) -> Array:
    return _plain(_cast(array, "date32").cast("int32")).astype("M8[D]")


def _times(array: ArrowArray) -> Array:
    return _plain(_cast(array, "time64[us]").cast("int64")).view("m8[us]")


def _datetimes(array: ArrowArray) -> Array:
    """Return microseconds since 1970, by the clock of the zone UTC if there is one."""
    pa = load_arrow()
    moments: Array = _plain(_cast(array.cast(pa.timestamp(array.type.unit)), "timestamp[us]").cast("int64"))
    if (moments == _NOT_A_TIME).any():
        raise OutOfRange("a year beyond 1 to 9999")  # numpy would take it for None
    return moments.view("M8[us]")


def _utc_datetimes(array: ArrowArray, mask: Mask | None) -> list[datetime.datetime | None]:
    since = _datetimes(array).view("m8[us]").tolist()
    try:
        values: list[datetime.datetime | None] = list(map(_EPOCH_UTC.__add__, since))
    except OverflowError:
        raise OutOfRange("a year beyond 1 to 9999") from None
    for place in () if mask is None else np.flatnonzero(mask).tolist():
        values[place] = None
    return values


def _complexes(array: ArrowArray) -> Array:
    parts = array.flatten()
    real, imag = (parts[array.type.get_field_index(name)] for name in ("real", "imag"))
    if max(real.null_count, imag.null_count) > array.null_count:
        raise ColumnError("a complex number without 'real' or 'imag'")
    values = np.empty(len(array), np.complex128)
    values.real, values.imag = _plain(real), _plain(imag)
    return values


_ARRAYS: Final[Mapping[str, Callable[[ArrowArray], Array]]] = {
    "bool": _bools,
    "int": _plain,
    "float": _plain,
    "complex": _complexes,
    "date": _dates,
    "time": _times,
    "datetime": _datetimes,
}
