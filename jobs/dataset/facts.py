"""What the head of a dataset says of it, without its rows."""

from abc import abstractmethod
from typing import Any

from jobs.dataset.arrays import check_column
from jobs.dataset.head import DatasetColumn, DatasetHead


class DatasetFacts(str):
    """A dataset, as far as its head goes."""

    @property
    @abstractmethod
    def spec(self) -> str:
        """Its text, without noting that the label in it was looked at."""

    @property
    @abstractmethod
    def head(self) -> DatasetHead:
        """Its head node."""

    @property
    def columns(self) -> dict[str, DatasetColumn]:
        """Type, none_support, min and max of each column by name, in the order in which they were added."""
        return dict(self.head.columns)

    @property
    def lines(self) -> tuple[int, ...]:
        """Number of rows of each slice."""
        return self.head.lines

    @property
    def shape(self) -> tuple[int, int]:
        """Number of columns, and of rows."""
        return len(self.head.columns), sum(self.head.lines)

    @property
    def hashlabel(self) -> str | None:
        """The column whose value decides the slice of a row, or None."""
        return self.head.hashlabel

    @property
    def filename(self) -> str | None:
        """The file that its rows came from, or None."""
        return self.head.filename

    @property
    def caption(self) -> str | None:
        """What it is called, or None."""
        return self.head.caption

    def min(self, column: str) -> Any:
        """Return the smallest value of a column; None when it has none, nan only when it has nothing else."""
        check_column(self, column)
        return self.head.columns[column].min

    def max(self, column: str) -> Any:
        """Return the largest value of a column; None when it has none, nan only when it has nothing else."""
        check_column(self, column)
        return self.head.columns[column].max
