"""`acc sherlock`."""

import json
from pathlib import Path

import pytest

from cas.oid import oid_of
from porcelain import stamp
from porcelain.stamp import Stamp

SVG = b"<svg/>"


def stamped(data: bytes, run: str = oid_of(b"run")) -> bytes:
    said = Stamp("dev-9", "plot", run, oid_of(data), "a.svg", "2026-01-01T00:00:00.000000Z", "1.0")
    placed = stamp.place(said, data)
    return data[: placed.start] + placed.data + data[placed.start :]


@pytest.fixture
def made(project):
    return project.job("plot", files={"a.svg": SVG, "b.txt": b"text"})


def test_a_file_is_known_by_its_content_whatever_it_is_called(project, made, acc):
    Path("renamed").write_bytes(b"text")
    code, out, _ = acc("sherlock", "renamed")
    assert code == 0
    assert out.splitlines()[0] == "renamed"
    assert out.splitlines()[1].startswith("made by  dev-1:b.txt, plot, ")


def test_nothing_known_is_exit_code_1(project, made, acc):
    Path("mine").write_bytes(b"of nobody")
    code, out, _ = acc("sherlock", "mine")
    assert code == 1
    assert oid_of(b"of nobody") in out


def test_one_that_cannot_be_read_does_not_keep_the_others(project, made, acc):
    Path("b").write_bytes(b"text")
    code, out, err = acc("sherlock", "nowhere", ".", "b")
    assert code == 1
    assert "cannot read 'nowhere': no such file" in err
    assert "cannot read '.'" in err
    assert "dev-1:b.txt" in out


def test_a_stamped_copy_is_known_by_what_it_is_without_the_stamp(project, made, acc):
    Path("copy.svg").write_bytes(stamped(SVG, made.run))
    code, out, _ = acc("sherlock", "--json", "copy.svg")
    (view,) = json.loads(out)
    assert (code, view["known_by"]) == (0, "stamp")
    assert [job["job"] for job in view["jobs"]] == ["dev-1"]
    assert (view["stamp"]["unchanged"], view["stamp"]["known_here"]) == (True, "dev-1")


def test_a_changed_copy_still_says_which_job_it_was(project, made, acc):
    Path("copy.svg").write_bytes(stamped(SVG) + b"<!-- mine -->")
    code, out, _ = acc("sherlock", "copy.svg")
    assert code == 0
    assert "stamp    dev-9:a.svg, plot, 2026-01-01T00:00:00.000000Z, acc 1.0" in out
    assert "not known here" in out
    assert "changed since it was stamped" in out


def test_a_stamp_commands_no_terminal(project, made, acc):
    said = Stamp("\x1b[2J", "plot", oid_of(b"r"), oid_of(b"b"), "a\nb", "now", "1")
    placed = stamp.place(said, SVG)
    Path("evil.svg").write_bytes(placed.data + SVG)
    _, out, _ = acc("sherlock", "evil.svg")
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


def test_code_and_inputs_are_known_too(project, made, acc):
    Path("a_plot.py").write_bytes(b"# plot\n")
    code, out, _ = acc("sherlock", "a_plot.py")
    assert (code, out.splitlines()[1][:31]) == (0, "code of  dev-1:mine/a_plot.py, ")
