"""What a reader calls before and after the rows of a dataset, or of a slice."""

import inspect
from collections.abc import Callable
from typing import TypeAlias

# called with a dataset, or with a dataset and a slice number
Callback: TypeAlias = Callable[..., object]


class SkipSlice(Exception):
    """Raised by a `pre_callback` to skip the rows of this slice."""


class SkipDataset(Exception):
    """Raised by a `pre_callback` to skip the rows of this dataset."""


class Stop(Exception):
    """A callback raised StopIteration, which a generator may not let through."""


class Callbacks:
    """The callbacks of an iteration, each called for datasets or for slices as it takes one argument or two."""

    def __init__(self, before: Callback | None, after: Callback | None) -> None:
        self.begin, self.begin_slice = _by_arguments(before)
        self.end, self.end_slice = _by_arguments(after)


def _by_arguments(callback: Callback | None) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return what to call for each dataset, and what for each slice."""
    if callback is None:
        return _do_nothing, _do_nothing

    def call(*arguments: object) -> None:
        try:
            callback(*arguments)
        except StopIteration as err:
            raise Stop from err

    return (_do_nothing, call) if _takes_two(callback) else (call, _do_nothing)


def _takes_two(callback: Callback) -> bool:
    required = [
        parameter
        for parameter in inspect.signature(callback).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    return len(required) >= 2


def _do_nothing(*_: object) -> None:
    """Stand in for a callback that nobody gave."""
