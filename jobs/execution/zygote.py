"""The zygote: a small process that jobs are forked from, so that heavy imports are paid once a build.

It is exec'd at a build's first miss, single-threaded for good, and knows nothing of a project. Both ends of its
socket are in this room: `Zygote` in the building process, `main` in the zygote itself. When the building process
goes, however it goes, the socket ends, and the zygote kills every job with all its processes, and itself.
"""

import contextlib
import errno
import os
import pickle
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from cas.errors import AccError
from jobs.execution.channel import Channel
from jobs.execution.events import (
    DescribeRequest,
    JobRequest,
)
from jobs.execution.inside.children import adopt_orphans
from jobs.execution.spare import Spare, StoreAt
from jobs.execution.warming import Warming

_MESSAGE_BYTES = 1 << 16
_NEWS = struct.Struct("<qq")  # process id, and its exit status or that it has begun; or why it could not
_BEGUN = 1 << 32
_NOT_BEGUN = 1 << 33
_GONE_SECONDS = 2.0
# a job that was just begun runs before the next one is prepared for, which takes as long as a small job (on two cores
# that was 1 of the 6.5 ms of a trivial job); the least that poll() can wait
_FIRST_SECONDS = 0.001

# one value of each for all jobs: what comes out must not depend on hash seeds, time zones or thread counts
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class ZygoteGone(AccError):
    """The process that jobs are forked from has died, or cannot fork."""


# -- in the building process -----------------------------------------------------------------------------------


class JobProcess:
    """A forked job: its channel, and what the zygote tells of it.

    Each has a pipe of its own for that, so that several threads can wait, each for its job, and none for another's.

    Attributes
    ----------
    channel : Channel
        What the job itself says.
    news : int
        The descriptor that tells when the job begins and when it is over, for `select`.
    """

    def __init__(self, channel: Channel, news: int) -> None:
        self.channel = channel
        self.news = news
        self._pid: int | None = None
        self._status: int | None = None
        self._missing: ZygoteGone | None = None

    def listen(self) -> None:
        """Take one piece of news, waiting for it; raise `ZygoteGone` when there is no process, or will be no news."""
        if self._missing is not None:
            raise self._missing
        message = os.read(self.news, _NEWS.size)
        if len(message) < _NEWS.size:
            raise _gone()
        pid, status = _NEWS.unpack(message)
        if status == _NOT_BEGUN:
            why = f"cannot start a process for a job: {os.strerror(pid).lower()}"
            self._missing = ZygoteGone(why, hint="let fewer programs run at a time")
            raise self._missing
        if status == _BEGUN:
            self._pid = pid
        else:
            self._status = status

    def kill(self) -> None:
        """Kill the job with all its processes; it is over when `wait` says so."""
        pid = self.pid
        if self._status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The id of its process, which is that of its group too."""
        while self._pid is None:
            self.listen()
        return self._pid

    def wait(self) -> int:
        """Return the exit status of the job, once all its processes are gone."""
        while self._status is None:
            self.listen()
        return self._status

    def close(self) -> None:
        """Give back the descriptors; the job has to be over."""
        self.channel.close()
        os.close(self.news)


class Zygote:
    """The building process's end.

    Parameters
    ----------
    environment
        Environment variables for the jobs, on top of which acc sets its own.
    inherited
        Descriptors that every job is to have under the same numbers.
    """

    def __init__(self, environment: Mapping[str, str], inherited: Sequence[int] = ()) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # -P: the current directory is a project's, and project code never comes before acc
                [sys.executable, "-P", "-c", f"import {__name__} as zygote; zygote.main({theirs.fileno()})"],
                pass_fds=[theirs.fileno(), *inherited],
                stdin=subprocess.DEVNULL,
                env={**environment, **ENVIRONMENT},
                start_new_session=True,
            )
        self._socket = ours

    def launch(self, request: JobRequest | DescribeRequest) -> JobProcess:
        """Have a process forked for `request`, and return without waiting for it."""
        ours, theirs = socket.socketpair()
        news, told = os.pipe()
        process = JobProcess(Channel(ours), news)
        try:
            with theirs:
                descriptors = [theirs.fileno(), told]
                socket.send_fds(self._socket, [pickle.dumps(Warming.of(request))], descriptors)
        except OSError as err:
            process.close()
            raise _gone() from err
        finally:
            os.close(told)
        with contextlib.suppress(OSError):  # nobody listens: there will be news of that
            process.channel.send(request)
        return process

    def is_alive(self) -> bool:
        """Return whether it can launch."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the zygote, and with it every job that still runs."""
        self._socket.close()
        self._process.wait()


def _gone() -> ZygoteGone:
    return ZygoteGone("the process that jobs are forked from has died", hint="build again")


# -- in the zygote ---------------------------------------------------------------------------------------------


def main(descriptor: int) -> None:
    """Be the zygote: give each job to a process, report each end, until the building process is gone."""
    # it does not die with its parent: it sees the socket end, and then has jobs to kill
    adopt_orphans()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the building process decides what Ctrl-C means
    waking, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    control = socket.socket(fileno=descriptor)
    nursery = _Nursery(control, (waking, woken))
    # it has no descriptor that forked jobs could share, as an epoll has, and takes those from 1024 on, unlike select
    selector = selectors.PollSelector()
    for source in (control, waking):
        selector.register(source, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select(_FIRST_SECONDS if nursery.is_behind else None)}
        if waking in ready:
            os.read(waking, 4096)
            nursery.reap()
        if control not in ready:
            nursery.prepare()
        elif not nursery.serve():
            nursery.kill_all()
            return


class _Nursery:
    """The processes of the zygote: those that have a job, and a spare one that waits for the next."""

    def __init__(self, control: socket.socket, wakers: tuple[int, int]) -> None:
        self._control = control
        self._wakers = wakers
        self._running: dict[int, int] = {}  # process id, and where to tell of it
        self._spare: Spare | None = None
        self._behind: Warming | None = None
        self._has_rehearsed = False

    @property
    def is_behind(self) -> bool:
        """Whether there is something to prepare."""
        return self._behind is not None

    def serve(self) -> bool:
        """Take one message and give its job to a process; return False when nobody is there to send any."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 2)
        except ConnectionError:
            return False
        if len(descriptors) != 2:
            return False
        channel, news = descriptors
        before = len(sys.modules)
        warming: Warming = pickle.loads(message)
        warming.import_all()
        if len(sys.modules) != before:
            self._drop_spare()  # it lacks what has been imported since
        if self._spare is None:
            warming.look_at_packs()
        self._behind = warming
        try:
            pid = self._give(channel)
        except OSError as err:
            _tell(news, err.errno or errno.EAGAIN, _NOT_BEGUN)
            os.close(news)
        else:
            self._running[pid] = news
            _tell(news, pid, _BEGUN)
        os.close(channel)
        return True

    def prepare(self) -> None:
        """Have a process wait for the next job, which then need not wait for a fork: that takes 2 to 3 ms."""
        if self._behind is not None:
            self._behind.look_at_packs()
            if not self._has_rehearsed:
                self._behind.rehearse()
                self._has_rehearsed = self._behind.store is not None
            # the next job asks for a process again
            with contextlib.suppress(OSError):
                self._spare = self._fork(self._behind.store)
            self._behind = None

    def reap(self) -> None:
        """Report each job that has ended, once its whole group is gone."""
        for pid in list(self._running):
            if _has_exited(pid):
                news = self._running.pop(pid)
                status = _bury(pid)
                if not self._running:
                    _kill_orphans(self._spare.pid if self._spare is not None else None)
                _tell(news, pid, status)
                os.close(news)

    def kill_all(self) -> None:
        """Kill every job with all its processes."""
        for pid in self._running:
            _kill_group(pid)
        self._drop_spare()
        _kill_orphans(None)

    def _give(self, descriptor: int) -> int:
        """Return the process that has the job whose channel is `descriptor`."""
        process = self._spare or self._fork()
        self._spare = None
        if not process.give(descriptor):  # it died while it waited
            os.waitpid(process.pid, 0)
            process = self._fork()
            process.give(descriptor)
        return process.pid

    def _fork(self, store: StoreAt | None = None) -> Spare:
        # the news of other jobs too: their pipes have to end when the zygote does
        others = self._running.values()
        return Spare.fork(close=(self._control.fileno(), *self._wakers, *others), store=store)

    def _drop_spare(self) -> None:
        if self._spare is not None:
            self._spare.end()
            self._spare = None


def _tell(news: int, pid: int, status: int) -> None:
    with contextlib.suppress(OSError):  # nobody may be there any more
        os.write(news, _NEWS.pack(pid, status))


def _has_exited(pid: int) -> bool:
    if sys.platform == "linux":
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    return (
        subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False).stdout[:1]
        == b"Z"
    )


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _kill_orphans(spare: int | None) -> None:
    """Kill what left its job's group and so outlived it; all that this process has adopted (Linux)."""
    here = f"/proc/self/task/{os.getpid()}/children"
    deadline = time.monotonic() + _GONE_SECONDS
    while time.monotonic() < deadline:
        try:
            descriptor = os.open(here, os.O_RDONLY)
        except OSError:
            return
        children = {int(pid) for pid in os.read(descriptor, _MESSAGE_BYTES).split()} - {spare}
        os.close(descriptor)
        if not children:
            return
        for pid in children:
            # children of those that are killed become children of this process, for the next round
            with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _bury(pid: int) -> int:
    """Return the exit status of a job that has ended, when no process of its group is left."""
    # before it is reaped its number cannot be another's
    _kill_group(pid)
    _, status = os.waitpid(pid, 0)
    _await_group(pid)
    return os.waitstatus_to_exitcode(status)


def _await_group(pid: int) -> None:
    """Wait until no process of the group is left; what was killed a moment ago may still be going."""
    deadline = time.monotonic() + _GONE_SECONDS
    while time.monotonic() < deadline:
        # slices whose job died before them have become children of this process
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-pid, os.WNOHANG)
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.0005)
