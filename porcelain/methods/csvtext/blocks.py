"""CSV text a block of rows at a time, each worked on by itself: as if it were read from its beginning to its end.

Where a block ends is a guess, as only who reads all quotes knows which newlines are within a field. The work on a block
finds where its last row truly ends; when that is not where the block does, the blocks after it are cut anew.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from mmap import mmap
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from cas.threads import usable_cores
from jobs.column.words import Bytes
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.refusal import Refused

R = TypeVar("R")

# of the blocks that are in memory at a time. Larger ones are better, as a new process costs as much as the work on
# 1 MB: with two cores half of this took 1.1 times the time
BYTES_AT_ONCE: Final = 48 << 20
LEAST_BLOCK_BYTES: Final = 4 << 20
# a field with more newlines than this at the end of a block is a wrong guess, and work done twice
_NEWLINES_LOOKED_AT: Final = 16
# arrays of this size stay in a core's cache, and in memory that is used again
_CHUNK_BYTES: Final = 1 << 18


class Readable(Protocol):
    """Where CSV text comes from."""

    def read(self, size: int, /) -> bytes:
        """Return some bytes, none at the end."""


class Block(NamedTuple):
    """Text that begins with a row.

    Attributes
    ----------
    text : memoryview
        Of bytes.
    last : bool
        Whether nothing comes after it; then it ends with the end of a line.
    memory : mmap
        What it lies in.
    """

    text: memoryview
    last: bool
    memory: mmap


class Done(NamedTuple, Generic[R]):
    """What work on a block gave: where its last row ends, after how many lines, and the result."""

    end: int
    lines: int
    result: R


# called with a block and the number of a lane; raises `Refused`
Work: TypeAlias = Callable[[Block, int], Done[R]]


class Runner(Protocol):
    """Calls a function for each item, with the number of the lane that it runs in, and yields the results in order."""

    def __call__(
        self, items: Iterable[Block], work: Callable[[Block, int], R], /
    ) -> Generator[R, None, None]:
        """Yield `work(item, lane)` for each item; items are taken a few ahead."""


def one_by_one(items: Iterable[Block], work: Callable[[Block, int], R]) -> Generator[R, None, None]:
    """Run work in this process."""
    for item in items:
        yield work(item, 0)


class Blocks:
    """CSV text, cut into blocks of whole rows.

    A block lies in shared memory, which is used again for later ones: memory of its own would cost this process, and
    every one that it forks, a page fault for each 4 KB.

    Parameters
    ----------
    stream
        Where the text comes from.
    dialect
        How it is written.
    name
        What errors call it.
    lines
        Number of lines before it.
    """

    def __init__(self, stream: Readable, dialect: Dialect, name: str, lines: int = 0) -> None:
        self._stream = stream
        self._dialect = dialect
        self._name = name
        self._lines = lines
        self._drawn: deque[Block] = deque()
        self._spare: list[mmap] = []
        self._rest = b""  # what has been read behind these
        self._is_all = False  # and nothing follows
        self._least = 0  # so many bytes of it have not one whole row

    def read(
        self, work: Work[R], run: Runner = one_by_one, *, block_bytes: int | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield the number of lines before each block, and the result of the work on it.

        Whoever stops may call it again: it goes on behind the last result that was taken.

        Parameters
        ----------
        work
            It may take fewer rows than there are in a block: the next block begins behind them.
        run
            Runs the work on several blocks at once, or on one.
        block_bytes
            Memory use, not the result, depends on it; by default what suits as many workers as there are cores.

        Raises
        ------
        DatasetError, ColumnError
            What the work refuses, when all before it has been yielded.
        """
        if block_bytes is None:
            block_bytes = max(LEAST_BLOCK_BYTES, BYTES_AT_ONCE // (usable_cores() + 1))
        more = True
        while more:
            more = False
            results = self._run(work, run, block_bytes)
            try:
                for done in results:
                    if isinstance(done, Refused):
                        raise done.in_file(self._name, self._lines)
                    before, more = self._lines, self._take(done)
                    yield before, done.result
                    if more:
                        break
            finally:
                results.close()
                self._rest = b"".join([*(block.text for block in self._drawn), self._rest])
                self._drawn.clear()

    def _run(self, work: Work[R], run: Runner, block_bytes: int) -> Generator[Done[R] | Refused, None, None]:
        def guarded(block: Block, lane: int) -> Done[R] | Refused:
            try:
                return work(block, lane)
            except Refused as err:
                return err

        blocks = self._cut(block_bytes)
        first = next(blocks, None)
        if first is None or first.last:
            # a process for a small file costs more than it gains
            return one_by_one([] if first is None else [first], guarded)
        return run(chain([first], blocks), guarded)

    def _take(self, done: Done[R]) -> bool:
        """Go on behind what was worked on; return whether that is not where the block ended."""
        block = self._drawn.popleft()
        self._lines += done.lines
        if done.end == len(block.text):
            self._spare.append(block.memory)
            return False
        self._drawn.appendleft(block._replace(text=block.text[done.end :]))
        self._least = 0 if done.end else len(block.text)
        return True

    def _cut(self, block_bytes: int) -> Iterator[Block]:
        while True:
            least, self._least = self._least, 0
            # twice as much each time, or a row of many blocks would be looked at once for each of them
            size = least + max(least, block_bytes)
            buffer = self._spare.pop() if self._spare else mmap(-1, size + 1)
            if len(buffer) <= size:
                buffer = mmap(-1, size + 1)
            size = self._fill(buffer, size)
            if not size:
                return
            last = self._is_all and not self._rest
            if last and buffer[size - 1] != self._dialect.line_end[0]:
                buffer[size] = self._dialect.line_end[0]
                size += 1
            end = size if last else _guess_end(buffer, range(least, size), self._dialect)
            self._rest = buffer[end:size] + self._rest
            self._drawn.append(Block(memoryview(buffer)[:end], last, buffer))
            yield self._drawn[-1]

    def _fill(self, buffer: mmap, size: int) -> int:
        """Read up to `size` bytes, fewer at the end; return how many."""
        filled = 0
        while filled < size:
            if not self._rest and not self._is_all:
                self._rest = self._stream.read(min(size - filled, _CHUNK_BYTES))
                self._is_all = not self._rest
            taken = self._rest[: size - filled]
            if not taken:
                break
            buffer[filled : filled + len(taken)] = taken
            self._rest = self._rest[len(taken) :]
            filled += len(taken)
        return filled


def _guess_end(text: mmap, places: range, dialect: Dialect) -> int:
    """Return where a row of a text seems to end, the last of those that end within `places`; else where these end."""
    chars = np.frombuffer(text, np.uint8)
    before = [_count(chars[: places.stop], quote) for quote in dialect.quotes]
    last, stop = 0, places.stop
    for _ in range(_NEWLINES_LOOKED_AT):
        end = text.rfind(dialect.line_end, places.start, stop) + 1
        if not end:
            break
        last = last or end
        before = [
            count - _count(chars[end:stop], quote)
            for count, quote in zip(before, dialect.quotes, strict=True)
        ]
        if not any(count % 2 for count in before):
            return end
        stop = end - 1
    # so many newlines in one field are less likely than a quote that is a character
    return last or places.stop


def _count(chars: Bytes, byte: int) -> int:
    parts = (chars[start : start + _CHUNK_BYTES] for start in range(0, len(chars), _CHUNK_BYTES))
    return sum(int(np.count_nonzero(part == byte)) for part in parts)
