"""What prepare does for each slice on all cores, so that analysis can begin with rows from every slice."""

from collections.abc import Callable
from typing import Any, TypeVar

from cas.errors import AccError
from cas.threads import usable_cores
from jobs.errors import DatasetError
from jobs.execution.children import Told, death, fork_each

T = TypeVar("T")


def in_each_slice(slices: int, body: Callable[[int], T]) -> list[T]:
    """Return what `body` returns for each slice, called in a forked process of its own.

    The processes share files that were opened before, as those of `Scratch`, and no memory.

    Raises
    ------
    AccError
        What `body` raised.
    DatasetError
        When a process died.
    """

    def guarded(sliceno: int, _tell: object) -> tuple[T | None, AccError | None]:
        try:
            return body(sliceno), None
        except AccError as err:
            return None, err

    results: dict[int, Any] = {}
    for news in fork_each(range(slices), at_once=usable_cores(), body=guarded):
        if not isinstance(news, Told):
            raise DatasetError(f"the process that reads slice {news.number} {death(news.status)}")
        result, error = news.record
        if error is not None:
            raise error
        results[news.number] = result
    return [results[number] for number in range(slices)]
