"""Somebody who works in a clone: builds, pushes, pulls and cleans up in an order of chance, and is killed now and then.

python -m tests.porcelain.sharing.walker ROOT SEED STEPS

Each command is a process of its own, forked from this one, which has loaded what they need: so many more run in the
same time. What none may say is printed, and the exit code is 1 then.
"""

import importlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parents[3]
# who is killed while he deletes files there is waited for no longer than that
PATIENCE_SECONDS: Final = 0.5
# so many of the commands are killed, somewhere in their first seconds
_KILLED: Final = 0.4
_FIRST_SECONDS: Final = 1.5
_LONGEST_SECONDS: Final = 120

LOADED: Final = (
    "cas.remote.upkeep.fsck",
    "cas.remote.upkeep.gc",
    "numpy",
    "porcelain.cli",
    "porcelain.commands.build",
    "porcelain.commands.pull",
    "porcelain.commands.push",
    "s3fs",
)
# not `push --delete`: what the other clone has only as a promise would then be gone for good, and it would say so
COMMANDS: Final = {
    "build": 6,
    "push": 4,
    "pull": 3,
    "fetch": 1,
    "fetch --all-objects": 1,
    "gc --prune now": 1,
    "gc --remote origin --grace now": 2,
    "gc --remote origin --older-than 1s": 1,
}


def main(root: str, seed: str, steps: str) -> int:
    """Take some steps; return 0 if none went wrong that was not killed."""
    os.chdir(root)
    load()
    importlib.import_module("cas.remote.state").PATIENCE_SECONDS = PATIENCE_SECONDS
    rng = random.Random(seed)
    wrong = 0
    for _ in range(int(steps)):
        words = rng.choices([*COMMANDS], [*COMMANDS.values()])[0].split()
        if words == ["build"]:
            Path("input/numbers.txt").write_text(f"{rng.randrange(1, 5)} {rng.randrange(3)}")
        after = rng.uniform(0, _FIRST_SECONDS) if rng.random() < _KILLED else None
        code, said = run(words, kill_after=after)
        report(f"{' '.join(words)}: {code}")
        if not (code == 0 or (after is not None and code == -signal.SIGKILL) or _is_expected(said)):
            report(said)
            wrong += 1
    return wrong > 0


def load() -> None:
    """Load what commands need, which is most of the time that they take."""
    for name in LOADED:
        importlib.import_module(name)


def report(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(words: list[str], *, kill_after: float | None) -> tuple[int, str]:
    """Run a command of acc; return its exit code, and all that it printed."""
    with tempfile.TemporaryFile() as output:
        process = os.fork()
        if not process:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(in_child(words))
        timer = threading.Timer(kill_after or _LONGEST_SECONDS, os.kill, (process, signal.SIGKILL))
        timer.start()
        begun = time.monotonic()
        _, status = os.waitpid(process, 0)
        timer.cancel()
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
        if kill_after is None and time.monotonic() - begun >= _LONGEST_SECONDS:
            said += f"it did not end in {_LONGEST_SECONDS} s"
        return os.waitstatus_to_exitcode(status), said


def in_child(words: list[str]) -> int:
    """Do what the command `acc` does, and return its exit code, unless it ends the process."""
    sys.argv = ["acc", *words]
    try:
        importlib.import_module("porcelain.cli").run()
    except SystemExit as stop:
        sys.stdout.flush()
        sys.stderr.flush()
        return int(stop.code or 0)
    return 70


def _is_expected(said: str) -> bool:
    """Return whether what a command refused may be so: no remote yet, both changed a name."""
    reasons = ["there is no remote of acc at", "is another one at 'origin'"]
    return any(reason in said for reason in reasons)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
