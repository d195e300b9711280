"""The search page."""

import pytest

from porcelain.board.page import Asked, WrongQuestion
from porcelain.board.pages.search import search
from porcelain.board.rendering import to_html
from tests.porcelain.board.filled import fill


def ask(shown, **query):
    return search(shown, Asked("/search", {}, query)).view


def html(shown, **query):
    asked = Asked("/search", {}, query)
    return to_html(search(shown, asked), asked, "project")


def test_finds_lead_to_what_was_found(project, shown, acc):
    project.job("plot", files={"sales 1.png": b""}, made={"weekly": project.dataset()})
    acc("link", "dev-1:sales 1.png", "sales.png")
    fill(shown)
    view = ask(shown, q="sales")
    assert [group["kind"] for group in view["groups"]] == ["result"]
    assert view["groups"][0]["found"][0]["address"] == "/result/sales.png"
    (fit,) = view["jobs"][0]["found"]
    assert (fit["kind"], fit["address"]) == ("file", "/file/dev-1/sales%201.png")
    (fit,) = ask(shown, q="year")["jobs"][0]["found"]
    assert fit["address"] == "/dataset/dev-1/weekly"


def test_methods_that_never_ran_are_found(shown):
    (group,) = ask(shown, q="csvimp")["groups"]
    assert [line["address"] for line in group["found"]] == ["/method/csvimport", "/method/csvimport_zip"]


def test_what_was_searched_is_marked(project, shown):
    project.job("plot_delays")
    fill(shown)
    assert "plot_<mark>del</mark>ays" in html(shown, q="del")


@pytest.mark.parametrize("text", ["", "***", '"', "<script>alert(1)</script>", "🎉", "x" * 10_000, "\ud800"])
def test_whatever_is_typed_is_answered(project, shown, text):
    project.job("odd", caption="<script>alert(1)</script> 🎉")
    fill(shown)
    assert "<script>alert" not in html(shown, q=text.encode("utf-8", "replace").decode())


def test_without_a_text_it_says_what_to_type(shown):
    assert "Type words" in html(shown)


def test_only_kinds_that_there_are_can_be_asked(shown):
    with pytest.raises(WrongQuestion):
        ask(shown, q="a", kind="b")


def test_a_search_of_many_is_paged(many_jobs):
    first, second = (many_jobs.json(f"/search?q=sales&page={page}") for page in (1, 2))
    assert (first["total"], first["pages"]) == (2_000, 80)
    assert first["groups"]
    assert not second["groups"]
    labels = [job["label"] for page in (first, second) for job in page["jobs"]]
    assert len(set(labels)) == 50


def test_search_begins_with_a_slash(many_jobs, browse):
    page = browse(f"{many_jobs.url}/jobs")
    page.keyboard.press("/")
    page.keyboard.type("plot del")
    page.keyboard.press("Control+A")
    page.keyboard.type("plot_sal")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=plot_sal")
    assert page.locator("mark").first.inner_text() == "plot"
