"""A server process that all tests of a run share, and that ends with them."""

import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

GUARD = Path(__file__).with_name("guard.py")
START_SECONDS = 60


class Server:
    """A server on ports of this machine, with all it keeps in one folder.

    Who joins first starts it, and it ends after the last has left or was killed: `guard.py` sees to that.
    """

    name = ""
    port_count = 1

    def __init__(self, place: Path) -> None:
        self.folder = place / self.name
        self.ports: list[int] = []
        self._users = place / f"{self.name}.users"
        self._turn = place / f"{self.name}.turn"
        self._membership: IO[str] | None = None
        self._guard = 0

    def command(self) -> Sequence[str]:
        """Return what starts the server on `ports`; what it needs to find in `folder` is there then."""
        raise NotImplementedError

    def litter(self) -> Sequence[str]:
        """Return the files that it leaves outside of its folder."""
        return ()

    def is_ready(self) -> bool:
        """Return whether it can be used."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        with open(self._turn, "w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._membership = open(self._users, "a+")
            # waits while a guard ends the one before
            fcntl.lockf(self._membership, fcntl.LOCK_SH)
            ports = self.folder / "ports"
            if ports.exists():
                self.ports = json.loads(ports.read_text())
            else:
                self._start_on_free_ports()
                ports.write_text(json.dumps(self.ports))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._membership:
            self._membership.close()

    def kill(self) -> None:
        """Kill it where it stands; only one that nobody else uses."""
        os.kill(self.pid, signal.SIGKILL)
        # its guard ends once all its threads have, and its ports are free
        os.waitpid(self._guard, 0)

    def start(self) -> bool:
        """Start it on its ports, on what it has kept; return whether it runs: if a port is taken it does not."""
        self.folder.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-I",
            "-S",
            str(GUARD),
            str(self._users),
            str(self.folder),
            ":".join(self.litter()),
            *self.command(),
        ]
        log = self.folder / "output"
        self._guard = os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if os.waitpid(self._guard, os.WNOHANG)[0]:
                return False
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.02)
        return True

    @property
    def pid(self) -> int:
        """The server's process."""
        return int((self.folder / "pid").read_text())

    def _start_on_free_ports(self) -> None:
        for _ in range(3):  # a port that was free may be taken before the server listens
            self.ports = _free_ports(self.port_count)
            if self.start():
                return
        raise AssertionError((self.folder / "output").read_text()[-2000:])


def answers(port: int) -> bool:
    """Return whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    with ExitStack() as taken:
        sockets = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
