"""What `dataset_type` makes of one dataset: which columns are typed, taken over, renamed, and where rows go."""

import datetime
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from jobs.column.kernel import join_masks, objects
from jobs.column.packed import PackedTexts
from jobs.column.parse import Conversion, get_conversion
from jobs.column.transform import Array, Mask
from jobs.column.types import get_type
from jobs.dataset.dataset import Dataset
from jobs.errors import ColumnError, DatasetError, OptionError
from jobs.method.options import OptionEnum

TEXT_TYPES: Final = ("bytes", "ascii", "unicode")
# declaration of column2type
COLUMN_TYPES: Final = {
    "COLUMN": OptionEnum(
        "ascii* bytes* complex32* complex64* date* float32* float64* floatbool* int32_* int64_* json* number* strbool* "
        "time* unicode*"
    )
}
NO_DEFAULT: Final[Any] = ...


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column that is typed.

    Attributes
    ----------
    name, source : str
        Its name, and that of the column that its texts are in.
    none_texts : set of bytes or None
        What stands for None; None itself when the source has it.
    default : object
        Stands for what cannot be converted; `NO_DEFAULT` when there is none.
    """

    name: str
    source: str
    conversion: Conversion
    none_texts: frozenset[bytes | None]
    default: Any

    @property
    def none_support(self) -> bool:
        """Whether None may be among its values."""
        return bool(self.none_texts) or self.default is None

    def fill(
        self, values: Array | PackedTexts, none: Mask | None, bad: Mask
    ) -> tuple[Array | PackedTexts, Mask | None]:
        """Return converted values and which are None, with the default in place of the bad ones."""
        if isinstance(values, PackedTexts):
            return values.filled(bad, self.default), none
        if self.default is None:
            return values, join_masks(none, bad)
        if self.conversion.type in ("number", "time") or getattr(self.default, "tzinfo", None) is not None:
            values = _as_objects(values)
        if values.dtype != np.object_:
            values[bad] = self.default
        for row in np.flatnonzero(bad).tolist() if values.dtype == np.object_ else ():
            values[row] = self.default
        return values, none


def _as_objects(values: Array) -> Array:
    """Return converted values as Python has them."""
    if values.dtype.kind == "m":
        return objects([(datetime.datetime.min + each).time() for each in values.tolist()])
    made: Array = values.astype(np.object_)
    return made


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one dataset.

    Attributes
    ----------
    source : Dataset
        The dataset.
    typed : list of TypedColumn
        The columns that are typed.
    kept : dict of str to str
        Columns that stay as they are: the name to be, and the name in the source.
    hashlabel : str or None
        The column that decides the slice of a row.
    moves : bool
        Whether rows go to other slices than they are in.
    drops : bool
        Whether bad rows are left out.
    """

    source: Dataset
    typed: list[TypedColumn]
    kept: dict[str, str]
    hashlabel: str | None
    moves: bool
    drops: bool

    @property
    def extends(self) -> bool:
        """Whether the rows stay where they are, so that the source can be the parent."""
        return not (self.moves or self.drops)

    @property
    def copied(self) -> dict[str, str]:
        """Columns whose values are written again, in the form of `kept`."""
        if self.extends:
            return {name: source for name, source in self.kept.items() if name != source}
        return self.kept

    @property
    def left(self) -> list[str]:
        """Columns of the source that a dataset which extends it does not take over."""
        return [name for name in self.source.columns if self.kept.get(name) != name]


def make_plan(source: Dataset, options: Any) -> Plan:
    """Return what `options` make of `source`; raise when they do not fit."""
    came_from = _renamed(source, options.rename)
    typed = [_typed_column(source, name, came_from.get(name, name), options) for name in options.column2type]
    names = {column.name for column in typed}
    kept = {} if options.discard_untyped else _kept_columns(source, options.rename, came_from, names)
    hashlabel = _choose_hashlabel(source, options.hashlabel, names, kept)
    moves = hashlabel is not None and kept.get(hashlabel, ...) != source.hashlabel
    return Plan(source, typed, kept, hashlabel, moves, bool(options.filter_bad))


def _renamed(source: Dataset, rename: Mapping[str, str | None]) -> dict[str, str]:
    """Return the old name of each new one."""
    came_from: dict[str, str] = {}
    for old, new in rename.items():
        _check_column(source, old)
        if new in came_from:
            raise OptionError(f"columns '{came_from[new]}' and '{old}' are both renamed to '{new}'")
        if new is not None:
            came_from[new] = old
    return came_from


def _check_column(source: Dataset, name: str) -> None:
    source.get_column_node(name)


def _kept_columns(
    source: Dataset, rename: Mapping[str, str | None], came_from: Mapping[str, str], typed: Set[str]
) -> dict[str, str]:
    kept = {}
    for name in source.columns:
        new = rename.get(name, name)
        if new in typed:
            new = name  # what is typed under a new name is still there under its old one
        replaced = new == name != came_from.get(name, name)
        if new is not None and new not in typed and not replaced:
            kept[new] = name
    return kept


def _choose_hashlabel(
    source: Dataset, wanted: str | None, typed: Set[str], kept: Mapping[str, str]
) -> str | None:
    if wanted:
        if wanted not in typed and wanted not in kept:
            raise OptionError(f"hashlabel '{wanted}' is no column of the typed dataset")
        return wanted
    if wanted == "" or source.hashlabel is None:
        return None
    if source.hashlabel in typed:
        return source.hashlabel
    return next((new for new, old in kept.items() if old == source.hashlabel), None)


def _typed_column(source: Dataset, name: str, old: str, options: Any) -> TypedColumn:
    _check_column(source, old)
    column = source.columns[old]
    if column.type not in TEXT_TYPES:
        raise DatasetError(f"column '{old}' of '{source.spec}' is {column.type}, which is typed already")
    return typed_column(name, old, options, may_be_none=column.none_support)


def typed_column(name: str, source: str, options: Any, *, may_be_none: bool = False) -> TypedColumn:
    """Return how a column of texts is typed.

    Parameters
    ----------
    name, source
        Its name, and that of the column that its texts are in.
    options
        Those of dataset_type that say how texts become values.
    may_be_none
        Whether None is among the texts.
    """
    try:
        conversion = get_conversion(
            options.column2type[name], numeric_comma=options.numeric_comma, timezone=options.timezone
        )
    except ColumnError as err:
        raise OptionError(f"column '{name}': {err}", hint=err.hint) from err
    return with_conversion(name, source, conversion, options, may_be_none=may_be_none)


def with_conversion(
    name: str, source: str, conversion: Conversion, options: Any, *, may_be_none: bool = False
) -> TypedColumn:
    """Return a column that a conversion types; the rest as of `typed_column`, whatever column2type says."""
    none_texts: set[bytes | None] = {text.encode() for text in options.none_values}
    if conversion.none_support:
        none_texts.add(b"")
    if may_be_none:
        none_texts.add(None)
    default = _default(name, conversion, options.defaults.get(name, NO_DEFAULT))
    return TypedColumn(name, source, conversion, frozenset(none_texts), default)


def _default(name: str, conversion: Conversion, given: Any) -> Any:
    """Return the value that a default stands for: converted when it is text, else as the column holds it."""
    if given is None or given is NO_DEFAULT:
        return given
    if isinstance(given, bytes) or (isinstance(given, str) and conversion.type not in TEXT_TYPES):
        values, _, bad = conversion.convert([given if isinstance(given, bytes) else given.encode()], set())
        if bad is not None:
            raise OptionError(f"default {given!r} of column '{name}' is no {conversion.name}")
        return (values if isinstance(values, PackedTexts) else _as_objects(values)).tolist()[0]
    if isinstance(given, str) and conversion.type == "bytes":
        return given.encode()
    try:
        return get_type(conversion.type).check(given)
    except ColumnError as err:
        raise OptionError(f"default of column '{name}': {err}", hint=err.hint) from err
