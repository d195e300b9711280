"""What a stage prints is kept whole, and echoed line by line."""

import subprocess
import sys
from pathlib import Path

from jobs.execution.inside.capture import Echo
from jobs.execution.scratch import Scratch

PROGRAM = """
import os, subprocess, sys
from pathlib import Path
from jobs.execution.inside.capture import captured

try:
    with captured(Path(sys.argv[1])):
        print("printed")
        print("complained", file=sys.stderr)
        os.write(1, b"written\\n")
        subprocess.run(["echo", "from a child"], check=True)
        if sys.argv[2] == "raise":
            raise ValueError
except ValueError:
    print("caught")
print("after")
"""


def run(path: Path, how: str) -> str:
    # a process of its own: pytest captures the streams of this one
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, how], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout


def test_everything_that_goes_to_the_two_streams_is_kept(tmp_path: Path) -> None:
    assert run(tmp_path / "out", "go") == "after\n"
    assert set((tmp_path / "out").read_text().splitlines()) == {
        "printed",
        "complained",
        "written",
        "from a child",
    }


def test_the_streams_are_given_back_when_the_stage_raises(tmp_path: Path) -> None:
    assert run(tmp_path / "out", "raise") == "caught\nafter\n"


def test_an_echo_hands_on_whole_lines_and_the_rest_at_the_end(tmp_path: Path) -> None:
    said = []
    scratch = Scratch(tmp_path, "dev-1")
    echo = Echo(scratch, lambda part, text: said.append((part, text)))
    echo.follow("prepare")
    echo.poll()
    with open(scratch.output("prepare"), "w") as stream:
        stream.write("one\ntw")
        stream.flush()
        echo.poll()
        stream.write("o\nthree")
    echo.finish("prepare")
    echo.poll()
    assert said == [("prepare", "one\n"), ("prepare", "two\nthree")]
