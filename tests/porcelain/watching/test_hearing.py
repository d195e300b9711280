"""What a script prints is shown at once and kept whole; what others print meanwhile is shown only."""

import sys

import pytest

from jobs.execution.plan import Silent
from porcelain.watching.hearing import Hearing, ScriptOutput


@pytest.fixture
def output(store) -> ScriptOutput:
    return ScriptOutput(store)


def kept(store, output: ScriptOutput) -> bytes:
    blob = output.commit()
    return b"" if blob is None else store.get(blob)


def test_text_and_bytes_are_shown_and_kept_in_order(store, output, capfd):
    with output:
        print("one", end=" ")
        sys.stdout.writelines(["two ", "three\n"])
        sys.stdout.flush()
        sys.stdout.buffer.write(b"\xff\n")
        sys.stdout.buffer.flush()
        print("vier \N{LATIN SMALL LETTER U WITH DIAERESIS}")
    print("later")
    sys.stdout.flush()
    text = b"one two three\n\xff\nvier \xc3\xbc\n"
    assert kept(store, output) == text
    assert capfd.readouterr().out.encode("utf-8", "surrogateescape").endswith(b"later\n")


def test_a_script_that_prints_nothing_keeps_nothing(store, output):
    with output:
        pass
    assert output.commit() is None
    assert list(store.ids()) == []


def test_more_than_is_held_in_memory_is_kept_whole(store, output, capsys):
    line = "x" * 999 + "\n"
    with output:
        for _ in range(3_000):
            sys.stdout.write(line)
    assert kept(store, output) == line.encode() * 3_000
    assert capsys.readouterr().out == line * 3_000


def test_stdout_is_what_it_was_however_the_block_ends(output):
    before = sys.stdout
    with output:
        assert sys.stdout is not before
        assert sys.stdout.isatty() == before.isatty()
    assert sys.stdout is before
    with pytest.raises(ZeroDivisionError), output:
        _ = 1 / 0
    assert sys.stdout is before


class Loud(Silent):
    """A listener that prints."""

    def warn(self, text: str) -> None:
        print("screen", text)


def test_what_a_listener_shows_is_no_output_of_the_script(store, output, capsys):
    hearing = Hearing(Loud())
    hearing.warn("before")
    with output:
        hearing.warnings, hearing.output = [], output
        hearing.warn("meanwhile")
        print("of the script")
    assert hearing.warnings == ["meanwhile"]
    assert kept(store, output) == b"of the script\n"
    assert capsys.readouterr().out == "screen before\nscreen meanwhile\nof the script\n"
