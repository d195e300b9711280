"""Waiting for what a catalogue does in the background."""

import time
from collections.abc import Callable, Mapping

from porcelain.board.opened import ShownProject

_SECONDS = 30.0


def wait_until(fact: Callable[[], bool], what: str) -> None:
    """Return when a fact holds; fail when it does not in time."""
    deadline = time.monotonic() + _SECONDS
    while not fact():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def wait_until_filled(ask: Callable[[], Mapping[str, object]]) -> None:
    """Return when a page of a board says that all jobs have been read."""

    def is_filled() -> bool:
        page = ask()
        return bool(page["listed"]) and page["listed"] == page["read"]

    wait_until(is_filled, "not all jobs were read")


def fill(shown: ShownProject) -> None:
    """Return when the catalogue knows all jobs and things that there are now."""
    assert shown.catalogue.settle(_SECONDS)
