"""CSV text a block of rows at a time, each worked on by itself: as if it were read from its beginning to its end.

Where a block ends is a guess, as only who reads all quotes knows which newlines are within a field. The work on a block
finds where its last row truly ends; when that is not where the block does, the blocks after it are cut anew.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from cas.threads import usable_cores
from porcelain.methods.csvtext.dialect import Dialect
from porcelain.methods.csvtext.refusal import Refused

R = TypeVar("R")

# of the blocks that are in memory at a time. Larger ones are better, as a new process costs as much as the work on
# 1 MB: with two cores half of this took 1.1 times the time
BYTES_AT_ONCE: Final = 48 << 20
LEAST_BLOCK_BYTES: Final = 4 << 20
# a field with more newlines than this at the end of a block is a wrong guess, and work done twice
_NEWLINES_LOOKED_AT: Final = 16


class Readable(Protocol):
    """Where CSV text comes from."""

    def read(self, size: int, /) -> bytes:
        """Return some bytes, none at the end."""


class Block(NamedTuple):
    """Text that begins with a row, and whether nothing comes after it; then it ends with the end of a line."""

    text: bytes
    last: bool


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
            return False
        self._drawn.appendleft(block._replace(text=block.text[done.end :]))
        self._least = 0 if done.end else len(block.text)
        return True

    def _cut(self, block_bytes: int) -> Iterator[Block]:
        while True:
            size = self._least + block_bytes
            self._fill(size)
            if not self._rest:
                return
            last = self._is_all and len(self._rest) <= size
            if last and not self._rest.endswith(self._dialect.line_end):
                self._rest += self._dialect.line_end
            end = len(self._rest) if last else self._guess_end(size)
            self._drawn.append(Block(self._rest[:end], last))
            self._rest, self._least = self._rest[end:], 0
            yield self._drawn[-1]

    def _fill(self, size: int) -> None:
        """Read until the rest has `size` bytes, or nothing follows."""
        pieces, lacking = [self._rest], size - len(self._rest)
        while lacking > 0 and not self._is_all:
            pieces.append(self._stream.read(lacking))
            lacking -= len(pieces[-1])
            self._is_all = not pieces[-1]
        self._rest = b"".join(pieces)

    def _guess_end(self, size: int) -> int:
        """Return where a row of the rest seems to end, the last of those within `size` bytes."""
        rest, quotes = self._rest, self._dialect.quotes
        chars = np.frombuffer(rest, np.uint8)[:size]
        before = [int(np.count_nonzero(chars == quote)) for quote in quotes]
        last, stop = 0, size
        for _ in range(_NEWLINES_LOOKED_AT):
            end = rest.rfind(self._dialect.line_end, self._least, stop) + 1
            if not end:
                break
            last = last or end
            before = [
                count - rest.count(quote, end, stop) for count, quote in zip(before, quotes, strict=True)
            ]
            if not any(count % 2 for count in before):
                return end
            stop = end - 1
        # so many newlines in one field are less likely than a quote that is a character
        return last or size
