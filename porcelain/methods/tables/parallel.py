"""What prepare does on all cores, so that analysis can begin with rows from every slice."""

from collections.abc import Callable, Generator, Iterable
from typing import Any, Final, TypeVar

from cas.errors import AccError
from cas.threads import usable_cores
from jobs.errors import DatasetError
from jobs.execution.inside.children import Children, Died, Told, death

T = TypeVar("T")
R = TypeVar("R")

# results that may wait for one before them while others are begun
_MOST_WAITING: Final = 1


def in_each_slice(slices: int, body: Callable[[int], T]) -> list[T]:
    """Return what `body` returns for each slice, called in a forked process of its own; raise as `in_each`."""
    return list(in_each(range(slices), lambda sliceno, _: body(sliceno), noun="slice"))


def in_each(items: Iterable[T], body: Callable[[T, int], R], *, noun: str) -> Generator[R, None, None]:
    """Yield what `body` returns for each of `items`, in their order, each called in a forked process of its own.

    The processes share files that were opened before, as those of `Scratch`, and no memory. When the caller stops
    iterating they are killed.

    Parameters
    ----------
    items
        Taken one by one, when a process can begin with it; at most one more than there are cores before the result of
        the first of them is yielded.
    body
        Called with an item and the number of a lane, from 0: of as many processes as there are cores, no two that run
        at the same time have the same.
    noun
        What errors call an item.

    Raises
    ------
    AccError
        What `body` raised, when the results before it have been yielded.
    DatasetError
        When a process died.
    """
    lanes = list(reversed(range(usable_cores())))
    ahead = len(lanes) + _MOST_WAITING
    lane_of: dict[int, int] = {}
    outcomes: dict[int, Told | Died] = {}
    begun = ended = 0
    remaining = iter(items)
    more = True
    with Children(lambda *_: _guarded(body, item, lane)) as children:
        while True:
            while lanes and more and begun < ended + ahead:
                try:
                    item, lane = next(remaining), lanes.pop()
                except StopIteration:
                    more = False
                    continue
                children.start(begun)
                lane_of[begun] = lane
                begun += 1
            if ended in outcomes:
                yield _result(outcomes.pop(ended), noun)
                ended += 1
            elif ended < begun:
                for news in children.news():
                    outcomes[news.number] = news
                    lanes.append(lane_of.pop(news.number))
            else:
                return


def _guarded(body: Callable[[T, int], R], item: T, lane: int) -> tuple[R | None, AccError | None]:
    try:
        return body(item, lane), None
    except AccError as err:
        return None, err


def _result(outcome: Told | Died, noun: str) -> Any:
    if isinstance(outcome, Died):
        raise DatasetError(f"the process that reads {noun} {outcome.number} {death(outcome.status)}")
    result, error = outcome.record
    if error is not None:
        raise error
    return result
