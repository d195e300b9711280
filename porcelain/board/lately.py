"""What was made lately and is likely to be asked for again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, TypeVar

_MOST: Final = 16

Made = TypeVar("Made")


class Lately:
    """The few things that were asked for last, by their keys; many threads may ask."""

    def __init__(self) -> None:
        self._things: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what has this key, made now if it is not here; two who ask at once may make it twice."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                found: Made = self._things[key]
                return found
        made = make()
        with self._lock:
            kept: Made = self._things.setdefault(key, made)
            while len(self._things) > _MOST:
                self._things.popitem(last=False)
            return kept

    @contextmanager
    def going_on(self, key: Hashable, make: Callable[[], Made]) -> Iterator[Made]:
        """Yield what has this key; when the block fails it is half done, and dropped: who asks again begins anew."""
        made = self.get(key, make)
        try:
            yield made
        except BaseException:
            self._forget(key)
            raise

    def _forget(self, key: Hashable) -> None:
        with self._lock:
            self._things.pop(key, None)
