"""What an iteration over rows can be asked for."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypedDict

from jobs.dataset.callbacks import Callback

SliceChoice: TypeAlias = int | Literal["roundrobin"] | None
ROUNDROBIN: Final = "roundrobin"
RowFunction: TypeAlias = Callable[[Any], Any]


class Reading(TypedDict, total=False):
    """What `iterate` and its like can be asked for by name.

    Attributes
    ----------
    range : mapping of str to (object, object)
        One column and its bounds, half open, None for no bound: only rows whose value lies within. None never does.
    sloppy_range : bool
        Skip only the datasets that have no such row.
    hashlabel : str
        Raise unless the rows are spread over the slices by this column.
    rehash : bool
        Instead of raising, read all slices of a dataset that is spread otherwise, and give the rows that would be in
        this one. Not together with slice and "roundrobin".
    filters : callable or mapping of str to (callable or None)
        Only rows for which it is true; by column all must be, where None asks for the truth of the value itself.
    translators : callable or mapping of str to (callable or mapping)
        Change rows, or values by column, before they are filtered. What a mapping lacks becomes None.
    slice : int or slice
        Only these of all rows, as of a list; an int is the row to start at. Not together with range and filters.
    pre_callback, post_callback : callable
        Called with the dataset before its first and after its last row; one that takes two arguments with
        dataset and slice number, for each slice. `pre_callback` may raise `SkipSlice` or `SkipDataset`, and
        either may raise StopIteration, which ends the iteration.
    status_reporting : bool
        Say in the status of the process how far the iteration is; on by default.
    """

    range: Mapping[str, tuple[Any, Any]] | None
    sloppy_range: bool
    hashlabel: str | None
    rehash: bool
    filters: RowFunction | Mapping[str, RowFunction | None] | None
    translators: RowFunction | Mapping[str, RowFunction | Mapping[Any, Any]] | None
    slice: "int | slice | None"
    pre_callback: Callback | None
    post_callback: Callback | None
    status_reporting: bool
