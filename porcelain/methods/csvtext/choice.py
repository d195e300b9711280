"""The types of columns that nobody named, chosen by the first rows of a file."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from jobs.column.packed import Spans
from jobs.column.parse import Conversion
from porcelain.methods.csvtext.blocks import Block, Blocks, Done
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.lossless import UNICODE, lossless_conversions
from porcelain.methods.csvtext.rows import find_rows
from porcelain.methods.typeplan import TypedColumn, with_conversion

# of rows that are looked at: the choice depends on it, so it depends on nothing
_LOOKED_AT_BYTES: Final = 4 << 20
_PART_BYTES: Final = 1 << 20
# what does not fit is told by a few rows as a rule, and costs more than what does
_FEW_ROWS: Final = 64


def choose_types(
    blocks: Blocks, dialect: Dialect, labels: Sequence[str | None], untyped: Sequence[str], options: Any
) -> dict[str, TypedColumn]:
    """Return how columns are typed, by label, given the text behind the labels, which is read again afterwards.

    Parameters
    ----------
    labels
        Of all columns in the file.
    untyped
        Of those to be typed.
    options
        Those of csvimport.
    """
    conversions = list(lossless_conversions(numeric_comma=options.numeric_comma, timezone=options.timezone))
    none_texts = [b"", *(text.encode() for text in options.none_values if text)]
    choices = {label: Choice(conversions, none_texts) for label in untyped}

    def look(block: Block, _lane: int) -> Done[bool]:
        seen = False
        for found in find_rows(block.text, dialect, last=block.last, part_bytes=_PART_BYTES):
            seen = True
            rows = found.rows.without_extra(len(labels)) if options.allow_extra_empty else found.rows
            rows = rows.where(rows.counts == len(labels))
            for number, label in enumerate(labels):
                if label in choices:
                    choices[label].look(rows.column(number))
        return Done(0, 0, seen)

    # a row may be longer than what is looked at
    for _, seen in blocks.read(look, block_bytes=_LOOKED_AT_BYTES):
        if seen:
            break
    return {
        label: with_conversion(label, label, choice.conversion, options) for label, choice in choices.items()
    }


class Choice:
    """Which conversions fit all texts of a column that were looked at.

    Parameters
    ----------
    conversions
        In the order of choice; the last fits any text.
    none_texts
        What stands for None, and fits whatever has values.
    """

    def __init__(self, conversions: Sequence[Conversion], none_texts: Sequence[bytes]) -> None:
        self._fitting = list(conversions)
        self._text = next(each for each in conversions if each.name == UNICODE)
        self._none_texts = none_texts
        self._has_values = False

    @property
    def conversion(self) -> Conversion:
        """The first that fits; text when there was nothing but None."""
        return self._fitting[0] if self._has_values else self._text

    def look(self, texts: Spans) -> None:
        """Drop the conversions that do not fit one of these texts."""
        are_none = np.zeros(len(texts.starts), np.bool_)
        for text in self._none_texts:
            are_none |= texts.equal(text)
        texts = texts.where(~are_none)
        for rows in (slice(0, _FEW_ROWS), slice(_FEW_ROWS, None)):
            some = texts.where(rows)
            if len(some.starts):
                self._has_values = True
                self._fitting = [each for each in self._fitting if each.kernel(some)[1] is None]
