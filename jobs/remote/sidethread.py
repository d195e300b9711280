"""A thread that waits for others, so that whoever works can be interrupted, or give up."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")

# Ctrl-C is heard within
_TICK_SECONDS: Final = 0.1


class _Task(NamedTuple):
    work: Callable[[], Any]
    done: "Future[Any]"


class SideThread:
    """Does one thing after another. It does not keep the process from ending, whatever it waits for.

    Parameters
    ----------
    name
        What the thread is called.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, work: Callable[[], T], patience: Callable[[], float]) -> T:
        """Return what `work` returns there, or raise what it raises.

        Parameters
        ----------
        patience
            Gives the moment, by `time.monotonic`, until which to wait; asked again and again.

        Raises
        ------
        TimeoutError
            When it takes longer; it goes on nevertheless, and what the thread is given then waits for it.
        """
        self._start()
        task = _Task(work, Future())
        self._tasks.put(task)
        while not wait([task.done], _TICK_SECONDS).done and time.monotonic() < patience():
            pass
        result: T = task.done.result(0)
        return result

    def close(self) -> None:
        """Let the thread end when it has done what it was given."""
        self._tasks.put(None)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task.done.set_result(task.work())
            except BaseException as err:  # noqa: BLE001 - the caller's, who waits for it
                task.done.set_exception(err)
