"""What a running job uses, held against its limits: the memory of all its processes, and time.

The memory of a process is what /proc says of it. Forked processes share most of theirs, so the plain sum counts the
same page many times; it is cheap, though, and only when it is too much it is asked for the sum that counts a shared
page once. Where there is no /proc, `ps` tells the plain sum alone.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from jobs.execution.events import (
    Event,
    Failed,
    Finished,
    StageBegan,
    StageEnded,
    SubjobBuilt,
    SubjobRefused,
    SubjobWanted,
)
from jobs.execution.executors import Answer, Execution
from jobs.limits import Limits, size_in_words, time_in_words
from jobs.nodes.parts import ANALYSIS, LOAD

# as often as an executor ticks. Looking at eight processes takes 0.3 ms, and running `ps` takes 10
_EVERY_SECONDS: Final = 0.1 if sys.platform == "linux" else 1.0
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_NAMED_AT_MOST: Final = 8


class Memory(NamedTuple):
    """The memory of some processes, and how many they are."""

    bytes: int
    processes: int


class Usage:
    """Watches one job, from now on.

    Parameters
    ----------
    clock
        Gives the time in seconds, from any beginning.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._idle = limits == Limits()
        self._begun = self._looked = self._clock()
        self._stage = LOAD
        self._slices: set[int] = set()

    def pausing(self, answer: Answer) -> Answer:
        """Return an answer whose time does not count: the job waits for it."""
        if self._limits.timeout is None:
            return answer

        def paused(wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
            begun = self._clock()
            try:
                return answer(wanted)
            finally:
                self._begun += self._clock() - begun

        return paused

    def find_excess(self, event: Event | None, execution: Execution) -> Failed | None:
        """Return why the job has to end, or None; to be called with each event, and now and then without one."""
        if self._idle or isinstance(event, Finished | Failed):
            return None
        self._hear(event)
        now = self._clock()
        if now - self._looked < _EVERY_SECONDS:
            return None
        self._looked = now
        return self._find_late(now) or self._find_large(execution)

    def _hear(self, event: Event | None) -> None:
        if isinstance(event, StageBegan):
            self._stage = event.stage
            if event.sliceno is not None:
                self._slices.add(event.sliceno)
        elif isinstance(event, StageEnded) and event.sliceno is not None:
            self._slices.discard(event.sliceno)

    def _find_late(self, now: float) -> Failed | None:
        timeout = self._limits.timeout
        if timeout is None or now - self._begun <= timeout:
            return None
        return self._excess(f"it has run longer than its timeout, {time_in_words(timeout)}")

    def _find_large(self, execution: Execution) -> Failed | None:
        most = self._limits.max_rss
        leader = None if most is None else execution.leader()
        if most is None or leader is None:
            return None
        used = memory_of(leader, at_most=most)
        if used.bytes <= most:
            return None
        processes = f"{used.processes} processes" if used.processes > 1 else "its process"
        verb = "use" if used.processes > 1 else "uses"
        return self._excess(
            f"{processes} {verb} {size_in_words(used.bytes)} of memory, more than max_rss, {size_in_words(most)}"
        )

    def _excess(self, message: str) -> Failed:
        running = sorted(self._slices) if self._stage == ANALYSIS else []
        if len(running) == 1:
            return Failed(self._stage, running[0], message, is_ours=True)
        if running:
            names = ", ".join(map(str, running[:_NAMED_AT_MOST]))
            more = ", ..." if len(running) > _NAMED_AT_MOST else ""
            message += f", while slices {names}{more} were running"
        return Failed(self._stage, None, message, is_ours=True)


def memory_of(leader: int, *, at_most: int) -> Memory:
    """Return the memory of a process and all that come from it; exactly only when it is more than `at_most` bytes."""
    if sys.platform != "linux":
        return memory_by_ps(leader)
    family = list(_family(leader))
    rough = sum(map(_resident, family))
    return Memory(rough if rough <= at_most else sum(map(_proportional, family)), len(family))


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - names, not a Path each
        children = [child for tid in threads for child in _read(f"/proc/{pid}/task/{tid}/children").split()]
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE_BYTES if fields else 0


def _proportional(pid: int) -> int:
    """Return the memory of a process, of what it shares with others its part; all of it where that cannot be told."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""  # the process has gone meanwhile


def memory_by_ps(leader: int) -> Memory:
    """Return the memory of a process and all that come from it, as `ps` knows it."""
    asked = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=False
    ).stdout
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for line in asked.splitlines():
        pid, parent, kibibytes = map(int, line.split())
        parents[pid], sizes[pid] = parent, kibibytes * 1024
    family = [pid for pid in sizes if _comes_from(pid, leader, parents)]
    return Memory(sum(sizes[pid] for pid in family), len(family))


def _comes_from(pid: int, leader: int, parents: dict[int, int]) -> bool:
    while pid != leader and pid in parents:
        pid = parents[pid]
    return pid == leader
