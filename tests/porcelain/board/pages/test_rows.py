"""Rows of datasets, as pages, as JSON, as CSV, and in a browser."""

import csv
import io
import math
from datetime import date, datetime

import pytest

from cas.errors import ObjectNotFound
from jobs.nodes.run import Failure
from porcelain.board.page import Asked, NoSuchPage, WrongQuestion
from porcelain.board.pages import rows as pages
from porcelain.board.pages.rows import Question
from porcelain.board.rendering import to_html
from tests.porcelain.board.boards import body_of
from tests.porcelain.board.datasets import asked

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


@pytest.fixture
def made(project):
    """120 rows in two slices."""
    return project.table(
        {
            "n": ("int64", [range(100), range(100, 120)]),
            "t": ("unicode+None", [[f"t{number % 7}" for number in range(100)], [None] * 20]),
        }
    )


def view(shown, row, **query):
    return pages.rows(shown, asked(row, wants_json=True, **query)).view


def html(shown, row, **query):
    question = asked(row, f"/rows/{row.label}/default", **query)
    return to_html(pages.rows(shown, question), question, "project")


def numbers(found):
    place = [column["name"] for column in found["columns"]].index("n")
    return [row[place] for row in found["rows"]]


def test_rows_come_in_pages(shown, made):
    first, last = view(shown, made), view(shown, made, page=3)
    assert (numbers(first), numbers(last)) == ([*range(50)], [*range(100, 120)])
    assert (first["lines"], first["numbers"][:2], last["numbers"][0]) == (120, [1, 2], 101)


def test_pages_that_are_not_there_are_refused(shown, made):
    for query in ({"page": 4}, {"page": 0}, {"rows": 501}, {"from": 121}, {"column": 3}):
        with pytest.raises(WrongQuestion):
            view(shown, made, **query)


def test_rows_are_sorted_up_and_down_and_paged(shown, made):
    down = view(shown, made, sort="-n", page=2)
    assert numbers(down) == [*range(69, 19, -1)]
    assert (down["sort"], down["descending"], down["complete"]) == ("n", True, True)
    assert numbers(view(shown, made, sort="t"))[:3] == [0, 7, 14]


def test_conditions_choose_rows_and_say_what_was_looked_at(shown, made):
    found = view(shown, made, where__n=">= 10", where__t="= t3")
    assert numbers(found) == [10, 17, 24, 31, 38, 45, 52, 59, 66, 73, 80, 87, 94]
    assert (found["looked_at"], found["found"], found["complete"], found["next"]) == (120, 13, True, None)


def test_a_page_that_is_full_leads_to_where_to_go_on(shown, made):
    first = view(shown, made, where__n="!= 5", rows=10)
    assert (numbers(first), first["next"]) == ([0, 1, 2, 3, 4, 6, 7, 8, 9, 10], 12)
    assert numbers(view(shown, made, where__n="!= 5", rows=10, **{"from": first["next"]}))[0] == 11


def test_what_takes_too_long_says_so_and_goes_on(shown, project, monkeypatch):
    monkeypatch.setattr(pages, "_PATIENCE_SECONDS", 0)
    count = 200_000
    row = project.table({"n": ("int64", [range(count)])})
    looked_at = []
    while not looked_at or looked_at[-1] < count:
        found = view(shown, row, sort="-n", rows=1)
        assert numbers(found) == [found["looked_at"] - 1]
        looked_at.append(found["looked_at"])
        if len(looked_at) == 1:
            page = html(shown, row, where__n="= 199999")
            assert 'class="waiting button"' in page
            assert "of 200,000 lines so far" in page
    assert len(looked_at) > 1


def test_columns_are_chosen_or_come_some_at_a_time(shown, project, monkeypatch):
    monkeypatch.setattr(pages, "_SHOWN_COLUMNS", 4)
    row = project.table({f"c{number}": ("int64", [[number]]) for number in range(10)})
    first, third = view(shown, row), view(shown, row, column=9)
    assert [column["name"] for column in first["columns"]] == ["c0", "c1", "c2", "c3"]
    assert third["rows"] == [[8, 9]]
    assert view(shown, row, show__c9=1, show__c3=1)["rows"] == [[3, 9]]
    assert "columns 1 to 4 of 10" in html(shown, row)
    with pytest.raises(WrongQuestion, match="no column 'nope'"):
        view(shown, row, show__nope=1)


def test_a_chain_is_read_as_one(shown, project, made):
    last = project.table({"n": ("int64", [[500]])}, previous=made)
    found = view(shown, last, chain=1, sort="-n")
    assert (found["chain"], found["lines"], numbers(found)[:2]) == (2, 121, [500, 119])


def test_a_column_whose_type_changes_along_a_chain_shows_each_value_as_what_it_is(shown, project):
    first = project.table({"v": ("datetime", [[datetime(2020, 1, 2, 3, 4)]])})
    second = project.table({"v": ("date", [[date(2020, 1, 2)]])}, previous=first)
    last = project.table({"v": ("int64", [[7]])}, previous=second)
    found = view(shown, last, chain=1)
    assert found["columns"] == [{"name": "v", "type": "date or datetime or int64"}]
    assert found["rows"] == [["2020-01-02T03:04:00"], ["2020-01-02"], [7]]
    page = html(shown, last, chain=1)
    assert ">2020-01-02 03:04:00<" in page
    assert read_csv(pages.csv(shown, asked(last, chain=1)))[1:] == [
        ["2020-01-02 03:04:00"],
        ["2020-01-02"],
        ["7"],
    ]


def test_a_column_whose_name_begins_with_a_minus_can_be_sorted_by(shown, project):
    row = project.table({"-n": ("int64", [[2, 1]]), "x": ("int64", [[1, 2]])})
    assert view(shown, row, sort="-n")["rows"] == [[1, 2], [2, 1]]
    assert view(shown, row, sort="--n")["rows"] == [[2, 1], [1, 2]]


def test_what_makes_no_sense_is_refused(shown, made):
    for query in (
        {"sort": "nope"},
        {"where__nope": "1"},
        {"where__n": "abc"},
        {"where__n": "~ 1"},
        {"page": "x"},
    ):
        with pytest.raises(WrongQuestion):
            view(shown, made, **query)


def test_who_fills_in_the_form_wrongly_gets_it_back_with_what_is_wrong(shown, made):
    page = html(shown, made, where__n="ten", where__t="~ x")
    assert "&#39;ten&#39; is no condition on values of type int64" in page
    assert 'value="ten"' in page
    assert 'value="~ x"' in page
    with pytest.raises(WrongQuestion):
        pages.csv(shown, asked(made, where__n="ten"))


def test_no_such_dataset_and_no_such_job_are_not_there(shown, made, project):
    failed = project.job("broken", failure=Failure("oh no", "analysis", 0, ""))
    for label, name in ((failed.label, "default"), (made.label, "nope")):
        with pytest.raises(LookupError):
            pages.rows(shown, Asked("/", {"label": label, "name": name}, {}))
    for label in ("dev-99", "no job?", "..", "~", "", "@ff", "%00"):
        with pytest.raises(NoSuchPage):
            pages.rows(shown, Asked("/", {"label": label, "name": "default"}, {}))


def test_a_lost_object_is_said_and_found_when_it_is_back(shown, project, made):
    blob = Question.of(shown, asked(made)).table.links[0].get_column_node("n").slices[0].blob
    data = project.store.get(blob)
    project.store.delete(blob)
    with pytest.raises(ObjectNotFound):
        view(shown, made, sort="-n")
    project.store.put(data)
    assert numbers(view(shown, made, sort="-n"))[0] == 119


def test_names_and_values_stay_text(shown, project):
    row = project.table(
        {HOSTILE: ("unicode", [[HOSTILE, "b"]]), "\n\x1b": ("ascii", [["</td><script>", ""]])}
    )
    for query in ({}, {f"where.{HOSTILE}": HOSTILE}, {"sort": HOSTILE}, {f"show.{HOSTILE}": "1"}):
        page = html(shown, row, **query)
        assert "<img" not in page.replace('<img src="/static', "")
        assert "<script>" not in page
        assert "49" not in page.replace(row.label, "")


def test_none_the_empty_text_and_nan_are_told_apart(shown, project):
    row = project.table({"t": ("unicode+None", [["", None]]), "f": ("float64+None", [[math.nan, None]])})
    page = html(shown, row)
    assert '<td class="value is-empty">&#34;&#34;</td>' in page
    assert '<td class="value is-none">None</td>' in page
    assert '<td class="number value ">nan</td>' in page


def read_csv(response):
    return [*csv.reader(io.StringIO(body_of(response).decode()))]


def test_csv_has_all_rows_or_those_that_are_shown(shown, made):
    every = read_csv(pages.csv(shown, asked(made)))
    assert (every[0], len(every), every[1], every[-1]) == (["n", "t"], 121, ["0", "t0"], ["119", "None"])
    chosen = read_csv(pages.csv(shown, asked(made, where__n="< 3", show__n=1)))
    assert chosen == [["n"], ["0"], ["1"], ["2"]]
    page = read_csv(pages.csv(shown, asked(made, shown=1, sort="-n", rows=2)))
    assert page == [["n", "t"], ["119", "None"], ["118", "None"]]


def test_csv_is_what_export_writes_and_named_after_the_dataset(shown, project):
    row = project.table({"b": ("bytes", [[b"\xff,", b'"']]), "j": ("json", [[{"b": 1, "a": None}, None]])})
    response = pages.csv(shown, asked(row))
    assert response.headers["content-disposition"] == f'attachment; filename="{row.label}-default.csv"'
    assert body_of(response) == b'b,j\n"\xff,","{""b"":1,""a"":null}"\n"""",null\n'


def test_rows_are_sorted_and_filtered_in_a_browser(flights_board, browse):
    page = browse(f"{flights_board.url}/rows/add_airline/default")
    page.get_by_role("link", name="distance", exact=True).click()
    page.get_by_role("columnheader", name="distance").get_by_role("link").click()
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("distance")
    assert page.locator("table.data tbody tr").first.inner_text().split("\t")[5] == "4983"
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("textbox", name="carrier").fill("= UA")
    page.get_by_role("textbox", name="distance").fill("< 1000")
    page.get_by_role("button", name="Show rows").click()
    first = page.locator("table.data tbody tr").first.inner_text().split("\t")
    assert (first[2], int(first[5]) < 1000) == ("UA", True)
    # what was not filled in is not in the address
    assert "where.dest" not in page.url
    assert "of 28,834 lines found" in page.locator(".counted").inner_text()


def test_hostile_names_and_values_stay_text_in_a_browser(project, board, browse):
    row = project.table(
        {HOSTILE: ("unicode", [[HOSTILE, "b", "a"]]), "x": ("bytes", [[b"\xff", b"<b>", b""]])}
    )
    page = browse(f"{board.url}/rows/{row.label}/default")
    assert page.locator("table.data tbody td").nth(1).inner_text() == HOSTILE
    page.get_by_role("link", name=HOSTILE, exact=True).click()
    assert page.locator("table.data tbody td").nth(1).inner_text() == HOSTILE
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("textbox", name=HOSTILE).fill(f"= {HOSTILE}")
    page.get_by_role("button", name="Show rows").click()
    assert page.locator("table.data tbody tr").count() == 1
    page.goto(f"{board.url}/dataset/{row.label}/default")
    page.locator(".column svg").first.wait_for()
    assert page.locator("h3").first.inner_text().startswith(HOSTILE)
    assert page.locator("main img").count() == 0
