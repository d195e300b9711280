"""A process forked in advance: it waits for one job, runs it, and leaves."""

import contextlib
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Never, TypeAlias

from cas.errors import AccError
from cas.local.store import Durability
from jobs.execution.channel import Channel
from jobs.execution.events import (
    Described,
    DescribeRequest,
    Event,
    SubjobBuilt,
    SubjobRefused,
    SubjobWanted,
)
from jobs.execution.inside.capture import captured
from jobs.execution.inside.children import die_with_parent
from jobs.execution.inside.reads import describe_watched
from jobs.execution.inside.worker import run_job
from jobs.execution.rehearsal import rehearse

StoreAt: TypeAlias = tuple[Path, Durability]


@dataclass(frozen=True, slots=True)
class Spare:
    """A waiting process, seen from the zygote: its id, which is that of its group too, and the way to it."""

    pid: int
    way: socket.socket

    @classmethod
    def fork(cls, *, close: Iterable[int], store: StoreAt | None) -> "Spare":
        """Fork a process that waits.

        Parameters
        ----------
        close
            Descriptors of the zygote that are none of its business.
        store
            Root and durability of the store that the next job will use: with it the process rehearses.
        """
        ours, theirs = socket.socketpair()
        gc.freeze()  # or the child's garbage collector would touch, and so copy, every page of the zygote
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            ours.close()
            for descriptor in close:
                os.close(descriptor)
            _wait_for_job(theirs, store)
        theirs.close()
        # here too, as the child may not have come to it when somebody wants to kill its group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpgid(pid, pid)
        return cls(pid, ours)

    def give(self, descriptor: int) -> bool:
        """Give it the channel of a job; return False when it has died while it waited."""
        try:
            socket.send_fds(self.way, [b"!"], [descriptor])
        except OSError:
            return False
        finally:
            self.way.close()
        return True

    def end(self) -> None:
        """Have it leave without a job."""
        self.way.close()
        os.waitpid(self.pid, 0)


def _wait_for_job(way: socket.socket, store: StoreAt | None) -> Never:
    """Wait for the channel of a job, run it, and leave; leave at once when there will be none."""
    status = 1
    try:
        os.setpgid(0, 0)
        die_with_parent()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        if store is not None:
            # a rehearsal that fails costs time and nothing else
            with contextlib.suppress(Exception):
                rehearse(*store)
        _, descriptors, _, _ = socket.recv_fds(way, 1, 1)
        way.close()
        for descriptor in descriptors:
            _run(Channel(socket.socket(fileno=descriptor)))
        status = 0
    except BaseException:  # noqa: BLE001 - what gets here is a bug of acc, and nobody above would see it
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _run(channel: Channel) -> None:
    request = channel.receive()
    if isinstance(request, DescribeRequest):
        channel.send(_describe(request))
    else:
        run_job(request, _Pipe(channel), fork=True)


def _describe(request: DescribeRequest) -> Described | AccError:
    try:
        # what it prints while it is imported is heard when it runs
        with captured(Path(os.devnull)):
            return Described(describe_watched(request.closure, request.packages, request.territory))
    except AccError as err:
        return err


class _Pipe:
    """The launcher, seen from the job process."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def tell(self, event: Event) -> None:
        self._channel.send(event)

    def ask(self, wanted: SubjobWanted) -> SubjobBuilt | SubjobRefused:
        self._channel.send(wanted)
        answer: SubjobBuilt | SubjobRefused = self._channel.receive()
        return answer
