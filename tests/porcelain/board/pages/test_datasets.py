"""Datasets, their columns and chains, as pages and in a browser."""

from dataclasses import replace

import pytest

from cas.formats.node import get_node, put_node
from jobs.dataset.head import DatasetHead
from porcelain.board.page import Asked, WrongQuestion
from porcelain.board.pages import datasets as pages
from porcelain.board.pages import rows
from porcelain.board.rendering import to_html
from tests.porcelain.board.datasets import asked

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def html(shows, shown, row, **query):
    question = asked(row, **query)
    return to_html(shows(shown, question), question, "project")


def test_a_dataset_is_what_ds_says_of_it(shown, project):
    first = project.table({"n": ("int64", [[1, 2, 3], [4]]), "t": ("ascii", [["a"] * 3, ["b"]])})
    row = project.table({"n": ("int64", [[5], [7]])}, previous=first, hashlabel="n")
    view = pages.dataset(shown, asked(row)).view
    assert (view["dataset"], view["lines"], view["chain"], view["previous"]) == (
        f"{row.label}/default",
        2,
        2,
        f"{first.label}/default",
    )
    (column,) = view["columns"]
    assert (column["name"], column["min"], column["max"], column["from"]) == ("n", 5, 7, None)
    assert pages.dataset(shown, asked(first)).view["uneven"] == 1.5


def test_many_columns_come_in_pages(shown, project, monkeypatch):
    monkeypatch.setattr(pages, "_PAGE_COLUMNS", 4)
    row = project.table({f"c{number}": ("int64", [[number]]) for number in range(10)})
    last = pages.dataset(shown, asked(row, page=3)).view
    assert [column["name"] for column in last["columns"]] == ["c8", "c9"]
    assert last["column_pages"]["pages"] == 3
    with pytest.raises(WrongQuestion):
        pages.dataset(shown, asked(row, page=4))


def test_a_dataset_without_columns_or_lines_has_a_page(shown, project):
    empty = project.table({"n": ("int64", [[], []])})
    assert "no lines" in html(pages.column, shown, empty, name="n")
    assert "0 lines" not in html(pages.dataset, shown, empty)


def test_a_dataset_that_no_job_has_goes_by_its_id(shown, project):
    row = project.table({"n": ("int64", [[8]])})
    head = get_node(project.store, shown.resolver.outcome(row).datasets["default"], DatasetHead)
    node = put_node(project.store, replace(head, caption="nobody's"))
    for name in (node, node[:12]):
        question = Asked("/", {"label": name, "name": "default"}, {}, wants_json=True)
        assert pages.dataset(shown, question).view["caption"] == "nobody's"
        assert rows.rows(shown, question).view["rows"] == [[8]]
    assert "no job here has it" in to_html(pages.dataset(shown, question), question, "project")


def test_a_plot_is_counted_once_and_then_remembered(shown, project):
    row = project.table({"n": ("int64", [[1, 2], [2]]), "m": ("int64", [[1, 2], [2]])})
    first = pages.column(shown, asked(row, name="n")).view
    for part in pages.open_dataset(shown, pages.find_target(shown, asked(row))).get_column_node("n").slices:
        project.store.delete(part.blob)
    again = pages.column(shown, asked(row, name="n")).view
    assert again["bins"] == first["bins"]
    # the same values under another name
    assert pages.column(shown, asked(row, name="m")).view["name"] == "m"


def test_a_sample_is_said_to_be_one_and_more_can_be_looked_at(shown, project, monkeypatch):
    monkeypatch.setattr(pages, "_PATIENCE_SECONDS", 0)
    row = project.table({"n": ("int64", [range(100_000), range(100_000)])})
    page = html(pages.column, shown, row, name="n")
    assert "in a sample of" in page
    assert "of 200,000 lines were looked at" in page
    assert "longer=1" in page
    assert pages.column(shown, asked(row, name="n", longer=1)).view["read"] == 200_000
    assert pages.column(shown, asked(row, name="n")).view["read"] == 200_000


def test_a_part_of_the_page_of_a_column_is_shown_on_that_of_the_dataset(shown, project):
    page = html(pages.column, shown, project.table({"t": ("ascii", [["a", "b", "a"]])}), name="t")
    assert "data-part" in page
    assert page.count("<svg") == 2
    assert 'aria-label="most frequent values of column t"' in page


def test_each_bar_leads_to_its_rows(shown, project):
    page = html(
        pages.column,
        shown,
        project.table({"n": ("int64", [[1, 2]]), "t": ("ascii", [["a b"] * 2])}),
        name="n",
    )
    assert "where.n=%3E%3D+1+and+%3C%3D+1" in page


def test_a_number_of_many_digits_is_shown_in_few(shown, project):
    row = project.table({"n": ("number", [[2013, -(10**3000)]]), "f": ("float64", [[1 / 3, 2 / 3]])})
    page = html(pages.dataset, shown, row)
    assert "<dd>2013</dd>" in page
    assert "… (3,001 digits)</dd>" in page
    assert "<dd>0.333333</dd>" in page


def test_no_such_column_is_not_there(shown, project):
    with pytest.raises(LookupError, match="no column 'x'"):
        pages.column(shown, asked(project.table({"n": ("int64", [[1]])}), name="x"))


def test_names_and_values_stay_text(shown, project):
    row = project.table({HOSTILE: ("unicode", [[HOSTILE, "b", HOSTILE]])})
    for page in (html(pages.dataset, shown, row), html(pages.column, shown, row, name=HOSTILE)):
        assert "<img" not in page.replace('<img src="/static', "")


def test_a_long_chain_is_drawn_in_groups_and_listed_newest_first(shown, project, monkeypatch):
    monkeypatch.setattr(pages, "_MOST_BARS", 3)
    monkeypatch.setattr(pages, "_PAGE_LINKS", 2)
    made = [project.table({"n": ("int64", [[0], []])})]
    for number in range(1, 5):
        made.append(project.table({"n": ("int64", [[number], []])}, previous=made[-1]))
    page = pages.chain(shown, asked(made[-1]))
    assert (page.view["total"], page.view["lines"]) == (5, 5)
    assert [link["dataset"] for link in page.view["chain"]] == [f"{row.label}/default" for row in made[:2:-1]]
    assert page.drawn["plot"].count("<a ") == 3
    assert "(2 datasets that end with it)" in page.drawn["plot"]
    assert len(pages.chain(shown, asked(made[-1], page=3)).view["chain"]) == 1


def test_the_page_of_a_dataset_fills_in_its_plots_and_rows_in_a_browser(flights_board, browse):
    page = browse(f"{flights_board.url}/dataset/add_airline/default")
    page.locator(".column svg").first.wait_for()
    page.locator(".firstrows").scroll_into_view_if_needed()
    page.locator(".firstrows table.data").wait_for()
    page.locator(".column h3 a", has_text="carrier").click()
    page.locator("table.list tbody tr").first.wait_for()
    assert "UA" in page.locator("table.list tbody tr").first.inner_text()
    assert page.locator("svg.plot:visible").count() == 1
