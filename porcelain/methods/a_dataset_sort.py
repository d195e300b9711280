"""Sorted dataset: each slice for itself, or all rows together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from jobs.dataset.dataset import Dataset
from jobs.dataset.lists import DatasetChain
from jobs.dataset.writer import DatasetWriter
from jobs.errors import OptionError
from jobs.method.options import OptionEnum, OptionString
from porcelain.methods.tables.chains import chain_since, check_alike
from porcelain.methods.tables.columns import Columns, count_rows, join, read_slice
from porcelain.methods.tables.moving import Moved, put_scattered
from porcelain.methods.tables.ordering import Ordering, check_sortable
from porcelain.methods.tables.parallel import in_each_slice
from porcelain.methods.tables.scratch import Scratch
from porcelain.methods.tables.sorting import Buckets, rows_in_memory, sample, sorted_batches

version = 1

description = """Dataset sorted by one or more columns.

The sort is stable, in descending order too. None is as the smallest number, as False's predecessor or as the empty
text, but as the latest date or time; nan is as infinity. The datasets of a chain, from the source of previous on,
become one.

Each slice is sorted for itself; with sort_across_slices all rows are sorted, and cut into slices of equal size. With
trigger_column a slice goes on until the value in that column changes.
"""

options = {
    "sort_columns": [OptionString],  # the first counts most
    "sort_order": OptionEnum("ascending descending").ascending,
    "sort_across_slices": False,  # sort all rows, not each slice
    "trigger_column": str,  # one of sort_columns: another slice begins only where its value changes
    "memory": 512,  # megabytes of rows that a slice sorts at once, about; others wait on disk
}
datasets = ("source", "previous")


class Across(NamedTuple):
    """Rows of all slices, in buckets on disk.

    Attributes
    ----------
    moved : list of Moved
        Where the rows of each bucket are, in the order in which the rows were.
    scratches : list of Scratch
        For each of `moved`.
    spans : dict of int to range
        Which of all sorted rows are in each bucket, for those that have any.
    """

    buckets: Buckets
    moved: list[Moved]
    scratches: list[Scratch]
    spans: dict[int, range]

    def rows_from(self, first: int) -> Iterator[Columns]:
        """Yield sorted rows, from the one with number `first` on."""
        for number, span in self.spans.items():
            if span.stop <= first:
                continue
            pieces = (
                piece
                for moved, scratch in zip(self.moved, self.scratches, strict=True)
                for piece in scratch.take(moved.get(number, ()))
            )
            at = span.start
            for piece in self.buckets.in_order(number, pieces):
                rows = count_rows(piece)
                if at + rows > first:
                    yield _cut(piece, max(first - at, 0), rows)
                at += rows


class Prepared(NamedTuple):
    """What is sorted how, and where it goes; `across` and `ends`, the row after each slice, when all is sorted."""

    chain: "DatasetChain[Dataset]"
    ordering: Ordering
    writer: DatasetWriter
    across: Across | None
    ends: list[int]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Prepared:
    """Make the writer; across slices, put the rows into buckets."""
    _check_options(options)
    source = datasets.source
    chain = chain_since(source, datasets.previous)
    for each in chain:
        check_alike(each, source)
        check_sortable(each, options.sort_columns)
    writer = _make_writer(job, options, chain, datasets.previous)
    by = {name: source.columns[name].type for name in options.sort_columns}
    ordering = Ordering(by, descending=options.sort_order == "descending")
    if not options.sort_across_slices:
        return Prepared(chain, ordering, writer, None, [])
    across = _sort_across(chain, ordering, options.memory, slices)
    ends = _split_evenly(chain.lines(), slices)
    if options.trigger_column:
        trigger = Ordering({options.trigger_column: by[options.trigger_column]})
        ends = _delay(ends, across, trigger)
    return Prepared(chain, ordering, writer, across, ends)


def analysis(sliceno: int, options: Any, prepare_res: Prepared) -> None:
    """Write the rows of this slice in their order."""
    chain, ordering, writer, across, ends = prepare_res
    if across is None:
        columns = chain[-1].columns
        batches = sorted_batches(
            partial(_read_chain, chain, sliceno),
            chain.lines(sliceno),
            ordering,
            sorted(columns),
            rows_in_memory(chain, options.memory),
        )
    else:
        first = ends[sliceno - 1] if sliceno else 0
        batches = _first_rows(across.rows_from(first), ends[sliceno] - first)
    for batch in batches:
        writer.write_arrays(batch, are_placed=True)


def _check_options(options: Any) -> None:
    if not options.sort_columns:
        raise OptionError("no column to sort by", hint="sort_columns=['COLUMN'] names it")
    if options.trigger_column and not options.sort_across_slices:
        raise OptionError("trigger_column says nothing without sort_across_slices")
    if options.trigger_column and options.trigger_column not in options.sort_columns:
        raise OptionError(f"trigger_column '{options.trigger_column}' is none of sort_columns")


def _make_writer(job: Any, options: Any, chain: "DatasetChain[Dataset]", previous: Dataset) -> DatasetWriter:
    source = chain[-1]
    stay = not options.sort_across_slices and {each.hashlabel for each in chain} == {source.hashlabel}
    writer: DatasetWriter = job.datasetwriter(
        columns={name: (column.type, chain.none_support(name)) for name, column in source.columns.items()},
        caption=source.caption,
        hashlabel=source.hashlabel if stay else None,
        filename=source.filename if len(chain) == 1 else None,
        previous=previous,
    )
    return writer


def _read_chain(chain: "DatasetChain[Dataset]", sliceno: int, names: Sequence[str]) -> Iterator[Columns]:
    for source in chain:
        yield from read_slice(source, sliceno, names)


# ---- all slices together


def _sort_across(chain: "DatasetChain[Dataset]", ordering: Ordering, memory: int, slices: int) -> Across:
    rows = chain.lines()
    samples = in_each_slice(slices, lambda sliceno: sample(_read_chain(chain, sliceno, ordering.names), rows))
    samples = [each for each in samples if each]
    together = {name: join([each[name] for each in samples]) for name in ordering.names if samples}
    # slices that meet in a bucket both sort it, so there are some more than slices
    buckets = Buckets(ordering, together, max(4 * slices, 2 * rows // rows_in_memory(chain, memory)) + 1)
    scratches = [Scratch() for _ in range(slices)]
    scattered = in_each_slice(slices, partial(_scatter_slice, chain, buckets, scratches))
    sizes = sum((sizes for each in scattered for _, sizes in each), Counter[int]())
    spans: dict[int, range] = {}
    end = 0
    for number, size in sorted(sizes.items()):
        spans[number] = range(end, end + size)
        end += size
    # as the rows were: dataset by dataset, in each slice by slice
    moved = [each[dataset][0] for dataset in range(len(chain)) for each in scattered]
    return Across(buckets, moved, scratches * len(chain), spans)


def _scatter_slice(
    chain: "DatasetChain[Dataset]", buckets: Buckets, scratches: list[Scratch], sliceno: int
) -> list[tuple[Moved, Counter[int]]]:
    """Put the rows of a slice into buckets; return for each dataset where they are, and the sizes of the buckets."""
    found = []
    for source in chain:
        moved: Moved = {}
        sizes: Counter[int] = Counter()
        for columns in read_slice(source, sliceno, sorted(source.columns)):
            numbers = buckets.number_of(columns)
            sizes.update(dict(enumerate(np.bincount(numbers).tolist())))
            put_scattered(columns, numbers, scratches[sliceno], moved)
        found.append((moved, +sizes))
    return found


def _split_evenly(rows: int, slices: int) -> list[int]:
    """Return the number of the row after each slice; the first slices have one row more when there are some left."""
    each, left = divmod(rows, slices)
    return list(accumulate(each + (sliceno < left) for sliceno in range(slices)))


def _delay(ends: list[int], across: Across, trigger: Ordering) -> list[int]:
    """Return the ends of slices moved to where the value in the column of `trigger` changes."""
    delayed: list[int] = []
    for end in ends[:-1]:
        earliest = max(end, *delayed[-1:], 0)
        delayed.append(earliest and _next_change(across.rows_from(earliest - 1), earliest - 1, trigger))
    return [*delayed, ends[-1]]


def _next_change(batches: Iterator[Columns], at: int, trigger: Ordering) -> int:
    """Return the number of the first row with another value than the first, which is row `at`; else of the end."""
    (name,) = trigger.names
    first = None
    for batch in batches:
        values = batch[name]
        if first is None:
            first = values[:1]
        ranks = trigger.rank({name: join([first, values])})
        others = np.flatnonzero(ranks != ranks[0])
        if len(others):
            return at + int(others[0]) - 1
        at += len(values)
    return at


def _first_rows(batches: Iterator[Columns], rows: int) -> Iterator[Columns]:
    for batch in batches:
        if not rows:
            return
        taken = min(count_rows(batch), rows)
        yield _cut(batch, 0, taken)
        rows -= taken


def _cut(columns: Columns, start: int, stop: int) -> Columns:
    return {name: values[start:stop] for name, values in columns.items()}
