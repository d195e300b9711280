"""The curve of the store's growth."""

from xml.etree import ElementTree

from porcelain.board.drawing.growth import Point, draw_growth

DAY = 86_400


def test_one_day_is_no_curve():
    assert draw_growth([]) == draw_growth([Point(0, 1, 1)]) == ""


def test_a_step_a_day_from_nothing_to_all():
    picture = ElementTree.fromstring(
        draw_growth([Point(0, 100, 50), Point(DAY, 200, 50), Point(9 * DAY, 400, 100)])
    )
    raw, stored = (path.attrib["d"] for path in picture.iter() if path.tag == "path")
    assert raw.count("V") == stored.count("V") == 4
    assert "1970-01-10" in picture.attrib["aria-label"]


def test_days_without_any_bytes_are_drawn_too():
    ElementTree.fromstring(draw_growth([Point(0, 0, 0), Point(DAY, 0, 0)]))
