"""Calls on several threads, and their results in the order of the calls.

What it pays for is work that leaves the interpreter for a millisecond or more: compressing or decompressing frames
of megabytes. Small objects lose more by changing threads than they gain.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from functools import cache
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


class _Pool:
    """The threads of a process: as many as there are cores, as long as there are lanes.

    However many lanes there are, only a few calls are under way: each holds a frame raw and stored.
    """

    def __init__(self) -> None:
        self._reset()
        # a forked child has none of the threads
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        import threading  # here, not above: a command that reads one object starts no threads

        # a lane may be forgotten, and so leave, wherever memory is asked for
        self._lock = threading.RLock()
        self._lanes: set[object] = set()
        self._executor: ThreadPoolExecutor | None = None
        self._room = threading.Semaphore(min(usable_cores(), _MOST_THREADS) + 1)

    def join(self) -> object:
        """Begin to serve a lane, and return what `leave` wants."""
        lane = object()
        with self._lock:
            self._lanes.add(lane)
        return lane

    def leave(self, lane: object) -> None:
        """Serve a lane no more; behind the last the threads end."""
        executor = None
        with self._lock:
            self._lanes.discard(lane)
            if not self._lanes:
                executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    def try_submit(self, call: Callable[..., R], *arguments: Any) -> "Future[R] | None":
        """Have `call(*arguments)` run, or return None when enough calls are under way."""
        if not self._room.acquire(blocking=False):
            return None
        with self._lock:
            if self._executor is None:
                from concurrent.futures import ThreadPoolExecutor  # 8 ms that a small job does not pay

                self._executor = ThreadPoolExecutor(min(usable_cores(), _MOST_THREADS))
            return self._executor.submit(self._run, call, *arguments)

    def forget(self, future: "Future[R]") -> None:
        """Have a call not run any more, or wait until it has."""
        if future.cancel():
            self._room.release()
        else:
            future.exception()

    def _run(self, call: Callable[..., R], *arguments: Any) -> R:
        try:
            return call(*arguments)
        finally:
            self._room.release()


@cache
def _shared_pool() -> _Pool:
    return _Pool()


class Lane(Generic[R]):
    """Runs calls on the threads of the process, a few ahead, and hands out results in the order of the calls.

    To be closed before the process forks, and not to be used on both sides of a fork.

    Parameters
    ----------
    take
        Called with each result, in the thread that submits and drains.
    """

    def __init__(self, take: Callable[[R], object]) -> None:
        self._take = take
        self._pending: deque[Future[R]] = deque()
        import weakref

        self._pool = _shared_pool()
        self._leave = weakref.finalize(self, self._pool.leave, self._pool.join())

    def submit(self, call: Callable[..., R], *arguments: Any) -> None:
        """Have `call(*arguments)` run, here if the threads have enough to do; hand out results that are there."""
        while self._pending and self._pending[0].done():
            self._take_first()
        while (future := self._pool.try_submit(call, *arguments)) is None:
            if not self._pending:
                self._take(call(*arguments))
                return
            self._take_first()
        self._pending.append(future)

    def drain(self) -> None:
        """Wait for all calls and hand out their results."""
        while self._pending:
            self._take_first()

    def close(self) -> None:
        """Wait for the calls that run, and forget the others."""
        while self._pending:
            self._pool.forget(self._pending.popleft())
        self._leave()

    def _take_first(self) -> None:
        self._take(self._pending.popleft().result())


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
