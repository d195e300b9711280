"""What a dataset writer is told before the first row: its columns, what it follows and what it extends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from cas.oid import ObjectId
from jobs.column.types import ColumnType, get_type
from jobs.dataset.head import DatasetColumn, DatasetHead, DatasetRef
from jobs.errors import ColumnError, DatasetError

NO_DEFAULT: Final[Any] = ...
# these two hold None as a value like any other
_HOLD_NONE: Final = frozenset({"json", "pickle"})

# a type; a type and whether None is allowed; a column of another dataset; None: not inherited from the parent
Wanted: TypeAlias = str | tuple[str, bool] | DatasetColumn | None


class Referent(Protocol):
    """A finished dataset, as far as one that comes after it needs to know; `Dataset` and `DatasetRef` are such."""

    @property
    def node(self) -> ObjectId:
        """Its head."""

    @property
    def name(self) -> str:
        """Its name in its job."""


def ref_of(dataset: Referent | None) -> DatasetRef | None:
    """Return the reference to a dataset; None for None and for `NoDataset`."""
    return DatasetRef(dataset.node, dataset.name) if dataset else None


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column that is to be written.

    Attributes
    ----------
    name, type : str
        The column's name, and the name of its type.
    none_support : bool
        Whether None may be written.
    default : object
        What stands for a value that the type refuses, in the form that is kept; `NO_DEFAULT` when there is none.
    """

    name: str
    type: str
    none_support: bool = False
    default: Any = NO_DEFAULT

    @property
    def column_type(self) -> ColumnType:
        """The type."""
        return get_type(self.type)

    def converter(self) -> Callable[[Any], Any]:
        """Return a function that makes of a value what is kept of it: as the type says, or the default.

        It raises `ColumnError`, naming the column.
        """
        keep, default, refuses_none = (
            self.column_type.keep,
            self.default,
            self.column_type.base not in _HOLD_NONE,
        )

        def convert(value: Any) -> Any:
            try:
                if value is not None or not refuses_none:
                    return keep(value)
                if self.none_support:
                    return None
                raise ColumnError("refusing to write None without none_support=True")
            except ColumnError as err:
                if default is not NO_DEFAULT:
                    return default
                raise self.named(err) from err

        return convert

    def convert(self, value: Any) -> Any:
        """Return what is kept of one value."""
        return self.converter()(value)

    def named(self, err: ColumnError) -> ColumnError:
        """Return the error with the column's name in it."""
        return type(err)(f"column '{self.name}': {err}", hint=err.hint)


def declare_column(
    name: str, wanted: str | tuple[str, bool] | DatasetColumn, default: object = NO_DEFAULT
) -> DeclaredColumn:
    """Return the column that `wanted` describes; raise `DatasetError` when there can be no such."""
    if isinstance(wanted, DatasetColumn):
        wanted = (wanted.type, wanted.none_support)
    type_name, none_support = (wanted, False) if isinstance(wanted, str) else wanted
    column = DeclaredColumn(check_text(name, "column name"), get_type(type_name).name, bool(none_support))
    if default is NO_DEFAULT:
        return column
    if column.column_type.base == "pickle":
        raise DatasetError(f"column '{name}': a pickle column has no default")
    return replace(column, default=column.convert(default))


def check_text(text: str, what: str) -> str:
    """Return `text`, which is to be a name in a node; raise `DatasetError` when it cannot be."""
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError) as err:
        raise DatasetError(f"a {what} is Unicode text, not {text!r}") from err
    return text


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the head of a dataset will say that does not come of its rows.

    Attributes
    ----------
    name : str
        The dataset's name in its job.
    hashlabel : str or None
        As it was asked for, or the parent's.
    previous, parent : DatasetRef or None
        What it follows, and whose columns it extends.
    dropped : frozenset of str
        Columns that are not taken over from the parent.
    single_slice : int or None
        The only slice of analysis that writes it, and may write to all slices.
    """

    name: str
    filename: str | None = None
    hashlabel: str | None = None
    caption: str | None = None
    previous: DatasetRef | None = None
    parent: DatasetRef | None = None
    dropped: frozenset[str] = frozenset()
    single_slice: int | None = None
    allow_missing_slices: bool = False


class Schema:
    """The columns of a dataset that is being written: its own, and those of its parent.

    Parameters
    ----------
    declaration
        What was asked for.
    parent
        Head of the dataset that is extended, if there is one.
    """

    def __init__(self, declaration: Declaration, parent: DatasetHead | None) -> None:
        self.declaration = declaration
        self.parent = parent
        self.own: dict[str, DeclaredColumn] = {}

    @property
    def columns(self) -> tuple[DeclaredColumn, ...]:
        """The own columns, in the order in which they were added."""
        return tuple(self.own.values())

    def add(self, column: DeclaredColumn) -> None:
        """Add a column to be written; one of the parent with that name is replaced."""
        if column.name in self.own:
            raise self.error(f"has a column '{column.name}' already")
        self.own[column.name] = column

    def error(self, fact: str, hint: str = "") -> DatasetError:
        """Return the error that says `fact` of the dataset."""
        return DatasetError(f"dataset '{self.declaration.name}' {fact}", hint=hint)

    def inherited(self) -> dict[str, DatasetColumn]:
        """Return the columns that are taken over from the parent."""
        without = self.declaration.dropped | self.own.keys()
        columns = {} if self.parent is None else self.parent.columns
        return {name: column for name, column in columns.items() if name not in without}

    def hashlabel(self) -> str | None:
        """Return the column that decides the slice; raise `DatasetError` when the one asked for cannot."""
        label = self.declaration.hashlabel
        if label is None or label in self.inherited():
            return label
        if label in self.own:
            if self.own[label].column_type.base in _HOLD_NONE:
                raise self.error(f"cannot be hashed on '{label}', a {self.own[label].type} column")
            return label
        if self.parent is not None and self.parent.hashlabel == label:
            return None  # the column that decided was not taken over
        raise self.error(f"has no column '{label}' to be hashed on")

    def hash_place(self) -> int | None:
        """Return which of the own columns decides the slice, or None when no written value does."""
        label = self.hashlabel()
        return [*self.own].index(label) if label in self.own else None


def choose_hashlabel(wanted: str | None, parent: DatasetHead | None, *, override: bool) -> str | None:
    """Return the hashlabel that was asked for, or the parent's; raise `DatasetError` when these two differ."""
    if parent is None or wanted == parent.hashlabel or override:
        return wanted
    if wanted is None:
        return parent.hashlabel
    was = f"hashed on '{parent.hashlabel}'" if parent.hashlabel is not None else "not hashed"
    raise DatasetError(
        f"hashlabel '{wanted}' is not that of the parent, which is {was}",
        hint="hashlabel_override=True says that the rows lie right all the same",
    )


def check_parent(parent: DatasetHead, wanted: Mapping[str, Wanted], slices: int) -> None:
    """Raise `DatasetError` when a dataset with these columns cannot extend `parent`."""
    if len(parent.lines) != slices:
        raise DatasetError(f"the parent has {len(parent.lines)} slices, and there are {slices} here")
    unknown = sorted(name for name, what in wanted.items() if what is None and name not in parent.columns)
    if unknown:
        raise DatasetError(f"the parent has no column '{unknown[0]}' to be left out")
