"""The first rows of a table in the order of a column: kept while all of it streams by, in bounded memory.

What there is in all is not sorted. Only the sort column is read, and of it only batches that can change the result.
"""

from collections.abc import Iterator
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np

from jobs.column.moments import Moments
from jobs.column.packed import PackedTexts
from jobs.column.transform import Array, Ints, Mask
from jobs.column.words import take_words
from porcelain.board.page import WrongQuestion
from porcelain.board.tables.batches import TEXTS, UNREAD, Plain, bytes_of
from porcelain.board.tables.comparisons import as_float, as_whole
from porcelain.board.tables.finding import IsLate, Looked, Wanted, look_through
from porcelain.board.tables.table import Table

# so many of the first rows are found; who wants others filters
DEPTH: Final = 10_000
# texts are compared by so many of their first bytes: that bounds the memory of the first rows
_COMPARED_BYTES: Final = 1_000
UNSORTED: Final = frozenset({"complex64", "complex32", UNREAD})
_WHOLE: Final = frozenset({"int64", "int32", "bool", "date", "datetime", "time"})
_NUMBERS: Final = frozenset({"int64", "int32", "bool", "number", "float64", "float32"})


class Best(Protocol):
    """The first values of those that were added, and their rows."""

    def add(self, values: Any, rows: Ints) -> None:
        """Add values that are there, with the rows that they are of, which rise from call to call."""

    def needs(self, low: Any, high: Any) -> bool:
        """Return whether a value between these two could be among the first."""

    def rows(self) -> list[int]:
        """Return their rows, the first first; of equal values the one that was added first."""


class Order:
    """The rows of a table that are wanted, in the order of one of its columns, as far as it was looked through.

    Rows without a value, or whose value is nan, come last.

    Parameters
    ----------
    name
        The column.
    descending
        The largest first.

    Raises
    ------
    WrongQuestion
        When the values of the column have no order.
    """

    def __init__(self, table: Table, wanted: Wanted, name: str, *, descending: bool) -> None:
        self._name = name
        self._best = _best_for(table, name, descending=descending)
        # the count of those that are wanted is known only when each is looked at
        self._can_skip = not wanted.names
        self._looking: Iterator[Looked] = look_through(table, wanted, also=[name])
        self._last: list[int] = []
        self._lock = Lock()
        self._lines = table.lines
        self._looked_at = self._found = 0

    def go_on(self, is_late: IsLate) -> tuple[list[int], int, int]:
        """Look at more rows, until it is late or all were looked at.

        Returns
        -------
        list of int, int, int
            The first `DEPTH` of them in order; how many were looked at; how many of these are wanted.
        """
        with self._lock:
            while self._looked_at < self._lines:
                self._add(next(self._looking))
                if is_late():
                    break
            first = self._best.rows()
            return first + self._last[: DEPTH - len(first)], self._looked_at, self._found

    def _add(self, looked: Looked) -> None:
        rows = looked.rows
        self._looked_at = looked.stop
        self._found += len(rows)
        if not len(rows):
            return
        part, begin, end = looked.part, looked.start - looked.first, looked.stop - looked.first
        assert part is not None, "it has rows"
        if not part.has(self._name):
            self._add_last(rows)
            return
        if self._can_skip and not self._best.needs(*part.bounds(self._name, begin)):
            return
        values = part.values(self._name, begin, end)
        if looked.mask is not None:
            values = values[looked.mask]
        missing = _missing(values)
        if missing is None:
            self._best.add(values, rows)
        else:
            self._add_last(rows[missing])
            self._best.add(values[~missing], rows[~missing])

    def _add_last(self, rows: Ints) -> None:
        self._last += rows[: DEPTH - len(self._last)].tolist()


def _best_for(table: Table, name: str, *, descending: bool) -> Best:
    types = set(table.types(name))
    if name not in table.names or not types:
        raise WrongQuestion(f"no column '{name}' to sort by", hint="it has " + ", ".join(table.names[:20]))
    if types <= TEXTS:
        return FirstTexts(descending=descending)
    if types <= _NUMBERS or (len(types) == 1 and types <= _WHOLE):
        return FirstNumbers(descending=descending, are_whole=types <= _WHOLE)
    if len(types) > 1:
        raise WrongQuestion(f"column '{name}' is {' and '.join(sorted(types))} in the chain: it has no order")
    what = "pickles, which are not loaded" if UNREAD in types else f"{types.pop()}, which has no order"
    raise WrongQuestion(f"column '{name}' is of {what}")


def _missing(values: Any) -> Mask | None:
    """Return which of the values are None or nan; None when none is."""
    none: Mask | None = values.none
    if isinstance(values, Plain) and values.array.dtype.kind in "fO":
        nan = values.array != values.array
        none = nan.astype(np.bool_) if none is None else none | nan.astype(np.bool_)
    return none if none is not None and none.any() else None


# ---- numbers and times


class FirstNumbers:
    """The first of many numbers, days or moments."""

    def __init__(self, *, descending: bool, are_whole: bool, depth: int = DEPTH) -> None:
        self._descending = descending
        self._are_whole = are_whole
        self._depth = depth
        self._keys: Array = np.empty(0, np.int64 if are_whole else np.float64)
        self._rows: Ints = np.empty(0, np.int64)

    def add(self, values: Any, rows: Ints) -> None:
        """Add values that are there."""
        keys = self._keys_of(values)
        if len(self._keys) == self._depth:
            # of equal ones the first stays
            better = np.flatnonzero(keys < self._keys[-1])
            keys, rows = keys[better], rows[better]
        if len(keys):
            keys, rows = np.concatenate([self._keys, keys]), np.concatenate([self._rows, rows])
            order = np.argsort(keys, kind="stable")[: self._depth]
            self._keys, self._rows = keys[order], rows[order]

    def _keys_of(self, values: Any) -> Array:
        if isinstance(values, Moments):
            keys: Array = values.codes >> 2
        elif values.array.dtype.kind in "mM":
            keys = values.array.view(np.int64)
        elif values.array.dtype == object:
            keys = np.array(list(map(as_float, values.array.tolist())), np.float64)
        else:
            keys = values.array.astype(np.int64 if self._are_whole else np.float64)
        if not self._descending:
            return keys
        # ~ of the smallest integer is the largest, where - of it is not
        return ~keys if self._are_whole else -keys

    def needs(self, low: Any, high: Any) -> bool:
        """Return whether a value between these two could be among the first."""
        if len(self._keys) < self._depth or low is None or high is None:
            return True
        end = (
            as_whole(high if self._descending else low)
            if self._are_whole
            else as_float(high if self._descending else low)
        )
        if self._descending:
            end = ~end if self._are_whole else -end
        return bool(end < self._keys[-1])

    def rows(self) -> list[int]:
        """Return their rows."""
        return list(self._rows.tolist())


# ---- texts


class FirstTexts:
    """The first of many texts, in the order of their bytes, which in UTF-8 is that of the characters."""

    def __init__(self, *, descending: bool, depth: int = DEPTH) -> None:
        self._descending = descending
        self._depth = depth
        self._kept: list[tuple[bytes, int]] = []

    def add(self, values: PackedTexts, rows: Ints) -> None:
        """Add values that are there."""
        better: Any = slice(None)
        last = self._kept[-1][0] if len(self._kept) == self._depth else None
        if last is not None:
            # by their first bytes at once, and only those that may be better one by one
            words = _first_words(values)
            better = np.flatnonzero(words >= _word(last) if self._descending else words <= _word(last))
        texts = (text[:_COMPARED_BYTES] for text in bytes_of(values, better))
        added = zip(texts, rows[better].tolist(), strict=True)
        if last is None:
            self._kept += added
        elif self._descending:
            self._kept += (pair for pair in added if pair[0] > last)
        else:
            self._kept += (pair for pair in added if pair[0] < last)
        # sorting keeps the order of equal ones, also backwards
        self._kept.sort(key=_text_of, reverse=self._descending)
        del self._kept[self._depth :]

    def needs(self, low: Any, high: Any) -> bool:  # noqa: ARG002
        """Return True: texts have no bounds."""
        return True

    def rows(self) -> list[int]:
        """Return their rows."""
        return [row for _, row in self._kept]


def _text_of(pair: tuple[bytes, int]) -> bytes:
    return pair[0]


def _first_words(values: PackedTexts) -> Array:
    """Return the first eight bytes of each text as a number that is larger when the text is; shorter ones end in 0."""
    words = take_words(values.data, values.offsets[:-1], 1)[0].byteswap()
    beyond = np.maximum(8 - values.lengths, 0).astype(np.uint64) * np.uint64(8)
    # a shift by all 64 bits is none
    cut: Array = np.where(
        beyond >= 64, np.uint64(0), words >> np.minimum(beyond, 63) << np.minimum(beyond, 63)
    )
    return cut


def _word(text: bytes) -> Any:
    return np.uint64(int.from_bytes(text[:8].ljust(8, b"\0"), "big"))
