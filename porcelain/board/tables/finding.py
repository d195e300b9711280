"""Rows that conditions hold of, looked for a batch at a time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jobs.column.transform import Ints, Mask
from jobs.column.types import get_type
from porcelain.board.page import WrongQuestion
from porcelain.board.tables.batches import OpenSlice
from porcelain.board.tables.comparisons import Condition
from porcelain.board.tables.conditions import parse
from porcelain.board.tables.table import NO_COLUMN, Segment, Table

IsLate: TypeAlias = Callable[[], bool]


def late_after(seconds: float) -> IsLate:
    """Return a function that says whether so many seconds have gone by since now."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


class Wanted:
    """What is asked of the rows of a table: conditions by column, as texts.

    Raises
    ------
    WrongQuestion
        For what is no condition, or on no column.
    """

    def __init__(self, table: Table, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self._conditions: dict[tuple[str, str], list[Condition]] = {}
        for name, text in texts.items():
            types = table.types(name) if name in table.names else []
            if not types:
                raise WrongQuestion(f"no column '{name}'", hint="it has " + ", ".join(table.names[:20]))
            for column_type in types:
                try:
                    self._conditions[name, column_type] = parse(text, column_type)
                except WrongQuestion as err:
                    raise WrongQuestion(f"column '{name}': {err}", hint=err.hint) from err

    @property
    def names(self) -> list[str]:
        """The columns that are asked for something."""
        return list(self.texts)

    def of(self, segment: Segment) -> "Tests | None":
        """Return the conditions as they are for the types of a segment; None when no row of it can be wanted."""
        found = {}
        for name in self.texts:
            if not segment.has(name):
                return None
            column = segment.dataset.head.columns[name]
            conditions = self._conditions[name, get_type(column.type).base]
            if not all(condition.may_hold(column.min, column.max) for condition in conditions):
                return None
            found[name] = conditions
        return Tests(found)


@dataclass(frozen=True, slots=True)
class Tests:
    """Conditions on columns of one segment."""

    conditions: Mapping[str, Sequence[Condition]]

    def find(self, part: OpenSlice, start: int, stop: int) -> Mask | None:
        """Return which rows of a run within one batch they hold of; None for all."""
        mask: Mask | None = None
        for name, conditions in self.conditions.items():
            bounds = part.bounds(name, start)
            for condition in conditions:
                if not condition.may_hold(*bounds):
                    return np.zeros(stop - start, np.bool_)
                found = condition.test(part.values(name, start, stop))
                mask = found if mask is None else mask & found
                if not mask.any():
                    return mask
        return mask


class Looked(NamedTuple):
    """A run of rows that was looked at.

    Attributes
    ----------
    start, stop : int
        The rows, as the table numbers them.
    part : OpenSlice or None
        What they can be read from, by their numbers less `first`; None when none of them is wanted.
    first : int
        The number of the first row of the segment.
    mask : (n,) bool or None
        Which of them are wanted; None for all.
    """

    start: int
    stop: int
    part: OpenSlice | None
    first: int
    mask: Mask | None

    @property
    def rows(self) -> Ints:
        """The numbers of the rows that are wanted."""
        if self.part is None:
            return np.empty(0, np.int64)
        if self.mask is None:
            return np.arange(self.start, self.stop)
        return np.flatnonzero(self.mask) + self.start

    def columns(self, names: Sequence[str], rows: Ints) -> list[list[Any]]:
        """Return the values of some rows of the run, counted from its start; `Missing` where there is none."""
        assert self.part is not None, "it has rows"
        begin, end = self.start - self.first, self.stop - self.first
        return [
            self.part.values(name, begin, end)[rows].tolist()
            if self.part.has(name)
            else [NO_COLUMN] * len(rows)
            for name in names
        ]


def look_through(
    table: Table, wanted: Wanted, start: int = 0, *, also: Sequence[str] = ()
) -> Iterator[Looked]:
    """Yield all rows from `start` on, a run within one batch at a time; each was looked at in milliseconds.

    Parameters
    ----------
    also
        Columns that the caller reads too, of segments that have them.
    """
    for segment in table.segments[table.segment_at(start) :]:
        end = segment.start + segment.lines
        tests = wanted.of(segment)
        if tests is None:
            yield Looked(max(start, segment.start), end, None, segment.start, None)
            continue
        names = [*wanted.names, *(name for name in also if segment.has(name))]
        with segment.opened(names) as part:
            for begin, stop in part.spans:
                first = max(begin, start - segment.start)
                if first < stop:
                    mask = tests.find(part, first, stop)
                    yield Looked(segment.start + first, segment.start + stop, part, segment.start, mask)


class Search:
    """The first rows that are wanted from one on, as far as they were looked for.

    Parameters
    ----------
    start
        The row to begin at.
    limit
        How many rows to find.
    """

    def __init__(self, table: Table, wanted: Wanted, start: int, limit: int) -> None:
        self._looking = look_through(table, wanted, start)
        self._limit = limit
        self._lines = table.lines
        self._rows: list[int] = []
        self._stop = start
        self._lock = Lock()

    def go_on(self, is_late: IsLate) -> tuple[list[int], int]:
        """Look at more rows, until there are enough, it is late, or all were looked at.

        Returns
        -------
        list of int, int
            The rows that are found, and the first that was not looked at.
        """
        with self._lock:
            while self._stop < self._lines and len(self._rows) < self._limit:
                looked = next(self._looking)
                found = looked.rows[: self._limit - len(self._rows)].tolist()
                self._rows += found
                self._stop = looked.stop if len(self._rows) < self._limit else found[-1] + 1
                if is_late():
                    break
            return [*self._rows], self._stop
