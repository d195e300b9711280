"""`analysis_res`: what analysis returned, slice by slice, and merged into one value."""

import pickle
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.errors import UsageError


class AnalysisResults:
    """The return values of analysis in slice order; each is read when it is asked for.

    Iterating gives one value a slice, once. `merge_auto` gives one value for all and wants that nothing was
    taken before.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._values = self._load()
        self._taken = False

    def _load(self) -> Iterator[Any]:
        for path in self._paths:
            yield pickle.loads(path.read_bytes())

    def __iter__(self) -> "AnalysisResults":
        return self

    def __next__(self) -> Any:
        self._taken = True
        return next(self._values)

    def merge_auto(self) -> Any:
        """Return the values of all slices merged into one.

        Numbers are summed, lists concatenated, sets united, dicts (also counters and nested ones) merged key by
        key. When analysis returned tuples, each of their elements is merged for itself.

        Raises
        ------
        UsageError
            When results were taken before, or when two slices returned what cannot be merged.

        Examples
        --------
        In synthesis: `total, names = analysis_res.merge_auto()`.
        """
        if self._taken:
            raise UsageError("merge_auto() comes before any other use of analysis_res")
        merged: Any = None
        for value in self:
            merged = value if merged is None else merge(merged, value)
        return merged


def merge(first: Any, second: Any) -> Any:
    """Return the two values as one; `first` may be changed, `None` counts as nothing.

    >>> merge({"a": 1, "b": [2]}, {"a": 10, "c": {3}})
    {'a': 11, 'b': [2], 'c': {3}}
    """
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second):
        merged = tuple(map(merge, first, second))
        return type(first)(*merged) if hasattr(first, "_fields") else merged
    if isinstance(first, dict) and isinstance(second, dict):
        return _merge_dicts(first, second)
    if isinstance(first, set) and isinstance(second, set | frozenset):
        first.update(second)
        return first
    if isinstance(first, list) and isinstance(second, list):
        first.extend(second)
        return first
    if _is_addable(first) and _is_addable(second):
        return first + second
    raise UsageError(
        f"cannot merge a '{type(first).__name__}' with a '{type(second).__name__}'",
        hint="merge_auto takes numbers, lists, sets, dicts, and tuples of them; else iterate analysis_res",
    )


def _merge_dicts(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in second.items():
        first[key] = merge(first[key], value) if key in first else value
    return first


def _is_addable(value: Any) -> bool:
    """Return whether `value` is a number, a numpy array or scalar: what adds by its own rule."""
    return isinstance(value, int | float | complex) or type(value).__module__ == "numpy"


def storable(value: Any) -> Any:
    """Return `value` with each `defaultdict` whose factory cannot be pickled as a plain dict."""
    if isinstance(value, defaultdict) and not _is_picklable(value.default_factory):
        return {key: storable(item) for key, item in value.items()}
    if type(value) is dict:
        return {key: storable(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(storable, value))
    return value


def _is_picklable(factory: object) -> bool:
    try:
        pickle.dumps(factory)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
