"""The process of a command: what it prints reaches its reader, and its exit code says how it went."""

import subprocess
import sys

import pytest

RUN = [sys.executable, "-c", "from porcelain.cli import run; run()"]


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


def test_output_in_any_encoding_is_no_bug(project):
    project.job("make", caption="naïve")
    done = run(project.root, "log", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "na\\xefve" in done.stdout
