"""Many users who run the same command at the same moment, each in a project of its own.

python -m tests.porcelain.sharing.crowd ROOT... -- WORD...

What each is told goes into `said` in the project; the exit code is how many did not succeed.
"""

import os
import sys
from pathlib import Path

from tests.porcelain.sharing.walker import in_child, load


def main(arguments: list[str]) -> int:
    """Run the command for all."""
    at = arguments.index("--")
    roots, words = arguments[:at], arguments[at + 1 :]
    load()
    processes = [_start(Path(root), words) for root in roots]
    return sum(os.waitpid(process, 0)[1] != 0 for process in processes)


def _start(root: Path, words: list[str]) -> int:
    process = os.fork()
    if not process:
        os.chdir(root)
        with open("said", "w") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        os._exit(in_child(words))
    return process


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
