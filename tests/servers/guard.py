"""Run a server until all who use it have ended, however they did.

python guard.py USERS FOLDER LITTER COMMAND...

Who uses the server holds a shared lock on the file USERS, which the system takes away when a process ends, by kill -9
too. Once nobody holds one, the server is killed and its FOLDER goes, with the files that it leaves elsewhere: LITTER,
joined by colons. `FOLDER/pid` has the id of the server's process.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path


def main(users: str, folder: str, litter: str, *command: str) -> None:
    """Run the server."""
    os.setsid()  # Ctrl-C at the terminal is for the tests
    # there are no threads here
    with subprocess.Popen(command, preexec_fn=_die_with_parent) as server:  # noqa: PLW1509
        # killed by a test: it may be started again on what it has
        signal.signal(signal.SIGCHLD, lambda *_: os._exit(0))
        Path(folder, "pid").write_text(str(server.pid))
        with open(users, "r+") as lock:
            # not flock: a child that a test forks must not hold it too
            fcntl.lockf(lock, fcntl.LOCK_EX)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.kill()
            server.wait()
            for path in filter(None, litter.split(":")):
                Path(path).unlink(missing_ok=True)
            shutil.rmtree(folder)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    main(*sys.argv[1:])
