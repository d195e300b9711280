"""Boards that a build starts, that are found, and that end."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from importlib.metadata import requires

import pytest

from porcelain import config
from porcelain.board import starting
from porcelain.board.listening import CannotListen, listening
from porcelain.board.starting import NEEDED, start_unless_there
from porcelain.settings.board import Address
from porcelain.watching.boardnote import noted, running_boards
from tests.porcelain.board.boards import RunningBoard
from tests.projects import Folder
from tests.waiting import await_that, lives

FILES = {"mine/build.py": "def main(urd):\n    pass\n"}


@pytest.fixture
def folder(tmp_path) -> Iterator[Folder]:
    """A project whose builds start a board at a port that is free."""
    made = Folder(tmp_path, FILES)
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
    text = (made.root / "acc.toml").read_text()
    made.write("acc.toml", f'{text}[board]\nlisten = "localhost:{port}"\nautostart = true\n')
    yield made
    made.acc("board", "--stop")


def boards(folder):
    return running_boards(config.load(folder.root))


def test_two_builds_at_once_start_one_board_which_outlives_them(folder):
    with (
        subprocess.Popen(folder.command("build"), cwd=folder.root, stderr=subprocess.PIPE, text=True) as one,
        subprocess.Popen(folder.command("build"), cwd=folder.root, stderr=subprocess.PIPE, text=True) as two,
    ):
        said = one.communicate()[1] + two.communicate()[1]
    assert said.count("board: http://localhost:") == 1
    await_that(lambda: boards(folder))
    (note,) = boards(folder)
    assert note.url in said
    assert folder.acc("build").count("board") == 0
    assert f"board: {note.url}  process {note.process}" in folder.acc("status")
    assert f"runs already: {note.url}" in folder.acc("board", code=1)
    assert note.url in folder.acc("board", "--stop")
    await_that(lambda: not lives(note.process))
    assert "no board of this project runs" in folder.acc("board", "--stop")


def test_a_board_that_was_killed_is_not_taken_for_one_that_runs(folder):
    with RunningBoard(folder.root) as board:
        assert len(boards(folder)) == 1
        board.process.kill()
        board.process.wait()
        assert boards(folder) == []
        with noted(config.load(folder.root), "http://localhost:1/", "localhost:1"):
            assert len(list((folder.root / ".acc" / "boards").iterdir())) == 1


def test_an_address_that_is_taken_is_said_once_and_stops_no_build(folder):
    address = config.load(folder.root).board.listen
    with listening(address):
        assert f"listens at '{address}'" in " ".join(folder.acc("build").split())
        assert "board" not in folder.acc("build")
    assert boards(folder) == []


def test_a_build_without_the_extra_says_so_once(folder, monkeypatch):
    monkeypatch.setattr(starting, "NEEDED", ("jinja2", "no_such_package"))
    here, told = config.load(folder.root), list[str]()

    def is_news(text):
        told.append(text)
        return len(told) == 1

    text, is_warning = start_unless_there(here, is_news)
    assert is_warning
    assert "no_such_package" in text
    assert start_unless_there(here, is_news) is None


def test_what_a_board_needs_is_the_extra():
    needed = [re.match(r"([a-z0-9]+).*extra == .board.", text) for text in requires("acc") or ()]
    assert {match[1] for match in needed if match} == set(NEEDED)


def test_a_dry_run_starts_no_board(folder):
    folder.acc("build", "-n")
    assert boards(folder) == []
    assert not (folder.root / ".acc" / "board.log").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_board_ends_quickly_though_a_page_is_followed(tmp_path, number):
    with RunningBoard(Folder(tmp_path, FILES).root) as board:
        connection = HTTPConnection(board.url.removeprefix("http://"), timeout=20)
        connection.request("GET", "/watch?page=/live")
        answer = connection.getresponse()
        assert answer.readline() == b"event: shown\n"
        begun = time.monotonic()
        board.process.send_signal(number)
        assert board.process.wait(20) == 0
        assert time.monotonic() - begun < 5
        connection.close()


def test_an_address_that_nobody_can_have_is_an_error_of_one_line():
    for address in (Address("no.such.host.invalid", 80), Address("..", 80), Address("192.0.2.1", 8520)):
        with (
            pytest.raises(CannotListen, match=r"^cannot listen at '[^']*': [a-z][^\n]*$"),
            listening(address),
        ):
            pass


def test_the_note_of_a_board_is_for_its_user_alone(tmp_path):
    here = config.load(Folder(tmp_path, FILES).root)
    with noted(here, "http://localhost:1/?token=secret", "localhost:1"):
        (note,) = running_boards(here)
        assert note.path.stat().st_mode & 0o077 == 0
    assert running_boards(here) == []
