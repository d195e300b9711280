"""What was made lately."""

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


def test_what_failed_can_be_forgotten():
    lately = Lately()
    lately.get("a", lambda: 1)
    lately.forget("a")
    lately.forget("never there")
    assert lately.get("a", lambda: 2) == 2
