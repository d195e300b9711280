"""Lists of datasets: sums over many, and iteration over their rows; what they hold is handed in."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Self, SupportsIndex, TypeVar, Unpack, overload

from jobs.dataset.arrays import Bounds, Readable
from jobs.dataset.head import DatasetColumn, largest, smallest
from jobs.dataset.reader import iterate
from jobs.dataset.reading import Reading, SliceChoice

D = TypeVar("D", bound=Readable)


class DatasetList(list[D]):
    """Datasets in order; a part of it, and its sum with others, is of the same kind."""

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> D: ...
    @overload
    def __getitem__(self, at: slice, /) -> Self: ...
    def __getitem__(self, at: SupportsIndex | slice, /) -> D | Self:
        if isinstance(at, slice):
            return type(self)(super().__getitem__(at))
        return super().__getitem__(at)

    def __add__(self, other: Iterable[D]) -> Self:  # type: ignore[override] # what a list adds, and any iterable
        return type(self)([*self, *other])

    def min(self, column: str) -> Any:
        """Return the smallest value of a column; None when there is none, nan only when nothing else is there."""
        return smallest(each.min for each in self._columns(column))

    def max(self, column: str) -> Any:
        """Return the largest value of a column; None when there is none, nan only when nothing else is there."""
        return largest(each.max for each in self._columns(column))

    def lines(self, sliceno: int | None = None) -> int:
        """Return the number of rows in a slice of all datasets, or in all slices."""
        if sliceno is None:
            return sum(sum(dataset.head.lines) for dataset in self)
        return sum(dataset.head.lines[sliceno] for dataset in self)

    def column_counts(self) -> Counter[str]:
        """Return in how many datasets each column is."""
        return Counter(name for dataset in self for name in dataset.head.columns)

    def column_count(
        self,
        column: str,
        types: str | Collection[str] | None = None,
        none_support: bool | None = None,  # noqa: FBT001 - the peer's order
    ) -> int:
        """Return how many datasets have the column, of one of the types, with or without None support."""
        return len(self.with_column(column, types, none_support))

    def with_column(
        self,
        column: str,
        types: str | Collection[str] | None = None,
        none_support: bool | None = None,  # noqa: FBT001 - the peer's order
    ) -> Self:
        """Return the datasets that have the column, of one of the types, with or without None support."""
        wanted = {types} if isinstance(types, str) else types

        def fits(found: DatasetColumn | None) -> bool:
            return (
                found is not None
                and (wanted is None or found.type in wanted)
                and none_support in (None, found.none_support)
            )

        return self.filter(lambda dataset: fits(dataset.head.columns.get(column)))

    def none_support(self, column: str) -> bool:
        """Return whether the column may hold None in any of the datasets."""
        return any(each.none_support for each in self._columns(column))

    def filter(self, test: Callable[[D], object]) -> Self:
        """Return the datasets for which `test` is true."""
        return type(self)(dataset for dataset in self if test(dataset))

    def range(self, column: str, start: Any = None, stop: Any = None) -> Self:
        """Return the datasets that may have a value in the half-open range, as far as smallest and largest tell."""
        bounds = Bounds(start, stop)

        def may_hold(found: DatasetColumn | None) -> bool:
            return found is not None and bounds.may_hold(found.min, found.max)

        return self.filter(lambda dataset: may_hold(dataset.head.columns.get(column)))

    def iterate(
        self, sliceno: SliceChoice, columns: str | Iterable[str] | None = None, **reading: Unpack[Reading]
    ) -> Iterator[Any]:
        """Return an iterator over the rows of all datasets, one after another (see `Dataset.iterate`)."""
        return iterate(self, sliceno, columns, reading)

    def _columns(self, name: str) -> list[DatasetColumn]:
        return [dataset.head.columns[name] for dataset in self if name in dataset.head.columns]


class DatasetChain(DatasetList[D]):
    """Datasets that follow each other, each the `previous` of the next."""
