"""Dataset whose slices, one after another, hold the rows in the order of the file that they came from."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from jobs.column.batches import BATCH_ROWS
from jobs.column.transform import Array
from jobs.dataset.arrays import check_column
from jobs.dataset.dataset import Dataset
from jobs.dataset.writer import DatasetWriter
from porcelain.methods.tables.chains import check_given
from porcelain.methods.tables.columns import join, read_slice, select

version = 1

description = """Dataset with the rows in the order of the file that csvimport dealt out to the slices.

iterate(None) gives them in the order in which iterate("roundrobin") gives those of the source. Each slice has as many
rows as in the source; with trigger_column it goes on until the value in that column changes, so that rows with the
same value, if they follow each other in the file, are in one slice.
"""

options = {"trigger_column": None}  # another slice begins only where its value changes
datasets = ("source", "previous")

# rows of each slice that are looked at together, at least
_FEWEST_ROUNDS = 256


class Prepared(NamedTuple):
    """What is read, where it goes, and the number of the row after each slice, in the order of the file."""

    source: Dataset
    writer: DatasetWriter
    ends: list[int]


def prepare(job: Any, options: Any, datasets: Any) -> Prepared:
    """Make the writer, and decide where slices end."""
    source = check_given(datasets.source)
    writer = job.datasetwriter(
        columns=source.columns, caption=source.caption, filename=source.filename, previous=datasets.previous
    )
    ends = list(accumulate(source.lines))
    if options.trigger_column:
        check_column(source, options.trigger_column)
        ends = _delay(source, ends, options.trigger_column)
    return Prepared(source, writer, ends)


def analysis(sliceno: int, prepare_res: Prepared) -> None:
    """Write the rows of this slice."""
    source, writer, ends = prepare_res
    rows = range(ends[sliceno - 1] if sliceno else 0, ends[sliceno])
    for columns in _in_turn(source, rows, sorted(source.columns)):
        writer.write_arrays(columns)


# ---- the order of the file


def _places(lines: Sequence[int], sliceno: int, rounds: range) -> Array:
    """Return the place in the order of the file of those rows of a slice that are dealt in some rounds.

    A round gives a row to each slice that has one, so slices that lack rows are passed over.
    """
    rows = np.arange(rounds.start, min(rounds.stop, lines[sliceno]))
    places = np.zeros(len(rows), np.int64)
    for other, count in enumerate(lines):
        places += np.minimum(rows + (other < sliceno), count)
    return places


def _round_of(lines: Sequence[int], place: int) -> int:
    """Return the round in which the row at a place of the order of the file is dealt."""
    low, high = 0, max(lines)
    while low < high:
        middle = (low + high) // 2
        if sum(min(middle + 1, count) for count in lines) <= place:
            low = middle + 1
        else:
            high = middle
    return low


def _in_turn(source: Dataset, rows: range, names: Sequence[str]) -> Iterator[dict[str, Array]]:
    """Yield rows in the order of the file, those at the places `rows`, many at a time."""
    if not rows:
        return
    lines = source.lines
    rounds = range(_round_of(lines, rows.start), _round_of(lines, rows.stop - 1) + 1)
    readers = [_Reader(source, sliceno, rounds, names) for sliceno in range(len(lines))]
    step = max(BATCH_ROWS // len(lines), _FEWEST_ROUNDS)
    for start in range(rounds.start, rounds.stop, step):
        now = range(start, min(start + step, rounds.stop))
        places = np.concatenate([_places(lines, sliceno, now) for sliceno in range(len(lines))])
        parts = [part for reader in readers for part in reader.take(now.stop)]
        order = np.argsort(places)
        places = places[order]
        order = order[(places >= rows.start) & (places < rows.stop)]
        yield {name: select(join([part[name] for part in parts]), order) for name in names}


class _Reader:
    """Reads the rows of one slice forward, from the first of `rounds` on."""

    def __init__(self, source: Dataset, sliceno: int, rounds: range, names: Sequence[str]) -> None:
        rows = range(min(rounds.start, source.lines[sliceno]), min(rounds.stop, source.lines[sliceno]))
        self._pieces = read_slice(source, sliceno, names, [rows])
        self._kept: dict[str, Array] = {}
        self._at, self._end = rows.start, rows.stop

    def take(self, stop: int) -> Iterator[dict[str, Array]]:
        """Yield the rows before the one with number `stop` that were not yet taken."""
        stop = min(stop, self._end)
        while self._at < stop:
            piece = self._kept or next(self._pieces)
            rows = len(next(iter(piece.values())))
            taken = min(rows, stop - self._at)
            yield {name: values[:taken] for name, values in piece.items()}
            self._kept = {} if taken == rows else {name: values[taken:] for name, values in piece.items()}
            self._at += taken


# ---- where slices end


def _delay(source: Dataset, ends: Sequence[int], trigger: str) -> list[int]:
    """Return the ends of slices moved to where the value in column `trigger` changes."""
    delayed: list[int] = []
    for end in ends:
        earliest = max(end, *delayed[-1:], 0)
        delayed.append(earliest and _next_change(source, earliest, ends[-1], trigger))
    return delayed


def _next_change(source: Dataset, row: int, rows: int, trigger: str) -> int:
    """Return the first row, not before `row`, whose value is another than that of the row before it; else `rows`."""
    value: Any = None
    at = row - 1
    for columns in _in_turn(source, range(at, rows), [trigger]):
        values = columns[trigger].tolist()
        if at == row - 1:
            value = values[0]
        for number, other in enumerate(values):
            if other != value and at + number >= row:
                return at + number
        at += len(values)
    return rows
