"""Whose a file is: the longest beginning of its path decides."""

import os
from pathlib import Path

import pytest

from jobs.execution.territory import NOWHERE, Territory, prefixes

PLACES = Territory(
    own=("/usr/", "/home/me/env/", "/home/me/project/.venv/", "/home/me/project/.acc/", "/var/"),
    noted=("/home/me/project/", "/usr/src/app/", "/home/me/env/"),
    passing=("/tmp/", "/var/tmp/"),
)


@pytest.mark.parametrize(
    ("name", "quiet", "passing"),
    [
        ("/usr/share/zoneinfo/UTC", True, False),
        ("/usr/src/app/notes.txt", False, False),
        ("/home/me/project/notes.txt", False, False),
        ("/home/me/project/.venv/lib/x.py", True, False),
        ("/home/me/project/.acc/jobs/dev-1/x", True, False),
        ("/home/me/env/notes.txt", False, False),
        ("/home/me/other/x", False, False),
        ("/usrs/x", False, False),
        ("/tmp/x", False, True),
        ("/var/x", True, False),
        ("/var/tmp/x", False, True),
    ],
)
def test_the_longest_beginning_decides(name: str, quiet: bool, passing: bool) -> None:
    assert (PLACES.is_quiet(name), PLACES.is_passing(name)) == (quiet, passing)


def test_nowhere_is_quiet_about_nothing() -> None:
    assert not NOWHERE.is_quiet("/x")
    assert not NOWHERE.is_passing("/x")


def test_a_folder_counts_as_it_is_written_and_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert prefixes([tmp_path / "link"]) == tuple(f"{tmp_path / name}{os.sep}" for name in ("real", "link"))
