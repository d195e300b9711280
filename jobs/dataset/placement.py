"""Which slice the rows of a dataset go to while it is written."""

from operator import index

from jobs.column.spread import slice_of
from jobs.dataset.declaration import Schema
from jobs.dataset.owner import Stage
from jobs.dataset.slices import ManyRows
from jobs.errors import DatasetError


class Placement:
    """Says where rows go: in analysis to the slice of the process, elsewhere to the one that was chosen.

    Attributes
    ----------
    discards : bool
        Whether rows that belong to another slice are dropped, instead of being an error.
    """

    def __init__(self, stage: Stage, schema: Schema) -> None:
        self._stage = stage
        self._schema = schema
        self._chosen: int | None = None
        self.discards = False

    def here(self) -> int:
        """Return the slice that rows go to now."""
        if self._stage.sliceno is not None and self._schema.declaration.single_slice is None:
            return self._stage.sliceno
        self.check_free()
        if self._chosen is None:
            raise self._schema.error(
                "has no slice to write to yet", hint="choose one with set_slice, or use get_split_write"
            )
        return self._chosen

    def choose(self, sliceno: int) -> int:
        """Let rows go to slice `sliceno` from now on, and return it."""
        self.check_free()
        number = index(sliceno)
        if not 0 <= number < self._stage.slices:
            raise self._schema.error(f"has no slice {number}", hint=f"there are {self._stage.slices}")
        self._chosen = number
        return number

    def check_free(self) -> None:
        """Raise `DatasetError` when this process may not choose slices."""
        here, only = self._stage.sliceno, self._schema.declaration.single_slice
        if only is not None and here != only:
            raise self._schema.error(f"is written in slice {only} of analysis alone")
        if only is None and here is not None:
            raise self._schema.error(
                "is written by each slice of analysis for itself, so no slice can be chosen"
            )

    def hash_place(self) -> int:
        """Return which of the written columns decides the slice; raise `DatasetError` when none does."""
        place = self._schema.hash_place()
        if place is None:
            raise self._schema.error("writes no column that decides the slice", hint="it needs a hashlabel")
        return place

    def slice_of(self, value: object) -> int:
        """Return the slice that a row with this value of the hashlabel belongs to."""
        return slice_of(value, self._stage.slices)

    def belongs_here(self, value: object) -> bool:
        """Return whether such a row belongs here; raise when it does not, unless it is to be dropped."""
        number = self.slice_of(value)
        if number == self.here():
            return True
        if self.discards:
            return False
        raise self._misplaced(number)

    def well_placed(self, rows: ManyRows) -> ManyRows:
        """Return those of the rows that belong here; raise when others are not to be dropped."""
        place = self._schema.hash_place()
        if place is None:
            return rows
        slices = rows.slices_by(place, self._stage.slices)
        elsewhere = slices[slices != self.here()]
        if len(elsewhere) and not self.discards:
            raise self._misplaced(int(elsewhere[0]))
        return rows.where(slices == self.here())

    def _misplaced(self, number: int) -> DatasetError:
        return self._schema.error(
            f"is hashed on '{self._schema.hashlabel()}': a row of slice {number} is written to slice {self.here()}",
            hint="get_split_write() finds the slice of each row, enable_hash_discard() drops those of others",
        )
