"""The file of the catalogue may be anything, at any time."""

import os
import signal
import sqlite3
from contextlib import closing
from threading import Thread

import pytest

from porcelain import config
from porcelain.board.catalogue.database import Database
from porcelain.board.opened import ShownProject
from tests.porcelain.board.boards import RunningBoard
from tests.porcelain.board.filled import fill, wait_until, wait_until_filled
from tests.porcelain.board.manyjobs import ManyJobs


def file_of(project):
    return project.root / ".acc" / "cache" / "board.sqlite"


def known(shown):
    return shown.catalogue.progress()


def open_again(project):
    with ShownProject(config.load(project.root)) as shown:
        fill(shown)
        return known(shown).read


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_file_that_is_none_is_thrown_away(project, damage):
    project.job("one")
    file_of(project).parent.mkdir(exist_ok=True)
    file_of(project).write_bytes(damage)
    assert open_again(project) == 1


def test_another_format_is_thrown_away(project):
    project.job("one")
    assert open_again(project) == 1
    with closing(sqlite3.connect(file_of(project))) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert open_again(project) == 1


def test_damage_within_is_found_and_thrown_away(project, shown):
    project.job("one", caption="hello")
    fill(shown)
    with closing(sqlite3.connect(file_of(project))) as connection:
        connection.execute("DROP TABLE texts")
    assert shown.catalogue.search("hello").count() in (0, 1)
    fill(shown)
    assert shown.catalogue.search("hello").count() == 1


def test_it_may_be_deleted_while_the_board_runs(project, shown):
    project.job("one")
    fill(shown)
    file_of(project).unlink()
    fill(shown)
    assert known(shown).read == 1
    assert file_of(project).exists()


def test_where_it_cannot_be_written_it_is_in_memory(project):
    project.job("one", caption="hello")
    # a file, so that no folder can be made there, by root neither
    (project.root / ".acc" / "cache").write_bytes(b"")
    with ShownProject(config.load(project.root)) as shown:
        fill(shown)
        found = []
        thread = Thread(target=lambda: found.append(shown.catalogue.search("hello").count()))
        thread.start()
        thread.join()
        assert (known(shown).read, found) == (1, [1])


def test_two_boards_at_once_know_the_same(project, shown):
    with ShownProject(config.load(project.root)) as other:
        project.job("one")
        project.job("two")
        for each in (shown, other):
            wait_until(lambda each=each: known(each).read == 2, "one does not know")


def test_a_board_that_is_killed_leaves_what_the_next_goes_on_with(tmp_path):
    ManyJobs(tmp_path).make(400)
    # killed while it fills, and after
    for _ in range(2):
        board = RunningBoard(tmp_path).__enter__()
        wait_until(lambda board=board: board.json("/store")["listed"] > 0, "it does not begin")
        board.process.send_signal(signal.SIGKILL)
        board.process.communicate()
    with RunningBoard(tmp_path) as board:
        wait_until_filled(lambda: board.json("/store"))
        assert board.json("/store")["read"] == 400
    with closing(sqlite3.connect(tmp_path / ".acc" / "cache" / "board.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_an_error_of_ours_is_no_damage(tmp_path):
    database = Database(tmp_path / "board.sqlite")
    inode = database.run("SELECT 1") and os.stat(tmp_path / "board.sqlite").st_ino
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        database.run("SELEKT 1")
    assert os.stat(tmp_path / "board.sqlite").st_ino == inode
    database.close()
