"""Plumbing: what programs read, one record a line, and its exit codes."""

import json

import pytest

from cas.oid import oid_of
from jobs.nodes.run import Failure

BROKEN = Failure("ValueError: no", "analysis", 1, "Traceback ...")


def test_cat_job_is_equal_for_equal_work(acc, project):
    project.job("make", files={"a": b"a"}, caption="one")
    project.job("make", files={"a": b"a"}, caption="two", why="forced")
    (code, first, _), (_, second, _) = acc("cat-job", "dev-1"), acc("cat-job", "dev-2")
    assert (code, first) == (0, second)
    job = json.loads(first)
    assert job["files"] == {"a": {"blob": oid_of(b"a"), "size": 1}}
    assert job["source_files"] == {"mine/a_make.py": oid_of(b"# make\n")}
    assert "run" not in job
    assert json.loads(acc("cat-job", "--run", "dev-2")[1])["run"]["caption"] == "two"


def test_a_failed_job_has_a_run_only(acc, project):
    row = project.job("make", failure=BROKEN)
    for command in (("cat-job", "dev-1"), ("rev-parse", "dev-1"), ("rev-parse", "--outcome", "dev-1")):
        code, out, err = acc(*command)
        assert (code, out) == (1, "")
        assert err == "acc: job 'dev-1' failed, so it has a run only\nhint: ask with --run\n"
    assert json.loads(acc("cat-job", "--run", "dev-1")[1])["run"]["id"] == row.run
    assert acc("rev-parse", "--run", "dev-1")[1] == row.run + "\n"


def test_show_ref_prints_refs_sorted_and_the_action_index_when_asked(acc, project):
    assert acc("show-ref") == (1, "", "")
    row = project.job("make")
    assert acc("show-ref") == (0, f"{row.run}\tjobs/dev/1\n", "")
    assert acc("show-ref", "--all")[1] == f"{row.run}\tactions/{row.key}\n{row.run}\tjobs/dev/1\n"
    assert acc("show-ref", "-z", "jobs/")[1] == f"{row.run}\tjobs/dev/1\0"
    assert acc("show-ref", "urd/")[0] == 1


def test_commands_outside_a_project_say_how_to_make_one(acc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (
        ("show-ref",),
        ("log",),
        ("rev-parse", "x"),
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


def test_fsck_finds_a_project_clean_and_a_flipped_bit_not(acc, project):
    project.job("make", files={"a": b"a" * 1000})
    assert acc("fsck") == (0, "", "6 objects and 2 refs checked: sound\n")
    oid = oid_of(b"a" * 1000)
    (path,) = (project.root / ".acc/objects").rglob(oid)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    code, out, _ = acc("fsck")
    assert code == 1
    kind, name, _reason, hurt = out.rstrip("\n").split("\t")
    assert (kind, name) == ("corrupt", oid)
    assert hurt == "dev-1"
    found = json.loads(acc("fsck", "--json")[1])
    assert (found["sound"], found["problems"][0]["kind"], found["problems"][0]["hurts"]) == (
        False,
        "corrupt",
        ["dev-1"],
    )


def test_fsck_names_what_is_missing_and_who_needs_it(acc, project):
    row = project.job("make", files={"a": b"a"})
    project.store.delete(oid_of(b"a"))
    code, out, _ = acc("fsck")
    assert (code, row.label in out) == (1, True)
    assert out.startswith(f"missing\t{oid_of(b'a')}\t")
