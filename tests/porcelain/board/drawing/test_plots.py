"""Bars as SVG."""

from xml.etree import ElementTree

import pytest

from porcelain.board import addresses
from porcelain.board.drawing.plots import SMALL, Bar, lying, upright

HOSTILE = "<script>alert(1)</script>\" onload='x' &amp; \x1b[31m\u202e"


def parse(plot):
    return ElementTree.fromstring(str(plot))


def bars_of(plot):
    return [each for each in parse(plot).iter("rect") if each.get("class") == "bar"]


@pytest.mark.parametrize("draw", [upright, lying])
def test_what_a_job_calls_its_values_stays_text(draw):
    plot = draw([Bar(HOSTILE, 3), Bar(HOSTILE, 0, addresses.dataset(HOSTILE), HOSTILE)], SMALL, HOSTILE)
    root = parse(plot)
    assert {each.tag for each in root.iter()} <= {"svg", "g", "a", "title", "rect", "line", "text"}
    assert not [
        name for each in root.iter() for name in each.attrib if name.startswith("on") or name == "style"
    ]
    assert "\x1b" not in str(plot)


@pytest.mark.parametrize("draw", [upright, lying])
def test_who_does_not_see_it_is_told_what_it_is(draw):
    root = parse(draw([Bar("a", 12345)], SMALL, "what it is"))
    assert (root.get("role"), root.get("aria-label")) == ("img", "what it is")
    assert [each.text for each in root.iter("title")] == ["a: 12,345"]


def test_bars_are_as_long_as_what_they_stand_for_and_any_amount_is_seen():
    heights = [
        float(each.get("height"))
        for each in bars_of(upright([Bar("", n) for n in (0, 1, 500, 1000)], SMALL, ""))
    ]
    assert heights[0] == 0
    assert 1 <= heights[1] < 3
    assert heights[2] == pytest.approx(heights[3] / 2, abs=0.01)


@pytest.mark.parametrize("draw", [upright, lying])
@pytest.mark.parametrize("bars", [[], [Bar("", 0)], [Bar("x" * 1000, 1)], [Bar("a", 1)] * 160])
def test_odd_amounts_of_bars_are_drawn_within_the_picture(draw, bars):
    plot = draw(bars, SMALL, "")
    _, _, width, _ = map(float, parse(plot).get("viewBox").split())
    for each in bars_of(plot):
        assert float(each.get("x")) + float(each.get("width")) <= width + 0.01


def test_bars_that_lead_somewhere_are_links_that_are_read_out():
    root = parse(upright([Bar("a", 1, "/dataset/dev-1/default", "two together")], SMALL, "chain"))
    (link,) = root.iter("a")
    assert (link.get("href"), link.get("aria-label")) == ("/dataset/dev-1/default", "a: 1 (two together)")
    assert root.get("role") == "group"
