"""Work in parts on all cores, whose results come in the order of the parts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from cas.errors import AccError

Part = TypeVar("Part")
Result = TypeVar("Result")


class ReaderDied(AccError):
    """A process that did a part of the work has ended before it was done."""


def part_by_part(
    work: Callable[[Part], Iterator[Result]], parts: Sequence[Part], processes: int
) -> Iterator[Result]:
    """Yield what `work` yields for each part, part after part.

    A process that is ahead of its turn waits as soon as its pipe is full, so that results take no memory here.

    Parameters
    ----------
    work
        What it yields can be pickled.
    parts
        Dealt to the processes in turn.
    processes
        How many of them; 1 for none but this one.

    Raises
    ------
    AccError
        What `work` raised, when it is the turn of its part.
    """
    if processes <= 1:
        yield from chain.from_iterable(map(work, parts))
        return
    # forked, so that they have what this process has read; it runs no threads of its own
    fork = get_context("fork")
    children = []
    try:
        for number in range(processes):
            receiver, sender = fork.Pipe(duplex=False)
            child = fork.Process(target=_do, args=(work, parts[number::processes], sender), daemon=True)
            child.start()
            sender.close()
            children.append((child, receiver))
        for number in range(len(parts)):
            yield from _received(children[number % processes][1])
    finally:
        for child, receiver in children:
            receiver.close()
            child.terminate()
            child.join()


def _do(work: Callable[[Part], Iterator[Result]], parts: Sequence[Part], sender: Connection) -> None:
    with suppress(BrokenPipeError, KeyboardInterrupt):
        try:
            for part in parts:
                for result in work(part):
                    sender.send((result,))
                sender.send(())
        except AccError as err:
            sender.send(err)


def _received(receiver: Connection) -> Iterator[Result]:
    """Yield the results of one part: tuples of one, and an empty one at the end."""
    while True:
        try:
            message = receiver.recv()
        except EOFError:
            raise ReaderDied("a process that reads rows has died") from None
        if isinstance(message, AccError):
            raise message
        if not message:
            return
        yield message[0]
