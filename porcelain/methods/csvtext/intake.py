"""What becomes of the rows of a CSV file: the columns of the good, the bad and the skipped ones, dealt out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from jobs.column.kernel import join_masks
from jobs.column.packed import Spans
from jobs.column.transform import Ints, Mask
from jobs.errors import ColumnError
from porcelain.methods.csvtext.blocks import Block, Done
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.hands import Piece, deal, put_piece
from porcelain.methods.csvtext.refusal import Refused
from porcelain.methods.csvtext.rows import Rows, find_rows
from porcelain.methods.tables.columns import Columns, Values
from porcelain.methods.tables.scratch import Scratch
from porcelain.methods.typeplan import NO_DEFAULT, TypedColumn

# kinds of rows, as the result names them
GOOD, BAD, SKIPPED = "lines", "broken_lines", "skipped_lines"


# arrays of so many bytes of text stay in the caches of a core, and are made in memory that is used again: a third of
# the time of packing columns of 8 MB
_PART_BYTES: Final = 1 << 20
# with many slices or columns larger ones, or each column of each slice would get a few values at a time: with a quarter
# of this, 500 columns take twice the time. Not of any size: the places of fields take tens of times the memory of text
_PART_BYTES_OF_SLICE: Final = 1 << 16
_PART_BYTES_OF_COLUMN_OF_SLICE: Final = 1 << 11
_MOST_PART_BYTES: Final = 1 << 23


class Taken(NamedTuple):
    """What was taken in: pieces by kind of row, and how many texts of each column could not be converted."""

    pieces: list[tuple[str, Piece]]
    bad: Counter[str]


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes in the rows of a file, a block at a time, in any process.

    Attributes
    ----------
    options
        Those of csvimport.
    typed : dict of str to TypedColumn
        By label, how columns are typed, also by a choice made before the rows are taken in; the others are bytes.
    slices : int
        How many there are.
    scratches : list of Scratch
        One for each lane.
    labels : list of str or None
        Of the columns in the file; None for one that is left out.
    """

    options: Any
    dialect: Dialect
    typed: dict[str, TypedColumn]
    slices: int
    scratches: Sequence[Scratch]
    labels: Sequence[str | None] = ()

    def __call__(self, block: Block, lane: int) -> Done[Taken]:
        """Find the rows of a block and leave their columns in the scratch file of the lane; a `Work`."""
        taken, end, lines = Taken([], Counter()), 0, 0
        part_bytes = self.slices * max(
            _PART_BYTES_OF_SLICE, len(self.labels) * _PART_BYTES_OF_COLUMN_OF_SLICE
        )
        part_bytes = min(max(part_bytes, _PART_BYTES), _MOST_PART_BYTES)
        for found in find_rows(block.text, self.dialect, last=block.last, part_bytes=part_bytes):
            self._take(found.rows, lane, taken)
            end, lines = found.end, found.lines
        return Done(end, lines, taken)

    def skip(self, lines: Ints, texts: Spans, lane: int = 0) -> Piece:
        """Leave rows that are no columns in a scratch file, given the numbers of their lines."""
        order = deal(len(lines), self.slices)
        columns = {"lineno": lines[order], "data": texts.where(order).pack()}
        return put_piece(columns, len(lines), self.slices, self.scratches, lane)

    # -- rows --------------------------------------------------------------------------------------------------

    def _take(self, rows: Rows, lane: int, taken: Taken) -> None:
        left_out = rows.are_left_out(empty=self.options.skip_empty_lines)
        if left_out.any():
            skipped = rows.where(left_out)
            taken.pieces.append((SKIPPED, self.skip(skipped.lines, skipped.raw(), lane)))
            rows = rows.where(~left_out)
        width = len(self.labels)
        if self.options.allow_extra_empty:
            rows = rows.without_extra(width)
        good = rows.counts == width
        if not (good.all() or self.options.allow_bad):
            raise _bad_row(rows, int(np.argmin(good)), width)
        columns, untypable = self._columns(rows.where(good), taken.bad)
        if untypable is not None:
            good[np.flatnonzero(good)[untypable]] = False
            columns, _ = self._columns(rows.where(good), Counter())
        if not good.all():
            bad = rows.where(~good)
            taken.pieces.append((BAD, self.skip(bad.lines, bad.raw(), lane)))
        piece = put_piece(columns, int(np.count_nonzero(good)), self.slices, self.scratches, lane)
        taken.pieces.append((GOOD, piece))

    def _columns(self, rows: Rows, bad: Counter[str]) -> tuple[Columns, Ints | None]:
        """Return columns in the order of `deal`, and the rows that filter_bad leaves out, and count bad texts."""
        if not len(rows):
            return {}, None
        order = deal(len(rows), self.slices)
        rows = rows.take(order)
        columns: dict[str, Values] = {}
        left_out: Mask | None = None
        for number, label in enumerate(self.labels):
            if label is None:
                continue
            texts = rows.column(number)
            if label in self.typed:
                columns[label], wrong = self._convert(self.typed[label], texts, rows.lines, bad)
                left_out = left_out if wrong is None else join_masks(left_out, wrong)
            else:
                columns[label] = texts.pack()
        if self.options.lineno_label:
            columns[self.options.lineno_label] = rows.lines
        return columns, None if left_out is None else order[left_out]

    def _convert(
        self, column: TypedColumn, texts: Spans, lines: Ints, bad: Counter[str]
    ) -> tuple[Values, Mask | None]:
        """Return the values of texts, and which rows filter_bad leaves out, and count the bad texts."""
        values, none, wrong = column.conversion.convert_spans(texts, column.none_texts)
        if wrong is not None:
            if column.default is not NO_DEFAULT:
                values, none = column.fill(values, none, wrong)
            elif not self.options.filter_bad:
                is_named = column.name in self.options.column2type
                raise _bad_text(column, texts.where(wrong), lines[wrong], is_named=is_named)
            bad[column.name] += int(np.count_nonzero(wrong))
        left_out = wrong if column.default is NO_DEFAULT else None
        return values if none is None else (values, none), left_out


def _bad_row(rows: Rows, row: int, width: int) -> Refused:
    fields = rows.get(row)
    what = fields if isinstance(fields, str) else f"{_counted(len(fields))} instead of {width}"
    return Refused(int(rows.lines[row]), f" has {what}", "allow_bad=True puts such lines into dataset 'bad'")


def _counted(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _bad_text(column: TypedColumn, texts: Spans, lines: Ints, *, is_named: bool) -> Refused:
    row = int(np.argmin(lines))
    shown = texts.where([row]).tolist()[0].decode("utf-8", "backslashreplace")[:60]
    hint = "none_values, defaults and filter_bad say what becomes of such a text"
    if not is_named:
        hint = f"the first rows fit that type; column2type={{'{column.name}': ...}} says another; {hint}"
    return Refused(
        int(lines[row]),
        f", column '{column.name}': '{shown}' is no {column.conversion.name}",
        hint,
        ColumnError,
    )
