"""Rows for other programs: an Arrow IPC stream, which pyarrow, polars, duckdb and R read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, BinaryIO, Final

from cas.errors import AccError
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError
from porcelain.looking.pieces import Columns
from porcelain.methods.valuetexts import json_text

# the names of pyarrow's functions that make the types
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "int64": ("int64",),
    "int32": ("int32",),
    "float64": ("float64",),
    "float32": ("float32",),
    "number": ("float64",),
    "bool": ("bool_",),
    "date": ("date32",),
    "time": ("time64", "us"),
    "datetime": ("timestamp", "us"),
    "bytes": ("binary",),
    "ascii": ("string",),
    "unicode": ("string",),
    "json": ("string",),
}


class NoArrow(AccError):
    """pyarrow cannot be imported."""


def write_arrow(stream: BinaryIO, dataset: Dataset, names: Sequence[str], pieces: Iterable[Columns]) -> None:
    """Write an IPC stream of the rows, a record batch for each piece.

    Raises
    ------
    NoArrow
        When pyarrow is not there.
    DatasetError
        For a column or value that Arrow cannot hold.
    """
    pyarrow = _load()
    schema = pyarrow.schema([_field(pyarrow, dataset, name) for name in names])
    converts = [_converter(dataset, name) for name in names]
    writer = pyarrow.ipc.new_stream(stream, schema)
    for columns in pieces:
        arrays = [
            pyarrow.array(convert(values), type=field.type)
            for convert, values, field in zip(converts, columns, schema, strict=True)
        ]
        writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
    writer.close()  # only now: its end says that the stream is whole


def _load() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as err:
        raise NoArrow(
            "'--format arrow' needs pyarrow, which is not installed", hint="pip install pyarrow"
        ) from err
    module: ModuleType = pyarrow
    return module


def _field(pyarrow: ModuleType, dataset: Dataset, name: str) -> Any:
    column = dataset.columns[name]
    if column.type not in _TYPES:
        raise DatasetError(
            f"column '{name}' of '{dataset.spec}' is {column.type}, which Arrow cannot hold",
            hint="name other columns, or take '--format json'",
        )
    kind, *arguments = _TYPES[column.type]
    # a json column has None as a value, which becomes the text "null"
    nullable = column.none_support and column.type != "json"
    return pyarrow.field(name, getattr(pyarrow, kind)(*arguments), nullable=nullable)


def _converter(dataset: Dataset, name: str) -> Callable[[list[Any]], list[Any]]:
    """Return a function that makes of values what pyarrow takes."""
    column_type = dataset.columns[name].type
    if column_type == "json":
        return lambda values: list(map(json_text, values))
    if column_type == "number":
        return lambda values: [None if value is None else _as_float(dataset, name, value) for value in values]
    if column_type in ("time", "datetime"):
        # the hour as it is on the clock of its zone, as in arrays
        return lambda values: [None if value is None else value.replace(tzinfo=None) for value in values]
    return lambda values: values


def _as_float(dataset: Dataset, name: str, value: float) -> float:
    """Return a number as a float that is equal to it."""
    try:
        if (made := float(value)) == value or value != value:  # noqa: PLR0124 - nan is not equal to itself
            return made
    except OverflowError:
        pass
    raise DatasetError(
        f"column '{name}' of '{dataset.spec}' holds {str(value)[:40]}, which no float64 of Arrow is equal to",
        hint="'--format json' keeps it",
    )
