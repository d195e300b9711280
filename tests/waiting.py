"""Wait for what other processes do, and see whether they live."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def await_that(seen: Callable[[], object], seconds: float = 30) -> None:
    """Return once `seen` holds; fail when it does not in so many seconds."""
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.01)


def await_number(path: Path) -> int:
    """Return the number in a file, once it is there."""
    await_that(lambda: path.is_file() and path.read_text())
    return int(path.read_text())


def lives(pid: int) -> bool:
    """Return whether a process lives; one that has ended and that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
