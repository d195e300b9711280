"""The lock under which one process at a time moves objects about: repack, gc, repair. Writers do without it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

from cas.files import Locked, is_locked, lock_file, writing_in

# stores whose lock this process holds
_OURS: Final[set[Path]] = set()


class UpkeepRuns(Locked):
    """Another process is repacking, collecting or repairing."""

    def __init__(self) -> None:
        super().__init__("another gc, repack or repair is running", hint="it ends by itself; try again then")


@contextmanager
def upkeep(root: Path, *, blocking: bool) -> Iterator[None]:
    """Hold the lock of the store under `root`; if not `blocking`, raise `UpkeepRuns` when somebody has it."""
    path = _lock_of(root)
    with ExitStack() as held:
        try:
            with writing_in(root):
                path.parent.mkdir(exist_ok=True)
                held.enter_context(lock_file(path, blocking=blocking))
        except Locked as err:
            raise UpkeepRuns from err
        # its time tells each upkeep from the one before: what came between two looks of a reader is seen
        now = time.time_ns()
        os.utime(path, ns=(now, now))
        _OURS.add(root)
        held.callback(_OURS.discard, root)
        yield


class Movement(NamedTuple):
    """Whether another process moves objects about at a moment, and which upkeep was the last to begin."""

    runs: bool
    begun: int

    @classmethod
    def of(cls, root: Path) -> Self:
        """Return what can be seen now; what this process does itself is no movement to it."""
        path = _lock_of(root)
        try:
            return cls(root not in _OURS and is_locked(path), path.stat().st_mtime_ns)
        except FileNotFoundError:
            return cls(runs=False, begun=0)

    def may_have_moved_since(self, before: "Movement") -> bool:
        """Return whether anything may have been moved since the moment `before`."""
        return self.runs or self != before


def _lock_of(root: Path) -> Path:
    return root / "locks" / "upkeep"
