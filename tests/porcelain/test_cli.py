"""The process of a command: what it prints reaches its reader, and its exit code says how it went."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, "-c", "from porcelain.cli import run; run()"]
# the environment of users, where stdout is handed on in large pieces
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def run(folder, *arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*RUN, *arguments], cwd=folder, capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["workdir"], 0, "workdir", ""),
        (["log", "--help"], 0, "usage: acc log", ""),
        (["show-ref", "--help"], 0, "usage: acc show-ref", ""),
        (["job", "dev-9"], 1, "", "acc: no job 'dev-9'"),
        (["job"], 2, "", "acc job: the following arguments are required: SPEC"),
        (["lgo"], 2, "", "acc: no command 'lgo'"),
        (["build"], 1, "", "acc: no build script 'build.py'"),
    ],
)
def test_a_command_prints_and_ends_with_its_code(project, arguments, code, out, err):
    done = run(project.root, *arguments)
    assert done.returncode == code
    assert done.stdout.startswith(out)
    assert done.stderr.startswith(err)
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_bug(project):
    project.job("make", files={"big.txt": b"line\n" * 1_000_000})
    with subprocess.Popen(
        [*RUN, "show", "make:big.txt"], cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [("show-ref",), ("cat-file", "-p", "dev-1"), ("log",), ("log", "--help")])
def test_a_full_disk_under_stdout_is_one_line_and_no_bug(project, command):
    project.job("make")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*RUN, *command],
            cwd=project.root,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=BUFFERED,
        )
    assert (done.returncode, done.stderr) == (1, "acc: no space left on device\n")


# were the number of a stream free, the next file that is opened would get it, and be what a child prints into
CHILD_HAS_STREAMS = """
import subprocess, sys
from porcelain import term
term.prepare()
subprocess.run([sys.executable, "-c", "import os; [os.fstat(number) for number in range(3)]"], check=True)
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    "command", [[*RUN, "log"], [sys.executable, "-c", CHILD_HAS_STREAMS]], ids=["log", "child"]
)
def test_a_stream_that_the_shell_has_closed_is_no_bug(project, closed, command):
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command], cwd=project.root, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_output_in_any_encoding_is_no_bug(project):
    project.job("make", caption="naïve")
    done = run(project.root, "log", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "na\\xefve" in done.stdout


def test_a_name_ended_by_nul_is_printed_as_it_is_whatever_the_terminal_can_show(project):
    row = project.job("make")
    with project.index.refs.transaction("test") as transaction:
        transaction.set("results/grün", row.run)
    done = subprocess.run(
        [*RUN, "show-ref", "-z", "results/"],
        cwd=project.root,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout == f"{row.run}\tresults/grün\0".encode()
