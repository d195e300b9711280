"""Runs commands of acc, each in a process of its own, forked from one that has loaded what takes their time.

python -m tests.porcelain.sharing.typist reads commands from stdin, a line of JSON each, and answers each on stdout.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.porcelain.sharing.walker import HERE, in_child, load


def run_command(
    words: Sequence[str], root: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command of acc in a folder, and wait for its end."""
    typist = _typist()
    assert typist.stdin is not None
    assert typist.stdout is not None
    typist.stdin.write(json.dumps([list(words), str(root), dict(environment)]) + "\n")
    typist.stdin.flush()
    code, out, err = json.loads(typist.stdout.readline())
    return subprocess.CompletedProcess(["acc", *words], code, out, err)


@cache
def _typist() -> "subprocess.Popen[str]":
    # it ends when nobody can ask it for anything any more
    return subprocess.Popen(
        [sys.executable, "-m", "tests.porcelain.sharing.typist"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    )


def main() -> None:
    """Run what is asked for until nobody asks any more."""
    load()
    for line in sys.stdin:
        answer = _run(*json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _run(words: list[str], root: str, environment: dict[str, str]) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = os.fork()
        if not process:
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(root)
            for number, target in enumerate((os.open(os.devnull, os.O_RDONLY), out.fileno(), err.fileno())):
                os.dup2(target, number)
            os._exit(in_child(words))
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        out.seek(0)
        err.seek(0)
        return code, out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace")


if __name__ == "__main__":
    main()
