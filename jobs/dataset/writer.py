"""`DatasetWriter`: a dataset that is being written, slice by slice, and sealed as a head and its columns."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias

from cas.formats.node import put_node
from jobs.dataset.declaration import (
    NO_DEFAULT,
    Declaration,
    DeclaredColumn,
    Referent,
    Schema,
    Wanted,
    check_parent,
    check_text,
    choose_hashlabel,
    declare_column,
    ref_of,
)
from jobs.dataset.fromarrow import columns_of
from jobs.dataset.head import DatasetRef, get_head
from jobs.dataset.owner import WriterOwner
from jobs.dataset.placement import Placement
from jobs.dataset.rows import CHUNK_ROWS, RowWriter, Target
from jobs.dataset.seal import seal
from jobs.dataset.slices import ClosedSlices, ManyRows, Parts, WrittenSlices
from jobs.dataset.splitting import SLICE_ROWS, HashSplit, TurnSplit
from jobs.errors import DatasetError

State: TypeAlias = Literal["open", "finished", "discarded"]


class DatasetWriter:
    """A dataset that is being written; made by `job.datasetwriter`.

    Made in prepare, it is written by each slice of analysis for itself. Elsewhere `set_slice` says where rows go,
    or the functions of `get_split_write` find the slice of each row.

    Parameters
    ----------
    owner
        The running job.
    name
        Name of the dataset in the job; "" is the default one too.
    columns
        For each name a type, `(type, none_support)`, a column of another dataset, or None: not taken over from the
        parent. They are written in order of their names; `add` gives another order.
    filename, caption
        Where the rows come from, and what to call the dataset.
    hashlabel
        The column whose value decides the slice of a row.
    hashlabel_override
        Allow another hashlabel than the parent's.
    previous
        The dataset before it in its chain; when that is a writer, it is finished first.
    parent
        A dataset whose columns it extends; nothing is copied, so each slice must have as many rows.
    for_single_slice
        The only slice of analysis that writes the dataset; it may write to all slices.
    allow_missing_slices
        Whether slices that nobody chose are empty; otherwise they are an error.
    """

    def __init__(  # noqa: PLR0913 - as many as a dataset has properties
        self,
        owner: WriterOwner,
        *,
        name: str = "default",
        columns: Mapping[str, Wanted] | None = None,
        filename: str | None = None,
        hashlabel: str | None = None,
        hashlabel_override: bool = False,
        caption: str | None = None,
        previous: "Referent | DatasetWriter | None" = None,
        parent: Referent | None = None,
        for_single_slice: int | None = None,
        allow_missing_slices: bool = False,
    ) -> None:
        wanted = columns or {}
        extended = ref_of(parent)
        head = None if extended is None else get_head(owner.store, extended)
        if head is not None:
            check_parent(head, wanted, owner.slices)
        declaration = Declaration(
            name=check_text(name or "default", "dataset name"),
            filename=filename,
            hashlabel=choose_hashlabel(hashlabel, head, override=hashlabel_override),
            caption=caption,
            previous=None if isinstance(previous, DatasetWriter) else ref_of(previous),
            parent=extended,
            dropped=frozenset(column for column, what in wanted.items() if what is None),
            single_slice=for_single_slice,
            allow_missing_slices=allow_missing_slices,
        )
        self._owner = owner
        self._schema = Schema(declaration, head)
        self._follows = previous if isinstance(previous, DatasetWriter) else None
        self._placement = Placement(owner, self._schema)
        self._slices = WrittenSlices(self._schema, owner.store, owner.slices)
        self._rows: RowWriter | None = None  # writes to the slice of now
        self._split: RowWriter | None = None  # finds the slice of each row
        self._spread: HashSplit | TurnSplit  # how it does that
        self._stage: int | None = None  # slice of analysis in which the writing began
        self._state: State = "open"
        if owner.sliceno is not None:
            self._check_made_in_analysis()
        for column, what in sorted(wanted.items()):
            if what is not None:
                self._schema.add(declare_column(column, what))

    def _check_made_in_analysis(self) -> None:
        if self._schema.declaration.single_slice != self._owner.sliceno:
            raise self._schema.error(
                "is made in analysis",
                hint="make it in prepare, or for one slice alone: for_single_slice=sliceno",
            )
        if self._follows is not None:
            raise self._schema.error("follows a dataset that is not finished, which analysis cannot say")

    # -- columns -----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the dataset in its job."""
        return self._schema.declaration.name

    @property
    def columns(self) -> dict[str, DeclaredColumn]:
        """The columns that are written, in the order of the arguments of `write`."""
        return dict(self._schema.own)

    def add(self, name: str, type: str, default: Any = NO_DEFAULT, none_support: bool = False) -> None:  # noqa: A002, FBT001, FBT002 - the peer's order
        """Add a column.

        Parameters
        ----------
        name
            Its name; any text.
        type
            Its type, as "int64" or "parsed:int64".
        default
            Stands for a value that cannot be converted; without it such a value is an error.
        none_support
            Whether None can be written.
        """
        self._check_open()
        if self._is_written or self._slices.any_closed:
            raise self._schema.error("has rows, so no columns can be added")
        self._schema.add(declare_column(name, (type, none_support), default))

    # -- rows --------------------------------------------------------------------------------------------------

    @cached_property
    def write(self) -> Callable[..., None]:
        """Writes one row, its values in the order in which the columns were added.

        A value that its column refuses is a `ColumnError`, and nothing of the row is written then.
        """
        return self._row_writer().write

    @cached_property
    def write_list(self) -> Callable[[Sequence[Any]], None]:
        """Writes one row, given as a sequence of its values."""
        return self._row_writer().write_list

    @cached_property
    def write_dict(self) -> Callable[[Mapping[str, Any]], None]:
        """Writes one row, given by column name."""
        return self._row_writer().write_dict

    def write_arrays(self, columns: Mapping[str, Any], *, are_placed: bool = False) -> None:
        """Write many rows at once.

        Parameters
        ----------
        columns
            Equally many values of each: an array, a masked array, a pair of array and mask (True for None), or a list.
        are_placed
            Whether it is known that all rows belong to the slice of now; their hashlabel is not looked at then.
        """
        self._row_writer().flush()
        rows = ManyRows.of(self._schema.columns, columns)
        placed = rows if are_placed else self._placement.well_placed(rows)
        self._slices.get(self._placement.here()).extend(placed)

    def write_arrow(self, data: Any) -> None:
        """Write the rows of an Arrow table, batch or stream, whose columns are those that are written, by name."""
        self._row_writer()  # data without rows too needs a slice to go to
        for columns in columns_of(data, self._schema.columns):
            self.write_arrays(columns)

    def _row_writer(self) -> RowWriter:
        """Return the functions that write to the slice of now, made when they are first needed."""
        self._begin()
        self._placement.here()
        if self._rows is None:
            place = self._schema.hash_place()
            belongs = None if place is None else self._placement.belongs_here
            self._rows = self._make_writer(self._deliver_here, belongs, place)
        return self._rows

    def _make_writer(
        self,
        deliver: Callable[[Any], None],
        belongs: Callable[[object], bool] | None = None,
        place: int | None = None,
        rows: int = CHUNK_ROWS,
    ) -> RowWriter:
        columns = self._schema.columns
        if not columns:
            raise self._schema.error("has no columns to write")
        return RowWriter(columns, Target(len(columns), deliver, rows), belongs, place)

    def _deliver(self, number: int, pending: Sequence[list[Any]]) -> None:
        self._slices.get(number).extend_kept(pending)

    def _deliver_here(self, pending: Sequence[list[Any]]) -> None:
        self._deliver(self._placement.here(), pending)

    # -- slices ------------------------------------------------------------------------------------------------

    def set_slice(self, sliceno: int) -> None:
        """Write to slice `sliceno` from now on; a slice that was chosen is there, also without rows."""
        self._begin()
        if self._rows is not None:
            self._rows.flush()
        self._slices.get(self._placement.choose(sliceno))

    def get_split_write(self) -> Callable[..., None]:
        """Return a `write` that finds the slice of each row: by the hashlabel, or in turn when there is none."""
        return self._split_writer().write

    def get_split_write_list(self) -> Callable[[Sequence[Any]], None]:
        """Return a `write_list` that finds the slice of each row."""
        return self._split_writer().write_list

    def get_split_write_dict(self) -> Callable[[Mapping[str, Any]], None]:
        """Return a `write_dict` that finds the slice of each row."""
        return self._split_writer().write_dict

    def get_split_write_arrays(self) -> Callable[[Mapping[str, Any]], None]:
        """Return a `write_arrays` that finds the slice of each row."""
        self._split_writer()
        return self._write_split_arrays

    def hashcheck(self, value: Any) -> bool:
        """Return whether a row with this value of the hashlabel belongs to the slice of now."""
        column = self._schema.columns[self._placement.hash_place()]
        return self._placement.slice_of(column.convert(value)) == self._placement.here()

    def enable_hash_discard(self) -> None:
        """Drop rows that belong to another slice, without a word; otherwise they are an error."""
        self._placement.hash_place()
        self._placement.discards = True

    def _split_writer(self) -> RowWriter:
        self._begin()
        self._placement.check_free()
        if self._split is None:
            slices = self._owner.slices
            if self._schema.hashlabel() is None:
                self._spread = TurnSplit(slices, self._deliver)
            else:
                place = self._placement.hash_place()
                column_type = self._schema.columns[place].column_type.base
                self._spread = HashSplit(place, column_type, slices, self._deliver)
            self._split = self._make_writer(self._spread, rows=max(CHUNK_ROWS, SLICE_ROWS * slices))
            for number in range(slices):
                self._slices.get(number)
        return self._split

    def _write_split_arrays(self, columns: Mapping[str, Any]) -> None:
        self._split_writer().flush()
        for number, rows in self._spread.parts(ManyRows.of(self._schema.columns, columns)):
            self._slices.get(number).extend(rows)

    # -- the end -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Whether it is open, finished or discarded."""
        return self._state

    def finish(self) -> Any:
        """Seal the dataset and return it; a second time just return it."""
        if self._state != "finished":
            self._check_open()
            single = self._schema.declaration.single_slice
            if self._owner.sliceno != single and self._owner.sliceno is not None:
                raise self._schema.error("is finished in prepare or synthesis, not in analysis")
            self._schema.hashlabel()  # refused before anything is closed
            self._close_functions()
            head = seal(self._owner.store, self._schema, self._parts(), self._previous())
            self._state = "finished"
            self._owner.add_dataset(self.name, put_node(self._owner.store, head), head)
        return self._owner.dataset(self.name)

    def discard(self) -> None:
        """Forget the dataset; what was written of it is never seen."""
        self._check_open()
        self._close_functions()
        self._slices.abort()
        self._state = "discarded"

    def close_slice(self) -> ClosedSlices:
        """Return what this slice of analysis wrote, for `take_slice` in the job's process; called at its end."""
        parts: dict[int, Parts] = {}
        if not self._is_from_elsewhere:
            self._close_functions()
            parts = self._slices.close()
        return ClosedSlices(
            self._schema.declaration,
            self._schema.columns,
            parts,
            lines_before=self._lines_here,
            discarded=self._state == "discarded",
        )

    def take_slice(self, sliceno: int, closed: ClosedSlices) -> None:
        """Take over what slice `sliceno` of analysis wrote."""
        if self._state != "open":
            return
        if closed.lines_before != self._lines_here:
            raise self._begun_error()
        if closed.discarded:
            self.discard()
        else:
            self._slices.take(sliceno, closed.parts)

    @classmethod
    def from_declared(cls, owner: WriterOwner, closed: ClosedSlices) -> Self:
        """Return a writer like the one that a slice of analysis made, in the job's process; it has no slices yet."""
        told = closed.declaration
        writer = cls(
            owner,
            name=told.name,
            columns=dict.fromkeys(told.dropped),
            filename=told.filename,
            hashlabel=told.hashlabel,
            hashlabel_override=True,
            caption=told.caption,
            previous=told.previous,
            parent=told.parent,
            for_single_slice=told.single_slice,
            allow_missing_slices=told.allow_missing_slices,
        )
        for column in closed.columns:
            writer.add(column.name, column.type, none_support=column.none_support)
        return writer

    def _parts(self) -> Sequence[Parts]:
        if self._schema.own:
            return self._slices.complete(allow_missing=self._schema.declaration.allow_missing_slices)
        if self._schema.parent is None:
            raise self._schema.error("has no columns")
        return ()

    def _previous(self) -> DatasetRef | None:
        return self._schema.declaration.previous if self._follows is None else ref_of(self._follows.finish())

    @property
    def _is_written(self) -> bool:
        """Whether this process has begun to write it, or the one that it was forked from."""
        return bool(self._rows or self._split or self._slices.any_open)

    @property
    def _is_from_elsewhere(self) -> bool:
        return self._is_written and self._stage != self._owner.sliceno

    @property
    def _lines_here(self) -> int:
        kept = sum(functions.lines_kept for functions in (self._rows, self._split) if functions)
        return kept + self._slices.lines_here

    def _begin(self) -> None:
        self._check_open()
        if self._is_from_elsewhere:
            raise self._begun_error()
        self._stage = self._owner.sliceno

    def _begun_error(self) -> DatasetError:
        return self._schema.error(
            "was begun in prepare and goes on in analysis", hint="finish() it in prepare"
        )

    def _check_open(self) -> None:
        if self._state != "open":
            raise self._schema.error(f"is {self._state}")

    def _close_functions(self) -> None:
        for functions in (self._rows, self._split):
            if functions is not None:
                functions.close()
        self._rows = self._split = None
        for name in ("write", "write_list", "write_dict"):
            self.__dict__.pop(name, None)
