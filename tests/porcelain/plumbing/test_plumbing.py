"""What holds for every command of the plumbing: its exit codes, its one line of bad news, its quiet when left."""

import os
import subprocess

import pytest

from tests.porcelain.test_cli import BUFFERED, RUN

# a command of each that prints something
LINES = [
    ("action-key", "csvexport", "source=make/default"),
    ("cat-file", "-p", "make"),
    ("cat-file", "--batch", "--batch-all-objects"),
    ("cat-file", "--batch-check", "--batch-all-objects", "--buffer"),
    ("cat-job", "make"),
    ("count-objects", "-v"),
    ("fsck", "--json"),
    ("gc", "-n"),
    ("hash-object", "acc.toml"),
    ("ls-objects", "-l"),
    ("repack",),
    ("rev-parse", "make"),
    ("show-ref",),
]


def test_commands_outside_a_project_say_how_to_make_one(acc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (
        ("show-ref",),
        ("log",),
        ("rev-parse", "x"),
        ("cat-file", "-p", "0" * 64),
        ("ls-objects",),
        ("action-key", "csvexport"),
        ("fsck",),
        ("hash-object", "-w", "/dev/null"),
    ):
        code, out, err = acc(*command)
        assert (code, out) == (1, "")
        assert (
            err
            == f"acc: no acc.toml in '{tmp_path}' or above\nhint: 'acc init' makes this folder a project\n"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [("hash-object",), ("cat-file", "x"), ("cat-file", "-t", "-s", "x"), ("cat-job",), ("show-ref", "--al")],
)
def test_a_wrong_command_line_is_exit_code_2_and_a_hint(acc, command):
    code, out, err = acc(*command)
    assert (code, out) == (2, "")
    assert err.startswith(f"acc {command[0]}: ")
    assert err.endswith(f"hint: 'acc {command[0]} --help' says what it takes\n")


@pytest.mark.parametrize("command", LINES, ids=" ".join)
def test_a_reader_that_has_left_is_exit_code_1_and_no_word(project, command):
    project.job("make", made={"default": project.dataset()})
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as pipe:
        done = subprocess.run(
            [*RUN, *command],
            cwd=project.root,
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=BUFFERED,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    "spec", ["dev-9", "nothing", "dev-1:b", "dev-1/b", "@0000", "/", "", "\udcff", "a\nb"], ids=repr
)
@pytest.mark.parametrize(
    "command",
    [("cat-file", "-t"), ("cat-file", "-s"), ("cat-file", "-p"), ("cat-job",), ("rev-parse",)],
    ids=" ".join,
)
def test_what_names_nothing_is_one_line_and_a_hint(acc, project, command, spec):
    project.job("make", files={"a": b"a"})
    code, out, err = acc(*command, spec)
    assert (code, out) == (1, "")
    said = err.splitlines()
    assert said[0].startswith("acc: ")
    assert [line.partition(":")[0] for line in said[1:]] in ([], ["hint"])
