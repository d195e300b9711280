"""The labels of a CSV file: read, stripped, renamed, discarded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from jobs.errors import DatasetError
from porcelain.methods.csvtext.rows import Rows


def count_label_lines(options: Any) -> int:
    """Return how many rows hold labels."""
    if options.label_lines is None:
        return 0 if options.labels else 1
    return int(options.label_lines)


def split_off(blocks: Iterator[Rows], count: int) -> tuple[list[list[bytes] | str], Iterator[Rows]]:
    """Return the fields of the first `count` rows, and the rows after these."""
    fields: list[list[bytes] | str] = []
    if not count:
        return fields, blocks
    for rows in blocks:
        here = np.arange(len(rows)) < count - len(fields)
        fields += map(rows.fields, np.flatnonzero(here).tolist())
        if len(fields) == count:
            return fields, chain([rows.where(~here)], blocks)
    return fields, iter(())


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
