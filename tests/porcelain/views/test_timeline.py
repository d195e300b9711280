"""Stages and slices as bars."""

from typing import Any

import pytest

from porcelain import term
from porcelain.views.timeline import timeline

VIEW: dict[str, Any] = {
    "seconds": 10.0,
    "stages": {"prepare": 1.0, "analysis": 6.0, "synthesis": 2.0},
    "slices": [3.0, 2.0],
    "begun": {"stages": {"prepare": 0.5, "analysis": 1.5, "synthesis": 8.0}, "slices": [1.5, 5.5]},
    "failure": None,
}


@pytest.fixture(autouse=True)
def plain_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term, "bar", lambda share, room: "#" * max(1, round(share * room)))


def test_each_bar_goes_from_begin_to_end() -> None:
    assert timeline(VIEW, 40) == [
        "prepare      1.000   ##",
        "analysis     6.000     ############",
        "  slice 0    3.000     ######",
        "  slice 1    2.000             ####",
        "synthesis    2.000                  ####",
    ]


def test_runs_without_begins_have_one_stage_after_the_other() -> None:
    view = VIEW | {"begun": {"stages": {}, "slices": []}}
    assert timeline(view, 40) == [
        "prepare      1.000  ##",
        "analysis     6.000    ############",
        "  slice 0    3.000    ######",
        "  slice 1    2.000    ####",
        "synthesis    2.000                ####",
    ]


def test_slices_of_a_failed_run_have_no_numbers() -> None:
    view = VIEW | {"failure": {"stage": "analysis"}, "stages": {"prepare": 1.0}}
    assert [line[:10].rstrip() for line in timeline(view, 40)] == ["prepare", "  slice", "  slice"]


@pytest.mark.parametrize("width", [10, 40, 80, 200])
def test_no_line_is_longer_than_it_may_be(width: int) -> None:
    view = VIEW | {
        "seconds": 0.0,
        "stages": {"synthesis": 0.0},
        "slices": [],
        "begun": {"stages": {}, "slices": []},
    }
    for lines in (timeline(VIEW, width), timeline(view, width)):
        assert all(len(line) <= max(width, 30) for line in lines)
