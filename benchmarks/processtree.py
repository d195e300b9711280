"""What a process and all its living children take, from Linux's /proc: CPU seconds, memory."""

import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.02


def tree_cpu(pid):
    """Return the CPU seconds of the tree under `pid` so far, of ended children too; robust on a busy machine."""
    # fields 11 to 14: user and system time, of itself and of those that it has waited for
    return sum(sum(map(int, fields[11:15])) for fields in _tree(pid).values()) / _TICKS


def peak_bytes():
    """Return the most memory that this process has had at any time."""
    # not getrusage: what it tells begins at the peak of the process that started this one
    return _kilobytes("/proc/self/status", "VmHWM") * 1024


class MemoryWatch:
    """The memory of all that this process starts, directly or not, while `running`: a sample every 20 ms.

    A sample is the sum of all PSS, in which a page that several processes share counts once. To add it up takes 2 ms
    for 200 MB, which slows down what is watched: nobody should take its time.
    """

    def __init__(self):
        self.samples = []
        self._before = _tree(os.getpid()).keys()

    @contextmanager
    def running(self):
        """Take samples in a thread."""
        done = threading.Event()
        thread = threading.Thread(target=self._sample, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def peak(self, start, stop):
        """Return the largest sample between two times of the clock `time.monotonic`, or None when there is none."""
        return max((count for taken, count in self.samples if start <= taken <= stop), default=None)

    def _sample(self, done):
        while not done.wait(_SAMPLE_SECONDS):
            taken = time.monotonic()
            started = _tree(os.getpid()).keys() - self._before
            self.samples.append((taken, sum(map(_pss_bytes, started))))


def _tree(pid):
    """Return the fields of /proc/PID/stat behind the name, by id, of `pid` and all its living children."""
    children, stats = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # it has ended meanwhile
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            stats[int(folder.name)] = fields
    found, todo = {}, [pid]
    while todo:
        process = todo.pop()
        if process in stats:
            found[process] = stats[process]
        todo += children.get(process, [])
    return found


def _pss_bytes(pid):
    try:
        return _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss") * 1024
    except OSError:  # it has ended meanwhile
        return 0


def _kilobytes(path, name):
    for line in Path(path).read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0  # a process that has ended but was not waited for has no memory
