"""Values that JSON has: what views are made of."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from jobs.nodes.run import MICROSECONDS

View: TypeAlias = dict[str, Any]


def moment(micros: int) -> str:
    """Return a time in microseconds since 1970 as text.

    >>> moment(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    seconds, rest = divmod(micros, MICROSECONDS)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06}Z"


def plain(value: object) -> Any:
    """Return a user's value as one that JSON has; what it lacks becomes text.

    >>> plain({"t": (1, float("inf"))})
    {'t': [1, 'inf']}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    isoformat: Callable[[], str] | None = getattr(value, "isoformat", None)
    return isoformat() if isoformat else str(value)
