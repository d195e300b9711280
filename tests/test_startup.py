"""What commands may not load: each of these costs as much as all that the command does."""

import json
import subprocess
import sys

import pytest

from cas.oid import oid_of
from tests.porcelain.conftest import Project

HEAVY = {"typer", "click", "rich", "numpy", "fsspec", "pyarrow", "inspect", "sqlite3", "zstandard"}
FOR_PLUMBING = HEAVY - {"inspect", "sqlite3", "zstandard"}

PROGRAM = """
import json, sys
import acc
from porcelain.cli import main
code = main(sys.argv[1:])
names = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([code, sorted(names)]), file=sys.stderr)
"""


def loaded_by(folder, *arguments: str) -> set[str]:
    """Return the top-level modules that a command has loaded when it is done."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    code, names = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(names)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    made.job("make", files={"a.txt": b"a"}, made={"default": made.dataset()})
    (made.root / "a.txt").write_bytes(b"a")
    return made


def test_hash_object_loads_next_to_nothing(project):
    assert loaded_by(project.root, "hash-object", "acc.toml") & HEAVY == set()


def test_an_object_is_printed_by_its_id_without_a_look_at_refs_or_settings(project):
    loaded = loaded_by(project.root, "cat-file", "-p", oid_of(b"a"))
    assert loaded & (HEAVY - {"zstandard"} | {"tomllib"}) == set()


@pytest.mark.parametrize(
    "command",
    [
        ("hash-object", "-w", "acc.toml"),
        ("cat-file", "-p", "make:a.txt"),
        ("cat-file", "--batch", "--batch-all-objects"),
        ("cat-job", "--run", "make"),
        ("ls-objects", "-l"),
        ("action-key", "-v", "csvimport", "filename=../acc.toml"),
        ("show-ref",),
        ("update-ref", "--rebuild"),
        ("rev-parse", "make/default"),
        ("fsck",),
    ],
    ids=" ".join,
)
def test_plumbing_loads_no_typer_and_no_arrays(project, command):
    assert loaded_by(project.root, *command) & FOR_PLUMBING == set()


@pytest.mark.parametrize(
    "command",
    [
        ("log", "--graph"),
        ("job", "make"),
        ("ds", "make"),
        ("du",),
        ("show", "make:a.txt"),
        ("checkout", "make"),
        ("sherlock", "a.txt"),
    ],
)
def test_looking_back_loads_no_arrays_and_no_rich(project, command):
    assert loaded_by(project.root, *command) & FOR_PLUMBING == set()


def test_the_list_of_commands_loads_next_to_nothing(tmp_path):
    assert loaded_by(tmp_path, "--help") & HEAVY == set()
