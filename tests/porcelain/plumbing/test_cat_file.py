"""`acc cat-file`: one object, and many in a conversation."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cas.oid import oid_of
from porcelain.cli import main
from tests.porcelain.conftest import twins
from tests.porcelain.plumbing.conversation import Conversation
from tests.porcelain.test_cli import RUN
from tests.suites.store import LARGE

# looks like a node and is none
NEARLY = b'{"format":1,"kind":"run","links":{"blobs":[],"nodes":[]}, "and":"a space"}'


def path_of(project, oid) -> Path:
    path = project.root / ".acc/objects" / oid[:2] / oid
    path.chmod(0o644)
    return path


def flip(project, oid, offset: int) -> None:
    path = path_of(project, oid)
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def batch(project, stdin: bytes, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*RUN, "cat-file", *arguments], cwd=project.root, input=stdin, capture_output=True, check=False
    )


def test_it_prints_kind_size_and_content(acc, project):
    row = project.job("make", files={"a.bin": b"\0\xff"})
    assert acc("cat-file", "-t", "make")[1] == "job\n"
    assert acc("cat-file", "-t", row.run, "make:a.bin")[1] == "run\nblob\n"
    assert acc("cat-file", "-s", "make:a.bin")[1] == "2\n"
    body = json.loads(acc("cat-file", "-p", "make")[1])
    assert (body["kind"], body["outcome"]) == ("job", row.outcome)


def test_it_prints_bytes_as_they_are(project, capfdbinary):
    project.job("make", files={"a.bin": b"\0\xff\r\n"})
    capfdbinary.readouterr()
    assert main(["cat-file", "-p", "make:a.bin"]) == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"\0\xff\r\n"


@pytest.mark.parametrize("data", [b"{", b'{"a": 1}', NEARLY, b'{"links":{"blobs":['])
def test_what_only_looks_like_a_node_is_a_blob(acc, project, data):
    oid = project.store.put(data)
    assert acc("cat-file", "-t", oid)[1] == "blob\n"
    assert acc("cat-file", "-p", oid)[1].encode() == data


def test_its_exit_code_says_whether_an_object_is_there(acc, project):
    project.job("make", files={"a": b"a"})
    assert acc("cat-file", "-e", "make:a", oid_of(b"a")) == (0, "", "")
    for nothing in (oid_of(b"never"), "make:b", "dev-9", "%"):
        assert acc("cat-file", "-e", nothing) == (1, "", "")


def test_an_id_is_read_whatever_acc_toml_says(acc, project):
    oid = project.store.put(b"safe")
    (project.root / "acc.toml").write_text("= no toml")
    assert acc("cat-file", "-p", oid) == (0, "safe", "")
    assert acc("cat-file", "-p", "dev-1")[0] == 1


class TestBatch:
    def test_each_object_is_a_line_its_content_and_a_newline(self, project):
        row = project.job("make", files={"a": b"a\n", "empty": b""})
        node = project.store.get(row.run)
        done = batch(project, f"make:a\n{row.run}\nmake:empty\n".encode(), "--batch")
        assert done.returncode == 0
        assert done.stdout == (
            f"{oid_of(b'a' + bytes([10]))} blob 2\na\n\n".encode()
            + f"{row.run} run {len(node)}\n".encode()
            + node
            + f"\n{oid_of(b'')} blob 0\n\n".encode()
        )

    def test_check_leaves_the_content_out(self, project):
        project.job("make", files={"a": b"a"})
        done = batch(project, b"make:a", "--batch-check")
        assert (done.returncode, done.stdout) == (0, f"{oid_of(b'a')} blob 1\n".encode())

    def test_a_large_object_comes_as_it_is(self, project):
        oid = project.store.put(LARGE)
        done = batch(project, oid.encode(), "--batch", "--buffer")
        assert done.stdout == f"{oid} blob {len(LARGE)}\n".encode() + LARGE + b"\n"

    def test_what_is_not_there_is_one_line_and_no_failure(self, project):
        one, _ = project.store.put_many(twins())
        specs = [b"dev-9", oid_of(b"never").encode(), b"", b"\xff", b"a b", b"tab\t", b"@" + one[:4].encode()]
        done = batch(project, b"\n".join(specs), "--batch")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.splitlines() == [
            b"dev-9 missing",
            oid_of(b"never").encode() + b" missing",
            b" missing",
            b"\\udcff missing",
            b"a b missing",
            b"tab\\t missing",
            b"@" + one[:4].encode() + b" ambiguous",
        ]

    def test_nul_ends_specs_that_hold_a_newline(self, project):
        project.job("make", files={"line\nbreak": b"a"})
        done = batch(project, b"make:line\nbreak\0make:no\nfile\0", "--batch-check", "-z")
        assert done.stdout.splitlines() == [
            f"{oid_of(b'a')} blob 1".encode(),
            b"make:no\\nfile missing",
        ]

    def test_a_corrupt_object_is_said_so_and_the_others_come(self, project):
        oids = [project.store.put(data) for data in (b"good", b"bad", b"also good")]
        flip(project, oids[1], 5)
        done = batch(project, "\n".join(oids).encode(), "--batch")
        assert done.returncode == 1
        assert done.stdout.decode() == (
            f"{oids[0]} blob 4\ngood\n{oids[1]} corrupt\n{oids[2]} blob 9\nalso good\n"
        )
        assert done.stderr.decode().startswith(f"acc: object '{oids[1]}' is corrupt")

    def test_a_large_object_that_breaks_in_its_middle_ends_the_command(self, project):
        oid, other = project.store.put_many([LARGE, b"other"])
        flip(project, oid, path_of(project, oid).stat().st_size - (1 << 19))  # in its second frame
        done = batch(project, f"{oid}\n{other}\n".encode(), "--batch")
        assert done.returncode == 1
        assert done.stderr.decode().startswith(f"acc: object '{oid}' is corrupt")
        head, _, content = done.stdout.partition(b"\n")
        assert head.decode() == f"{oid} blob {len(LARGE)}"
        assert 0 < len(content) < len(LARGE)
        assert LARGE.startswith(content)

    def test_all_objects_come_sorted(self, project):
        oids = project.store.put_many([b"%d" % number for number in range(100)])
        done = batch(project, b"not read", "--batch-check", "--batch-all-objects")
        assert [line.split()[0] for line in done.stdout.decode().splitlines()] == sorted(oids)

    @pytest.mark.parametrize("size", [3, len(LARGE)])
    def test_each_spec_is_answered_before_the_next_is_sent(self, project, size):
        data = LARGE[:size]
        oid = project.store.put(data)
        with Conversation(project.root, "cat-file", "--batch") as conversation:
            for _ in range(3):
                assert conversation.ask(oid[:8].encode()) == f"{oid} blob {size}\n".encode()
                assert conversation.read(size + 1) == data + b"\n"
                assert conversation.ask(b"no") == b"no missing\n"
            assert conversation.end() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x",),
        ("-t",),
        ("-t", "-s", "x"),
        ("--batch", "x"),
        ("--batch", "--batch-check"),
        ("-p", "-z", "x"),
        ("-p", "--buffer", "x"),
        ("--batch-all-objects",),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_together_is_a_wrong_command_line(acc, arguments):
    code, out, err = acc("cat-file", *arguments)
    assert (code, out) == (2, "")
    assert err.endswith("hint: 'acc cat-file --help' says what it takes\n")
