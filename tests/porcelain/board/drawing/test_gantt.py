"""When stages and slices ran, drawn."""

import re
from typing import Any

import pytest

from porcelain.board.drawing.gantt import chart

VIEW: dict[str, Any] = {
    "seconds": 10.0,
    "stages": {"prepare": 1.0, "analysis": 6.0, "synthesis": 2.0},
    "slices": [3.0, 2.0],
    "begun": {"stages": {"prepare": 0.5, "analysis": 1.5, "synthesis": 8.0}, "slices": [1.5, 5.5]},
    "failure": None,
}


def bars_of(picture: str) -> list[tuple[float, float]]:
    """Return where each bar begins, and how wide it is, in percent."""
    found = re.findall(r'<rect class="\w+" x="([\d.]+)%" width="([\d.]+)%"', picture)
    return [(float(x), float(width)) for x, width in found]


def test_each_stage_and_slice_has_a_bar_from_begin_to_end():
    rows = chart(VIEW).rows
    assert [row.name for row in rows] == ["prepare", "analysis", "slice 0", "slice 1", "synthesis"]
    assert [bars_of(row.picture) for row in rows] == [
        [(5, 10)],
        [(15, 60)],
        [(15, 30)],
        [(55, 20)],
        [(80, 20)],
    ]


def test_many_slices_are_one_picture_with_a_bar_each():
    view = VIEW | {"slices": [0.01 * number for number in range(256)]}
    rows = chart(view).rows
    assert [row.name for row in rows] == ["prepare", "analysis", "256 slices", "synthesis"]
    assert len(bars_of(rows[2].picture)) == 256
    assert rows[2].lasted == "0.000 to 2.550"


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [(10.0, ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s"]), (90.0, ["0.000", "20.0", "40.0", "1:00", "1:20"])],
)
def test_the_axis_has_round_numbers(seconds, ticks):
    axis = chart(VIEW | {"seconds": seconds}).axis
    assert re.findall(">([^<>]+)</text>", axis) == ticks


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e12, -5.0])
def test_odd_times_are_drawn_within_the_picture(seconds):
    view = VIEW | {"seconds": seconds, "stages": {"analysis": seconds}, "slices": [seconds]}
    view["begun"] = {"stages": {"analysis": -1.0}, "slices": [seconds, seconds]}
    for row in chart(view).rows:
        for x, width in bars_of(row.picture):
            assert 0 <= x <= x + width <= 100.01


def test_of_a_job_of_which_no_times_are_known_nothing_is_drawn():
    assert chart(VIEW | {"stages": {}, "slices": []}) is None
