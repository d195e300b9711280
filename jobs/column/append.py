"""Quick ways to append one value: the common value of each type is seen at once and set aside.

A function made here costs 40 to 80 ns beyond `list.append`; a method that looks its type up costs three times that. All
that is not the common value goes the slow way, which checks, converts, or refuses it.
"""

import datetime
from array import array
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from jobs.column.types import UTC

Append: TypeAlias = Callable[[Any], None]

# few enough that a writer that waits costs little (a split dataset has one for each column and slice)
CHUNK_ROWS: Final = 4096
# a text of this size ends a chunk by itself; so no chunk is larger than 16 MiB
LARGE_BYTES: Final = 4096
_SMALLEST_INT64, _LARGEST_INT64 = -(1 << 63), (1 << 63) - 1
_LARGEST_FLOAT32: Final = float.fromhex("0x1.fffffep+127")

# an array refuses what these types refuse, converts at once, and takes a quarter of a list's memory
_ARRAYS: Final = {"int64": "q", "int32": "i", "float64": "d", "float32": "d"}


class Pending:
    """Values on their way into a piece.

    Attributes
    ----------
    values : list or array
        What has been appended, but for None; emptied by `absorb` and never replaced.
    nones : list of int
        The rows that are None.
    append_slowly : callable
        Takes any value.
    absorb : callable
        Makes a piece of the values and the rows that are None, and forgets them.
    """

    __slots__ = ("absorb", "append_slowly", "nones", "values")

    def __init__(self, base: str, append_slowly: Append, absorb: Callable[[], None]) -> None:
        self.values: list[Any] | array[Any] = array(_ARRAYS[base]) if base in _ARRAYS else []
        self.nones: list[int] = []
        self.append_slowly = append_slowly
        self.absorb = absorb

    def __len__(self) -> int:
        return len(self.values) + len(self.nones)

    def clear(self) -> None:
        """Forget all values."""
        del self.values[:]
        self.nones.clear()


def make_append(base: str, pending: Pending) -> Append:
    """Return the quickest function that appends to a column of type `base`."""
    return _MAKERS[base](pending) if base in _MAKERS else pending.append_slowly


def _to_array(pending: Pending) -> Append:
    values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
    add = values.append

    def append(value: Any) -> None:
        if value is None:
            slow(value)
            return
        try:
            add(value)
        except (TypeError, OverflowError):
            slow(value)
        if len(values) >= CHUNK_ROWS:
            absorb()

    return append


def _of_type(exact: type) -> Callable[[Pending], Append]:
    def make(pending: Pending) -> Append:
        values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
        add = values.append

        def append(value: Any) -> None:
            if type(value) is exact:
                add(value)
                if len(values) >= CHUNK_ROWS:
                    absorb()
            else:
                slow(value)

        return append

    return make


def _float32(pending: Pending) -> Append:
    values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
    add = values.append

    def append(value: Any) -> None:
        # an array of float32 would make infinity of what is larger
        if type(value) is float and -_LARGEST_FLOAT32 <= value <= _LARGEST_FLOAT32:
            add(value)
            if len(values) >= CHUNK_ROWS:
                absorb()
        else:
            slow(value)

    return append


def _number(pending: Pending) -> Append:
    values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
    add = values.append

    def append(value: Any) -> None:
        if (type(value) is int and _SMALLEST_INT64 <= value <= _LARGEST_INT64) or type(value) is float:
            add(value)
            if len(values) >= CHUNK_ROWS:
                absorb()
        else:
            slow(value)

    return append


def _moment(exact: type[datetime.datetime] | type[datetime.time]) -> Callable[[Pending], Append]:
    def make(pending: Pending) -> Append:
        values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
        add = values.append

        def append(value: Any) -> None:
            if type(value) is exact and (value.tzinfo is None or value.tzinfo is UTC):
                add(value)
                if len(values) >= CHUNK_ROWS:
                    absorb()
            else:
                slow(value)

        return append

    return make


def _ascii(pending: Pending) -> Append:
    values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
    add = values.append

    def append(value: Any) -> None:
        if type(value) is str and len(value) < LARGE_BYTES and value.isascii():
            add(value)
            if len(values) >= CHUNK_ROWS:
                absorb()
        else:
            slow(value)

    return append


def _unicode(pending: Pending) -> Append:
    values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
    add = values.append

    def append(value: Any) -> None:
        if type(value) is str and len(value) < LARGE_BYTES and (value.isascii() or _is_encodable(value)):
            add(value)
            if len(values) >= CHUNK_ROWS:
                absorb()
        else:
            slow(value)

    return append


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bytes(pending: Pending) -> Append:
    values, slow, absorb = pending.values, pending.append_slowly, pending.absorb
    add = values.append

    def append(value: Any) -> None:
        if type(value) is bytes and len(value) < LARGE_BYTES:
            add(value)
            if len(values) >= CHUNK_ROWS:
                absorb()
        else:
            slow(value)

    return append


_MAKERS: Final[dict[str, Callable[[Pending], Append]]] = {
    "number": _number,
    "int64": _to_array,
    "int32": _to_array,
    "float64": _to_array,
    "float32": _float32,
    "complex64": _of_type(complex),
    "bool": _of_type(bool),
    "date": _of_type(datetime.date),
    "time": _moment(datetime.time),
    "datetime": _moment(datetime.datetime),
    "bytes": _bytes,
    "ascii": _ascii,
    "unicode": _unicode,
}
