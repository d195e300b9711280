"""What is said of files that are no text."""

import datetime
import pickle
import pickletools

import pytest

from porcelain.board.content.binaries import classes_in_pickle


class Trap:
    """Whoever loads it knows."""

    sprung = False

    def __reduce__(self):
        return setattr, (Trap, "sprung", True)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_read_and_not_loaded(protocol):
    names = classes_in_pickle(pickle.dumps([Trap(), datetime.date(2020, 1, 1)], protocol))
    assert any(name.endswith(".setattr") for name in names)
    assert "datetime.date" in names
    assert not Trap.sprung


def test_a_name_that_is_fetched_from_the_memo_is_known():
    data = pickletools.optimize(pickle.dumps([datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)], 4))
    assert classes_in_pickle(data) == ["datetime.date", "datetime.datetime"]


@pytest.mark.parametrize("data", [b"", b"text", b"\x80", b"\x80\x04\x8c\xff", b"I" + b"9" * 10_000 + b"\n."])
def test_what_is_no_pickle_or_a_cut_one_is_no_error(data):
    assert not classes_in_pickle(data)
