"""A dataset, or a chain of them, as one table: its rows are numbered, slice after slice, the oldest dataset first."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from jobs.column.types import get_type
from jobs.dataset.dataset import Dataset
from porcelain.board.tables.batches import UNREAD, OpenSlice, open_slice, read_rows

# of a longer text only so much is kept
LONGEST_TEXT: Final = 1_000_000


class Missing:
    """What stands where there is no value to show: the dataset has no such column, or it is not read."""

    def __init__(self, why: str) -> None:
        self.why = why


NO_COLUMN: Final = Missing("this dataset of the chain has no such column")
NOT_LOADED: Final = Missing("pickle")


class Segment(NamedTuple):
    """A slice of a dataset, and the number of its first row in the table."""

    dataset: Dataset
    sliceno: int
    start: int

    @property
    def lines(self) -> int:
        """How many rows it has."""
        return self.dataset.head.lines[self.sliceno]

    def has(self, name: str) -> bool:
        """Return whether its dataset has a column that can be read."""
        column = self.dataset.head.columns.get(name)
        return column is not None and get_type(column.type).base != UNREAD

    @contextmanager
    def opened(self, names: Sequence[str]) -> Iterator[OpenSlice]:
        """Open columns that it has."""
        with open_slice(self.dataset, self.sliceno, names) as part:
            yield part


class Table:
    """The rows of datasets.

    Parameters
    ----------
    links
        At least one, oldest first; the last says which columns there are.

    Attributes
    ----------
    names : list of str
        The columns.
    lines : int
        How many rows there are.
    segments : list of Segment
        Those that have rows.
    """

    def __init__(self, links: Sequence[Dataset]) -> None:
        self.links = links
        self.names = list(links[-1].head.columns)
        self.segments: list[Segment] = []
        self.lines = 0
        for link in links:
            for sliceno, lines in enumerate(link.head.lines):
                if lines:
                    self.segments.append(Segment(link, sliceno, self.lines))
                    self.lines += lines
        self._starts = [segment.start for segment in self.segments]

    def types(self, name: str) -> list[str]:
        """Return the types that a column has, in all datasets that have it."""
        found = (link.head.columns.get(name) for link in self.links)
        return sorted({get_type(column.type).base for column in found if column is not None})

    def segment_at(self, row: int) -> int:
        """Return the place in `segments` of the one that holds a row, or the number of segments behind the last."""
        return bisect_right(self._starts, row) - 1 if row < self.lines else len(self.segments)

    def rows(self, numbers: Sequence[int], names: Sequence[str]) -> list[list[Any]]:
        """Return the values of rows, in the order of `numbers`; `Missing` where there is none to show."""
        by_segment: Mapping[int, list[int]] = defaultdict(list)
        for number in sorted(set(numbers)):
            by_segment[self.segment_at(number)].append(number)
        found: dict[int, list[Any]] = {}
        for place, wanted in by_segment.items():
            found.update(self._rows_of(self.segments[place], wanted, names))
        return [found[number] for number in numbers]

    def _rows_of(
        self, segment: Segment, numbers: Sequence[int], names: Sequence[str]
    ) -> Iterator[tuple[int, list[Any]]]:
        present = [name for name in names if segment.has(name)]
        lacking = {
            place: NOT_LOADED if name in segment.dataset.head.columns else NO_COLUMN
            for place, name in enumerate(names)
            if name not in present
        }
        rows = [number - segment.start for number in numbers]
        for row, values in read_rows(segment.dataset, segment.sliceno, present, rows):
            whole = list(map(_shortened, values))
            for place, missing in lacking.items():
                whole.insert(place, missing)
            yield segment.start + row, whole


def _shortened(value: Any) -> Any:
    return value[:LONGEST_TEXT] if isinstance(value, str | bytes) and len(value) > LONGEST_TEXT else value
