"""`acc hash-object`: ids as b3sum prints them, many files at once, and the files into the store."""

import os
import subprocess
import sys

import pytest

from cas.oid import oid_of
from porcelain.plumbing import hash_object
from tests.porcelain.plumbing.conversation import Conversation
from tests.porcelain.test_cli import RUN

LARGE = bytes(range(256)) * (hash_object._PIECE_BYTES // 128)


def test_it_prints_what_b3sum_prints(acc, tmp_path):
    (tmp_path / "empty").touch()
    code, out, _ = acc("hash-object", str(tmp_path / "empty"))
    assert (code, out) == (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n")


def test_it_needs_no_project_and_stores_only_when_asked(acc, project, feed):
    (project.root / "f").write_bytes(b"file")
    feed(b"in")
    code, out, _ = acc("hash-object", "--stdin", "f")
    assert (code, out.split()) == (0, [oid_of(b"in"), oid_of(b"file")])
    assert not project.store.has(oid_of(b"file"))
    code, out, _ = acc("hash-object", "-w", "f")
    assert code == 0
    assert project.store.get(oid_of(b"file")) == b"file"


@pytest.mark.parametrize("write", [(), ("-w",)], ids=["only hashed", "stored"])
class TestPaths:
    def test_the_ids_come_in_the_order_of_the_paths(self, acc, project, feed, write):
        contents = {"a": b"a", "large": LARGE, "empty": b"", "b": b"b", "a again": b"a"}
        for name, data in contents.items():
            (project.root / name).write_bytes(data)
        feed("\n".join(contents).encode())
        code, out, _ = acc("hash-object", "--stdin-paths", *write)
        assert (code, out.splitlines()) == (0, [oid_of(data) for data in contents.values()])
        stored = set(contents.values()) if write else set()
        assert set(project.store.ids()) == {oid_of(data) for data in stored}

    def test_a_file_that_cannot_be_read_keeps_its_line_and_stops_no_other(self, acc, project, feed, write):
        (project.root / "a").write_bytes(b"a")
        (project.root / "b").write_bytes(b"b")
        feed(b"a\nnothing\n.\nwith\0nul\n\nb\n")
        code, out, err = acc("hash-object", "--stdin-paths", *write)
        assert (code, out.split("\n")) == (1, [oid_of(b"a"), "", "", "", "", oid_of(b"b"), ""])
        assert err.splitlines() == [
            "acc: cannot read 'nothing': no such file or directory",
            "acc: cannot read '.': is a directory",
            "acc: cannot read 'with\\x00nul': embedded null byte",
            "acc: cannot read '': no such file or directory",
        ]

    def test_nul_ends_paths_that_hold_any_byte(self, acc, project, feed, write):
        names = [b"line\nbreak", b"tab\tand space", b"not \xff utf-8"]
        for name in names:
            (project.root / os.fsdecode(name)).write_bytes(name)
        feed(b"\0".join(names))
        code, out, _ = acc("hash-object", "--stdin-paths", "-z", *write)
        assert (code, out.splitlines()) == (0, [oid_of(name) for name in names])

    def test_no_paths_are_no_ids(self, acc, project, feed, write):
        feed(b"")
        assert acc("hash-object", "--stdin-paths", *write) == (0, "", "")


def test_a_large_file_from_a_pipe_is_stored_whole(acc, project):
    os.mkfifo(project.root / "pipe")
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; open('pipe', 'wb').write(bytes(3_000_000))"], cwd=project.root
    ):
        code, out, _ = acc("hash-object", "-w", "pipe")
    assert (code, out) == (0, oid_of(bytes(3_000_000)) + "\n")
    assert project.store.get(oid_of(bytes(3_000_000))) == bytes(3_000_000)


def test_each_path_is_answered_before_the_next_is_sent(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    with Conversation(tmp_path, "hash-object", "--stdin-paths") as conversation:
        for _ in range(3):
            assert conversation.ask(b"a").decode() == oid_of(b"a") + "\n"
        assert conversation.end() == 0


def test_stdin_that_is_closed_holds_nothing(tmp_path):
    for option in ("--stdin", "--stdin-paths"):
        done = subprocess.run(
            ["sh", "-c", '"$@" <&-', "sh", *RUN, "hash-object", option],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (oid_of(b"") + "\n" if option == "--stdin" else "")


@pytest.mark.parametrize(
    "arguments",
    [("--stdin", "--stdin-paths"), ("--stdin-paths", "f"), ("-z", "f"), ()],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_what_makes_no_sense_together_is_a_wrong_command_line(acc, arguments):
    assert acc("hash-object", *arguments)[0] == 2
