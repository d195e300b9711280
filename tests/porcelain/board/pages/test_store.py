"""The page of the store."""

import json

import pytest

from porcelain import config
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked
from porcelain.board.pages.store import store
from porcelain.board.rendering import to_html
from tests.porcelain.board.filled import fill

ASKED = Asked("/store", {}, {})


def html(shown):
    return to_html(store(shown, ASKED), ASKED, "project")


def test_what_was_saved_adds_up(project, shown):
    data = b"x" * 100_000
    project.job("one", files={"a": data})
    project.job("two", files={"a": data})
    fill(shown)
    view = store(shown, ASKED).view
    saved = view["saved"]
    assert saved["by_deduplication"] == 100_000
    assert saved["once_bytes"] - saved["by_compression"] == saved["stored_bytes"]
    assert view["growth"][-1]["stored_bytes"] == saved["stored_bytes"]
    assert [job["label"] for job in view["biggest"]] == ["dev-2", "dev-1"]


def test_objects_are_counted_as_count_objects_does(project, shown, acc):
    project.job("one", files={"a": b"a"})
    acc("repack")
    project.job("two")
    fill(shown)
    counted = json.loads(acc("count-objects", "--json")[1])
    view = store(shown, ASKED).view["store"]
    assert (view["packs"], view["packed"]["objects"]) == (counted["packs"], counted["packed"])
    assert (view["loose"]["objects"], view["loose"]["raw_bytes"]) == (counted["loose"], counted["loose-raw"])
    assert view["stored_bytes"] == counted["loose-stored"] + counted["packed-stored"]


def test_the_last_fsck_and_gc_are_shown(project, shown, acc):
    project.job("one")
    fill(shown)
    assert store(shown, ASKED).view["fsck"] is None
    acc("gc", "--dry-run")
    assert store(shown, ASKED).view["gc"] is None
    acc("fsck", "--fast")
    acc("gc")
    view = store(shown, ASKED).view
    assert (view["fsck"]["sound"], view["fsck"]["fast"], view["gc"]["dead"]) == (True, True, 0)
    assert "without the bytes of blobs" in html(shown)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"ended": "x", "found": {}}', '{"ended": 1e300, "found": {"sound": 1}}', "\xff"]
)
def test_a_note_that_is_none_is_passed_over(project, shown, text):
    folder = project.root / ".acc" / "care"
    folder.mkdir()
    for name in ("fsck", "gc"):
        (folder / f"{name}.json").write_bytes(text.encode("latin-1"))
    assert (store(shown, ASKED).view["fsck"], store(shown, ASKED).view["gc"]) == (None, None)
    html(shown)


def test_remotes_are_shown_without_asking_them(project, acc):
    assert acc("remote", "add", "away", "./away", "--write")[0] == 0
    assert acc("remote", "add", "origin", "./there", "--write")[0] == 0
    project.job("one")
    assert acc("push", "origin", "one")[0] == 0
    assert acc("fetch", "origin")[0] == 0
    with ShownProject(config.load(project.root)) as shown:
        away, origin = store(shown, ASKED).view["remotes"]
        assert (away["name"], away["write"], away["looked"]) == ("away", True, None)
        assert origin["looked"] is not None
        assert origin["packs"] >= 1
        assert "never looked at" in html(shown)


def test_an_empty_project_has_an_empty_store(shown):
    assert "No jobs yet" in html(shown)


def test_growth_is_drawn_for_many_days(many_jobs, browse):
    page = browse(f"{many_jobs.url}/store")
    picture = page.locator("svg.growth")
    assert "2025-10-09 to 2026-01-07" in picture.get_attribute("aria-label")
    assert picture.bounding_box()["height"] > 100
