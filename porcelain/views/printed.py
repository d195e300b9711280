"""What a job printed, a piece at a time: however much it is, little of it is in memory."""

from typing import BinaryIO, Final, NamedTuple

from cas.errors import AccError
from cas.oid import ObjectId
from cas.store import Store
from jobs.nodes.parts import ANALYSIS, is_slice, part_in_words
from jobs.nodes.run import Run
from porcelain.views.plain import View

# a longer line is cut where a piece ends
_LINE_BYTES: Final = 64 << 10


class Piece(NamedTuple):
    """A piece of what was printed: its text, and where in the whole it begins and ends, in bytes."""

    text: str
    start: int
    end: int


def parts(store: Store, run: Run) -> list[View]:
    """Return a line for each part of a job that printed something, in the order in which they ran.

    Under "here" is whether its bytes are: what is promised comes from a remote when it is read. "bytes" is None when
    nobody knows how many they are.
    """
    return [
        {"part": part, "words": in_words(part), "bytes": _size_of(store, blob), "here": store.has(blob)}
        for part, blob in run.printed().items()
    ]


def in_words(part: str) -> str:
    """Return the name of a part as people read it.

    >>> in_words("3"), in_words("prepare")
    ('analysis, slice 3', 'prepare')
    """
    return part_in_words(ANALYSIS, int(part)) if is_slice(part) else part


def read_piece(store: Store, blob: ObjectId, start: int, end: int) -> Piece:
    """Return what was printed from a byte to another; both move on to where a line begins, if that is near.

    So pieces that follow each other leave nothing out, and nothing comes twice.
    """
    with store.open(blob) as stream:
        start, end = _line_start(stream, start), _line_start(stream, end)
        stream.seek(start)
        data = stream.read(end - start)
    return Piece(data.decode("utf-8", "replace"), start, start + len(data))


def _line_start(stream: BinaryIO, at: int) -> int:
    """Return where the first line begins at or behind a byte; that byte, when there is none near."""
    if at == 0:
        return 0
    # with the byte before: a line may begin just here
    stream.seek(at - 1)
    found = stream.read(_LINE_BYTES).find(b"\n")
    return at if found < 0 else at + found


def _size_of(store: Store, blob: ObjectId) -> int | None:
    try:
        return store.size_of(blob)
    except AccError:
        return None
