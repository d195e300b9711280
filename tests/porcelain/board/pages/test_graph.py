"""The pages of graphs, asked for by programs and looked at in a browser."""

import pytest

from cas.formats.node import put_node
from jobs.nodes.build import Build, BuiltJob
from porcelain import config
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked
from porcelain.board.pages import graph
from tests.porcelain.board.boards import JSON, RunningBoard
from tests.porcelain.conftest import Project


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project of 1 job, 60 that were made from it, each after the one before, and a report of all."""
    project = Project(tmp_path_factory.mktemp("graph"))
    source = project.job("source", caption="<b>all</b>")
    parts, last = [], None
    for _ in range(60):
        last = project.job("part", jobs={"source": source} | ({"previous": last} if last else {}))
        parts.append(last)
    report = project.job("report", jobs={f"part.{at}": part for at, part in enumerate(parts)})
    rows = [source, *parts, report]
    jobs = [BuiltJob(row.method, row.run, "built" if row is report else "reused") for row in rows]
    build = put_node(project.store, Build("build", "done", report.ended - 2_000_000, report.ended, jobs))
    with project.index.refs.transaction("a build") as transaction:
        transaction.set("builds/1", build)
    project.job("make", made={"default": project.dataset(), "a/graph": project.dataset(caption="other")})
    return project


@pytest.fixture(scope="module")
def board(made):
    with RunningBoard(made.root) as running:
        yield running


def test_a_graph_is_json_with_nodes_and_edges(board):
    view = board.json("/job/report/graph")
    assert (view["of"], view["roots"], len(view["nodes"]), len(view["edges"])) == (
        "dev-62",
        ["dev-62"],
        62,
        60 + 60 + 59,
    )
    nodes = {node["label"]: node for node in view["nodes"]}
    assert nodes["dev-1"] == {
        "label": "dev-1",
        "kind": "job",
        "method": "source",
        "caption": "<b>all</b>",
        "state": "done",
        "how": "reused",
        "reused": True,
        "seconds": 1.5,
        "why": "first run",
    }
    assert nodes["dev-62"]["reused"] is False
    assert {"from": "dev-1", "to": "dev-2", "name": "source"} in view["edges"]


def test_a_large_graph_is_folded_until_it_is_opened(board):
    folded, opened = board.html("/job/report/graph"), board.html("/job/report/graph?open=part")
    assert (folded.count('href="/job/dev-'), opened.count('href="/job/dev-')) == (6, 66)
    assert 'href="/job/report/graph?open=all"' in folded
    assert 'href="/job/report/graph?open=none"' in opened


def test_a_build_has_a_graph_of_its_jobs(board):
    view = board.json("/build/build-1/graph")
    assert [len(view["nodes"]), len(view["roots"])] == [62, 62]
    assert [node["how"] for node in view["nodes"]].count("reused") == 61


def test_a_dataset_has_a_graph_whatever_its_name_is(board):
    assert board.json("/dataset/make/default/graph")["roots"] == ["dev-63/default"]
    assert board.json("/dataset/dev-63/a/graph/graph")["roots"] == ["dev-63/a/graph"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/job/dev-999/graph", 404),
        ("/build/build-9/graph", 404),
        ("/build/report/graph", 404),
        ("/dataset/report/default/graph", 404),
        ("/job/report/graph?depth=0", 400),
        ("/job/report/graph?depth=x", 400),
        ("/job/report/graph?later=maybe", 400),
        ("/job/nothing/graph.svg", 404),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_said(board, path, status):
    answer = board.ask(path, JSON)
    assert (answer.status, bool(answer.json["error"])) == (status, True)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/job/report/graph.svg?open=all", "dev-62-graph.svg"),
        ("/build/build-1/graph.svg", "build-1-graph.svg"),
        ("/dataset/make/default/graph.svg", "dev-63-default-graph.svg"),
    ],
)
def test_each_graph_is_a_file_too(board, path, name):
    answer = board.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_a_graph_of_any_runs_is_drawn_for_who_has_them(made):
    with ShownProject(config.load(made.root)) as project:
        asked = Asked("/urd/anna/x/graph", {}, {"timestamp": "1"})
        runs = [row.run for row in made.index.of_method("part", limit=2)]
        page = graph.of_runs(project, asked, "anna/x 1", "/urd/anna/x", runs)
        assert page.view["roots"] == ["dev-61", "dev-60"]
        assert page.drawn["to_file"] == "/urd/anna/x/graph.svg?timestamp=1"


# -- in a browser --------------------------------------------------------------------------------------------


def box(page):
    """What of the picture is seen: x, y, width, height."""
    return [float(each) for each in page.locator("svg.graph").get_attribute("viewBox").split()]


def test_a_node_leads_to_its_job(board, browse):
    page = browse(f"{board.url}/job/report/graph")
    page.route("**/job/dev-1", lambda route: route.fulfill(body="the job"))
    page.locator("svg.graph a.node", has_text="source").click()
    assert page.url == f"{board.url}/job/dev-1"


def test_methods_open_and_fold_and_the_way_back_leads_back(board, browse):
    page = browse(f"{board.url}/job/report/graph")
    page.locator("svg.graph a.fold").click()
    page.locator("svg.graph .cell").first.wait_for()
    assert page.locator("svg.graph .cell").count() == 60
    page.locator("svg.graph a.frame-head").click()
    page.locator("svg.graph a.fold").wait_for()
    page.go_back()
    page.locator("svg.graph .cell").first.wait_for()


def test_buttons_keys_wheel_and_drags_change_what_is_seen(board, browse):
    page = browse(f"{board.url}/job/report/graph?open=all")
    whole = box(page)
    page.get_by_role("button", name="larger").click()
    assert box(page)[2] == pytest.approx(whole[2] / 1.25, rel=0.01)
    page.locator(".graph-canvas").press("ArrowRight")
    assert box(page)[0] > whole[0]
    page.locator(".graph-canvas").press("0")
    assert box(page) == pytest.approx(whole, abs=1)
    page.locator(".graph-canvas").hover()
    page.mouse.wheel(0, -400)
    page.wait_for_function(
        "width => document.querySelector('svg.graph').viewBox.baseVal.width < width", arg=whole[2]
    )
    x, y, *_ = box(page)
    page.mouse.down()
    page.mouse.move(500, 300)
    page.mouse.up()
    assert box(page)[:2] != [x, y]
    # the end of a drag is no click, even when it ends upon a job
    assert page.url.endswith("/graph?open=all")


def test_what_is_pointed_at_or_reached_by_tab_stands_out_with_what_it_was_made_from(board, browse):
    page = browse(f"{board.url}/job/report/graph?open=all")
    page.locator("svg.graph .cell").nth(30).focus()
    near = page.locator("svg.graph .node.near")
    assert sorted(near.evaluate_all("all => all.map(each => each.querySelector('.line').textContent)")) == [
        "dev-1 · 1.500 s",
        "dev-31",
        "dev-32",
        "dev-33",
        "dev-62 · 1.500 s",
    ]
    assert page.locator("svg.graph .thread").count() == 4
    page.locator(".graph-canvas").focus()
    assert page.locator("svg.graph .near").count() == 0


def test_the_graph_of_a_job_has_the_tabs_of_its_pages(project, look):
    row = project.job("make")
    html = look(graph.of_job, row.label).html
    assert f'href="/job/{row.label}/output"' in html
    assert f'href="/job/{row.label}/graph" aria-current="page"' in html
