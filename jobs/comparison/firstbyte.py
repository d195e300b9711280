"""Where two streams differ first: the byte, and the line when they are text."""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Final, NamedTuple

_PIECE_BYTES: Final = 1 << 20
_LINE_BYTES: Final = 200
# at both ends of what is shown a character may be cut
_CUT_BYTES: Final = 6


class Split(NamedTuple):
    """The first byte that differs, counted from 0; the line that it is in, counted from 1, and where that begins."""

    at: int
    line: int
    start: int


def find_split(one: BinaryIO, other: BinaryIO, is_late: Callable[[], bool] = lambda: False) -> Split | None:
    """Return where two streams that are not equal differ, reading both a piece at a time; None when it gets late."""
    at = start = 0
    line = 1
    read = partial(_read_full, size=_PIECE_BYTES)
    while True:
        mine, its = read(one), read(other)
        same = _common_length(mine, its)
        line += mine.count(b"\n", 0, same)
        last = mine.rfind(b"\n", 0, same)
        start = at + last + 1 if last >= 0 else start
        at += same
        if same < max(len(mine), len(its)) or not mine:
            return Split(at, line, start)
        if is_late():
            return None


def _read_full(stream: BinaryIO, size: int) -> bytes:
    """Return the next `size` bytes, fewer only at the end."""
    pieces = []
    while size and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _common_length(one: bytes, other: bytes) -> int:
    """Return how many bytes are equal at the start of both, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def lines_at(one: BinaryIO, other: BinaryIO, split: Split) -> tuple[str, str]:
    """Return the line of each that differs, from shortly before that place; "" for both unless they are text."""
    start = max(split.start, split.at - _LINE_BYTES // 2)
    shown = []
    for stream in (one, other):
        stream.seek(start)
        line = _read_full(stream, _LINE_BYTES).partition(b"\n")[0].rstrip(b"\r")
        text = line.decode("utf-8", "ignore")
        if len(text.encode()) < len(line) - _CUT_BYTES or not text.isprintable():
            return "", ""
        shown.append(text)
    return shown[0], shown[1]
