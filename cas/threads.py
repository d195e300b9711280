"""Calls on several threads, and their results in the order of the calls.

What it pays for is work that leaves the interpreter for a millisecond or more: compressing or decompressing frames
of megabytes. Small objects lose more by changing threads than they gain.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")
R = TypeVar("R")

# each call holds a frame raw and stored, 8 MiB: more threads would take more memory than their speed is worth
_MOST_THREADS = 8


def usable_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


class Lane(Generic[R]):
    """Runs calls on as many threads as there are cores, a few ahead, and hands out results in the order of the calls.

    To be closed before the process forks, and not to be used on both sides of a fork.

    Parameters
    ----------
    take
        Called with each result, in the thread that submits and drains.
    """

    def __init__(self, take: Callable[[R], object]) -> None:
        self._take = take
        self._threads = min(usable_cores(), _MOST_THREADS)
        self._pending: deque[Future[R]] = deque()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, call: Callable[..., R], *arguments: Any) -> None:
        """Have `call(*arguments)` run; first hand out results, if as many calls as there may be are under way."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # 8 ms that a small job does not pay

            self._pool = ThreadPoolExecutor(self._threads)
        while len(self._pending) > self._threads:
            self._take(self._pending.popleft().result())
        self._pending.append(self._pool.submit(call, *arguments))

    def drain(self) -> None:
        """Wait for all calls and hand out their results."""
        while self._pending:
            self._take(self._pending.popleft().result())

    def close(self) -> None:
        """Wait for the calls that run, forget the others, and end the threads."""
        self._pending.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def in_order(call: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """Yield `call(item)` of each of `items`, computed on several threads, a few ahead of who reads them."""
    ready: deque[R] = deque()
    lane: Lane[R] = Lane(ready.append)
    try:
        for item in items:
            lane.submit(call, item)
            while ready:
                yield ready.popleft()
        lane.drain()
        yield from ready
    finally:
        lane.close()
