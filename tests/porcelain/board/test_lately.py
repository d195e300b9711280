"""What was made lately."""

import pytest

from porcelain.board.lately import Lately


def test_what_was_asked_for_is_made_once():
    lately, made = Lately(), []
    for _ in range(3):
        assert lately.get("a", lambda: made.append(1) or "it") == "it"
    assert made == [1]


def test_what_nobody_asked_for_lately_is_forgotten_first():
    lately = Lately()
    for number in range(16):
        lately.get(number, lambda number=number: number)
    lately.get(0, lambda: "again")
    lately.get("new", lambda: "new")
    assert lately.get(0, lambda: "again") == 0
    assert lately.get(1, lambda: "again") == "again"


def test_what_failed_half_way_is_begun_anew():
    lately = Lately()
    with lately.going_on("a", lambda: 1) as made:
        assert made == 1
    assert lately.get("a", lambda: 2) == 1
    with pytest.raises(ZeroDivisionError), lately.going_on("a", lambda: 2) as made:
        raise ZeroDivisionError
    assert made == 1
    assert lately.get("a", lambda: 3) == 3
