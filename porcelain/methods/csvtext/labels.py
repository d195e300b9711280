"""The labels of a CSV file: read, stripped, renamed, discarded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from jobs.column.transform import Mask
from jobs.errors import DatasetError
from porcelain.methods.csvtext.blocks import Block, Blocks, Done
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.rows import Rows, find_rows

# the rows of labels, as a rule, and not much more
_HEAD_BYTES: Final = 1 << 16


def count_label_lines(options: Any) -> int:
    """Return how many rows hold labels."""
    if options.label_lines is None:
        return 0 if options.labels else 1
    return int(options.label_lines)


def read_head(
    blocks: Blocks, dialect: Dialect, wanted: int, *, skip_empty: bool
) -> Iterator[tuple[int, Rows, Mask]]:
    """Yield rows up to the last one of labels, fewer at the end of the text.

    Parameters
    ----------
    wanted
        How many rows of labels there are.
    skip_empty
        Whether empty lines are left out, as comments are.

    Yields
    ------
    int, Rows, (n,) bool
        Number of lines before the text of the rows, the rows, and which of them are left out.
    """
    read = 0

    def find(block: Block, _lane: int) -> Done[list[tuple[Rows, Mask]]]:
        found = next(find_rows(block.text, dialect, last=block.last, part_bytes=_HEAD_BYTES), None)
        if found is None:
            return Done(0, 0, [])
        rows, end, lines = found
        left_out = rows.are_left_out(empty=skip_empty)
        count = int(np.searchsorted(np.cumsum(~left_out), wanted - read)) + 1
        if count < len(rows):
            end, lines = int(rows.starts[count]), int(rows.lines[count]) - 1
            rows, left_out = rows.take(np.arange(count)), left_out[:count]
        return Done(end, lines, [(rows, left_out)])

    if wanted:
        for lines, found in blocks.read(find, block_bytes=_HEAD_BYTES):
            for rows, left_out in found:
                read += int(np.count_nonzero(~left_out))
                yield lines, rows, left_out
            if read == wanted:
                return


def choose_labels(rows: Sequence[list[bytes] | str], options: Any, name: str) -> list[str | None]:
    """Return the label of each column in the file `name`, None for those to be discarded."""
    labels = list(options.labels) or _read_labels(rows, options.label_encoding, name)
    if options.strip_labels:
        labels = [label.strip() for label in labels]
    chosen = [options.rename.get(label, label) for label in labels]
    chosen = [None if label in options.discard else label for label in chosen]
    kept = [label for label in [*chosen, options.lineno_label or None] if label is not None]
    for label, times in Counter(kept).items():
        if times > 1:
            raise DatasetError(
                f"'{name}' has {times} columns '{label}'",
                hint="'labels' gives them other names, 'discard' leaves them out",
            )
    return chosen


def _read_labels(rows: Sequence[list[bytes] | str], encoding: str, name: str) -> list[str]:
    broken = [row for row in rows if isinstance(row, str)]
    whole = [row for row in rows if not isinstance(row, str)]
    if broken:
        raise DatasetError(f"'{name}' has {broken[0]} among the labels")
    if not whole:
        raise DatasetError(f"'{name}' has no labels", hint="labels=[...] names the columns")
    if len({len(row) for row in whole}) > 1:
        raise DatasetError(f"'{name}' has lines of labels with different numbers of fields")
    try:
        return [b" ".join(parts).decode(encoding) for parts in zip(*whole, strict=True)]
    except (UnicodeDecodeError, LookupError) as err:
        raise DatasetError(f"labels of '{name}' that are no {encoding}", hint="see label_encoding") from err
