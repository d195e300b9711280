"""Forked children: one process a slice, a bounded number at a time, and the death of each is seen at once."""

import contextlib
import ctypes
import os
import pickle
import selectors
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Never, Self, TypeAlias

from jobs.execution.events import Failed
from jobs.execution.slots import Tokens
from jobs.status import last_words

_HEADER: Final = struct.Struct("<Q")
_PIPE_BYTES: Final = 1 << 16
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36


@dataclass(frozen=True, slots=True)
class Told:
    """A record that a child sent while it ran, or the last one: what its body returned (`done`)."""

    number: int
    record: Any
    done: bool


@dataclass(frozen=True, slots=True)
class Died:
    """A child that ended without saying so: its exit status, or the negative number of the signal."""

    number: int
    status: int


@dataclass(slots=True)
class _Child:
    number: int
    pid: int
    pipe: int
    buffer: bytearray
    done: bool = False


Body: TypeAlias = Callable[[int, Callable[[object], None]], object]


def fork_each(
    numbers: Iterable[int], *, at_once: int, body: Body, tokens: Tokens | None = None
) -> Iterator[Told | Died]:
    """Run `body(number, tell)` in a forked child for each of `numbers`, and yield what the children say.

    A child that fails sends a `Failed` as its last record. When the caller stops iterating, by an exception or by
    closing the generator, every child is killed.

    Parameters
    ----------
    at_once
        At most so many children run at a time.
    body
        Called in the child, with a function that sends a record to the parent.
    tokens
        When given, each child but one needs a token to run.
    """
    waiting = list(reversed(list(numbers)))
    room = _Room(at_once, tokens)
    with room, Children(body) as children:
        while waiting or len(children):
            while waiting and room.is_there(len(children)):
                children.start(waiting.pop())
            more = room.wanted(len(children)) if waiting else None
            yield from children.news(more)
            if not waiting:
                room.keep(len(children))


class _Room:
    """Says whether one more child may run; at the end of its block no token is held."""

    def __init__(self, at_once: int, tokens: Tokens | None) -> None:
        self._at_once = at_once
        self._tokens = tokens
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.keep(0)

    def is_there(self, running: int) -> bool:
        """Return whether another child may run beside so many; a token is taken for it if it needs one."""
        if running >= self._at_once:
            return False
        if self._tokens is None or running <= self._held:
            return True
        taken = self._tokens.take()
        self._held += taken
        return taken

    def wanted(self, running: int) -> Tokens | None:
        """Return the tokens, if one of them is all that another child lacks."""
        return self._tokens if running < self._at_once else None

    def keep(self, running: int) -> None:
        """Give back the tokens that so many children do not need."""
        spare = self._held - max(running - 1, 0)
        if self._tokens is not None and spare > 0:
            self._held -= spare
            self._tokens.give(spare)


class Children:
    """Forked children that run; at the end of its block every one is killed.

    Parameters
    ----------
    body
        As of `fork_each`.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self._running: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        _kill(self._running.values())
        self._selector.close()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, number: int) -> None:
        """Fork a child that does what the body does for `number`."""
        child = _fork(number, self._body)
        self._running[child.pipe] = child
        self._selector.register(child.pipe, selectors.EVENT_READ)

    def news(self, other: Tokens | None = None) -> Iterator[Told | Died]:
        """Wait until a child says something, and yield it; wait no longer than until `other` is readable."""
        if other is not None:
            self._selector.register(other, selectors.EVENT_READ)
        ready = [key.fd for key, _ in self._selector.select()]
        if other is not None:
            self._selector.unregister(other)
        for descriptor in ready:
            if descriptor in self._running:
                yield from _read(self._running[descriptor], self._selector, self._running)


def _fork(number: int, body: Body) -> _Child:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(number, writing, body)
    os.close(writing)
    return _Child(number, pid, reading, bytearray())


def _child(number: int, pipe: int, body: Body) -> Never:
    """Run the body and leave without the parent's exit handlers."""
    status = 1
    try:
        die_with_parent()

        def tell(record: object) -> None:
            _write(pipe, (record, False))

        _write(pipe, (body(number, tell), True))
        status = 0
    except BaseException:  # noqa: BLE001 - the last frame of the process: whatever it is, the parent is told by the exit
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _write(pipe: int, record: object) -> None:
    data = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
    view = memoryview(_HEADER.pack(len(data)) + data)
    while view:
        view = view[os.write(pipe, view) :]


def _read(
    child: _Child, selector: selectors.BaseSelector, running: dict[int, _Child]
) -> Iterator[Told | Died]:
    data = os.read(child.pipe, _PIPE_BYTES)
    child.buffer += data
    yield from _records(child)
    if data and not child.done:
        return
    selector.unregister(child.pipe)
    os.close(child.pipe)
    del running[child.pipe]
    _, status = os.waitpid(child.pid, 0)
    if not child.done:
        yield Died(child.number, os.waitstatus_to_exitcode(status))


def _records(child: _Child) -> Iterator[Told]:
    buffer = child.buffer
    while len(buffer) >= _HEADER.size:
        end = _HEADER.size + _HEADER.unpack_from(buffer)[0]
        if len(buffer) < end:
            return
        record, done = pickle.loads(memoryview(buffer)[_HEADER.size : end])
        del buffer[:end]
        child.done = child.done or done
        yield Told(child.number, record, done)


def _kill(children: Iterable[_Child]) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        os.close(child.pipe)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child.pid, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere the group is killed in time)."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies (Linux), so that nobody else has to reap them."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _libc() -> Any:
    if not _loaded:
        _loaded.append(ctypes.CDLL(None, use_errno=True))
    return _loaded[0]


_loaded: list[Any] = []


def death(status: int) -> str:
    """Return how a process ended, for people.

    >>> death(-9)
    'was killed by SIGKILL'
    """
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def died(number: int | None, stage: str, where: str, status: int, doing: Path) -> Failed:
    """Return the failure of a stage whose process, that of `where`, ended without a word.

    Parameters
    ----------
    doing
        The file in which it kept its status.
    """
    return Failed(stage, number, f"the process of {where} {death(status)}", last_words(doing))
