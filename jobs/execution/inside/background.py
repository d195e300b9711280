"""Saves in the background: a value is pickled and stored by a forked process while the stage goes on."""

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from cas.errors import AccError
from jobs import context
from jobs.errors import SaveFailed
from jobs.execution.inside.children import Children, Died, Told, death
from jobs.execution.inside.ledger import Ledger
from jobs.execution.inside.reads import ReadWatch
from jobs.execution.tracebacks import one_line
from jobs.nodes.outcome import FileEntry

# each is a process beside those of the slices, and may copy much of what its parent holds in memory
_AT_ONCE: Final = 4


class _Task(NamedTuple):
    name: str
    put: Callable[[], FileEntry]
    temporary: bool


class BackgroundSaves:
    """The saves that one process of a job has under way.

    A process each, not a thread: what takes time is to pickle, and that holds the interpreter. So a value is saved as
    it was when it was handed over, whatever happens to it then.

    Parameters
    ----------
    ledger
        Gives the ledger of the process, into which goes what has been saved.
    reads
        The files that the process has read.
    """

    def __init__(self, ledger: Callable[[], Ledger], reads: ReadWatch) -> None:
        self._ledger = ledger
        self._reads = reads
        self._children: Children | None = None
        self._tasks: dict[int, _Task] = {}
        self._started = 0
        self._failed: dict[str, SaveFailed] = {}

    def names(self) -> set[str]:
        """Return the names of the files that are being saved."""
        return {task.name for task in self._tasks.values()}

    def start(self, name: str, put: Callable[[], FileEntry], *, temporary: bool) -> None:
        """Have a forked process call `put`, which stores the file `name`; waits when many are under way.

        An earlier save of that name has to be over.
        """
        if self._children is None:
            self._children = Children(self._save)
        while len(self._tasks) >= _AT_ONCE:
            self._take_news()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or the child would print it once more
        self._started += 1
        self._tasks[self._started] = _Task(name, put, temporary)
        self._children.start(self._started)

    def wait(self, name: str) -> None:
        """Return when the file `name` is saved, or is not being saved; raise `SaveFailed` when it could not be."""
        while name in self.names():
            self._take_news()
        if name in self._failed:
            raise self._failed.pop(name)

    def wait_for_all(self) -> None:
        """Return when all is saved; raise `SaveFailed` when something could not be."""
        while self._tasks:
            self._take_news()
        for failure in self._failed.values():
            raise failure

    def _take_news(self) -> None:
        assert self._children is not None
        for news in self._children.news():
            self._take(self._tasks.pop(news.number), news)

    def _take(self, task: _Task, news: Told | Died) -> None:
        if isinstance(news, Died):
            self._failed[task.name] = SaveFailed(task.name, f"the process that saves it {death(news.status)}")
        elif isinstance(news.record, SaveFailed):
            self._failed[task.name] = news.record
        else:
            ledger, reads = news.record
            self._ledger().add(ledger)
            self._reads.add(reads)

    def _save(self, number: int, _tell: Callable[[object], None]) -> Any:
        """Do one save, in the child."""
        gc.disable()  # it would touch, and so copy, all that the parent holds
        task = self._tasks[number]
        ledger = Ledger()
        context.enter(replace(context.current(), recorder=ledger))
        try:
            ledger.save(task.name, task.put(), temporary=task.temporary)
        except AccError as err:
            return SaveFailed(task.name, str(err), hint=err.hint)
        except Exception as err:  # noqa: BLE001 - the user's own code, which pickling calls, may raise anything
            return SaveFailed(task.name, one_line(err))
        return ledger, self._reads.reads()


def can_fork() -> bool:
    """Return whether this thread may fork a child that dies with it: the main one, which lasts."""
    import threading

    return threading.current_thread() is threading.main_thread()
