"""What is printed, where it goes, and how it looks in a pipe and on a terminal."""

import io
import os
import pty
import subprocess
import sys

import pytest

from cas.errors import AccError
from porcelain import term
from porcelain.layout import Column

COLUMNS = [Column("job"), Column("seconds", right=True), Column("why", cut=True)]
ROWS = [["dev-1", "0.012", "first run " + "of this method " * 10], ["dev-10", "110.5", "-"]]


def test_a_table_in_a_pipe_is_aligned_and_uncut(capsys):
    term.table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "job     seconds  why"
    assert lines[1].startswith("dev-1     0.012  first run of this method")
    assert lines[1].endswith("of this method")
    assert lines[2] == "dev-10    110.5  -"


def on_terminal(code: str, width: int = 80) -> str:
    """Return what a program prints on a terminal."""
    outer, inner = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen([sys.executable, "-c", code], stdout=inner, env=environment) as process:
        os.close(inner)
        pieces = []
        while True:
            try:
                piece = os.read(outer, 65536)
            except OSError:
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(outer)
    assert process.returncode == 0
    return b"".join(pieces).decode().replace("\r\n", "\n")


def test_a_table_on_a_terminal_fits_it(tmp_path):
    code = f"from porcelain import term; term.table([term.Column(*c) for c in {[tuple(c) for c in COLUMNS]}], {ROWS})"
    shown = on_terminal(code)
    assert "\x1b[1m" in shown
    plain = [line.rstrip() for line in _without_styles(shown).splitlines()]
    assert [line for line in plain if len(line) > 80] == []
    assert plain[0] == "job     seconds  why"
    assert plain[1].endswith("…")


def test_the_last_cell_of_a_list_is_wrapped_on_a_terminal():
    shown = on_terminal(
        "from porcelain import term; term.columns([['n', 'int', 'how many ' * 3], ['m', '', '']])", 30
    )
    assert shown == "  n  int  how many how many\n          how many\n  m\n"


def _without_styles(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_records_are_fields_between_tabs(capsys):
    term.record("a", 1, "b\tc\nd")
    term.record("a", "b\tc\nd", nul=True)
    assert capsys.readouterr().out == "a\t1\tb\\tc\\nd\na\tb\tc\nd\0"


def test_json_holds_text_as_it_is(capsys):
    term.emit_json({"naïve": [1, None]})
    assert capsys.readouterr().out == '{\n  "naïve": [\n    1,\n    null\n  ]\n}\n'


def test_no_caption_commands_a_terminal():
    assert term.printable("red \x1b[31m\x07") == "red \\x1b[31m\\x07"
    assert term.printable("ok ö 日本") == "ok ö 日本"


def test_an_error_is_one_line_and_a_hint(capsys):
    term.error(AccError("no job 'dev-99'", hint="'acc log' lists them"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "acc: no job 'dev-99'\nhint: 'acc log' lists them\n"


def test_fields_stand_under_each_other(capsys):
    term.fields({"why": "first run", "caption": "one\ntwo"})
    assert capsys.readouterr().out == "why      first run\ncaption  one\n         two\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.000"), (9.9994, "9.999"), (12.34, "12.3"), (61, "1:01"), (3600, "1:00:00")]
)
def test_durations_are_short(seconds, text):
    assert term.duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1000, "1.0 kB"), (2_500_000_000_000, "2.5 TB")])
def test_sizes_have_the_unit_that_suits(count, text):
    assert term.size(count) == text


@pytest.mark.parametrize(
    ("share", "bar"),
    [(0, ""), (1, "\u2588" * 4), (0.5, "\u2588\u2588"), (0.41, "\u2588\u258b"), (1e-9, "\u258f")],
)
def test_a_bar_is_as_long_as_its_share(share, bar):
    assert term.bar(share, 4) == bar


def test_a_bar_is_made_of_what_the_terminal_has(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert [term.bar(share, 4) for share in (0, 1e-9, 0.5, 0.55)] == ["", "#", "##", "###"]


def test_a_warning_takes_the_place_of_a_line_that_is_replaced():
    code = "import sys; sys.stderr = sys.stdout; from porcelain import term; term.tick('3 of 7'); term.warn('it fails')"
    assert on_terminal(code).startswith("\r\x1b[K3 of 7\r\x1b[K")
