"""Jobs that are built while the script goes on: `urd.submit`."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, Final, Self

from jobs.job import DEFAULT_DATASET, Job

_CONTAINERS: Final = (list, tuple, set, frozenset)
# of two signals at a time one reaches another thread, and nothing wakes the main thread: it looks by itself
_LOOK_SECONDS: Final = 0.2


class Later:
    """What will be known once a job is there: a dataset of it, a file; as an input of another job it is waited for.

    Parameters
    ----------
    job
        Whose it is.
    take
        Gives it of the job.
    """

    def __init__(self, job: "Submitted", take: Callable[[Job], Any]) -> None:
        self.job = job
        self._take = take

    def get(self) -> Any:
        """Return it, once the job is there."""
        return self._take(self.job.result())

    def __getattr__(self, name: str) -> Any:
        _check_asked(name)
        return getattr(self.get(), name)


class Submitted:
    """A job that was submitted: it can be an input of others at once, and waits when it is asked for anything else."""

    def __init__(self, name: str, future: "Future[Job]") -> None:
        self._name = name
        self.future = future
        self.is_told = False

    @classmethod
    def of(cls, name: str, job: Job) -> Self:
        """Return one that is there already."""
        future: Future[Job] = Future()
        future.set_result(job)
        return cls(name, future)

    def result(self) -> Job:
        """Return the job, once it is there; raise what went wrong with it."""
        try:
            _await_all([self.future])
            return self.future.result()
        except Exception:
            self.is_told = True
            raise

    def done(self) -> bool:
        """Return whether `result` would return or raise at once."""
        return self.future.done()

    def dataset(self, name: str = DEFAULT_DATASET) -> Later:
        """Return one of its datasets, to be an input of another job."""
        return Later(self, lambda job: job.dataset(name))

    def withfile(self, name: str, sliced: bool = False, extra: object = None) -> Later:  # noqa: FBT001, FBT002 - the peer's order
        """Return a reference to one of its files, to be an option of another job."""
        return Later(self, lambda job: job.withfile(name, sliced, extra))

    def __getattr__(self, name: str) -> Any:
        _check_asked(name)
        return getattr(self.result(), name)

    def __str__(self) -> str:
        return str(self.result())

    def __repr__(self) -> str:
        return f"<job of '{self._name}', {'done' if self.done() else 'on its way'}>"


class Submissions:
    """The jobs that a script has submitted.

    Each is built in a thread as soon as the jobs that it needs are there. How many run at a time is for the builder to
    say; there are some more threads than that, as one may wait for what another build runs.

    Parameters
    ----------
    threads
        How many jobs may be under way, be it waiting.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="acc-build")
        self._all: list[Submitted] = []
        self._failed: list[Submitted] = []  # in the order in which they did
        self._lock = threading.Lock()

    def submit(self, name: str, build: Callable[[], Job], needs: Iterable[Submitted]) -> Submitted:
        """Have a job built as soon as those that it needs are there; raise when one has failed unheard.

        Parameters
        ----------
        name
            What it is called, for people.
        """
        self._raise_failure()
        submitted = Submitted(name, Future())
        self._all.append(submitted)
        missing = {need.future for need in needs}
        if not missing:
            self._start(submitted, build)
        left = len(missing)

        def one_is_there(_: "Future[Job]") -> None:
            nonlocal left
            with self._lock:
                left -= 1
                is_last = left == 0
            if is_last:
                self._start(submitted, build)

        for future in missing:
            future.add_done_callback(one_is_there)
        return submitted

    def finish(self) -> None:
        """Return when all are there; when one failed, begin no more, and raise that once what runs has ended."""
        try:
            self._raise_failure()
            # one that failed and was heard of is no reason to leave the others
            while waiting := [submitted.future for submitted in self._all if not submitted.done()]:
                wait(waiting, _LOOK_SECONDS, FIRST_EXCEPTION)
                self._raise_failure()
        except Exception:
            self._stop()
            raise

    def close(self) -> None:
        """Begin no more, and return when what runs has ended."""
        self._stop()
        self._pool.shutdown()

    def _stop(self) -> None:
        for submitted in self._all:
            submitted.future.cancel()
        _await_all([submitted.future for submitted in self._all])

    def _start(self, submitted: Submitted, build: Callable[[], Job]) -> None:
        self._pool.submit(self._run, submitted, build)

    def _run(self, submitted: Submitted, build: Callable[[], Job]) -> None:
        if not submitted.future.set_running_or_notify_cancel():
            return
        try:
            job = build()
        except BaseException as err:  # noqa: BLE001 - the thread ends here; who asks for the result gets it
            self._failed.append(submitted)
            submitted.future.set_exception(err)
        else:
            submitted.future.set_result(job)

    def _raise_failure(self) -> None:
        """Raise the first failure that nobody has heard of."""
        for submitted in self._failed:
            if not submitted.is_told:
                submitted.result()


def _await_all(futures: "Sequence[Future[Job]]") -> None:
    while wait(futures, _LOOK_SECONDS).not_done:
        pass


def _check_asked(name: str) -> None:
    """Raise for what Python, and not the user, asks of any object: that is nothing to wait for."""
    if name.startswith("__"):
        raise AttributeError(name)


# -- in arguments ----------------------------------------------------------------------------------------------


def needed(value: Any) -> Iterator[Submitted]:
    """Yield the submitted jobs in a value, in containers too."""
    if isinstance(value, Submitted):
        yield value
    elif isinstance(value, Later):
        yield value.job
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from needed(item)
    elif isinstance(value, _CONTAINERS):
        for item in value:
            yield from needed(item)


def awaited(value: Any) -> Any:
    """Return a value with the jobs themselves in the place of submitted ones, once they are there."""
    if isinstance(value, Submitted):
        return value.result()
    if isinstance(value, Later):
        return value.get()
    if not any(needed(value)):
        return value
    if isinstance(value, Mapping):
        # the order of an ordered dict counts in a key
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        return kind((key, awaited(item)) for key, item in value.items())
    return next(kind for kind in _CONTAINERS if isinstance(value, kind))(map(awaited, value))
