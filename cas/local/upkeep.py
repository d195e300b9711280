"""The lock under which one process at a time moves objects about: repack, gc, repair. Nobody else needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cas.files import Locked, lock_file


class UpkeepRuns(Locked):
    """Another process is repacking, collecting or repairing."""

    def __init__(self) -> None:
        super().__init__("another gc, repack or repair is running", hint="it ends by itself; try again then")


@contextmanager
def upkeep(root: Path, *, blocking: bool) -> Iterator[None]:
    """Hold the lock of the store under `root`; if not `blocking`, raise `UpkeepRuns` when somebody has it."""
    folder = root / "locks"
    folder.mkdir(exist_ok=True)
    try:
        with lock_file(folder / "upkeep", blocking=blocking):
            yield
    except Locked as err:
        if isinstance(err, UpkeepRuns):
            raise
        raise UpkeepRuns from err
