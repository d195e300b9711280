"""`analysis_res`: what analysis returned, slice by slice, and merged into one value."""

import pickle
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from numbers import Number
from pathlib import Path
from typing import Any, Final, TypeAlias

from jobs.errors import UsageError

_HINT: Final = (
    "merge_auto takes numbers, lists, sets, dicts, counters, and tuples of them; else iterate analysis_res"
)
_DEEPER: Final = (dict, set, frozenset)
Overwrite: TypeAlias = bool | None


class AnalysisResults:
    """The return values of analysis in slice order; each is read when it is asked for.

    Iterating gives one value a slice, once; whoever asks again after the last one is told so, since an empty second
    loop is a mistake that nobody sees. `merge_auto` gives one value for all and wants that nothing was taken before.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._values = self._load()
        self._taken = False
        self._over = False

    def _load(self) -> Iterator[Any]:
        for path in self._paths:
            yield pickle.loads(path.read_bytes())

    def __iter__(self) -> "AnalysisResults":
        return self

    def __next__(self) -> Any:
        if self._over:
            raise UsageError(
                "analysis_res has been iterated to its end", hint="list(analysis_res) can be used again"
            )
        self._taken = True
        try:
            return next(self._values)
        except StopIteration:
            self._over = True
            raise

    def merge_auto(self, allow_overwrite: Overwrite = None) -> Any:
        """Return the values of all slices merged into one.

        Numbers are summed, lists concatenated, sets united, counters added up, and dicts merged key by key, to any
        depth. When analysis returned tuples, each of their elements is merged for itself. None counts as nothing.

        Parameters
        ----------
        allow_overwrite
            What happens to a key that two slices have. None: the two values are merged, and what cannot be merged
            (as texts cannot) is an error. True: the value of the later slice counts, but for sets, dicts and
            counters, which are merged. False: it is an error, in sets and counters too.

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
        for number, value in enumerate(self):
            try:
                _check_mergeable(value)
                merged = merge(merged, value, allow_overwrite=allow_overwrite)
            except _Clash as clash:
                raise UsageError(f"{clash}, in the result of slice {number}", hint=_HINT) from None
        return merged


class _Clash(UsageError):
    """Two values that cannot be merged; gathers where they are on its way up."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.place = ""

    def __str__(self) -> str:
        return f"{self.args[0]} at {self.place}" if self.place else str(self.args[0])

    def below(self, key: object) -> "_Clash":
        """Return the error as that which holds the value under `key` sees it."""
        self.place = f"[{key!r}]{self.place}"
        return self


def merge(first: Any, second: Any, *, allow_overwrite: Overwrite = None) -> Any:
    """Return the two values as one; `first` may be changed, `None` counts as nothing.

    >>> merge({"a": 1, "b": [2]}, {"a": 10, "c": {3}})
    {'a': 11, 'b': [2], 'c': {3}}
    """
    if _is_addable(first) and _is_addable(second):
        return first + second
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, dict) and isinstance(second, dict):
        return _merge_dicts(first, second, allow_overwrite)
    if isinstance(first, set | frozenset) and isinstance(second, set | frozenset):
        return _merge_sets(first, second, allow_overwrite)
    return _merge_sequences(first, second, allow_overwrite)


def _merge_sequences(first: Any, second: Any, allow_overwrite: Overwrite) -> Any:
    if isinstance(first, list) and isinstance(second, list):
        first.extend(second)
        return first
    if not (isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second)):
        raise _Clash(f"cannot merge {_named(first)} with {_named(second)}")
    pairs = enumerate(zip(first, second, strict=True))
    merged = [_merge_at(number, *pair, allow_overwrite) for number, pair in pairs]
    return type(first)(*merged) if hasattr(first, "_fields") else tuple(merged)


def _merge_dicts(first: dict[Any, Any], second: dict[Any, Any], allow_overwrite: Overwrite) -> dict[Any, Any]:
    adds = isinstance(first, Counter)
    for key, value in second.items():
        if key not in first:
            first[key] = value
        elif isinstance(value, _DEEPER) and isinstance(first[key], _DEEPER):
            first[key] = _merge_at(key, first[key], value, allow_overwrite)
        elif allow_overwrite is False:
            raise _Clash(f"duplicate key {key!r}")
        elif allow_overwrite and not adds:
            first[key] = value
        else:
            first[key] = _merge_at(key, first[key], value, None)
    return first


def _merge_sets(first: Any, second: Any, allow_overwrite: Overwrite) -> Any:
    if allow_overwrite is False and (common := first & second):
        raise _Clash(f"duplicate key {min(common, key=repr)!r}")
    if isinstance(first, frozenset):
        return first | second
    first.update(second)
    return first


def _merge_at(key: object, first: Any, second: Any, allow_overwrite: Overwrite) -> Any:
    try:
        return merge(first, second, allow_overwrite=allow_overwrite)
    except _Clash as clash:
        raise clash.below(key) from None


def _check_mergeable(value: Any) -> None:
    """Raise for what no second slice could be merged with, so that one slice alone does not hide it."""
    items = value if isinstance(value, tuple) else [value]
    for item in items:
        if not (item is None or isinstance(item, (*_DEEPER, list, tuple)) or _is_addable(item)):
            raise _Clash(f"cannot merge {_named(item)}")


def _named(value: object) -> str:
    return f"'{type(value).__name__}'"


def _is_addable(value: Any) -> bool:
    """Return whether `value` is a number, or a numpy array: what adds by its own rule."""
    return isinstance(value, int | float | Number) or type(value).__module__ == "numpy"


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
